/** Whether the log can be reached, looked at now and then: what is served says how old it is when it cannot. */
import type { Log } from '@newswire/log/log'

/** Looks in a row that must fail: one lost answer is no outage. */
const FAILURES = 2

export type LogWatch = Readonly<{ isThere(): boolean; stop(): void }>

/** Every `everyMs` (default 5 000). It is there until it was looked for. */
export const watchLog = (log: Pick<Log, 'health'>, everyMs = 5_000): LogWatch => {
  let failures = 0
  let looking = false
  const look = async () => {
    if (looking) {
      // An answer that takes longer than a round is none.
      failures += 1
      return
    }
    looking = true
    try {
      failures = (await log.health()).ok ? 0 : failures + 1
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
