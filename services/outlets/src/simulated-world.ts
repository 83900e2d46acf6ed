/**
 * What the small worlds of `simulation.ts` and `hub-simulation.ts` stand on: virtual time, a store and logs in memory, and a process that may
 * crash at every await. One seed is one run; everything heals at the end.
 */
import { UnavailableError } from '@newswire/events/errors'
import type { LogRecord } from '@newswire/log/log'
import type { Objects } from '@newswire/objects/objects'
import type { Clock } from './clock.ts'
import { DueQueue } from './due-queue.ts'
import { createSimulatedStore } from './simulated-store.ts'

/** What ends with a crash: a process, or the world, which does not. `frozen`: it stands still, and does not know. */
export type Life = { alive: boolean; frozen?: Readonly<{ sinceMs: number; untilMs: number }> }

export type Faults = Readonly<{
  /** Chance of a crash at each await. */
  crash: number
  /** Receivers fail, hang and answer late for the first minutes. */
  partners: boolean
  /** Store and log are away now and then. */
  own: boolean
  /** Chance that a process stands still for up to two minutes, at each await (default 0). Somebody else takes its place after 45 s. */
  freeze?: number
}>

const MOST_NOTES = 500
export const HEAL_AT_MS = 400_000
const START_MS = 1_800_000_000_000

/** What has not ended by then never will: a planted fault may look for something again and again. */
const OVER_AT_MS = 3 * 3_600_000

/** The group's session: who is silent longer is replaced. */
const SESSION_MS = 45_000
const LONGEST_FREEZE_MS = 120_000

