/** For tests: one outlet's real actor in virtual time, with a store in memory and an outlet that answers as it is told. */
import { UnavailableError } from '@newswire/events/errors'
import { type Actor, createActor } from './actor.ts'
import { failed } from './answers.ts'
import type { Clock } from './clock.ts'
import { DueQueue } from './due-queue.ts'
import type { Attempt, Kind, Target } from './kind.ts'
import type { Delivery, Intent, Outcome, Terms } from './machine.ts'
import type { Suspension } from './outlet-state.ts'
import { createOwnSide, type OwnSide } from './own-side.ts'
import type { Pending, PendingStore } from './pending.ts'
import { createSlots } from './slots.ts'
import type { News } from './tell.ts'

export const BEGAN_MS = 1_800_000_000_000

export const accepted: Outcome = { kind: 'accepted' }
export const answered = (status: number): Outcome => failed(`it answered ${status}`)
export const refusedWith = (status: number): Outcome => ({ kind: 'refused', reason: `it answered ${status}` })
export const goneForGood: Outcome = { kind: 'gone', reason: 'it answered 410' }
export const noAnswer: Outcome = failed('no whole answer came', { ambiguous: true })
export const noConnection: Outcome = failed('no connection could be made', { connect: true })

type Sending = Readonly<{ subject: string; version: number; kill: boolean; atMs: number }> & Attempt
/** `isDue`: whether anything of it is to be sent (default: it is). */
type State = Readonly<{ version: number; kill: boolean; isDue?: boolean }> & Terms

type Life = { alive: boolean }

/** Time that passes only when a test says so. */
const createVirtualTime = () => {
  const due = new DueQueue<() => void>()
  let nowMs = BEGAN_MS
  /** For a process: what it waits for ends with it. */
  const clockOf = (life: Life): Clock => ({
    now: () => nowMs,
    after: (ms, run) => {
      let wanted = true
      due.push(nowMs + ms, () => wanted && life.alive && run())
      return () => {
        wanted = false
      }
    },
  })
  const settle = async () => {
    for (let turn = 0; turn < 5; turn++) await new Promise<void>(resolve => setImmediate(resolve))
  }
  /** Lets so many ms pass, and everything happen that is due within them. */
  const pass = async (ms: number) => {
    const until = nowMs + ms
    await settle()
    for (let next = due.peek(); next !== undefined && next.atMs <= until; next = due.peek()) {
      due.pop()
      nowMs = Math.max(nowMs, next.atMs)
      next.item()
      await settle()
    }
    nowMs = until
  }
  return { clockOf, pass }
}

const createMemoryStore = () => {
  const documents = new Map<string, Pending>()
  let away = false
  let n = 0
  let saves = 0
  /** How many pages, of one each, may still be read. */
  let pages = Number.POSITIVE_INFINITY
  let goOn: () => void = () => undefined
  const slow = new Map<string, Promise<void>>()
  const savesWait: Promise<void>[] = []
  const check = () => {
    if (away) throw new UnavailableError('NEWSWIRE_OBJECTS_UNAVAILABLE', 'away')
  }
  const put = () => ({ etag: String(++n), n })
  const store: PendingStore = {
    isAny: async () => documents.size > 0,
    page: async (_owner, after) => {
      check()
      if (pages <= 0)
        await new Promise<void>(resolve => {
          goOn = resolve
        })
      pages -= 1
      const subjects = [...documents.keys()].sort().filter(subject => after === undefined || subject > after)
      const [subject] = subjects
      const pending = subject === undefined ? undefined : documents.get(subject)
      return {
        stored: pending === undefined ? [] : [{ pending, held: put() }],
        after: subjects.length > 1 ? (subject ?? null) : null,
      }
    },
    read: async (_owner, subject) => {
      check()
      await slow.get(subject)
      const pending = documents.get(subject)
      return pending === undefined ? null : { pending, held: put() }
    },
    save: async (_owner, pending) => {
      check()
      saves += 1
      await savesWait.shift()
      documents.set(pending.subject, pending)
      return put()
    },
    clear: async (_owner, { subject }) => {
      check()
      documents.delete(subject)
    },
    sweep: async () => [],
  }
  return {
    store,
    documents,
    setAway: (value: boolean) => {
      away = value
    },
    setPages: (value: number) => {
      pages = value
      goOn()
    },
    writes: () => saves,
    /** The next so many writes take effect, one after the other as they were begun, when what it returns is called for each. */
    slowDownSaves: (count: number) => {
      const ends = Array.from({ length: count }, () => Promise.withResolvers<void>())
      savesWait.push(...ends.map(one => one.promise))
      return ends.map(one => one.resolve)
    },
    /** Reads of a subject are not answered until what it returns is called. */
    slowDown: (subject: string) => {
      let end: () => void = () => undefined
      slow.set(subject, new Promise<void>(resolve => (end = resolve)))
      return () => end()
    },
  }
}

export type OneOutlet = ReturnType<typeof createOneOutlet>

