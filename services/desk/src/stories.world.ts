/** For the stories: a store and a log in memory, with a gate at every place where a desk can die or be overtaken. */
import { articleInput, contentOf, type Picture, toArticle } from '@newswire/events/article'
import { canonicalSha256 } from '@newswire/events/canonical'
import type { EventRecord } from '@newswire/events/events'
import { toRecord } from '@newswire/events/events'
import type { Fact } from '@newswire/events/fact'
import type { Milestone } from '@newswire/events/milestone'
import type { NewRecord } from '@newswire/log/log'
import { keys, parseHoldKey } from '@newswire/objects/keys'
import type { PutOptions, PutResult, StoredObject } from '@newswire/objects/objects'
import type { Cause, ReferencesCause } from './cause.ts'
import { createHandle, type Handle, newestFact } from './handle.ts'
import { isOutdated, type Standing, type StandingOf, toNaming } from './references.ts'
import { blank, dueTimes, isGone, type State, state } from './state.ts'

export const ARTICLE = 'baoqk.story'
const PUBLISHER = 'baoqk'
const START_MS = Date.parse('2026-01-01T00:00:00.000Z')
/** An instant of a story, in minutes after its start. */
export const at = (minutes: number): string => new Date(START_MS + minutes * 60_000).toISOString()

/** Where a desk can be stopped. `half`: the fact is in the log, the milestones are not. */
export type Gate = 'put' | 'swap' | 'swapped' | 'publish' | 'half' | 'published'
export type Pass = (gate: Gate) => Promise<void> | void

/** Another article is taken back, or comes back: what it is by then. The newest `turn` counts, however often which of them is played again. */
type TurnOf = Readonly<{ turn: number; target: string; standing: Standing; isTold: boolean }>
type Turn = ReferencesCause & Readonly<{ turn: TurnOf }>
export const isTurn = (cause: Cause): cause is Turn => 'turn' in cause

type Landed = Readonly<{ fact: Fact; bytes: string; clockMs: number }>

export type World = ReturnType<typeof createWorld>

const decoder = new TextDecoder()

/** Faults put in on purpose: whoever looks for faults must find each of them. */
export type Plant =
  | 'a store that ignores conditions'
  | 'a store that loses holds'
  | 'a desk that never publishes what is missing'
  | 'a desk that forgets what it has seen'
  | 'a desk that forgets retractions'
  | 'a desk that takes imports for live'
  | 'a desk whose clock is ahead'
  | 'nobody who mends'
  | 'nobody who looks at references'
  | 'a desk that knows no other article'

const MINUTE_MS = 60_000

/** What a desk with a fault finds in `current/`. */
const spoil = (body: string, plant: Plant | undefined): string => {
  if (plant === 'a desk that forgets what it has seen') return JSON.stringify({ ...JSON.parse(body), seen: [] })
  if (plant === 'a desk that forgets retractions') return JSON.stringify({ ...JSON.parse(body), killed: null })
  return body
}

