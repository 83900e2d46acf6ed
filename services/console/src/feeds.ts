/** What every feed shows, what it is shown without and why, and what keeps it back: a projection of `feeds`, beside what is configured. */
import { join } from 'node:path'
import type { FeedConfig } from '@newswire/events/config'
import { fromRecord } from '@newswire/events/events'
import { type FeedBuilt, type FeedOutput, feedOutputs } from '@newswire/events/feed'
import { topics } from '@newswire/events/topics'
import type { Log, LogRecord } from '@newswire/log/log'
import { openProjection } from '@newswire/log/projection'

const schema = 'CREATE TABLE feed (id TEXT PRIMARY KEY, counter INTEGER NOT NULL, built TEXT NOT NULL) STRICT, WITHOUT ROWID;'

export type FeedStatus = Readonly<{
  id: string
  title: string
  profile: FeedConfig['profile']
  private: boolean
  /** The four below are `null` until the feed is built for the first time. */
  counter: number | null
  updatedAt: string | null
  items: number | null
  /** Bytes of each file; `null` for one that is not there yet. */
  outputs: Readonly<Record<FeedOutput, number | null>> | null
  /** Articles that the feed is shown without, each with the rule it breaks or what else is wrong with it. */
  quarantined: NonNullable<FeedBuilt['quarantined']>
  /** Why the last good files are shown and not the newest state. */
  fault: FeedBuilt['fault'] | null
}>

export type Feeds = Readonly<{
  /** The feeds of a configuration, in its order. */
  list(configured: Iterable<FeedConfig>): readonly FeedStatus[]
  caughtUp(signal?: AbortSignal): Promise<void>
  isReady(): boolean
  stop(): Promise<void>
}>

/** What is no event of ours is passed over here; the guard of the topic gives it to the dead letters. */
const builtIn = (record: LogRecord): FeedBuilt | null => {
  try {
    const event = fromRecord(record)
    return event?.type === 'feed.built' ? event.data : null
  } catch {
    return null
  }
}

const toStatus = ({ id, title, profile, access }: FeedConfig, built: FeedBuilt | null): FeedStatus => ({
  id,
  title,
  profile,
  private: access !== undefined,
  counter: built?.counter ?? null,
  updatedAt: built?.updatedAt ?? null,
  items: built?.items ?? null,
  outputs:
    built === null
      ? null
      : (Object.fromEntries(feedOutputs.map(output => [output, built.outputs[output]?.bytes ?? null])) as FeedStatus['outputs']),
  quarantined: built?.quarantined ?? [],
  fault: built?.fault ?? null,
})

export const openFeeds = async ({ log, dataDir }: { log: Log; dataDir: string }): Promise<Feeds> => {
  const projection = await openProjection({
    log,
    topic: topics.feeds.name,
    file: join(dataDir, 'views', 'console-feeds.db'),
    schema,
    apply: (db, records) => {
      // A lower counter is an older state that came late.
      const put = db.prepare(
        'INSERT INTO feed (id, counter, built) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET counter = excluded.counter, built = excluded.built WHERE excluded.counter >= counter',
      )
      for (const record of records) {
        const built = builtIn(record)
        if (built !== null) put.run(built.feedId, built.counter, JSON.stringify(built))
      }
    },
  })
  const one = projection.db.prepare('SELECT built FROM feed WHERE id = ?')
  const find = (id: string): FeedBuilt | null => {
    const row = one.get(id) as { built: string } | undefined
    return row === undefined ? null : (JSON.parse(row.built) as FeedBuilt)
  }
  return {
    list: configured => [...configured].map(feed => toStatus(feed, find(feed.id))),
    caughtUp: projection.caughtUp,
    isReady: projection.isReady,
    stop: projection.stop,
  }
}
