/**
 * A log that may come later: for a process that is of use without it (a gateway serves the last good from the store). Once it is there it
 * stays, as a broker that is away for a while does: being away later is the adapter's own business.
 */
import { setTimeout } from 'node:timers/promises'
import { codeOf, messageOf, toError, UnavailableError } from '@newswire/events/errors'
import type { Following, FollowOptions, Log } from './log.ts'
import { closed } from './refusals.ts'

/** How long a start waits for the log before it goes on without, ms: a broker that is there answers within a second. */
const PATIENCE_MS = 3_000
/** Between two tries, ms. */
const AGAIN_MS = 1_000
/** What is not followed yet is told of by health after this, ms: leaders that settle are no outage. */
const UNFOLLOWED_MS = 10_000

type LateLogOptions = Readonly<{
  kind: Log['kind']
  /** Opens the log and checks it. Tried again as `mayPass` says; anything else is for good. */
  connect: () => Promise<Log>
  /** Told once, when it was not there in time, and once when it is. */
  onLate?: (reason: string) => void
  onThere?: () => void
  /** It can never be had (it is another log, topics are missing), or cannot be followed: the process should end. */
  onFailed: (error: Error) => void
  patienceMs?: number
  againMs?: number
  unfollowedMs?: number
}>

/**
 * Whether waiting can help. A topic that was there when the log was checked is there still: a broker that has just come back may not have heard
 * of it yet.
 */
export const mayPass = (error: unknown): boolean => error instanceof UnavailableError || codeOf(error) === 'NEWSWIRE_LOG_UNKNOWN_TOPIC'

/**
 * A log whose `whenThere` tells when it can be used. It is waited for up to `patienceMs`; while it is not there `follow` begins once it is, and
 * every other call throws `UnavailableError` `NEWSWIRE_LOG_UNAVAILABLE` at once. `follow` of one that is there, but not whole (a partition
 * without a leader), goes on trying in the same way. Throws what makes `connect` hopeless within that time.
 */
export const createLateLog = async (options: LateLogOptions): Promise<Log> => {
  const { kind, connect, onLate, onThere, onFailed, patienceMs = PATIENCE_MS, againMs = AGAIN_MS } = options
  const { unfollowedMs = UNFOLLOWED_MS } = options
  const ending = new AbortController()
  const arrived = Promise.withResolvers<Log>()
  arrived.promise.catch(() => undefined)
  const unfollowed = new Set<Readonly<{ topic: string; sinceMs: number }>>()
  let log: Log | null = null
  let reason = 'it has not answered yet'

  /** Tries until it works, or fails for good, or the process ends. */
  const persist = async <T>(work: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await work()
      } catch (error) {
        if (!mayPass(error)) throw error
        reason = messageOf(error)
      }
      await setTimeout(againMs, undefined, { signal: ending.signal, ref: false })
    }
  }
  const isInTime = async (work: Promise<unknown>): Promise<boolean> => {
    const waiting = new AbortController()
    const over = setTimeout(patienceMs, false, { signal: waiting.signal })
    over.catch(() => undefined)
    return await Promise.race([work.then(() => true), over]).finally(() => waiting.abort())
  }

  persist(connect).then(
    async found => {
      log = found
      arrived.resolve(found)
      if (ending.signal.aborted) await found.close({ drainMs: 0 })
    },
    error => arrived.reject(toError(error)),
  )
  if (!(await isInTime(arrived.promise))) {
    onLate?.(reason)
    arrived.promise.then(onThere, error => ending.signal.aborted || onFailed(error))
  }

  const there = (): Log => {
    if (log !== null) return log
    throw new UnavailableError(
      'NEWSWIRE_LOG_UNAVAILABLE',
      `the log was not there when this process started and is not there yet: ${reason}`,
    )
  }
  const follow = async (wanted: FollowOptions): Promise<Following> => {
    let following: Following | null = null
    let stopped = false
    const begin = async (found: Log): Promise<void> => {
      const missing = { topic: wanted.topic, sinceMs: performance.now() }
      unfollowed.add(missing)
      const begun = await persist(async () => (stopped ? null : await found.follow(wanted))).finally(() => unfollowed.delete(missing))
      if (stopped) return begun?.stop()
      following = begun
    }
    const begun = arrived.promise.then(begin)
    const ready = begun.then(() => following?.ready)
    ready.catch(error => {
      // Whoever waits for it hears of it as well.
      if (!stopped && log !== null && !ending.signal.aborted) onFailed(toError(error))
    })
    if (log !== null) await isInTime(begun)
    return {
      ready,
      cursor: () => following?.cursor() ?? {},
      hurry: () => following?.hurry?.(),
      stop: async () => {
        stopped = true
        await following?.stop()
      },
    }
  }
  const health: Log['health'] = async () => {
    if (log === null) return { ok: false, detail: { kind, unreachable: reason } }
    const { ok, detail } = await log.health()
    const missing = [...unfollowed].filter(({ sinceMs }) => performance.now() - sinceMs > unfollowedMs).map(({ topic }) => topic)
    return missing.length === 0 ? { ok, detail } : { ok: false, detail: { ...detail, unfollowed: missing, reason } }
  }

  return {
    kind,
    whenThere: async () => void (await arrived.promise),
    topics: async (...asked) => there().topics(...asked),
    publish: async (...asked) => there().publish(...asked),
    subscribe: async asked => there().subscribe(asked),
    follow,
    read: async asked => there().read(asked),
    ends: async topic => there().ends(topic),
    lag: async group => there().lag(group),
    replay: async (...asked) => there().replay(...asked),
    partitionOf: (topic, key) => there().partitionOf(topic, key),
    health,
    close: async asked => {
      ending.abort()
      arrived.reject(closed())
      await log?.close(asked)
    },
  }
}
