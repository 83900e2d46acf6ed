/**
 * The feeds as they are served: which bytes are current is known by following `feeds`, the bytes are read when somebody asks and kept until
 * a newer build is announced. Readers share one read and one compression.
 */
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { codeOf, messageOf } from '@newswire/events/errors'
import { fromRecord } from '@newswire/events/events'
import { type FeedBuilt, type FeedFormat, feedFiles } from '@newswire/events/feed'
import { topics } from '@newswire/events/topics'
import type { Log } from '@newswire/log/log'
import { openProjection } from '@newswire/log/projection'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'

const gzipAsync = promisify(gzip)

export type ServedFeed = Readonly<{
  bytes: Uint8Array
  /** The store's own tag of the bytes, so every gateway has the same: strong, without quotes; the gzip variant has its own (RFC 9110 §8.8.3.3). */
  tag: string
  updatedAt: string
  /** Compressed once, for all that ask. */
  gzipped: () => Promise<Uint8Array>
}>

export type FeedCache = Readonly<{
  /** `null` when the feed was never built. Throws `UnavailableError` when the store is away and nothing is kept. */
  get(feedId: string, format: FeedFormat): Promise<ServedFeed | null>
  built(feedId: string): FeedBuilt | null
  isReady(): boolean
  failure(): Error | null
  stop(): Promise<void>
}>

type Kept = Readonly<{ counter: number; served: Promise<ServedFeed | null> }>

const schema = 'CREATE TABLE feed (id TEXT PRIMARY KEY, counter INTEGER NOT NULL, built TEXT NOT NULL) STRICT, WITHOUT ROWID;'

/** zlib level 6: 9 ms for a full 50-item feed; higher costs more and saves 2 %. */
const serve = (bytes: Uint8Array, tag: string, updatedAt: string): ServedFeed => {
  let compressed: Promise<Uint8Array> | undefined
  return {
    bytes,
    tag,
    updatedAt,
    gzipped: () => {
      compressed ??= gzipAsync(bytes, { level: 6 })
      return compressed
    },
  }
}

export const openFeedCache = async (options: {
  log: Log
  objects: Objects
  dataDir: string
  onPoison: (details: { code: string; message: string }) => void
}): Promise<FeedCache> => {
  const { log, objects, dataDir, onPoison } = options
  const current = new Map<string, FeedBuilt>()
  const kept = new Map<string, Kept>()

  const projection = await openProjection({
    log,
    topic: topics.feeds.name,
    file: join(dataDir, 'views', 'gateway-feeds.db'),
    schema,
    apply: (db, records) => {
      const put = db.prepare(
        'INSERT INTO feed (id, counter, built) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET counter = excluded.counter, built = excluded.built WHERE excluded.counter > counter',
      )
      for (const record of records) {
        try {
          const event = fromRecord(record)
          if (event?.type !== 'feed.built') continue
          put.run(event.data.feedId, event.data.counter, JSON.stringify(event.data))
          if (event.data.counter > (current.get(event.data.feedId)?.counter ?? -1)) current.set(event.data.feedId, event.data)
        } catch (error) {
          onPoison({ code: codeOf(error), message: messageOf(error) })
        }
      }
    },
  })
  for (const row of projection.db.prepare('SELECT built FROM feed').all() as { built: string }[]) {
    const built = JSON.parse(row.built) as FeedBuilt
    if (built.counter > (current.get(built.feedId)?.counter ?? -1)) current.set(built.feedId, built)
  }

  const load = async (built: FeedBuilt, format: FeedFormat): Promise<ServedFeed | null> => {
    const found = await objects.get(keys.feed(built.feedId, feedFiles[format].name))
    return found === null ? null : serve(found.bytes, found.etag.replaceAll('"', ''), built.updatedAt)
  }

  const get = async (feedId: string, format: FeedFormat): Promise<ServedFeed | null> => {
    const built = current.get(feedId)
    if (built === undefined) return null
    const key = `${feedId}/${format}`
    const before = kept.get(key)
    if (before !== undefined && before.counter >= built.counter) return before.served
    const served: Kept['served'] = load(built, format).then(
      found => found ?? giveBack(null),
      error => giveBack(error),
    )
    /** The last good bytes are better than none, for everybody who waits for this read; the next reader tries again. */
    const giveBack = async (failure: unknown): Promise<ServedFeed | null> => {
      if (kept.get(key)?.served === served) {
        if (before) kept.set(key, before)
        else kept.delete(key)
      }
      if (before) return before.served
      if (failure === null) return null
      throw failure
    }
    kept.set(key, { counter: built.counter, served })
    return served
  }

  return {
    get,
    built: feedId => current.get(feedId) ?? null,
    isReady: projection.isReady,
    failure: projection.failure,
    stop: projection.stop,
  }
}
