/** What `newswire doctor` says of one thing that it looked at. */
import { messageOf } from '@newswire/events/errors'

export type FindingState = 'ok' | 'warning' | 'failed'
/** `check`: a stable name of what was looked at. `detail`: what is, and why. `remedy`: what to do; `null` when there is nothing to do. */
export type Finding = Readonly<{ check: string; state: FindingState; detail: string; remedy: string | null }>

export const ok = (check: string, detail: string): Finding => ({ check, state: 'ok', detail, remedy: null })
export const warning = (check: string, detail: string, remedy: string | null = null): Finding => ({
  check,
  state: 'warning',
  detail,
  remedy,
})
export const failed = (check: string, detail: string, remedy: string): Finding => ({ check, state: 'failed', detail, remedy })

/** What needs nothing but a start. */
export const byStarting = {
  first: 'The first start makes one.',
  make: 'The next start makes them.',
  change: 'The next start changes them.',
} as const
const startRemedies: ReadonlySet<string | null> = new Set(Object.values(byStarting))

/** While a start is refused, what it would do is no remedy. */
export const withoutStartRefused = (findings: readonly Finding[]): readonly Finding[] =>
  findings.some(({ check, state }) => check === 'log-mark' && state === 'failed')
    ? findings.map(one => (startRemedies.has(one.remedy) ? { ...one, remedy: null } : one))
    : findings

/** Rejects after so long: what hangs is a finding as well, and must not keep the others from being told. */
export const within = async <T>(ms: number, what: string, work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} gave no answer within ${ms / 1000} s`)), ms)
  })
  // What comes after the deadline is nobody's any more.
  work.catch(() => undefined)
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Looks; what it throws is its finding. */
export const looking = async (
  check: string,
  look: () => Promise<readonly Finding[]>,
  remedy = 'Mend what the lines above name, and look again.',
): Promise<readonly Finding[]> => {
  try {
    return await look()
  } catch (error) {
    return [failed(check, messageOf(error), remedy)]
  }
}
