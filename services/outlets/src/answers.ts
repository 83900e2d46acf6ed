/** What the answer to a delivery means (README, "When it fails"): pure. The reason is in our own words; a body is never read. */
import type { OutboundResult } from '@newswire/outbound/outbound'
import type { Outcome } from './machine.ts'

const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/
/** RFC 9110 §10.2.3: seconds, or a date; `null` for what is neither. */
export const retryAfterMs = (value: string | undefined, nowMs: number): number | null => {
  if (value === undefined) return null
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000
  const at = HTTP_DATE.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs)
}

/** Nobody needs more of it. Bytes. */
export const MAX_ANSWER_BYTES = 16 * 1024

const REFUSALS = new Set([400, 413, 415, 422])
/** Somebody must look at the configuration at once. */
const ALARMS = new Set([401, 403, 404])
/** A gateway in front of the partner gave up: what is behind it may have taken it. */
const AMBIGUOUS = new Set([502, 504])

/** An attempt that the target did not take. */
export const failed = (reason: string, rest: Partial<Extract<Outcome, { kind: 'failed' }>> = {}): Outcome => ({
  kind: 'failed',
  reason,
  ambiguous: false,
  connect: false,
  retryAfterMs: null,
  alarm: false,
  ...rest,
})

/** An attempt that came to nothing for a reason of ours. */
export const own = (reason: string): Outcome => ({ kind: 'own', reason })
export const NO_LONGER_OURS = own('this process may not own the outlet any more')

/** Of what was not sent, because this process stood still for too long. */
export const LATE_CODE = 'NEWSWIRE_OUTBOUND_LATE'

/** What an attempt came to, from what the other side answered. */
export const classify = (result: OutboundResult, nowMs: number): Outcome => {
  if (!result.ok) {
    if (result.code === LATE_CODE) return own('this process stood still before it was sent')
    if (result.kind === 'refused') return failed(`our own rules forbid its address (${result.code})`, { alarm: true })
    if (result.kind === 'connect') return failed(`no connection could be made (${result.cause ?? result.code})`, { connect: true })
    return failed(`no whole answer came (${result.code})`, { ambiguous: true })
  }
  const { response } = result
  const { status } = response
  if (status >= 200 && status < 300) return { kind: 'accepted' }
  const reason = `it answered ${status}`
  if (status === 410) return { kind: 'gone', reason }
  if (REFUSALS.has(status)) return { kind: 'refused', reason }
  return failed(reason, {
    alarm: ALARMS.has(status),
    ambiguous: AMBIGUOUS.has(status),
    retryAfterMs: retryAfterMs(response.headers['retry-after'], nowMs),
  })
}
