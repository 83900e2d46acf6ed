/** `submission.prepared`: the submission with its position and what became of its pictures. */
import type { Picture } from '@newswire/events/article'
import type { Envelope } from '@newswire/events/envelope'
import { follow, type NewswireEvent } from '@newswire/events/events'
import { deriveId } from '@newswire/events/ids'
import type { Submission } from '@newswire/events/submission'

export type Cause = Pick<Envelope, 'id' | 'correlationid' | 'traceparent'>

/** Its id and time come from the submission, so a repeat is the same event. */
export const toPrepared = (
  submission: Submission,
  position: number,
  pictures: readonly Picture[],
  cause: Cause,
): NewswireEvent<'submission.prepared'> =>
  follow(cause, {
    type: 'submission.prepared',
    id: deriveId('prepared', submission.submissionId),
    source: '/services/images',
    subject: submission.articleId,
    time: submission.receivedAt,
    data: {
      ...(submission.command === 'publish' ? { ...submission, article: { ...submission.article, images: [...pictures] } } : submission),
      position,
    },
  })
