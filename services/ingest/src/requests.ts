/** From a request to a submission: reading, checking, mapping. Pure but for the reading of what is released. */
import { type Article, type ArticleInput, articleInput, contentOf, isSaidAgain, toArticle } from '@newswire/events/article'
import { canonicalSha256 } from '@newswire/events/canonical'
import type { Released } from '@newswire/events/current'
import { isLocalId, toArticleId } from '@newswire/events/ids'
import { retractRequestOf } from '@newswire/events/retract-request'
import type { Submission } from '@newswire/events/submission'
import { ProblemError, problem } from '@newswire/http/problem'
import { readStrictJson } from '@newswire/http/strict-json'
import { summarize, validateWith } from '@newswire/http/validate'
import { z } from 'zod'
import { findContradictions } from './complaints.ts'
import { takeOutPictures } from './data-pictures.ts'

export type Stamp = Readonly<{
  submissionId: string
  receivedAt: string
  publisher: string
  articleId: string
  lane: 'live' | 'backfill'
  deliver?: true
}>

/** The article id of a path's last part. Throws the 404 problem: an id that cannot exist names nothing. */
export const toCheckedArticleId = (publisher: string, localId: string): string => {
  if (isLocalId(localId)) return toArticleId(publisher, localId)
  throw new ProblemError({
    status: 404,
    code: 'NEWSWIRE_ARTICLE_ID',
    title: 'This is no article id',
    detail: 'an id begins with a letter or digit and has letters, digits, ".", "_" and "-", at most 128, without ".."',
  })
}

/** How an article comes in: live, or as an import (`?lane=backfill`), which is delivered only with `&deliver=true`. */
export type Way = Pick<Stamp, 'lane' | 'deliver'>
export const live: Way = { lane: 'live' }

/** The way that a query asks for. Throws the 400 problem: a typing error, in a name or a value, must not send an archive to every partner. */
export const readWay = ({ lane = 'live', deliver = 'false', ...others }: Readonly<Record<string, unknown>>): Way => {
  const refuse = (detail: string) => problem(400, 'NEWSWIRE_LANE', 'There is no such way in', detail)
  const [other] = Object.keys(others)
  if (other !== undefined) throw refuse(`lane and deliver are all that a query may say, found ${JSON.stringify(other.slice(0, 80))}`)
  if (lane !== 'live' && lane !== 'backfill') throw refuse('lane must be live (the default) or backfill')
  if (deliver !== 'true' && deliver !== 'false') throw refuse('deliver must be true or false (the default)')
  if (deliver === 'true' && lane === 'live') throw refuse('deliver is for lane=backfill; what is live is always delivered')
  return deliver === 'true' ? { lane, deliver: true } : { lane }
}

/** The article, and pictures that lay in it: to be kept before it goes on, because from here it names them. */
export const readArticle = (bytes: Uint8Array): Readonly<{ input: ArticleInput; pictures: readonly Uint8Array[] }> => {
  const { value, pictures } = takeOutPictures(readStrictJson(bytes))
  return { input: validateWith(articleInput, value, 'article'), pictures }
}

/** An article that went out from here comes back by whoever passed it on: taking it would send it round for ever. */
const refuseLoop = ({ via = [] }: ArticleInput, siteId: string): void => {
  if (!via.includes(siteId)) return
  throw new ProblemError({
    status: 422,
    code: 'NEWSWIRE_ARTICLE_LOOP',
    title: 'This article came from here',
    detail: `via names ${siteId}, which is this site: it has the article already`,
    errors: [{ pointer: `/via/${via.indexOf(siteId)}`, detail: 'expected sites other than this one' }],
  })
}

/** An archive is taken as it is: what contradicts itself there is a warning. */
const refuseContradictions = (article: Article, { publisher, lane }: Stamp): void => {
  const errors = lane === 'backfill' ? [] : findContradictions(article, publisher)
  if (errors.length === 0) return
  throw new ProblemError({
    status: 422,
    code: 'NEWSWIRE_INVALID',
    title: 'The article is not valid',
    detail: summarize(errors),
    errors,
  })
}

/** Throws the 422 problem of an article that came from here, or contradicts itself. */
export const toPublish = (
  stamp: Stamp,
  input: ArticleInput,
  site: { id: string; language: string },
): Extract<Submission, { command: 'publish' }> => {
  refuseLoop(input, site.id)
  const article = toArticle(input, site)
  refuseContradictions(article, stamp)
  return { command: 'publish', ...stamp, article, contentSha256: canonicalSha256(contentOf(article)) }
}

export const toRetract = (stamp: Stamp, bytes: Uint8Array): Submission => ({
  command: 'retract',
  ...stamp,
  retraction: validateWith(retractRequestOf(stamp.articleId), readStrictJson(bytes), 'retraction'),
})

/** Nothing more is said with it; what is said all the same was meant to do something. Throws the 400 or 422 problem. */
export const toRepublish = (stamp: Stamp, bytes: Uint8Array): Submission => {
  if (bytes.byteLength > 0) validateWith(z.strictObject({}), readStrictJson(bytes), 'republish')
  return { command: 'republish', ...stamp }
}

/**
 * A 409 for what is known to be stale already; the last word is the desk's. Nothing is known of what is held, so this only ever refuses
 * what the desk would refuse too. `now` in ms.
 */
export const findConflict = (
  submission: Extract<Submission, { command: 'publish' }>,
  released: Released,
  now: number,
): ProblemError | null => {
  const { sourceVersion } = submission.article
  const known = released?.fact.sourceVersion
  if (released === null || sourceVersion === undefined || known === undefined) return null
  if (sourceVersion < known)
    return new ProblemError({
      status: 409,
      code: 'NEWSWIRE_ARTICLE_STALE',
      title: 'An older version of this article',
      detail: `sourceVersion ${sourceVersion} is older than ${known}, which is out already; send a higher one`,
    })
  if (sourceVersion > known || released.fact.state !== 'live' || isSaidAgain(released.fact.article, submission, now)) return null
  return new ProblemError({
    status: 409,
    code: 'NEWSWIRE_ARTICLE_VERSION_REUSED',
    title: 'This version has other content',
    detail: `sourceVersion ${sourceVersion} is out already with other content; a change needs a higher sourceVersion`,
  })
}
