/** Whether the log can be reached, looked at now and then: what is served says how old it is when it cannot. */
import type { Log } from '@newswire/log/log'

/** Looks in a row that must fail: one lost answer is no outage. */
const FAILURES = 2
const EVERY_MS = 5_000

type LogWatch = Readonly<{ isThere(): boolean; stop(): void }>

type Options = Readonly<{
  /** Between two looks, ms (default 5 000). */
  everyMs?: number
  /**
   * Resolves once everything that is in the log now is known here; its signal aborts after a round (default: at once). A log that answers again has not told
   * yet what was taken back while it did not: who counted on it at once would show that.
   */
  caughtUp?: (signal: AbortSignal) => Promise<void>
}>

/** It is there until it was looked for. */
export const watchLog = (log: Pick<Log, 'health'>, { everyMs = EVERY_MS, caughtUp = async () => undefined }: Options = {}): LogWatch => {
  let failures = 0
  let looking = false
  const answers = async (): Promise<boolean> => {
    if (!(await log.health()).ok) return false
    if (failures >= FAILURES) await caughtUp(AbortSignal.timeout(everyMs))
    return true
  }
  const look = async () => {
    if (looking) {
      // An answer that takes longer than a round is none.
      failures += 1
      return
    }
    looking = true
    try {
      failures = (await answers()) ? 0 : failures + 1
    } catch {
      // Whatever it is, the log did not say that it is well.
      failures += 1
    } finally {
      looking = false
    }
  }
  const timer = setInterval(look, everyMs)
  timer.unref()
  return { isThere: () => failures < FAILURES, stop: () => clearInterval(timer) }
}