/** The whole outside of the desks of one run. `lagging`: the view of `articles` never catches up. */
export const createWorld = ({ lagging, plant }: { lagging: boolean; plant?: Plant }) => {
  const stored = new Map<string, { body: string; etag: string }>()
  const landed: Landed[] = []
  const milestones: Milestone[] = []
  const swaps: State[] = []
  const turns: TurnOf[] = []
  let clockMs = START_MS

  const current = (): State => {
    const found = stored.get(keys.current(ARTICLE))
    return found ? state.parse(JSON.parse(found.body)) : blank
  }

  const put = (key: string, bytes: Uint8Array, options: PutOptions = {}): PutResult => {
    const body = decoder.decode(bytes)
    const before = stored.get(key)
    if (plant === 'a store that loses holds' && parseHoldKey(key) !== null) return { ok: true, etag: body }
    const isBlind = plant === 'a store that ignores conditions'
    if (!isBlind && options.ifNoneMatch && before) return { ok: false, reason: 'exists' }
    if (!isBlind && options.ifMatch !== undefined && before?.etag !== options.ifMatch) return { ok: false, reason: 'stale' }
    stored.set(key, { body, etag: body })
    if (key === keys.current(ARTICLE)) swaps.push(current())
    return { ok: true, etag: body }
  }

  const append = (record: NewRecord): void => {
    const body = decoder.decode(record.value ?? new Uint8Array())
    if (record.topic === 'articles') landed.push({ fact: JSON.parse(body), bytes: `${JSON.stringify(record.headers)}${body}`, clockMs })
    else milestones.push(JSON.parse(body))
  }

  const knownAfter =
    (missed: number): StandingOf =>
    articleId =>
      turns.slice(0, turns.length - missed).findLast(({ target }) => target === articleId)?.standing ?? null
  const standingOf = knownAfter(0)
  /** What a desk's view knows: one that lags has not seen the last turn. */
  const standingFor = (has: 'caught up' | 'its view'): StandingOf =>
    plant === 'a desk that knows no other article' ? () => null : knownAfter(lagging && has === 'its view' ? 1 : 0)

  const newestLanded = (): number => (lagging ? 0 : Math.max(0, ...landed.map(({ fact }) => fact.version)))

  /** A desk process: what it has in memory is lost with it. */
  const openDesk = (pass: Pass, view: 'has caught up' | 'as it is' = 'as it is'): Handle => {
    let own = 0
    const handle = createHandle({
      now: () => clockMs + (plant === 'a desk whose clock is ahead' ? 7 * MINUTE_MS : 0),
      remember: () => undefined,
      seen: {
        newest: () =>
          plant === 'a desk that never publishes what is missing' ? (current().released?.fact.version ?? 0) : Math.max(own, newestLanded()),
        isUnknown: () => own === 0 && newestLanded() === 0,
        published: (_, version) => {
          own = Math.max(own, version)
        },
        standingOf: standingFor(view === 'has caught up' ? 'caught up' : 'its view'),
      },
      objects: {
        get: async (key): Promise<StoredObject | null> => {
          const found = stored.get(key)
          return found
            ? { bytes: Buffer.from(spoil(found.body, plant)), etag: found.etag, contentType: 'application/json', lastModified: new Date(0) }
            : null
        },
        put: async (key, bytes, options) => {
          const isSwap = key === keys.current(ARTICLE)
          await pass(isSwap ? 'swap' : 'put')
          const result = put(key, bytes, options)
          if (isSwap) await pass('swapped')
          return result
        },
      },
      log: {
        publish: async records => {
          await pass('publish')
          for (const record of records) if (record.topic === 'articles') append(record)
          await pass('half')
          for (const record of records) if (record.topic !== 'articles') append(record)
          await pass('published')
          return []
        },
      },
    })
    if (plant !== 'a desk that takes imports for live') return handle
    return cause => handle('lane' in cause ? { ...cause, lane: 'live' } : cause)
  }

  return {
    landed,
    milestones,
    swaps,
    current,
    /** As it was saved; without, nothing is left of it. */
    loseStore: (saved: typeof stored = new Map()) => {
      stored.clear()
      for (const [key, value] of saved) stored.set(key, value)
    },
    saveStore: () => new Map(stored),
    openDesk,
    nowMs: () => clockMs,
    advance: (instant: string) => {
      clockMs = Math.max(clockMs, Date.parse(instant))
    },
    standingOf,
    turn: (one: TurnOf): void => {
      if ((turns.at(-1)?.turn ?? -1) < one.turn) turns.push(one)
    },
    newestLanded: () => Math.max(0, ...landed.map(({ fact }) => fact.version)),
    /** What `referrers.ts` finds: the newest version names what it should not, or does not name what it should. */
    isOutdated: (): boolean => {
      const newest = landed.map(({ fact }) => fact).sort((a, b) => b.version - a.version)[0]
      return plant !== 'nobody who looks at references' && newest !== undefined && isOutdated(toNaming(newest), standingOf)
    },
    /** The holds as a round would find them: due, with something due. */
    dueNow: (): readonly number[] =>
      [...stored.keys()]
        .map(parseHoldKey)
        .filter(hold => hold !== null && hold.dueSecond * 1000 <= clockMs)
        .flatMap(() => dueTimes(current()).filter(dueMs => dueMs <= clockMs)),
    /** What `mend.ts` does: the newest once more, when it is not the last. */
    mend: async (): Promise<void> => {
      const newest = Math.max(0, ...landed.map(({ fact }) => fact.version))
      if (plant === 'nobody who mends' || (landed.at(-1)?.fact.version ?? 0) === newest) return
      const body = stored.get(keys.current(ARTICLE))?.body ?? '{}'
      const found = await newestFact(
        { get: async () => ({ bytes: Buffer.from(body), etag: body, contentType: 'application/json', lastModified: new Date(0) }) },
        ARTICLE,
      )
      if (found) append(toRecord(found.event) satisfies EventRecord)
    },
  }
}

