/** CloudEvents 1.0 in Kafka's binary binding: the envelope of every event, as `ce_*` headers. */
import { z } from 'zod'
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

const required = z.object({
  ce_specversion: z.literal('1.0'),
  ce_id: z.string().min(1).max(200),
  ce_type: z.string().min(1).max(200),
  ce_source: z.string().min(1).max(500),
  ce_subject: z.string().min(1).max(500),
  ce_time: z.iso.datetime({ offset: true }),
})

/** Throws `RejectError` (`NEWSWIRE_EVENT_ENVELOPE`) when a record is no CloudEvent in binary mode. */
export const fromHeaders = (headers: Readonly<Record<string, string>>): Envelope => {
  const result = required.safeParse(headers)
  if (!result.success)
    throw new RejectError('NEWSWIRE_EVENT_ENVELOPE', `not a CloudEvents 1.0 record in binary mode: ${z.prettifyError(result.error)}`)
  const { ce_id, ce_type, ce_source, ce_subject, ce_time } = result.data
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
