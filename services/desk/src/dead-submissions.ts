/**
 * A submission whose record ended in dead letters is refused for whoever submitted it, until an operator redrives it: by whichever service, for
 * whatever reason. Told from the dead letter itself, so it is told once the letter is durable, and nobody who dies on the way has to.
 */
import { fromHeaders } from '@newswire/events/envelope'
import { codeOf, RejectError } from '@newswire/events/errors'
import type { NewswireEvent } from '@newswire/events/events'
import { deriveId, isArticleId } from '@newswire/events/ids'
import { type DeadLetter, parseDeadLetter } from '@newswire/log/dead-letter'
import type { Publish } from '@newswire/log/events'
import type { LogRecord } from '@newswire/log/log'
import { SUBMISSION_ID } from './cause.ts'
import { SOURCE } from './outcomes.ts'

/** Groups that every submission passes, and the stage each is. */
const STAGES: Readonly<Record<string, 'images' | 'desk'>> = { images: 'images', 'images-backfill': 'images', desk: 'desk' }
const SUBMISSIONS: ReadonlySet<string> = new Set(['submission.accepted', 'submission.prepared'])

/** By its headers alone: its data may be what could not be read, or lie elsewhere. */
const read = (record: Pick<LogRecord, 'headers'>) => {
  try {
    return { letter: parseDeadLetter(record), envelope: fromHeaders(record.headers) }
  } catch (error) {
    // What is no event, or no dead letter, is no submission; the console shows it.
    if (error instanceof RejectError) return null
    throw error
  }
}

const toData = (letter: DeadLetter, articleId: string, submissionId: string): NewswireEvent<'milestone.reached'>['data'] => ({
  kind: 'submission',
  articleId,
  submissionId,
  at: letter.lastFailedAt,
  stage: STAGES[letter.service] ?? 'desk',
  state: 'refused',
  code: codeOf({ code: letter.errorCode }),
  detail: `it could not be handled and waits for an operator as dead letter ${letter.id.slice(0, 100)}`,
})

/** The milestone that a dead letter stands for; `null` when it is about no submission. The same letter gives the same event. */
const toRefusal = (record: Pick<LogRecord, 'headers'>): NewswireEvent<'milestone.reached'> | null => {
  const found = read(record)
  if (found === null) return null
  const { letter, envelope } = found
  const { subject: articleId, correlationid: submissionId = '' } = envelope
  const isSubmission = Object.hasOwn(STAGES, letter.service) && SUBMISSIONS.has(envelope.type)
  if (!isSubmission || !isArticleId(articleId) || !SUBMISSION_ID.test(submissionId)) return null
  return {
    id: deriveId('dead-submission', letter.id),
    type: 'milestone.reached',
    source: SOURCE,
    subject: articleId,
    time: letter.lastFailedAt,
    correlationid: submissionId,
    causationid: envelope.id,
    traceparent: envelope.traceparent,
    data: toData(letter, articleId, submissionId),
  }
}

/** Handles `dead-letters`. Safe to repeat. */
export const tellDeadSubmissions =
  (publish: Publish) =>
  async (records: readonly LogRecord[]): Promise<void> => {
    const refusals = records.flatMap(record => toRefusal(record) ?? [])
    if (refusals.length > 0) await publish(refusals, { synced: true })
  }
