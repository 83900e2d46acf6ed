/** What the desk tells about its decisions: codes, their words, and the milestones that carry them. */
import type { NewswireEvent } from '@newswire/events/events'
import { type Fact, isPublic } from '@newswire/events/fact'
import { deriveId } from '@newswire/events/ids'
import type { Outcome, Released } from './state.ts'

export const SOURCE = '/services/desk'

/** Code → what happened and why, for the person who submitted it. Codes are never renamed. */
export const words = {
  NEWSWIRE_DESK_BEFORE_RETRACTION: 'it was submitted before the article was retracted; submit it again after a republish',
  NEWSWIRE_DESK_BACKFILL: 'an import replaces neither what was published live nor what was retracted',
  NEWSWIRE_DESK_STALE: 'its sourceVersion is lower than the one taken before; submit the newest one',
  NEWSWIRE_DESK_SAME_VERSION: 'its sourceVersion was taken before with other content; raise sourceVersion with every change',
  NEWSWIRE_DESK_DUPLICATE: 'its content is equal to the latest one, or was taken before under its sourceVersion, so nothing changes',
  NEWSWIRE_DESK_SUPERSEDED: 'a newer submission of this article has taken its place',
  NEWSWIRE_DESK_EXPIRED: 'its expiresAt had passed before it could be released; submit it with a later one',
  NEWSWIRE_DESK_EMBARGOED: 'it waits for its embargo to end',
  NEWSWIRE_DESK_AWAITS_REPUBLISH: 'the article is retracted; it goes out when the article is republished',
  NEWSWIRE_DESK_RETRACTED_WHILE_HELD: 'the article was retracted while it waited; submit it again after a republish',
  NEWSWIRE_DESK_NO_EFFECT: 'a retraction, republish or purge at or after its place in the log counts instead',
  NEWSWIRE_DESK_ALREADY_RETRACTED: 'the article was retracted already',
  NEWSWIRE_DESK_NEVER_RELEASED: 'nothing of the article was released yet; what was submitted until now stays in',
  NEWSWIRE_DESK_NOT_RETRACTED: 'the article is not retracted, so there is nothing to bring back',
  NEWSWIRE_DESK_NOTHING_TO_REPUBLISH: 'no content is kept for this article; the retraction is lifted, submit it again',
  NEWSWIRE_DESK_PURGED: 'the article was purged for good; publish under another id',
  NEWSWIRE_DESK_STATE_LOST:
    'a newer version of the article is out than the store knows of, so the store has lost it, or somebody else wrote to `articles` (article.foreign in the log tells); put the store back that belongs to the log, or make the article again with `newswire rebuild articles`, then redrive',
  NEWSWIRE_DESK_LANE: 'retract, republish and purge go through the live lane only',
  NEWSWIRE_DESK_MARKUP: 'its body holds markup that is not allowed here',
  NEWSWIRE_DESK_TOO_LARGE: 'the released article would be larger than the log takes; make the body or the list of pictures smaller',
} as const satisfies Record<`NEWSWIRE_DESK_${string}`, string>
export type DeskCode = keyof typeof words

const detailOf = ({ code, until }: Outcome): string | undefined => {
  const text = code !== undefined && Object.hasOwn(words, code) ? words[code as DeskCode] : undefined
  return text !== undefined && until !== undefined ? `${text} at ${until}` : text
}

/** What the milestone of an outcome takes from its cause. */
type OutcomeCause = Readonly<{ id: string; articleId: string; traceparent?: string | undefined; at: string }>

/**
 * The milestone of an outcome. There is one id for `held` and one for the final state of a submission, whoever reports it how often: the
 * first one counts.
 */
export const outcomeEvent = (outcome: Outcome, cause: OutcomeCause): NewswireEvent<'milestone.reached'> => {
  const detail = detailOf(outcome)
  return {
    id: deriveId('desk', outcome.submissionId, outcome.state === 'held' ? 'held' : 'final'),
    type: 'milestone.reached',
    source: SOURCE,
    subject: cause.articleId,
    time: cause.at,
    correlationid: outcome.submissionId,
    causationid: cause.id,
    traceparent: cause.traceparent,
    data: {
      kind: 'submission',
      articleId: cause.articleId,
      at: cause.at,
      submissionId: outcome.submissionId,
      stage: 'desk',
      state: outcome.state,
      command: outcome.command,
      ...(outcome.version === undefined ? {} : { version: outcome.version }),
      ...(outcome.code === undefined ? {} : { code: outcome.code }),
      ...(detail === undefined ? {} : { detail }),
    },
  }
}

/** The fact as an event: nothing in it but what `current/` keeps, so that a repeat is equal byte for byte. */
export const factEvent = ({ fact, causationId, correlationId, traceparent }: Released): NewswireEvent =>
  ({
    id: deriveId('fact', fact.articleId, fact.version),
    type: `article.${fact.action}`,
    source: SOURCE,
    subject: fact.articleId,
    time: fact.releasedAt,
    correlationid: correlationId,
    causationid: causationId,
    traceparent,
    data: fact,
  }) as NewswireEvent

/** How and why an article was taken back, for who reads the trace. */
const takenBack = (fact: Fact): string | undefined => {
  if (fact.state === 'expired') return `its time has come (${fact.retraction.mode})`
  return fact.state === 'retracted' ? `${fact.retraction.mode}: ${fact.retraction.reason}`.slice(0, 300) : undefined
}

/** Says that a version is out. The title is in it only when the public may read it. */
export const releasedEvent = ({
  fact,
  causationId,
  correlationId,
  traceparent,
  receivedAt,
  detail = takenBack(fact),
}: Released): NewswireEvent<'milestone.reached'> => ({
  id: deriveId('desk', 'released', fact.articleId, fact.version),
  type: 'milestone.reached',
  source: SOURCE,
  subject: fact.articleId,
  time: fact.releasedAt,
  correlationid: correlationId,
  causationid: causationId,
  traceparent,
  data: {
    kind: 'released',
    articleId: fact.articleId,
    at: fact.releasedAt,
    version: fact.version,
    action: fact.action,
    submissionId: fact.submissionId,
    ...(isPublic(fact) ? { title: fact.article.title } : {}),
    ...(receivedAt === undefined ? {} : { receivedAt }),
    ...(detail === undefined ? {} : { detail }),
  },
})
