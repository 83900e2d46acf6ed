/**
 * The feeds as they are served, from memory. Which build is current is known by following `feeds`; its bytes are read once, when the build is
 * announced and somebody has asked since the last one, else when somebody asks. Readers share one read and one compression.
 *
 * Without the log (cut off from it, or started before it has told of a feed) the store is asked again every few seconds instead, so that
 * readers get the last good bytes there are, and whoever asks for readiness is told since when. Nobody has told then what was taken back since they
 * were written, so each article in them is looked up first (`mayShow`), and bytes that show one that the store no longer has for all are not served.
 */
import { join } from 'node:path'
import { type FeedBuilt, type FeedOutput, feedOutputs } from '@newswire/events/feed'
import type { Coding } from '@newswire/http/accept'
import type { Log } from '@newswire/log/log'
import type { Objects } from '@newswire/objects/objects'
import { openBuiltFeeds } from '@newswire/runtime/built-feeds'
import { type FeedFile, type MayShow, readFeedFile } from './feed-read.ts'
import { newSlot, type Slot } from './feed-slot.ts'
import { type Standing, toStanding } from './feed-standing.ts'
import { createFeedState, type FeedState } from './feed-state.ts'
import { createPastStates, type PastStates } from './past-states.ts'
import { createRefining } from './refining.ts'

export type FeedCache = Readonly<{
  /** `null` when there is no such file. Throws `UnavailableError` when the store is away and nothing is kept. */
  get(feedId: string, output: FeedOutput): Promise<FeedState | null>
  /** What is in memory and current; `null` when `get` has to look. */
  peek(feedId: string, output: FeedOutput): FeedState | null
  /** `peek` of one file, for who asks often. */
  watch(feedId: string, output: FeedOutput): () => FeedState | null
  /** A reader takes this coding: it is made along with the next state. */
  want(state: FeedState, coding: Coding): void
  /** The states before, by their tags. */
  past(feedId: string, output: FeedOutput): PastStates | null
  built(feedId: string): FeedBuilt | null
  /** A file in the store was found that was written then, ms since 1970: of how things stood at that time something is known. */
  learnWritten(at: number): void
  isReady(): boolean
  /** Lets it know every build that is in the log now; rejects when the signal aborts. */
  caughtUp(signal: AbortSignal): Promise<void>
  standing(): Standing
  failure(): Error | null
  stop(): Promise<void>
}>

export type FeedCacheOptions = Readonly<{
  log: Log
  objects: Pick<Objects, 'get' | 'head'>
  dataDir: string
  onPoison: (details: { code: string; message: string }) => void
  /** Whether the log can be reached now (default: it can). */
  isLogThere?: () => boolean
  /** Bytes of states that are kept at most, the longest not asked for dropped first (default 256 MiB). */
  maxBytes?: number
  /** Asked for what is read while the log does not tell (default: it may be shown). */
  mayShow?: MayShow
  /** Milliseconds after which a state that stays is compressed as well as can be (default 10 000). */
  quietMs?: number
}>

/** How long what the store gave is taken for current when the log does not say. */
const RECHECK_MS = 5_000
/** After a read that failed the last good bytes go out at once for so long; then somebody's request tries again. */
const AGAIN_MS = 250
/** So long a feed that was refused is not looked through again: each look may ask the store for all that it shows. */
const REFUSED_MS = 1_000
const MAX_BYTES = 256 * 2 ** 20
const QUIET_MS = 10_000
/** Every state is weighed for it, so a hundred feeds that change together are weighed together. */
const EVICT_AFTER_MS = 20
/** How often it is looked whether a feed is quiet, and for what could not be read. */
const LOOK_MS = 2_500
/** The order in which codings are made of a new state. */
const BY_COST = ['gzip', 'br', 'zstd'] as const satisfies readonly Coding[]