/** True of every state that was ever swapped in: what is retracted is not live. */
export const isSound = (one: State): boolean => !(isGone(one) && one.released?.fact.state === 'live')

export const picture = (state: Picture['state']): Picture => ({
  url: 'https://example.org/p.jpg',
  role: 'lead',
  caption: 'chú thích',
  alt: '',
  credit: '',
  state,
  renditions:
    state === 'ready'
      ? [{ preset: 'w640', key: `renditions/${'a'.repeat(64)}/w640-r1.jpg`, type: 'image/jpeg', width: 640, height: 480, bytes: 9 }]
      : [],
  ...(state === 'ready' ? { sha256: 'a'.repeat(64) } : {}),
})

type Said = Readonly<{
  content: string
  sourceVersion?: number
  embargo?: number
  expires?: number
  lane?: 'live' | 'backfill'
  picture?: Picture['state']
  /** Minutes after the start at which the right to the picture ends. */
  right?: number
  related?: readonly string[]
  /** The submission's id, when it is not the content's name. */
  id?: string
}>

const common = (id: string, position: number) => ({
  id,
  submissionId: id,
  articleId: ARTICLE,
  publisher: PUBLISHER,
  at: at(0),
  receivedAt: at(0),
  position,
  lane: 'live' as const,
})

/** A submission at a position. `embargo` and `expires` are minutes after the start. */
export const publish = (position: number, said: Said): Cause => {
  const rights = said.right === undefined ? {} : { rights: { until: at(said.right) } }
  const input = articleInput.parse({
    title: said.content,
    body: { text: said.content },
    ...(said.sourceVersion === undefined ? {} : { sourceVersion: said.sourceVersion }),
    ...(said.embargo === undefined ? {} : { embargoUntil: at(said.embargo) }),
    ...(said.expires === undefined ? {} : { expiresAt: at(said.expires) }),
    related: said.related ?? [],
    images: said.picture ? [{ url: 'https://example.org/p.jpg', role: 'lead', caption: 'chú thích', ...rights }] : [],
  })
  const article = toArticle(input, { language: 'vi' })
  const images = article.images.map(one => ({ ...picture(said.picture ?? 'waiting'), ...(one.rights ? { rights: one.rights } : {}) }))
  const contentSha256 = canonicalSha256(contentOf(article))
  return {
    kind: 'publish',
    ...common(said.id ?? said.content, position),
    lane: said.lane ?? 'live',
    article: { ...article, images },
    contentSha256,
  }
}

export const retract = (position: number, substitute?: string): Cause => ({
  kind: 'retract',
  ...common(`R${position}`, position),
  retraction: {
    reason: 'sai',
    legal: false,
    ...(substitute === undefined ? { mode: 'gone' } : { mode: 'replace', redirectTo: substitute }),
  },
})
export const republish = (position: number): Cause => ({ kind: 'republish', ...common(`P${position}`, position) })
export const purge = (position: number): Cause => ({ kind: 'purge', ...common(`X${position}`, position), reason: 'luật' })
export const late = (submissionId: string, state: Picture['state'] = 'ready'): Cause => ({
  kind: 'pictures',
  id: `late-${submissionId}`,
  articleId: ARTICLE,
  publisher: PUBLISHER,
  at: at(0),
  submissionId,
  pictures: [picture(state)],
})
/** The time has come: the clock stands at `minutes`, and a hold is fired. */
export const due = (minutes: number): Cause => ({
  kind: 'due',
  id: `due-${minutes}`,
  articleId: ARTICLE,
  publisher: PUBLISHER,
  at: at(minutes),
})
/** Somebody saw that what the article names differs from what there is. */
export const references = (id: string): ReferencesCause => ({ kind: 'references', id, articleId: ARTICLE, publisher: PUBLISHER, at: at(0) })
/** The publisher's own article `localId` is this from now on; told: and its referrers are asked for. */
export const turn = (number: number, localId: string, standing: Standing, isTold = true): Turn => ({
  ...references(`turn-${number}`),
  turn: { turn: number, target: `${PUBLISHER}.${localId}`, standing, isTold },
})
