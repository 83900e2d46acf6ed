/** What every article is and was, without its content: a projection of `articles` that the sweep compares feeds with. */
import type { DatabaseSync } from 'node:sqlite'
import { codeOf, messageOf } from '@newswire/events/errors'
import { fromRecord } from '@newswire/events/events'
import { type Facets, type Fact, facets } from '@newswire/events/fact'
import { topics } from '@newswire/events/topics'
import type { Log, LogRecord } from '@newswire/log/log'
import { openProjection, type Projection } from '@newswire/log/projection'
import { isArticleEvent } from './fan-out.ts'
import { facetsOf } from './window.ts'

const SCHEMA = `
CREATE TABLE article (
  id TEXT PRIMARY KEY, version INTEGER NOT NULL, state TEXT NOT NULL, first_released_at TEXT NOT NULL, released_at TEXT NOT NULL,
  now TEXT, ever TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX live_by_release ON article (first_released_at DESC, id) WHERE state = 'live';
CREATE INDEX gone_by_time ON article (released_at DESC, id) WHERE state <> 'live';
`

const PAGE = 500
/** Only the sweep reads it, every few minutes. */
const PATIENCE_MS = 250

export type KnownArticle = Readonly<{
  articleId: string
  version: number
  state: Fact['state']
  firstReleasedAt: string
  releasedAt: string
  /** `null` unless it is live. */
  now: Facets | null
  ever: Facets
}>

export type FacetView = Readonly<{
  projection: Projection
  /** Live articles, newest release first, a page at a time, so that others get their turn in between. */
  live(): Generator<readonly KnownArticle[]>
  /** Articles taken back at or after an instant, newest first. */
  gone(sinceAt: string, limit: number): readonly KnownArticle[]
  find(articleId: string): KnownArticle | null
}>

type Row = {
  id: string
  version: number
  state: Fact['state']
  first_released_at: string
  released_at: string
  now: string | null
  ever: string
}

const parseFacets = (json: string): Facets => facets.parse(JSON.parse(json))

const toKnown = (row: Row): KnownArticle => ({
  articleId: row.id,
  version: row.version,
  state: row.state,
  firstReleasedAt: row.first_released_at,
  releasedAt: row.released_at,
  now: row.now === null ? null : parseFacets(row.now),
  ever: parseFacets(row.ever),
})

const factOf = (record: LogRecord, onPoison: FacetViewOptions['onPoison']): Fact | null => {
  try {
    const event = fromRecord(record)
    return isArticleEvent(event) ? event.data : null
  } catch (error) {
    onPoison({ partition: record.partition, position: record.position, code: codeOf(error), message: messageOf(error) })
    return null
  }
}

export type FacetViewOptions = Readonly<{
  log: Log
  file: string
  /** A record that is no fact is passed over here; the fan-out gives it to `dead-letters`. */
  onPoison: (details: { partition: number; position: number; code: string; message: string }) => void
}>

/** Opens the view. Applying a fact again, or an older one, changes nothing, so a file may be shared and a crash costs nothing. */
export const openFacetView = async ({ log, file, onPoison }: FacetViewOptions): Promise<FacetView> => {
  const apply = (db: DatabaseSync, records: readonly LogRecord[]) => {
    const put = db.prepare(`INSERT INTO article (id, version, state, first_released_at, released_at, now, ever) VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET version = excluded.version, state = excluded.state, first_released_at = excluded.first_released_at,
        released_at = excluded.released_at, now = excluded.now, ever = excluded.ever
      WHERE excluded.version > version`)
    for (const record of records) {
      const fact = factOf(record, onPoison)
      if (fact === null) continue
      const now = fact.state === 'live' ? JSON.stringify(facetsOf(fact)) : null
      put.run(fact.articleId, fact.version, fact.state, fact.firstReleasedAt, fact.releasedAt, now, JSON.stringify(fact.facetsEver))
    }
  }
  const projection = await openProjection({ log, topic: topics.articles.name, file, schema: SCHEMA, apply, patienceMs: PATIENCE_MS })
  const { db } = projection
  const newest = db.prepare("SELECT * FROM article WHERE state = 'live' ORDER BY first_released_at DESC, id LIMIT ?")
  const next = db.prepare(
    "SELECT * FROM article WHERE state = 'live' AND (first_released_at < ? OR (first_released_at = ? AND id > ?)) ORDER BY first_released_at DESC, id LIMIT ?",
  )
  const gone = db.prepare("SELECT * FROM article WHERE state <> 'live' AND released_at >= ? ORDER BY released_at DESC, id LIMIT ?")
  const one = db.prepare('SELECT * FROM article WHERE id = ?')

  return {
    projection,
    live: function* () {
      let page = newest.all(PAGE) as Row[]
      while (page.length > 0) {
        yield page.map(toKnown)
        const last = page.at(-1)
        page = last && page.length === PAGE ? (next.all(last.first_released_at, last.first_released_at, last.id, PAGE) as Row[]) : []
      }
    },
    gone: (sinceAt, limit) => (gone.all(sinceAt, limit) as Row[]).map(toKnown),
    find: articleId => {
      const row = one.get(articleId) as Row | undefined
      return row === undefined ? null : toKnown(row)
    },
  }
}
