/**
 * What `articles` holds of every article: a projection, so it can be deleted and is then rebuilt. The desk asks it whether a fact of
 * `current/` still has to be published, and it tells where an older version landed after a newer one (a zombie's late write): there the newest
 * must be published again, or compaction would keep the wrong one. It knows as well which articles are taken back, and who names them.
 */
import type { DatabaseSync } from 'node:sqlite'
import { decodedOf } from '@newswire/events/events'
import type { Fact } from '@newswire/events/fact'
import { parseArticleId } from '@newswire/events/ids'
import { topics } from '@newswire/events/topics'
import type { Log, LogRecord } from '@newswire/log/log'
import { openProjection } from '@newswire/log/projection'
import { z } from 'zod'
import { type StandingOf, toNaming, toStanding } from './references.ts'
import { openReferrers, REFERRERS, type Unsettled } from './referrers.ts'

const SCHEMA = `CREATE TABLE seen (article TEXT PRIMARY KEY, newest INTEGER NOT NULL, last INTEGER NOT NULL, standing TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX seen_behind ON seen (article) WHERE last < newest;
${REFERRERS}`

/** How many of our own versions are remembered until the projection has them; beyond that a fact may be published twice, which is harmless. */
const OWN_LIMIT = 20_000

/** What this process publishes it knows at once; of others it hears this late, ms. */
const PATIENCE_MS = 250

/** As much of a fact as is kept of it here: whole ones are looked at by those who pass them on. */
const head = z.object({
  articleId: z.string(),
  version: z.int().min(1),
  state: z.enum(['live', 'retracted', 'expired', 'purged']),
  narrowed: z.object({}).optional(),
  goneReferences: z.array(z.string()).optional(),
  article: z.object({ related: z.array(z.string()).default([]), audience: z.enum(['public', 'editorial']).default('public') }).optional(),
  retraction: z.object({ mode: z.string(), redirectTo: z.string().optional() }).optional(),
})
const decoder = new TextDecoder()

/** What is kept of a record, null for what is no fact: whoever must look at that is told by the consumers that validate it. */
const readHead = (record: LogRecord): Fact | null => {
  const { key, value } = record
  const known = decodedOf(record)?.data
  if (known !== undefined && 'facetsEver' in known && known.articleId === key) return known
  if (value === null || key === null) return null
  try {
    const result = head.safeParse(JSON.parse(decoder.decode(value)))
    const publisher = parseArticleId(key)?.publisher
    if (!result.success || publisher === undefined || result.data.articleId !== key) return null
    if ((result.data.state === 'live') !== (result.data.article !== undefined)) return null
    return { ...result.data, publisher } as Fact // of which no more is read than `head` has
  } catch {
    return null // not JSON, so no fact
  }
}

/** An article whose last record in `articles` is older than `newest`, which was there before. */
export type Behind = Readonly<{ articleId: string; newest: number }>

type SeenVersions = Readonly<{
  /** Everything that was in `articles` at start is known. Before that more is published again than needed, never less. */
  ready: Promise<void>
  isReady(): boolean
  newest(articleId: string): number
  isUnknown(articleId: string): boolean
  published(articleId: string, version: number): void
  /** Whether an article may be named by others; nothing is known until everything is, because an end may be among what is still to be read. */
  standingOf: StandingOf
  /** Articles that may have to be released once more for what they name, after this one in their order. */
  unsettledAfter(articleId: string, limit: number): readonly Unsettled[]
  /** The listener is called after something was seen for which an article has to be released once more. */
  whenUnsettled(listener: () => void): void
  /** Articles whose last record in `articles` is not their newest version. */
  behind(): readonly Behind[]
  /** The listener is called after an older version was seen landing behind a newer one. */
  whenBehind(listener: () => void): void
  failure(): Error | null
  stop(): Promise<void>
}>

const prepare = (db: DatabaseSync) => ({
  db,
  find: db.prepare('SELECT newest, standing FROM seen WHERE article = ?'),
  upsert: db.prepare(`INSERT INTO seen (article, newest, last, standing) VALUES (?, ?, ?, ?)
    ON CONFLICT (article) DO UPDATE SET newest = excluded.newest, last = excluded.last, standing = excluded.standing`),
  referrers: openReferrers(db),
})

/** Opens the view in `file`. */
export const openSeenVersions = async ({ log, file }: { log: Log; file: string }): Promise<SeenVersions> => {
  const own = new Map<string, number>()
  let onBehind: (() => void) | null = null
  let onUnsettled: (() => void) | null = null
  let prepared: ReturnType<typeof prepare> | null = null

  const apply = (db: DatabaseSync, records: readonly LogRecord[]) => {
    if (prepared?.db !== db) prepared = prepare(db)
    const { find, upsert, referrers } = prepared
    let isBehind = false
    let isUnsettled = false
    for (const record of records) {
      const fact = readHead(record)
      if (fact === null) continue
      const { articleId, version } = fact
      const standing = toStanding(fact)
      const before = find.get(articleId) as { newest: number; standing: string } | undefined
      const newest = Math.max(before?.newest ?? 0, version)
      upsert.run(articleId, newest, version, newest === version ? standing : (before?.standing ?? standing))
      isBehind ||= newest > version
      if ((own.get(articleId) ?? Number.POSITIVE_INFINITY) <= newest) own.delete(articleId)
      if (newest > version) continue
      if (before?.standing !== standing && referrers.onStanding(articleId)) isUnsettled = true
      if (referrers.onNaming(toNaming(fact), before === undefined)) isUnsettled = true
    }
    queueMicrotask(() => {
      if (isBehind) onBehind?.() // once the transaction is over
      if (isUnsettled) onUnsettled?.()
    })
  }

  const projection = await openProjection({ log, topic: topics.articles.name, file, schema: SCHEMA, apply, patienceMs: PATIENCE_MS })
  const find = projection.db.prepare('SELECT newest FROM seen WHERE article = ?')
  const findBehind = projection.db.prepare('SELECT article AS articleId, newest FROM seen WHERE last < newest LIMIT 1000')

  const referrers = openReferrers(projection.db)

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
      onBehind = given
    },
    standingOf: articleId => (projection.isReady() ? referrers.standingOf(articleId) : null),
    unsettledAfter: referrers.unsettledAfter,
    whenUnsettled: given => {
      onUnsettled = given
    },
    failure: projection.failure,
    stop: projection.stop,
  }
}
