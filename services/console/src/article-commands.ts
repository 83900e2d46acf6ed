/** What an operator asks of an article: a submission like a publisher's, in the article's own lane, with the milestone that says it was taken. */
import { newId, parseArticleId } from '@newswire/events/ids'
import { findStandingDoubts } from '@newswire/events/standing-doubts'
import type { Submission } from '@newswire/events/submission'
import type { Warning } from '@newswire/events/warnings'
import type { Publish } from '@newswire/log/events'
import { findMissingSubstitute } from '@newswire/objects/missing-substitute'
import type { Objects } from '@newswire/objects/objects'
import { getReleased } from '@newswire/objects/released'
import { takeSubmission } from '@newswire/runtime/take-submission'

type Command<S = Submission> = S extends Submission ? Omit<S, 'submissionId' | 'articleId' | 'publisher' | 'receivedAt' | 'lane'> : never
export type ArticleCommand = Exclude<Command, { command: 'publish' }>

const SERVICE = '/services/console'

type Taken = Readonly<{ submissionId: string; articleId: string; trace: string; warnings?: readonly Warning[] }>

type Needs = Readonly<{ objects: Pick<Objects, 'get'>; publish: Publish }>

/** A doubt is never worth a refusal: beside what cannot be read, for whatever reason, nothing is doubted. */
const findWarnings = async ({ objects }: Needs, submission: Submission): Promise<readonly Warning[]> => {
  const released = await getReleased(objects, submission.articleId).catch(() => null)
  const standing = findStandingDoubts(submission, released)
  if (submission.command !== 'retract') return standing
  return [...standing, ...(await findMissingSubstitute(objects, submission.retraction, submission.publisher))]
}

/** Durable when it resolves. Throws `UnavailableError` when the log cannot take it. */
export const takeCommand = async (needs: Needs, articleId: string, command: ArticleCommand, at: string): Promise<Taken> => {
  const submissionId = newId()
  const publisher = parseArticleId(articleId)?.publisher ?? ''
  const submission = { ...command, submissionId, articleId, publisher, receivedAt: at, lane: 'live' } as Submission
  const warnings = await findWarnings(needs, submission)
  await takeSubmission(needs.publish, submission, { source: SERVICE, service: SERVICE, warnings })
  const taken = { submissionId, articleId, trace: `/v1/articles/${articleId}/trace` }
  return warnings.length === 0 ? taken : { ...taken, warnings }
}
