/**
 * `current/<article id>.json` made again from what the archive holds, when the store has lost it. What the archive cannot know is gone: submissions
 * that were held, and causes that were seen. Positions are the lowest there are, so that everything in the new log comes after. Pure.
 */
import { contentOf } from '@newswire/events/article'
import { canonicalSha256 } from '@newswire/events/canonical'
import { type Fact, isLive, type LiveFact } from '@newswire/events/fact'
import { blank, type State } from './state.ts'

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
