/**
 * How many imports are under way: from the front door until the desk has told what became of them, at most 64, whatever the number of processes.
 * Live work never waits behind more than that, and behind fewer where fewer keep the pipeline busy: how many a process has under way at once is its
 * pace (`backfill-pace.ts`), and where it does everything, they come so far apart that live work has its event loop (`backfill-spacing.ts`). What is parked for a picture waits
 * for nobody here, so it counts for the 64 alone.
 *
 * A place is an object, taken by compare-and-swap for a submission, so the count survives a restart and is one for all processes. Nobody gives a
 * place back: it is free again once the trace says that its submission has come to an end, and is then taken for the next. A place whose
 * submission never got as far as the log (the process died in between) is free after a minute.
 */
import type { Milestone } from '@newswire/events/milestone'
import { type Document, getDocument, swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import type { ServiceContext } from '@newswire/runtime/service'
import { z } from 'zod'
import { createPace, type Pace } from './backfill-pace.ts'
import { type Spacing, unspaced } from './backfill-spacing.ts'

/** Architecture §3. */
const WINDOW = 64
/** How long a request is held back before it is sent away, ms: most places are free again sooner. */
const WAIT_MS = 2_000
/** Requests held back at once, each with its body in memory; beyond that they are sent away at once. */
const MAX_WAITING = 128
/** Longer than a publish may take: what the trace does not know of by then is not in the log. */
const LOST_MS = 60_000
/** How often places are read again while somebody waits, ms: other processes take them too. */
const REFRESH_MS = 1_000

type Trace = Awaited<ReturnType<ServiceContext['trace']>>

const placeDocument = z.object({ n: z.int(), submissionId: z.string(), takenAt: z.string() })
/** `pacedSinceMs`: when this process let it in, while it counts for its pace; ms of a steady clock. */
type Place = {
  readonly key: string
  held: Document<z.output<typeof placeDocument>> | null
  isOver: boolean
  isClaiming: boolean
  pacedSinceMs: number | null
  /** Whoever repeats it is let in once more. */
  hasFailed: boolean
}

const UNDER_WAY: ReadonlySet<string> = new Set(['accepted', 'parked'])

export type BackfillWindow = Readonly<{
  /** True once the submission has a place; false when none became free in time. The same submission again keeps its place. */
  admit(submissionId: string): Promise<boolean>
  /** One that was admitted could not be logged: it keeps its place for whoever repeats it, and nobody waits behind it. Twice is once. */
  failed(submissionId: string): void
  /** Places taken, as far as this process knows. */
  taken(): number
  /** Sends away everybody who waits. Twice is once. */
  stop(): void
}>

type Needs = Readonly<{
  objects: Pick<Objects, 'get' | 'put'>
  trace: () => Promise<Pick<Trace, 'submission' | 'isReady' | 'onMilestones' | 'attend'>>
  /** Wall clock, ms since 1970. */
  now: () => number
  size?: number
  waitMs?: number
  pace?: Pace
  /** Default: as close as the pace lets them. */
  spacing?: Spacing
}>

export const createBackfillWindow = ({
  objects,
  trace,
  now,
  size = WINDOW,
  waitMs = WAIT_MS,
  pace = createPace(size),
  spacing = unspaced,
}: Needs): BackfillWindow => {
  const places: Place[] = Array.from({ length: size }, (_, number) => ({
    key: keys.backfillPlace(number),
    held: null,
    isOver: false,
    isClaiming: false,
    pacedSinceMs: null,
    hasFailed: false,
  }))
  /** Oldest first: each is told to look again, or that it is too late. */
  const waiting: ((isWorthALook: boolean) => void)[] = []
  let opened: Promise<Pick<Trace, 'submission' | 'isReady' | 'attend'>> | null = null
  let stopListening: (() => void) | null = null
  let refreshing: NodeJS.Timeout | null = null
  /** While something is paced: how it ended must be told at once. */
  let endAttending: (() => void) | null = null
  /** While the next one must wait for its space. */
  let spaced: NodeJS.Timeout | null = null
  let isStopped = false

  /** One after the other, so that nobody loses his turn to whoever came later: who is let in wakes the next, or the space does. */
  const wakeNext = () => {
    if (room() > 0) waiting.shift()?.(true)
  }

  const onMilestones = (milestones: readonly Milestone[]) => {
    const told = milestones.flatMap(one => (one.kind === 'submission' && one.state !== 'accepted' ? [one] : []))
    const isParked = new Map(told.map(one => [one.submissionId, one.state === 'parked']))
    for (const place of places) {
      const parked = place.held === null || place.isOver ? undefined : isParked.get(place.held.value.submissionId)
      if (parked === undefined) continue
      if (place.pacedSinceMs !== null) {
        if (parked) pace.parked(place.pacedSinceMs, performance.now())
        else pace.ended(place.pacedSinceMs, performance.now())
      }
      place.pacedSinceMs = null
      place.isOver = !parked
    }
    goOn()
  }

  /** Somebody stands in the line no more. */
  const goOn = () => {
    if (!places.some(isPaced)) {
      endAttending?.()
      endAttending = null
    }
    wakeNext()
  }

  const load = async (place: Place, from: Pick<Trace, 'submission'>): Promise<void> => {
    const before = place.held
    const found = await getDocument(objects, place.key, placeDocument)
    if (place.held !== before) return // taken here meanwhile
    place.held = found
    if (found?.value.submissionId !== before?.value.submissionId) place.pacedSinceMs = null
    const known = place.held === null ? null : from.submission(place.held.value.submissionId)
    place.isOver = known !== null && !UNDER_WAY.has(known.state)
  }

  const open = () => {
    opened ??= (async () => {
      const found = await trace()
      stopListening ??= found.onMilestones(onMilestones)
      await Promise.all(places.map(place => load(place, found)))
      return found
    })().catch(error => {
      opened = null
      throw error
    })
    return opened
  }

  const isLost = ({ held }: Place, from: Pick<Trace, 'submission' | 'isReady'>): boolean =>
    held !== null && now() - Date.parse(held.value.takenAt) > LOST_MS && from.isReady() && from.submission(held.value.submissionId) === null

  /** How many more this process may let in at this moment. */
  const room = (): number => {
    const nowMs = performance.now()
    if (spacing.waitMs(nowMs) > 0) return 0
    return pace.limit(nowMs) - places.filter(one => one.isClaiming || isPaced(one)).length
  }
  /** What takes longer than a minute is lost, or waits for something else than its turn. */
  const isPaced = ({ pacedSinceMs, isOver, held }: Place): boolean =>
    pacedSinceMs !== null && !isOver && held !== null && now() - Date.parse(held.value.takenAt) <= LOST_MS

  /** Whoever waits may be let in once there is space. */
  const wakeWhenSpaced = () => {
    const spaceMs = spacing.waitMs(performance.now())
    if (spaceMs === 0 || spaced !== null || isStopped) return
    spaced = setTimeout(() => {
      spaced = null
      if (spacing.waitMs(performance.now()) > 0) wakeWhenSpaced()
      else wakeNext()
    }, spaceMs).unref()
  }

  /** Begins anywhere, so that two processes seldom want the same one. */
  const findFree = (from: Pick<Trace, 'submission' | 'isReady'>): Place | undefined => {
    if (room() <= 0) return undefined
    const start = Math.floor(Math.random() * size)
    for (let step = 0; step < size; step += 1) {
      const place = places[(start + step) % size]
      if (place && !place.isClaiming && (place.held === null || place.isOver || isLost(place, from))) return place
    }
    return undefined
  }

  /** Whoever comes next keeps his distance from this one. */
  const takeSpace = () => {
    spacing.letIn(performance.now())
    wakeWhenSpaced()
  }

  const letIn = (place: Place, from: Pick<Trace, 'attend'>) => {
    place.pacedSinceMs = performance.now()
    place.hasFailed = false
    endAttending ??= from.attend()
  }

  const claim = async (place: Place, submissionId: string, from: Pick<Trace, 'submission' | 'attend'>): Promise<boolean> => {
    place.isClaiming = true
    takeSpace()
    try {
      const value = { n: (place.held?.value.n ?? 0) + 1, submissionId, takenAt: new Date(now()).toISOString() }
      // Not durable: a power cut that forgets a place lets one more in, and loses nothing.
      const put = await swapDocument(objects, place.key, value, place.held?.etag ?? null, { durable: false })
      if (put.ok) {
        place.held = { value, etag: put.etag }
        place.isOver = false
        letIn(place, from)
      } else await load(place, from)
      return put.ok
    } finally {
      place.isClaiming = false
      wakeNext()
    }
  }

  const refresh = async () => {
    const from = await open()
    await Promise.all(places.filter(one => !one.isClaiming).map(place => load(place, from)))
    if (findFree(from)) wakeNext()
  }

  /** Resolves with whether it is worth another look. */
  const wait = (forMs: number): Promise<boolean> => {
    refreshing ??= setInterval(() => void refresh().catch(() => undefined), REFRESH_MS).unref() // an absent store is told to whoever claims
    return new Promise(resolve => {
      const finish = (isWorthALook: boolean) => {
        clearTimeout(timer)
        if (waiting.length === 0 && refreshing !== null) {
          clearInterval(refreshing)
          refreshing = null
        }
        resolve(isWorthALook)
      }
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(finish), 1)
        finish(false)
      }, forMs)
      waiting.push(finish)
    })
  }

  return {
    admit: async submissionId => {
      const from = await open()
      const own = places.find(({ held }) => held?.value.submissionId === submissionId)
      if (own?.hasFailed && !own.isOver) {
        takeSpace()
        letIn(own, from)
      }
      if (own !== undefined) return true
      const end = performance.now() + waitMs
      // Who comes while others wait stands behind them.
      let isTurn = waiting.length === 0
      for (;;) {
        for (let place = isTurn ? findFree(from) : undefined; place; place = findFree(from))
          if (await claim(place, submissionId, from)) return true
        const leftMs = end - performance.now()
        if (isStopped || leftMs <= 0 || waiting.length >= MAX_WAITING || !(await wait(leftMs))) return false
        isTurn = true
      }
    },
    failed: submissionId => {
      for (const place of places)
        if (place.held?.value.submissionId === submissionId) {
          place.pacedSinceMs = null
          place.hasFailed = true
        }
      goOn()
    },
    taken: () => places.filter(({ held, isOver }) => held !== null && !isOver).length,
    stop: () => {
      isStopped = true
      stopListening?.()
      endAttending?.()
      if (refreshing !== null) clearInterval(refreshing)
      if (spaced !== null) clearTimeout(spaced)
      for (const look of waiting.splice(0)) look(false)
    },
  }
}
