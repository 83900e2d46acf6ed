import type { Picture } from '@newswire/events/article'
import { RejectError } from '@newswire/events/errors'
import { follow, type NewswireEvent } from '@newswire/events/events'
import { deriveId, parseArticleId } from '@newswire/events/ids'
import { publicPictureUrl } from '@newswire/events/public-article'
import type { Submission } from '@newswire/events/submission'
import { firstPosition } from '@newswire/log/dead-letter'
import type { EventContext, Publish } from '@newswire/log/events'
import { toPicturesMilestone, toPrepared } from './announce.ts'
import type { BringBack } from './bring-back.ts'
import { gather } from './gather.ts'
import { missingOf, toSettleFor, withSettled } from './parked.ts'
import type { Parking } from './parking.ts'
import type { Settle } from './settle-picture.ts'

type Needs = Readonly<{
  settle: Settle
  bringBack: BringBack
  parking: Pick<Parking, 'park'>
  publish: Publish
  now: () => number
  /** How long a handler may work on pictures before the rest becomes an object (ms). */
  withinMs: number
}>
type Accepted = NewswireEvent<'submission.accepted'>

/** The topic is as hostile as the front door: what could not have passed there ends in the dead letters. (Bodies are read again by the desk, once.) */
const check = (submission: Submission): void => {
  const id = parseArticleId(submission.articleId)
  if (id === null || id.publisher !== submission.publisher)
    throw new RejectError(
      'NEWSWIRE_IMAGES_SUBMISSION',
      `article id ${JSON.stringify(submission.articleId.slice(0, 200))} is not one of publisher ${JSON.stringify(submission.publisher.slice(0, 50))}`,
    )
}

/** Which pictures are waited for: the first one's address, as others may see it, and how many more. */
const toWaitingWords = (pictures: readonly Picture[]): string => {
  const [first, ...more] = pictures.filter(one => one.state === 'waiting').map(one => publicPictureUrl(one.url))
  return `waits for a picture${first ? `: ${first.slice(0, 1000)}` : ''}${more.length === 0 ? '' : ` and ${more.length} more`}`
}

const toParkedMilestone = (event: Accepted, at: string, pictures: readonly Picture[]) =>
  follow(event, {
    type: 'milestone.reached',
    id: deriveId('parked', event.data.submissionId),
    source: '/services/images',
    subject: event.data.articleId,
    time: at,
    data: {
      kind: 'submission',
      articleId: event.data.articleId,
      submissionId: event.data.submissionId,
      at,
      stage: 'images',
      state: 'parked',
      detail: toWaitingWords(pictures),
    },
  })

/**
 * Settles every picture of a submission, then passes it on to the desk with its position. One bad picture never costs the article: it is
 * refused alone. One slow picture makes the submission an object after `withinMs`, and the record is done. Safe to repeat.
 */
export const onSubmissionAccepted =
  ({ settle, bringBack, parking, publish, now, withinMs }: Needs) =>
  async (event: Accepted, { record }: EventContext): Promise<void> => {
    const { data } = event
    check(data)
    const position = data.firstPosition ?? firstPosition(record)
    const pictures = data.command === 'publish' ? data.article.images : []
    if (data.command !== 'publish' || pictures.length === 0) {
      const { restored, late } = await bringBack(data, event, data.command === 'republish' ? 'all' : [])
      for (const one of late) await parking.park(one)
      await publish([...restored, toPrepared(data, position, [], event)])
      return
    }
    const beganAt = now()
    // Not the handler's signal: a try that outlives the handler goes on for the parked submission.
    const tries = pictures.map(picture => settle(picture, toSettleFor(data), AbortSignal.timeout(60_000)))
    const gathered = await gather(tries, new Promise(resolve => setTimeout(resolve, withinMs).unref()))
    const settled = withSettled(pictures, gathered.settled)
    if (!settled.some(picture => picture.state === 'waiting')) {
      const { restored, late } = await bringBack(data, event, missingOf(settled))
      for (const one of late) await parking.park(one)
      const at = new Date(now()).toISOString()
      const milestone = toPicturesMilestone(data, event, at, now() - beganAt, settled)
      await publish([...restored, toPrepared(data, position, settled, event), milestone])
      return
    }
    const at = new Date(now()).toISOString()
    const cause = { id: event.id, correlationid: event.correlationid, traceparent: event.traceparent }
    const parked = {
      n: 1,
      phase: 'parked' as const,
      submission: data,
      position,
      cause,
      pictures: settled,
      missing: [],
      arriving: [],
      parkedAt: new Date(beganAt).toISOString(),
      attempts: 0,
    }
    await parking.park(parked, gathered.isWhole ? undefined : tries)
    await publish([toParkedMilestone(event, at, settled)])
  }
