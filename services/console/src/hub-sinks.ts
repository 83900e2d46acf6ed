/**
 * The hub in the trace of an article: one sink for each feed that shows its newest version and has subscribers, with how many of them are behind. Read
 * from the store when somebody asks; a milestone for each subscriber of each build would drown all others.
 */
import type { ArticleTrace, SinkTrace } from '@newswire/trace/queries'
import type { Subscribers } from './subscribers.ts'

type Counts = Pick<Subscribers, 'live' | 'pending' | 'failing'>
/** `null`: it could not be asked. */
type CountSubscribers = (feedId: string) => Promise<Counts | null>

/** What is behind has the newest build to come, whichever versions are in that; so `done` says that nobody is. */
const toHubSink = (feedId: string, version: number, { live, pending, failing }: Counts): SinkTrace | null =>
  live === 0
    ? null
    : {
        kind: 'hub',
        id: feedId,
        state: pending === 0 ? 'done' : failing > 0 ? 'retrying' : 'pending',
        version,
        attempts: null,
        nextAt: null,
        lastError: null,
        reason:
          pending === 0
            ? `${live} subscribers have the feed as it stands`
            : `${pending} of ${live} subscribers have still to get the feed as it stands${failing > 0 ? `, ${failing} of them fail` : ''}`,
        doneAt: null,
      }

export const withHubSinks = async (trace: ArticleTrace, count: CountSubscribers): Promise<ArticleTrace> => {
  const newest = trace.versions.at(-1)
  if (newest === undefined) return trace
  const feeds = newest.sinks.filter(sink => sink.kind === 'feed' && sink.state === 'done')
  const sinks = await Promise.all(
    feeds.map(async ({ id }) => {
      const counts = await count(id)
      return counts === null ? null : toHubSink(id, newest.version, counts)
    }),
  )
  const found = sinks.filter(sink => sink !== null)
  if (found.length === 0) return trace
  return { ...trace, versions: [...trace.versions.slice(0, -1), { ...newest, sinks: [...newest.sinks, ...found] }] }
}

/** One reading of a feed's subscribers, an object each, for all who ask within ten seconds: every open page asks once a second. */
const KEPT_MS = 10_000

export const countForAWhile = (read: (feedId: string) => Promise<Counts>, now: () => number): CountSubscribers => {
  const kept = new Map<string, { atMs: number; counts: Promise<Counts | null> }>()
  return feedId => {
    const known = kept.get(feedId)
    if (known !== undefined && now() - known.atMs < KEPT_MS) return known.counts
    const counts = read(feedId).catch(() => null)
    kept.set(feedId, { atMs: now(), counts })
    return counts
  }
}