export const randomFrom = (seed: number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** What is committed is let go of: nobody reads it again, and ten thousand articles would stay. */
export type Consumer = { readonly records: (LogRecord | undefined)[]; committed: number; look: () => void }
export const createConsumer = (): Consumer => ({ records: [], committed: 0, look: () => undefined })

/** `onFault` hears of every try that failed with a fault that is none of the world's (default: it is a complaint). */
type Consuming = Readonly<{
  lane: (record: LogRecord) => string
  handle: (record: LogRecord) => Promise<void>
  onFault?: (record: LogRecord, error: unknown) => void
}>

/** Then the log would write a dead letter. */
const MOST_TRIES = 4

/** What is to happen; `null`: not any more. */
type Event = { readonly life: Life; run: (() => void) | null }

/** `begin`: one start of the process, with the life that a crash ends. */
export const createSimulatedWorld = (seed: number, faults: Faults, begin: (mine: Life) => void) => {
  const random = randomFrom(seed)
  // What will not happen any more holds all that a dead process had.
  const events = new DueQueue<Event>(({ life, run }) => life.alive && run !== null)
  const world: Life = { alive: true }
  const store = createSimulatedStore()
  const stuck: string[] = []
  const notes: string[] = []
  let nowMs = START_MS
  let tag = 0
  let crashes = 0
  let life: Life = { alive: true }

  const note = (text: string) => {
    if (notes.length < MOST_NOTES) notes.push(`${String(Math.round(nowMs - START_MS)).padStart(8)} ms  ${text}`)
  }
  const healed = () => nowMs > START_MS + HEAL_AT_MS
  /** Returns how to cancel it. */
  const at = (ms: number, who: Life, run: () => void) => {
    const event: Event = { life: who, run }
    events.push(nowMs + ms, event)
    return () => {
      event.run = null
    }
  }
  const chance = (p: number) => random() < p
  /** Store and log go away together, for a few seconds out of each twenty. */
  const isAway = () => faults.own && !healed() && Math.floor(nowMs / 4_000 + seed) % 5 === 0

  const start = () => {
    life = { alive: true }
    begin(life)
  }
  /** It goes on where it stood; when it was replaced meanwhile it learns so, and ends, a little later. */
  const freeze = (mine: Life) => {
    const forMs = random() * LONGEST_FREEZE_MS
    note(`the process stands still for ${Math.round(forMs)} ms`)
    mine.frozen = { sinceMs: nowMs, untilMs: nowMs + forMs }
    if (forMs < SESSION_MS) {
      at(forMs, world, () => {
        delete mine.frozen
      })
      return
    }
    at(SESSION_MS, world, () => {
      if (mine.alive && life === mine) start()
    })
    at(forMs + 3_000, world, () => {
      mine.alive = false
    })
  }
  const crash = () => {
    note('the process dies')
    crashes += 1
    life.alive = false
    at(random() * 3_000, world, start)
  }
  const maybeCrash = (mine: Life) => {
    if (!mine.alive) return true
    const isCalm = healed() || life !== mine || mine.frozen !== undefined
    if (!isCalm && chance(faults.crash)) crash()
    else if (!isCalm && faults.freeze && chance(faults.freeze)) freeze(mine)
    return !mine.alive
  }

  /** Something done outside the process: it may crash before, or after, when the answer is lost. */
  const effect = <T>(mine: Life, act: () => T, own = true): Promise<T> =>
    new Promise((resolve, reject) => {
      at(random() * 4, mine, () => {
        if (maybeCrash(mine)) return
        if (own && isAway()) return reject(new UnavailableError('NEWSWIRE_OBJECTS_UNAVAILABLE', 'away'))
        const result = act()
        at(random() * 4, mine, () => {
          if (!maybeCrash(mine)) resolve(result)
        })
      })
    })

  /** Done by somebody outside the process, who never fails. */
  const write = (key: string, bytes: Uint8Array) => {
    tag += 1
    store.set(key, { bytes, etag: String(tag), lastModified: new Date(nowMs) })
    return String(tag)
  }

  const objectsOf = (mine: Life): Objects => ({
    kind: 'disk',
    get: key =>
      effect(mine, () => ({ contentType: 'application/json', ...store.get(key) })).then(found =>
        'etag' in found ? (found as never) : null,
      ),
    head: async () => assert('nobody asks for heads'),
    put: (key, bytes, { ifNoneMatch, ifMatch } = {}) =>
      effect(mine, () => {
        const there = store.get(key)
        if (ifNoneMatch === '*' && there !== undefined) return { ok: false, reason: 'exists' } as const
        if (ifMatch !== undefined && there?.etag !== ifMatch) return { ok: false, reason: 'stale' } as const
        return { ok: true, etag: write(key, bytes.slice()) } as const
      }),
    delete: key => effect(mine, () => void store.delete(key)),
    list: (prefix, { startAfter = '', limit = 1_000 } = {}) =>
      effect(mine, () =>
        store
          .list(prefix, { startAfter, limit })
          .map(([key, one]) => ({ key, size: one.bytes.length, etag: one.etag, lastModified: one.lastModified })),
      ),
    close: async () => undefined,
  })

  const clockOf = (mine: Life): Clock => ({
    now: () => nowMs,
    after: (ms, run) => at(ms, mine, run),
  })

  /** Consumers go on from the last commit, lanes one record at a time. */
  const consume = (mine: Life, from: Consumer, { lane, handle, onFault = (_, error) => stuck.push(String(error)) }: Consuming) => {
    const lanes = new Map<string, Promise<void>>()
    const done = new Set<number>()
    let next = from.committed
    const attempt = async (record: LogRecord): Promise<void> => {
      for (let tries = 0; tries < MOST_TRIES; ) {
        try {
          return await handle(record)
        } catch (error) {
          if (!(error instanceof UnavailableError)) {
            onFault(record, error)
            tries += 1
          }
          await new Promise<void>(resolve => at(80 + random() * 120, mine, resolve))
        }
      }
    }
    const commit = () => {
      for (; done.delete(from.committed); from.committed += 1) from.records[from.committed] = undefined
    }
    const take = () => {
      for (; next < from.records.length; next++) {
        const record = from.records[next]
        const index = next
        if (record === undefined) continue
        const name = lane(record)
        const turn = (lanes.get(name) ?? Promise.resolve()).then(() => attempt(record)).then(() => finished(index))
        lanes.set(name, turn)
        void turn.then(() => lanes.get(name) === turn && lanes.delete(name))
      }
    }
    const finished = (index: number) => {
      done.add(index)
      at(random() * 500, mine, () => {
        // A commit of one who was replaced is refused.
        if (!maybeCrash(mine) && life === mine) commit()
      })
    }
    from.look = () => at(1, mine, take)
    from.look()
  }

  /** Until nothing is left to happen, or three hours are over. */
  const run = async (): Promise<void> => {
    start()
    for (let event = events.peek(); event !== undefined && nowMs < START_MS + OVER_AT_MS; event = events.peek()) {
      events.pop()
      nowMs = Math.max(nowMs, event.atMs)
      const { run, life: whose } = event.item
      const { frozen, alive } = whose
      if (!alive || run === null) continue
      if (frozen !== undefined && nowMs < frozen.untilMs) {
        events.push(frozen.untilMs, event.item)
        continue
      }
      run()
      await new Promise<void>(resolve => setImmediate(resolve))
    }
  }

  return {
    random,
    world,
    store,
    stuck,
    notes,
    note,
    now: () => nowMs,
    crashes: () => crashes,
    healed,
    at,
    chance,
    maybeCrash,
    effect,
    write,
    objectsOf,
    clockOf,
    consume,
    run,
    isRough: () => faults.partners && !healed(),
    /** How long ago its last good heartbeat was. */
    silentMs: (mine: Life) => (mine.frozen === undefined ? 0 : nowMs - mine.frozen.sinceMs),
  }
}
export type SimulatedWorld = ReturnType<typeof createSimulatedWorld>

const assert = (message: string): never => {
  throw new Error(message)
}
