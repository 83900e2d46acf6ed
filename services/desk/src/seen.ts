/**
 * What `articles` holds of every article: a projection, so it can be deleted and is then rebuilt. The desk asks it whether a fact of
 * `current/` still has to be published, and it tells where an older version landed after a newer one (a zombie's late write): there the newest
 * must be published again, or compaction would keep the wrong one.
 */
import type { DatabaseSync } from 'node:sqlite'
import { isArticleId } from '@newswire/events/ids'
import { topics } from '@newswire/events/topics'
import type { Log, LogRecord } from '@newswire/log/log'
import { openProjection } from '@newswire/log/projection'
import { z } from 'zod'

const SCHEMA = `CREATE TABLE seen (article TEXT PRIMARY KEY, newest INTEGER NOT NULL, last INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX seen_behind ON seen (article) WHERE last < newest;`

/** How many of our own versions are remembered until the projection has them; beyond that a fact may be published twice, which is harmless. */
const OWN_LIMIT = 20_000

/** What this process publishes it knows at once; of others it hears this late, ms. */
const PATIENCE_MS = 100

const head = z.object({ articleId: z.string().refine(isArticleId), version: z.int().min(1) })
const decoder = new TextDecoder()

/** Article and version of a record, null for what is no fact: whoever must look at that is told by the consumers that validate it. */
const readHead = ({ key, value }: LogRecord): z.output<typeof head> | null => {
  if (value === null) return null
  try {
    const result = head.safeParse(JSON.parse(decoder.decode(value)))
    return result.success && result.data.articleId === key ? result.data : null
  } catch {
    return null // not JSON, so no fact
  }
}

/** An article whose last record in `articles` is older than `newest`, which was there before. */
export type Behind = Readonly<{ articleId: string; newest: number }>

export type SeenVersions = Readonly<{
  /** Everything that was in `articles` at start is known. Before that more is published again than needed, never less. */
  ready: Promise<void>
  isReady(): boolean
  newest(articleId: string): number
  isUnknown(articleId: string): boolean
  published(articleId: string, version: number): void
  /** Articles whose last record in `articles` is not their newest version. */
  behind(): readonly Behind[]
  /** The listener is called after an older version was seen landing behind a newer one. */
  whenBehind(listener: () => void): void
  failure(): Error | null
  stop(): Promise<void>
}>

/** Opens the view in `file`. */
export const openSeenVersions = async ({ log, file }: { log: Log; file: string }): Promise<SeenVersions> => {
  const own = new Map<string, number>()
  let listener: (() => void) | null = null
  let upsert: ReturnType<DatabaseSync['prepare']> | null = null
  let preparedFor: DatabaseSync | null = null

  const apply = (db: DatabaseSync, records: readonly LogRecord[]) => {
    if (upsert === null || preparedFor !== db) {
      preparedFor = db
      upsert = db.prepare(`INSERT INTO seen (article, newest, last) VALUES (?, ?, ?)
        ON CONFLICT (article) DO UPDATE SET newest = max(newest, excluded.newest), last = excluded.last RETURNING newest`)
    }
    let isBehind = false
    for (const record of records) {
      const fact = readHead(record)
      if (fact === null) continue
      const { newest } = upsert.get(fact.articleId, fact.version, fact.version) as { newest: number }
      isBehind ||= newest > fact.version
      if ((own.get(fact.articleId) ?? Number.POSITIVE_INFINITY) <= newest) own.delete(fact.articleId)
    }
    if (isBehind) queueMicrotask(() => listener?.()) // once the transaction is over
  }

  const projection = await openProjection({ log, topic: topics.articles.name, file, schema: SCHEMA, apply, patienceMs: PATIENCE_MS })
  const find = projection.db.prepare('SELECT newest FROM seen WHERE article = ?')
  const findBehind = projection.db.prepare('SELECT article AS articleId, newest FROM seen WHERE last < newest LIMIT 1000')

  const newest = (articleId: string): number =>
    Math.max(own.get(articleId) ?? 0, (find.get(articleId) as { newest: number } | undefined)?.newest ?? 0)

  return {
    ready: projection.ready,
    isReady: projection.isReady,
    newest,
    isUnknown: articleId => projection.isReady() && newest(articleId) === 0,
    published: (articleId, version) => {
      if (version <= newest(articleId)) return
      const oldest = own.size >= OWN_LIMIT ? own.keys().next().value : undefined
      if (oldest !== undefined) own.delete(oldest)
      own.set(articleId, version)
    },
    behind: () => findBehind.all() as Behind[],
    whenBehind: given => {
      listener = given
    },
    failure: projection.failure,
    stop: projection.stop,
  }
}
