/** Waiting for a condition, with a deadline: what tests do in place of sleeping. */
import { inspect } from 'node:util'

type Waiting = Readonly<{
  /** How long at most, ms (default 60 000: machines of others are busy). */
  deadlineMs?: number
  /** How often it is asked, ms (default 50). */
  everyMs?: number
}>

/**
 * Asks until the answer is neither `undefined`, `null` nor `false`, and returns it. An `ask` that throws is asked again: a server that
 * is not up yet is no failure. At the deadline it throws what was waited for, and what was seen last.
 */
export const waitFor = async <T>(
  what: string,
  ask: () => Promise<T> | T,
  waiting: Waiting = {},
): Promise<Exclude<T, undefined | null | false>> => {
  const { deadlineMs = 60_000, everyMs = 50 } = waiting
  const end = performance.now() + deadlineMs
  let last: unknown
  for (;;) {
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== null && answer !== false) return answer as Exclude<T, undefined | null | false>
      last = answer
    } catch (error) {
      last = error
    }
    if (performance.now() >= end)
      throw new Error(`${what}: not within ${deadlineMs} ms; last seen: ${inspect(last, { depth: 4 }).slice(0, 2000)}`, { cause: last })
    await new Promise(resolve => setTimeout(resolve, everyMs))
  }
}

/** The opposite: asks for `forMs` and throws as soon as the condition no longer holds. For "nothing shows it afterwards". */
export const staysTrue = async (what: string, ask: () => Promise<boolean> | boolean, forMs: number, everyMs = 50): Promise<void> => {
  const end = performance.now() + forMs
  do {
    if (!(await ask())) throw new Error(`${what}: did not stay so`)
    await new Promise(resolve => setTimeout(resolve, everyMs))
  } while (performance.now() < end)
}
