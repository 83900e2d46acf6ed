/** What is asked of an article that nothing was ever submitted under: mostly a whole id where the publisher's own is wanted, or a slip of the pen. */

import { parseArticleId } from '@newswire/events/ids'
import type { Submission } from '@newswire/events/submission'
import type { Warning } from '@newswire/events/warnings'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { getReleased } from '@newswire/objects/released'
import type { ServiceContext } from '@newswire/runtime/service'

/** How long an answer waits for the trace to reach the log's end, only where nothing is known of the article: a retraction is in no way to be held up. */
const TRACE_WAIT_MS = 500

type ArticleTrace = NonNullable<ReturnType<Awaited<ReturnType<ServiceContext['trace']>>['article']>>

const hasContent = ({ versions, submissions }: ArticleTrace): boolean =>
  versions.length > 0 || submissions.some(one => one.command === 'publish' || one.command === null)

/**
 * Whether an article was ever submitted under the id; retractions alone are none. What cannot be known now is taken for submitted, so the log may well
 * have it when this says yes, and never when it says no.
 */
export const wasSubmitted = async (
  { objects, trace }: Pick<ServiceContext, 'trace'> & Readonly<{ objects: Pick<Objects, 'get' | 'head'> }>,
  articleId: string,
): Promise<boolean> => {
  if ((await getReleased(objects, articleId)) !== null) return true
  const told = await trace()
  const early = told.article(articleId)
  if (early !== null && hasContent(early)) return true
  try {
    await told.caughtUp(AbortSignal.timeout(TRACE_WAIT_MS))
  } catch {
    return true
  }
  const found = told.article(articleId)
  // A trace that was made again knows a month, and an embargo may be longer.
  return found === null ? (await objects.head(keys.current(articleId))) !== null : hasContent(found)
}

/** The article that was perhaps meant: the id begins with a publisher's, as whole ids do. */
const meantOf = ({ publisher, articleId }: Submission, publishers: ReadonlyMap<string, unknown>): string | null => {
  const localId = articleId.slice(publisher.length + 1)
  const meant = parseArticleId(localId)
  if (meant === null || !publishers.has(meant.publisher)) return null
  return meant.publisher === publisher
    ? `if ${localId} was meant, its id in this address is ${meant.localId}: the publisher is known from the token`
    : `if ${localId} was meant, it needs a token of ${meant.publisher}: a token is good for its own publisher's articles`
}

const ASKED: Readonly<Record<Submission['command'], string>> = {
  publish: 'so it is a new article',
  retract: 'so nothing is taken back, and what is submitted under it later stays in until it is republished',
  republish: 'so there is nothing to bring back',
  purge: 'so there is nothing to purge',
}

/** Whether a submission is odd when it is the first of its article. An import takes things as they are. */
export const dependsOnSubmitted = (submission: Submission, publishers: ReadonlyMap<string, unknown>): boolean => {
  if (submission.command !== 'publish') return true
  return submission.lane === 'live' && (submission.article.change === 'correction' || meantOf(submission, publishers) !== null)
}

/** Of a submission that is the first of its article. */
export const toNeverSubmitted = (submission: Submission, publishers: ReadonlyMap<string, unknown>): Warning => {
  const meant = meantOf(submission, publishers)
  const isNew = `nothing was ever submitted as ${submission.articleId}, ${ASKED[submission.command]}`
  return { pointer: '', detail: meant === null ? isNew : `${isNew}; ${meant}` }
}
