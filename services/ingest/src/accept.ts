/**
 * Taking a submission: the native payload is kept first, then the log gets the event, and only then is it accepted. A crash between the
 * two leaves an orphan under `native/`, which is harmless; a publish whose outcome is unknown is no acceptance (503), and its repeat is a
 * submission of its own or, under an idempotency key, the same one.
 */

import { toRecord } from '@newswire/events/events'
import { sha256Hex } from '@newswire/events/ids'
import type { Submission } from '@newswire/events/submission'
import { toAccepted } from '@newswire/events/submission-events'
import { topics } from '@newswire/events/topics'
import type { Warning } from '@newswire/events/warnings'
import type { Publish } from '@newswire/log/events'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { takeSubmission } from '@newswire/runtime/take-submission'

type Native = Readonly<{ bytes: Uint8Array; contentType: string }>
type Accept = Readonly<{ submission: Submission; native: Native; traceparent: string | undefined; warnings?: readonly Warning[] }>

/** Where the payload will be, known before it is written: the event points to it. */
export const nativeReference = (
  submission: { publisher: string; receivedAt: string; submissionId: string },
  native: Native,
): NonNullable<Submission['native']> => ({
  key: keys.native(submission.publisher, submission.receivedAt, submission.submissionId),
  sha256: sha256Hex(native.bytes),
  bytes: native.bytes.byteLength,
  contentType: native.contentType,
})

const sourceOf = ({ publisher }: Pick<Submission, 'publisher'>): string => `/publishers/${publisher}`

/**
 * Below this many bytes as sent, and characters of the body as mapped, an article cannot become too large: JSON and UTF-8 make at most six bytes of each. The
 * body may have grown before, because completed addresses repeat the article's own.
 */
const SURELY_SMALL = 128 * 1024

const mappedLength = (submission: Submission): number => (submission.command === 'publish' ? submission.article.body.html.length : 0)

/** How large the submission's record will be, against what its topic takes (architecture §6.17). Exact, but only looked at when it could be. */
export const findOversize = (submission: Submission, sentBytes: number): { bytes: number; limit: number } | null => {
  if (sentBytes < SURELY_SMALL && mappedLength(submission) < SURELY_SMALL) return null
  const bytes = toRecord(toAccepted(submission, sourceOf(submission))).value.byteLength
  // The pictures' renditions and the envelope still come on top, at later hops.
  const limit = Math.floor(topics.submissions.maxRecordBytes / 2)
  return bytes > limit ? { bytes, limit } : null
}

/**
 * Durable when it resolves. Throws `UnavailableError` when store or log cannot take it: nothing was acknowledged then. Repeating with the
 * same submission id writes the same bytes and the same events.
 */
export const accept = async (
  { objects, publish }: { objects: Objects; publish: Publish },
  { submission, native, traceparent, warnings = [] }: Accept,
): Promise<void> => {
  if (submission.native) await objects.put(submission.native.key, native.bytes, { contentType: native.contentType, ifNoneMatch: '*' })
  await takeSubmission(publish, submission, { source: sourceOf(submission), service: '/services/ingest', traceparent, warnings })
}
