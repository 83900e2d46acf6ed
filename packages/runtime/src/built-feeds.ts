/**
 * Which build of each feed is current, by following `feeds`: known at once from memory, and kept in a file of its own, so that a start reads only what is
 * new. Feeds are built many times a second, and a transaction for each cost more than reading it: 0.2 CPU-ms.
 */
import type { StatementSync } from 'node:sqlite'
import { codeOf, messageOf } from '@newswire/events/errors'
import { fromRecord } from '@newswire/events/events'
import { type FeedBuilt, feedOutputs } from '@newswire/events/feed'
import { topics } from '@newswire/events/topics'
import type { Log, LogRecord } from '@newswire/log/log'
import { openProjection, type Projection } from '@newswire/log/projection'

type BuiltFeeds = Readonly<{
  built(feedId: string): FeedBuilt | null
  /** Rises with every build of the feed that is told of, also with one that is older than `built`; -1: none was. */
  heard(feedId: string): number
  /** What was told of last was older than what was known: one of them is not what it says, so what `built` says of its bytes is to be looked at. */
  isDoubted(feedId: string): boolean
  isReady(): boolean
  /** Resolves once everything that is in the topic now is known; rejects when the signal aborts. */
  caughtUp(signal?: AbortSignal): Promise<void>
  failure(): Error | null
  stop(): Promise<void>
}>

const schema = 'CREATE TABLE feed (id TEXT PRIMARY KEY, counter INTEGER NOT NULL, built TEXT NOT NULL) STRICT, WITHOUT ROWID;'

/** How long the file may be behind: what it lacks is read from the log again. */
const STORED_WITHIN_MS = 1_000

const readAll = (projection: Projection): FeedBuilt[] =>
  (projection.db.prepare('SELECT built FROM feed').all() as { built: string }[]).map(row => JSON.parse(row.built) as FeedBuilt)

/** It is told once more, by whoever pings or after a crash. */
const isSame = (one: FeedBuilt, known: FeedBuilt | undefined): boolean =>
  one.counter === known?.counter && feedOutputs.every(output => one.outputs[output]?.sha256 === known.outputs[output]?.sha256)

export const openBuiltFeeds = async (options: {
  log: Log
  /** Of the view, below `views/` in the data folder. */
  file: string
  /** What is no event of ours is passed over; the guard of the topic gives it to the dead letters. */
  onPoison: (details: { code: string; message: string }) => void
  /** Told which feeds were built, or are said to be: what the store has may be newer. */
  onBuilt?: (feedIds: ReadonlySet<string>) => void
  /** How far behind it may be, ms (default 0): `ProjectionOptions.patienceMs`. */
  patienceMs?: number
}): Promise<BuiltFeeds> => {
  const { log, file, onPoison, onBuilt = () => undefined, patienceMs = 0 } = options
  const current = new Map<string, FeedBuilt>()
  const unstored = new Map<string, FeedBuilt>()
  const heard = new Map<string, number>()
  /** The counter that was told of last, where it is below the one that was known then. */
  const older = new Map<string, number>()
  /**
   * Whether it is to be believed in place of what is known. One that is older may have come late; when they go on rising below what is known, nobody builds
   * that any more, and whoever told of it would have kept all others from being seen. Two that came late look the same, so there is doubt until the next.
   */
  const take = (built: FeedBuilt): boolean => {
    const { feedId, counter } = built
    const known = current.get(feedId)?.counter ?? -1
    const before = older.get(feedId)
    if (counter < known) {
      older.set(feedId, counter)
      if (before === undefined || counter <= before) return false
    } else older.delete(feedId)
    current.set(feedId, built)
    return true
  }
  const onArrived = (records: readonly LogRecord[]) => {
    const fresh = new Set<string>()
    for (const record of records) {
      const built = builtOf(record)
      if (built === null || isSame(built, current.get(built.feedId))) continue
      fresh.add(built.feedId)
      heard.set(built.feedId, (heard.get(built.feedId) ?? -1) + 1)
      if (take(built)) unstored.set(built.feedId, built)
    }
    if (fresh.size > 0) onBuilt(fresh)
  }
  const builtOf = (record: LogRecord): FeedBuilt | null => {
    try {
      const event = fromRecord(record)
      return event?.type === 'feed.built' ? event.data : null
    } catch (error) {
      onPoison({ code: codeOf(error), message: messageOf(error) })
      return null
    }
  }
  let put: StatementSync | undefined
  const projection = await openProjection({
    log,
    topic: topics.feeds.name,
    file,
    schema,
    patienceMs,
    ahead: { onArrived, withinMs: STORED_WITHIN_MS },
    apply: db => {
      put ??= db.prepare(
        'INSERT INTO feed (id, counter, built) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET counter = excluded.counter, built = excluded.built',
      )
      for (const built of unstored.values()) put.run(built.feedId, built.counter, JSON.stringify(built))
    },
    onApplied: () => unstored.clear(),
    onEmptied: () => {
      for (const known of [current, heard, older]) known.clear()
    },
  })
  for (const built of projection.reading(() => readAll(projection))) if (take(built)) heard.set(built.feedId, heard.get(built.feedId) ?? 0)
  return {
    built: feedId => current.get(feedId) ?? null,
    heard: feedId => heard.get(feedId) ?? -1,
    isDoubted: feedId => older.has(feedId),
    isReady: projection.isReady,
    caughtUp: projection.caughtUp,
    failure: projection.failure,
    stop: projection.stop,
  }
}
