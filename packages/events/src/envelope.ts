/** CloudEvents 1.0 in Kafka's binary binding: the envelope of every event, as `ce_*` headers. */
import { RejectError } from './errors.ts'

export type Envelope = Readonly<{
  id: string
  /** `article.published`: subject and past participle. */
  type: string
  /** `/publishers/<id>` or `/services/<name>`. */
  source: string
  /** The article, feed or outlet it is about. */
  subject: string
  /** RFC 3339 UTC; from the cause, never from the clock at re-emission. */
  time: string
  /** The submission that all of this follows from. */
  correlationid?: string | undefined
  /** The event before this one. */
  causationid?: string | undefined
  /** W3C Trace Context, carried through. */
  traceparent?: string | undefined
}>

export const toHeaders = (envelope: Envelope): Record<string, string> => {
  const headers: Record<string, string> = {
    ce_specversion: '1.0',
    ce_id: envelope.id,
    ce_type: envelope.type,
    ce_source: envelope.source,
    ce_subject: envelope.subject,
    ce_time: envelope.time,
    'content-type': 'application/json',
  }
  if (envelope.correlationid) headers.ce_correlationid = envelope.correlationid
  if (envelope.causationid) headers.ce_causationid = envelope.causationid
  if (envelope.traceparent) headers.traceparent = envelope.traceparent
  return headers
}

type Rule = Readonly<{ name: string; expected: string; holds: (value: string) => boolean }>

const text = (name: string, max: number): Rule => ({
  name,
  expected: `1 to ${max} characters`,
  holds: value => value.length > 0 && value.length <= max,
})
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/

/** What a CloudEvent must say (§3.1 of its specification). By hand, because it is asked for every record of every topic. */
const rules: readonly Rule[] = [
  { name: 'ce_specversion', expected: '1.0', holds: value => value === '1.0' },
  text('ce_id', 200),
  text('ce_type', 200),
  text('ce_source', 500),
  text('ce_subject', 500),
  { name: 'ce_time', expected: 'an RFC 3339 date and time', holds: value => INSTANT.test(value) && !Number.isNaN(Date.parse(value)) },
]

/** Throws `RejectError` (`NEWSWIRE_EVENT_ENVELOPE`) when a record is no CloudEvent in binary mode. */
export const fromHeaders = (headers: Readonly<Record<string, string>>): Envelope => {
  const { ce_id = '', ce_type = '', ce_source = '', ce_subject = '', ce_time = '' } = headers
  const broken = rules.find(({ name, holds }) => !holds(headers[name] ?? ''))
  if (broken)
    throw new RejectError(
      'NEWSWIRE_EVENT_ENVELOPE',
      `not a CloudEvents 1.0 record in binary mode: header ${broken.name} must be ${broken.expected}, got ${JSON.stringify(headers[broken.name]?.slice(0, 80) ?? null)}`,
    )
  return {
    id: ce_id,
    type: ce_type,
    source: ce_source,
    subject: ce_subject,
    time: ce_time,
    correlationid: headers.ce_correlationid,
    causationid: headers.ce_causationid,
    traceparent: headers.traceparent,
  }
}
