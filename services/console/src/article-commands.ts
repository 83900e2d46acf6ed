/** What an operator asks of an article: a submission like a publisher's, in the article's own lane, with the milestone that says it was taken. */
import { UnavailableError } from '@newswire/events/errors'
import type { NewswireEvent } from '@newswire/events/events'
import { deriveId, newId, parseArticleId } from '@newswire/events/ids'
import type { Submission } from '@newswire/events/submission'
import { toWarningText, type Warning } from '@newswire/events/warnings'
import type { Publish } from '@newswire/log/events'
import { findMissingSubstitute } from '@newswire/objects/missing-substitute'
import type { Objects } from '@newswire/objects/objects'

type Command<S = Submission> = S extends Submission ? Omit<S, 'submissionId' | 'articleId' | 'publisher' | 'receivedAt' | 'lane'> : never
export type ArticleCommand = Exclude<Command, { command: 'publish' }>

/** The answer need not wait for a shortcut when there is another way. */
const SHORTCUT_MS = 2_000

const toAccepted = (articleId: string, command: ArticleCommand, at: string): NewswireEvent<'submission.accepted'> => {
  const submissionId = newId()
  const publisher = parseArticleId(articleId)?.publisher ?? ''
  const data = { ...command, submissionId, articleId, publisher, receivedAt: at, lane: 'live' } as Submission
  return {
    type: 'submission.accepted',
    id: submissionId,
    source: '/services/console',
    subject: articleId,
    time: at,
    correlationid: submissionId,
    data,
  }
}

const toMilestone = (
  { id, subject, time, data }: NewswireEvent<'submission.accepted'>,
  warnings: readonly Warning[],
): NewswireEvent<'milestone.reached'> => ({
  type: 'milestone.reached',
  id: deriveId('ingest', id),
  source: '/services/console',
  subject,
  time,
  correlationid: id,
  causationid: id,
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

/** Never behind a picture: straight to the desk, with the place that it has in the log. The images service passes the first one on as well. */
const toShortcut = (accepted: NewswireEvent<'submission.accepted'>, position: number): NewswireEvent<'submission.prepared'> =>
  ({
    ...accepted,
    type: 'submission.prepared',
    id: deriveId('prepared', accepted.id),
    causationid: accepted.id,
    data: { ...accepted.data, position },
  }) as NewswireEvent<'submission.prepared'>

export type Taken = Readonly<{ submissionId: string; articleId: string; trace: string; warnings?: readonly Warning[] }>

/** Durable when it resolves. Throws `UnavailableError` when the log cannot take it. */
export const takeCommand = async (
  { objects, publish }: Readonly<{ objects: Pick<Objects, 'get'>; publish: Publish }>,
  articleId: string,
  command: ArticleCommand,
  at: string,
): Promise<Taken> => {
  const accepted = toAccepted(articleId, command, at)
  const { publisher } = accepted.data
  const warnings = command.command === 'retract' ? await findMissingSubstitute(objects, command.retraction, publisher) : []
  const [published] = await publish([accepted, toMilestone(accepted, warnings)], { synced: true })
  if (command.command === 'retract' && published !== undefined)
    await publish([toShortcut(accepted, published.position)], { timeoutMs: SHORTCUT_MS }).catch(error => {
      // The log has the retraction; it comes by way of the images service alone then.
      if (!(error instanceof UnavailableError)) throw error
    })
  const taken = { submissionId: accepted.id, articleId, trace: `/v1/articles/${articleId}/trace` }
  return warnings.length === 0 ? taken : { ...taken, warnings }
}
