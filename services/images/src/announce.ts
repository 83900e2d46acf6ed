/** `submission.prepared`: the submission with its position and what became of its pictures. */
import type { Picture } from '@newswire/events/article'
import type { Envelope } from '@newswire/events/envelope'
import { follow, type NewswireEvent } from '@newswire/events/events'
import { deriveId } from '@newswire/events/ids'
import { publicPictureUrl } from '@newswire/events/public-article'
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

const wordOf = ({ url, state, reason }: Picture): string =>
  `; ${publicPictureUrl(url)}: ${reason ?? (state === 'waiting' ? 'did not come in time and is still tried' : 'refused')}`

/** What became of the pictures of a submission, for its trace: how many are ready, and which are not and why. */
export const toPicturesMilestone = (
  submission: Submission,
  cause: Cause,
  at: string,
  ms: number,
  pictures: readonly Picture[],
): NewswireEvent<'milestone.reached'> => {
  const missing = pictures.filter(picture => picture.state !== 'ready')
  const detail = `${pictures.length - missing.length} of ${pictures.length} pictures ready${missing.map(wordOf).join('')}`
  const { articleId, submissionId } = submission
  return follow(cause, {
    type: 'milestone.reached',
    id: deriveId('pictures', submissionId),
    source: '/services/images',
    subject: articleId,
    time: at,
    data: { kind: 'submission', articleId, submissionId, at, ms, stage: 'images', state: 'accepted', detail: detail.slice(0, 2000) },
  })
}
