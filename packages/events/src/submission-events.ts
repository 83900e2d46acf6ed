/** What is said of a submission that is taken, by whoever takes it: that it was, the milestone of it, and a retraction's way past the pictures. */
import type { NewswireEvent } from './events.ts'
import { deriveId } from './ids.ts'
import type { Submission } from './submission.ts'
import { toWarningText, type Warning } from './warnings.ts'

type Accepted = NewswireEvent<'submission.accepted'>

/** `source`: who asked, `/publishers/<id>` or `/services/console`. The same submission gives the same event. */
export const toAccepted = (submission: Submission, source: string, traceparent?: string): Accepted => ({
  id: submission.submissionId,
  type: 'submission.accepted',
  source,
  subject: submission.articleId,
  time: submission.receivedAt,
  correlationid: submission.submissionId,
  traceparent,
  data: submission,
})

/** `service`: who took it. */
export const toTaken = (
  { id, subject, time, traceparent, data }: Accepted,
  service: string,
  warnings: readonly Warning[],
): NewswireEvent<'milestone.reached'> => ({
  id: deriveId('ingest', id),
  type: 'milestone.reached',
  source: service,
  subject,
  time,
  correlationid: id,
  causationid: id,
  traceparent,
  data: {
    kind: 'submission',
    articleId: subject,
    submissionId: id,
    at: time,
    stage: 'ingest',
    state: 'accepted',
    command: data.command,
    ...(warnings.length === 0 ? {} : { detail: toWarningText(warnings) }),
  },
})

/** A retraction never waits behind a picture: a copy with its position goes straight to the desk. The images service passes the first one on as well. */
export const toShortcut = (accepted: Accepted, position: number, service: string): NewswireEvent<'submission.prepared'> => ({
  ...accepted,
  id: deriveId('prepared', accepted.id),
  type: 'submission.prepared',
  source: service,
  causationid: accepted.id,
  data: { ...accepted.data, position },
})