export const openFeedCache = async (options: FeedCacheOptions): Promise<FeedCache> => {
  const { log, objects, dataDir, onPoison, isLogThere = () => true, maxBytes = MAX_BYTES, quietMs = QUIET_MS } = options
  const { mayShow = async () => true } = options
  const slots = new Map<string, Slot>()
  /** When it was last known what is current, ms since 1970: the log said so, or a builder wrote it. */
  let knownAt: number | null = null
  const learnWritten = (at: number) => {
    knownAt = Math.max(knownAt ?? 0, at)
  }

  const feeds = await openBuiltFeeds({
    log,
    file: join(dataDir, 'views', 'gateway-feeds.db'),
    onPoison,
    onBuilt: feedIds => {
      for (const feedId of feedIds)
        for (const output of feedOutputs) {
          const slot = slots.get(`${feedId}/${output}`)
          if (slot !== undefined) slot.isBehind = true
          // What nobody asked for since it was last made waits until somebody does: a feed that changes faster than it is read costs what reading costs.
          if (slot?.isAsked) refresh(slot, feedId, output).catch(() => undefined)
        }
    },
  })
  const hasLog = () => feeds.isReady() && isLogThere()
  const heardOf = feeds.heard

  const isFresh = (slot: Slot, now: number): boolean => {
    if (slot.state === null || slot.isBehind) return false
    const isKnown = slot.heard >= 0 && hasLog()
    return isKnown || now - slot.checkedAt < RECHECK_MS
  }

  let evicting: NodeJS.Timeout | undefined
  const evict = () => {
    evicting = undefined
    let sum = [...slots.values()].reduce((total, { state }) => total + (state?.weight() ?? 0), 0)
    if (sum <= maxBytes) return
    for (const [key, slot] of [...slots].sort(([, a], [, b]) => a.askedAt - b.askedAt)) {
      if (sum <= maxBytes || slots.size <= 1) return
      sum -= slot.state?.weight() ?? 0
      slot.isDropped = true
      // Whoever watches the slot finds nothing there, and keeps nothing alive.
      slot.state = null
      slots.delete(key)
    }
  }

  const weighSoon = () => {
    evicting ??= setTimeout(evict, EVICT_AFTER_MS).unref()
  }

  const adopt = (slot: Slot, feedId: string, output: FeedOutput, { bytes, content, lastModified }: FeedFile): FeedState => {
    // The same bytes under a higher counter are the same state: what was compressed stays compressed.
    if (slot.state?.content === content && slot.state.lastModified?.getTime() === lastModified?.getTime()) return slot.state
    return createFeedState({ feedId, output, bytes, content, lastModified, before: slot.state })
  }

  /**
   * What readers take, made unasked, the cheapest first, as long as it is current. No answer waits for all of it: who takes what is not there yet gets the
   * cheapest coding that he takes as soon as that is made.
   */
  const makeWanted = async (slot: Slot): Promise<void> => {
    const { state, wanted } = slot
    for (const coding of BY_COST) if (state !== null && state === slot.state && wanted.has(coding)) await state.variant(coding)
    weighSoon()
  }

  const load = async (slot: Slot, feedId: string, output: FeedOutput): Promise<FeedState | null> => {
    const isTold = hasLog()
    const file = await readFeedFile(
      { objects, mayShow },
      { feedId, output, built: feeds.built(feedId), isTold, isDoubted: feeds.isDoubted(feedId), held: slot.state },
    )
    if (file === null) return null
    if (file === 'refused') {
      // Not even what was served a moment ago: it is the same, or older.
      slot.state = null
      // States are told from the one before them, and the next has none: its numbers begin anew, and say nothing of these.
      slot.past = createPastStates()
      slot.refusedAt = performance.now()
      return null
    }
    if (!isTold) learnWritten(file.writtenAt)
    return adopt(slot, feedId, output, file)
  }

  const miss = (slot: Slot) => {
    slot.failedAt = performance.now()
    if (slot.isBehind && slot.state !== null && slot.missedAt === 0) slot.missedAt = slot.failedAt
  }

  const refresh = (slot: Slot, feedId: string, output: FeedOutput): Promise<FeedState | null> => {
    const heard = heardOf(feedId)
    if (slot.loading !== null && slot.loading.heard >= heard) return slot.loading.done
    slot.isAsked = false
    // One after the other: each state is told from the one before it.
    const turn = slot.loading?.done.catch(() => null) ?? Promise.resolve()
    const done: Promise<FeedState | null> = turn
      .then(() => load(slot, feedId, output))
      .then(
        state => {
          if (slot.loading?.done === done) slot.loading = null
          if (state === null) {
            miss(slot)
            return slot.state
          }
          if (slot.state !== null && slot.state !== state) slot.past.leave(slot.state, Date.now())
          Object.assign(slot, { state, heard: Math.max(heard, slot.heard), checkedAt: performance.now() })
          slot.isBehind = slot.heard < heardOf(feedId)
          slot.missedAt = 0
          weighSoon()
          // One that fails is tried again by who asks for it.
          makeWanted(slot).catch(() => undefined)
          return slot.state
        },
        (error: unknown) => {
          if (slot.loading?.done === done) slot.loading = null
          miss(slot)
          // The last good bytes are better than none, for everybody who waits for this read.
          if (slot.state !== null) return slot.state
          throw error
        },
      )
    slot.loading = { heard, done }
    return done
  }

  const slotOf = (feedId: string, output: FeedOutput): Slot => {
    const key = `${feedId}/${output}`
    const slot = slots.get(key) ?? newSlot()
    slots.set(key, slot)
    return slot
  }

  const get = async (feedId: string, output: FeedOutput): Promise<FeedState | null> => {
    const now = performance.now()
    const slot = slotOf(feedId, output)
    slot.isAsked = true
    slot.askedAt = now
    if (isFresh(slot, now)) return slot.state
    if (slot.state !== null && now - slot.failedAt < AGAIN_MS) return slot.state
    if (slot.state === null && now - slot.refusedAt < REFUSED_MS && !hasLog()) return null
    const state = await refresh(slot, feedId, output)
    if (state === null && heardOf(feedId) < 0 && slot.refusedAt < now) {
      slot.isDropped = true
      slots.delete(`${feedId}/${output}`)
    }
    return state
  }

  const quietStates = function* () {
    const now = performance.now()
    for (const { state, checkedAt, wanted, isAsked } of slots.values())
      if (state !== null && isAsked && now - checkedAt >= quietMs && wanted.size > 0) yield state
  }
  const refining = createRefining(quietStates)
  /** Also when nobody asks: whoever asks for readiness is told when it is over. */
  const retryMissed = () => {
    for (const [key, slot] of slots) {
      const [feedId = '', output] = key.split('/')
      if (slot.missedAt > 0) refresh(slot, feedId, output as FeedOutput).catch(() => undefined)
    }
  }
  const timer = setInterval(
    () => {
      if (hasLog()) knownAt = Date.now()
      retryMissed()
      refining.next()
    },
    Math.min(LOOK_MS, quietMs),
  )
  timer.unref()

  const look = (slot: Slot | undefined): FeedState | null => {
    if (slot === undefined) return null
    const now = performance.now()
    if (!isFresh(slot, now)) return null
    slot.isAsked = true
    slot.askedAt = now
    return slot.state
  }

  return {
    get,
    peek: (feedId, output) => look(slots.get(`${feedId}/${output}`)),
    watch: (feedId, output) => {
      const key = `${feedId}/${output}`
      let slot = slots.get(key)
      return () => {
        if (slot === undefined || slot.isDropped) slot = slots.get(key)
        return look(slot)
      }
    },
    want: (state, coding) => {
      const slot = slots.get(`${state.feedId}/${state.output}`)
      if (slot === undefined) return
      slot.wanted.add(coding)
      if (state.find(coding) === undefined) makeWanted(slot).catch(() => undefined)
    },
    past: (feedId, output) => slots.get(`${feedId}/${output}`)?.past ?? null,
    built: feeds.built,
    learnWritten,
    isReady: feeds.isReady,
    caughtUp: feeds.caughtUp,
    standing: () => toStanding({ hasLog: hasLog(), knownAt, missedAt: [...slots.values()].map(slot => slot.missedAt) }),
    failure: feeds.failure,
    stop: async () => {
      clearInterval(timer)
      clearTimeout(evicting)
      await feeds.stop()
    },
  }
}
