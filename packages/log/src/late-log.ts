/**
 * A log that may come later: for a process that is of use without it (a gateway serves the last good from the store). Once it is there it
 * stays, as a broker that is away for a while does: being away later is the adapter's own business.
 */
import { setTimeout } from 'node:timers/promises'
import { messageOf, UnavailableError } from '@newswire/events/errors'
import type { Following, FollowOptions, Log } from './log.ts'

/** How long a start waits for the log before it goes on without, ms: a broker that is there answers within a second. */
const PATIENCE_MS = 3_000
/** Between two tries, ms. */
const AGAIN_MS = 1_000

export type LateLogOptions = Readonly<{
  kind: Log['kind']
  /** Opens the log and checks it. `UnavailableError`: it is tried again; anything else is for good. */
  connect: () => Promise<Log>
  /** Told once, when it was not there in time, and once when it is. */
  onLate?: (reason: string) => void
  onThere?: () => void
  /** It can never be had (it is another log, topics are missing), or cannot be followed: the process should end. */
  onFailed: (error: Error) => void
  patienceMs?: number
  againMs?: number
}>

const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

/**
 * The log itself when it is there within `patienceMs`. Else a log whose `follow` begins once it is there, whose `whenThere` tells when, and
 * whose other calls throw `UnavailableError` `NEWSWIRE_LOG_UNAVAILABLE` at once. Throws what makes `connect` hopeless within that time.
 */
export const createLateLog = async (options: LateLogOptions): Promise<Log> => {
  const { kind, connect, onLate, onThere, onFailed, patienceMs = PATIENCE_MS, againMs = AGAIN_MS } = options
  const ending = new AbortController()
  const arrived = Promise.withResolvers<Log>()
  arrived.promise.catch(() => undefined)
  let log: Log | null = null
  let reason = 'it has not answered yet'

  /** Tries until it works, or fails for good, or the process ends. */
  const persist = async <T>(work: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await work()
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error
        reason = messageOf(error)
      }
      await setTimeout(againMs, undefined, { signal: ending.signal, ref: false })
    }
  }
  persist(connect).then(
    async found => {
      log = found
      arrived.resolve(found)
      if (ending.signal.aborted) await found.close({ drainMs: 0 })
    },
    error => arrived.reject(toError(error)),
  )
  const waiting = new AbortController()
  const soon = setTimeout(patienceMs, null, { signal: waiting.signal })
  soon.catch(() => undefined)
  const first = await Promise.race([arrived.promise, soon]).finally(() => waiting.abort())
  if (first !== null) return first
  onLate?.(reason)
  arrived.promise.then(onThere, error => ending.signal.aborted || onFailed(error))

  const there = (): Log => {
    if (log !== null) return log
    throw new UnavailableError(
      'NEWSWIRE_LOG_UNAVAILABLE',
      `the log was not there when this process started and is not there yet: ${reason}`,
    )
  }
  const follow = (wanted: FollowOptions): Following => {
    let following: Following | null = null
    let stopped = false
    const begin = async (found: Log): Promise<void> => {
      if (stopped) return
      const begun = await persist(() => found.follow(wanted))
      if (stopped) return begun.stop()
      following = begun
      await begun.ready
    }
    const ready = arrived.promise.then(found =>
      begin(found).catch(error => {
        if (!stopped && !ending.signal.aborted) onFailed(toError(error))
        throw error
      }),
    )
    // Whoever waits for it hears of it as well.
    ready.catch(() => undefined)
    return {
      ready,
      cursor: () => following?.cursor() ?? {},
      stop: async () => {
        stopped = true
        await following?.stop()
      },
    }
  }

  return {
    kind,
    whenThere: async () => void (await arrived.promise),
    topics: async (...asked) => there().topics(...asked),
    publish: async (...asked) => there().publish(...asked),
    subscribe: async asked => there().subscribe(asked),
    follow: async wanted => (log === null ? follow(wanted) : log.follow(wanted)),
    read: async asked => there().read(asked),
    ends: async topic => there().ends(topic),
    lag: async group => there().lag(group),
    replay: async (...asked) => there().replay(...asked),
    partitionOf: (topic, key) => there().partitionOf(topic, key),
    health: async () => (log === null ? { ok: false, detail: { kind, unreachable: reason } } : log.health()),
    close: async asked => {
      ending.abort()
      arrived.reject(new UnavailableError('NEWSWIRE_LOG_UNAVAILABLE', 'the log is closed'))
      await log?.close(asked)
    },
  }
}
