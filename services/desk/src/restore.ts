/**
 * `current/<article id>.json` made again from what the archive or the log holds, when the store has lost it. What these cannot know is gone: submissions
 * that were held, and causes that were seen. Positions are the lowest there are, so that everything in the new log comes after. Pure.
 */
import { contentOf } from '@newswire/events/article'
import { canonicalSha256 } from '@newswire/events/canonical'
import type { ArticleEvent, NewswireEvent } from '@newswire/events/events'
import { type Fact, isLive, isPublic, type LiveFact } from '@newswire/events/fact'
import { deriveId } from '@newswire/events/ids'
import { blank, type Released, type State } from './state.ts'

const withdrawnFrom = ({ article, submissionId, lane }: LiveFact, isStillLive: boolean): NonNullable<State['withdrawn']> => {
  const contentSha256 = canonicalSha256(contentOf(article))
  const { sourceVersion } = article
  return {
    submissionId,
    lane,
    position: 0,
    contentSha256,
    top: sourceVersion === undefined ? null : { sourceVersion, contentSha256, lane },
    alongside: [],
    article: isStillLive ? null : article,
  }
}

/** `newest`: the newest version; `live`: the newest with its content, the same one while the article is live, `null` when there is none. */
export const restoredState = (newest: Fact, live: Fact | null): State => ({
  ...blank,
  n: 1,
  released: {
    fact: newest,
    causationId: newest.submissionId,
    correlationId: newest.submissionId,
    ...(newest.receivedAt === undefined ? {} : { receivedAt: newest.receivedAt }),
  },
  withdrawn: newest.state === 'purged' || live === null || !isLive(live) ? null : withdrawnFrom(live, isLive(newest)),
  killed: newest.state === 'retracted' ? 0 : null,
})

/**
 * The same from what the log says: its record can be published again to the byte. What was held, and causes that were seen, are gone with the state that was
 * lost; of what is handled again, what is there already is a duplicate.
 */
export const stateFromLog = ({ data: fact, ...envelope }: ArticleEvent, live: Fact | null): State => {
  const state = restoredState(fact, live)
  const { causationid = fact.submissionId, correlationid = fact.submissionId, traceparent } = envelope
  return {
    ...state,
    released: state.released && {
      ...state.released,
      causationId: causationid,
      correlationId: correlationid,
      ...(traceparent === undefined ? {} : { traceparent }),
    },
  }
}

/** Says that a version is in force again, and whether the archive has it. The title is in it only when the public may read it. */
export const restoredEvent = (
  { fact, causationId, correlationId }: Released,
  { at, isArchived }: Readonly<{ at: string; isArchived: boolean }>,
): NewswireEvent<'milestone.reached'> => ({
  id: deriveId('restored', fact.articleId, fact.version, at),
  type: 'milestone.reached',
  source: '/newswire/rebuild',
  subject: fact.articleId,
  time: at,
  correlationid: correlationId,
  causationid: causationId,
  data: {
    kind: 'restored',
    articleId: fact.articleId,
    at,
    version: fact.version,
    action: fact.action,
    submissionId: fact.submissionId,
    ...(isPublic(fact) ? { title: fact.article.title } : {}),
    releasedAt: fact.releasedAt,
    isArchived,
    detail: `restored from the ${isArchived ? 'archive' : 'store'} at ${at}; its way until then is in the archive's ledger, as far as it was closed`,
  },
})