/** `ownSide`: shared with others, where a test is about our own side. */
export const createOneOutlet = ({ ownSide = createOwnSide(1) }: { ownSide?: OwnSide } = {}) => {
  const { clockOf, pass } = createVirtualTime()
  const clock = clockOf({ alive: true })
  let life: Life = { alive: true }
  const { store, documents, setAway, setPages, slowDown, slowDownSaves, writes } = createMemoryStore()
  const articles = new Map<string, State[]>()
  const sent: Sending[] = []
  const told: (News & { subject: string })[] = []
  const settings = { target: { concurrency: 4, deliver: 'an address' } as Target, tellAway: false, statesBroken: false, paused: false }
  let suspended: Suspension | null = null
  let isPaused = false
  let looked: Promise<unknown> | null = null
  let answer: (sending: Sending, count: number) => Outcome | Promise<Outcome> = () => accepted

  const kind: Kind = {
    target: () => settings.target,
    read: async (subject, want) => {
      const known = articles.get(subject) ?? []
      const latest = known.at(-1)
      const state = settings.target.versions === 'all' && latest?.kill === false ? known.find(one => one.version === want) : latest
      if (state === undefined) return null
      const { isDue = true, ...read } = state
      if (!isDue) return { ...read, send: null }
      return {
        ...read,
        send: async (attempt, mayStill) => {
          if (!mayStill()) return { kind: 'own', reason: 'not any more' }
          const sending = { subject, version: state.version, kill: state.kill, atMs: clock.now() - BEGAN_MS, ...attempt }
          sent.push(sending)
          return answer(sending, sent.length)
        },
      }
    },
    isThere: () => (looked === null ? true : looked.then(() => true)),
    say: async (subject, news) => {
      if (settings.tellAway) throw new UnavailableError('NEWSWIRE_LOG_UNAVAILABLE', 'away')
      told.push(...news.map(one => ({ subject, ...one })))
    },
    about: { outletId: 'partner' },
    fields: articleId => ({ articleId }),
    newestOnly: false,
  }
  const begin = (mine: Life): Actor =>
    createActor('partner', {
      clock: clockOf(mine),
      kind,
      pending: store,
      states: {
        load: async () => {
          isPaused = settings.paused
          return suspended
        },
        isPaused: () => isPaused,
        save: async (_id, value) => {
          if (settings.statesBroken) throw new Error('others win every race')
          suspended = value
        },
      },
      owns: () => mine.alive,
      slots: createSlots({ total: 10 }),
      ownSide,
      random: () => 0.5,
      scale: 1,
      logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
    })
  let actor = begin(life)
  void actor.load(true)
  let sequence = 0

  return {
    sent,
    told,
    settings,
    clock,
    pass,
    setStoreAway: setAway,
    /** So many articles of what is left are read after a restart, the rest when more are allowed. */
    readAtMost: setPages,
    slowDown,
    slowDownSaves,
    answers: (next: typeof answer) => {
      answer = next
    },
    /** The desk releases a version: the state is in the store. */
    release: (subject: string, version: number, state: Partial<State> = {}) => {
      articles.set(subject, [...(articles.get(subject) ?? []), { version, kill: false, ...state }])
    },
    /** Its intent comes in; `true` in the end once the record may be committed. */
    want: (subject: string, version: number, intent: Partial<Intent> = {}) => {
      sequence += 1
      const committed = { done: false }
      actor.want(subject, { version, kill: false, sequence, maybeSent: null, ...intent }, { id: `intent-${sequence}` }).then(
        () => {
          committed.done = true
        },
        () => undefined,
      )
      return committed
    },
    actor: () => actor,
    /** Handed over to the next owner, or (`clean` false) lost to it. Resolves with whether that one knows of all that may still arrive. */
    restart: async (clean = true): Promise<boolean> => {
      const isAllKnown = clean && (await actor.close())
      setAway(false)
      life.alive = false
      life = { alive: true }
      actor = begin(life)
      await actor.load(isAllKnown)
      actor.review()
      await pass(0)
      return isAllKnown
    },
    stored: (subject: string): Delivery | null => documents.get(subject)?.delivery ?? null,
    /** An owner before writes what it knew, over what is there. */
    writeLate: (subject: string, delivery: Delivery) => {
      const known = documents.get(subject)
      if (known !== undefined) documents.set(subject, { ...known, delivery })
    },
    isSuspended: () => suspended !== null,
    /** A person pauses it, or ends that. */
    setPaused: async (value: boolean) => {
      settings.paused = value
      await actor.refresh()
    },
    /** Whether a version is there is known once this ends (default: at once). */
    looksUntil: (end: Promise<unknown>) => {
      looked = end
    },
    /** How often the store was written to. */
    writes,
    states: (subject: string) => told.filter(one => one.subject === subject).map(one => `v${one.version} ${one.state}`),
    versions: (subject: string) => sent.filter(one => one.subject === subject).map(one => one.version),
  }
}
