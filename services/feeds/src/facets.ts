/**
 * What every article is and was, without its content, and where it stands in each feed: a projection of `articles` that feeds are compared
 * with, and that says what is on their pages.
 */
import type { DatabaseSync } from 'node:sqlite'
import { codeOf, messageOf } from '@newswire/events/errors'
import { fromRecord, isArticleEvent } from '@newswire/events/events'
import { type Facets, type Fact, facets, toPublicFact } from '@newswire/events/fact'
import { topics } from '@newswire/events/topics'
import type { Log, LogRecord } from '@newswire/log/log'
import { openProjection, type Projection } from '@newswire/log/projection'
import { inTransaction } from '@newswire/log/transaction'
import type { ConfigSnapshot, Configuration } from '@newswire/runtime/configuration'
import { openPlaces, PLACES, type Placed, type Places } from './places.ts'
import { facetsOf, type Rule, ruleOf } from './window.ts'

export const FACETS = `
CREATE TABLE article (
  id TEXT PRIMARY KEY, version INTEGER NOT NULL, state TEXT NOT NULL, first_released_at TEXT NOT NULL, released_at TEXT NOT NULL,
  now TEXT, ever TEXT NOT NULL
) STRICT, WITHOUT ROWID;
${PLACES}`

/** Articles that are given their places before others get their turn on the event loop. */
const BATCH = 250
/** The sweep reads it every few minutes, and pages are not in haste. */
const PATIENCE_MS = 1_000

/** `now` is `null` unless it is live. */
export type KnownArticle = Placed

type Facetted = Readonly<{
  /** Applies facts inside the caller's transaction. One again, or an older one, changes nothing. */
  apply(facts: readonly Fact[]): void
  /** Tells the listener of what was applied; call it after the transaction. */
  applied(): void
  places: Places
  find(articleId: string): KnownArticle | null
  /**
   * Gives every article its place in the feeds of these rules, if that was not done under the same rule already. Facts that come meanwhile are
   * placed as they come. Calls follow one another.
   */
  ensure(rules: readonly Rule[]): Promise<void>
  /** Feeds that have places here. */
  kept(): ReadonlySet<string>
  /** Forgets a feed that is no longer in force. */
  forget(feedId: string): void
  /** Told of feeds in which something has another place or version than before. One listener. */
  onPlaced(listener: (feedIds: ReadonlySet<string>) => void): void
}>

export type FacetView = Omit<Facetted, 'apply' | 'applied'> & Readonly<{ projection: Projection }>

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

/** A fact without its content, as the public is told of it. */
export const toPlaced = (released: Fact): Placed => {
  const fact = toPublicFact(released)
  return {
    articleId: fact.articleId,
    version: fact.version,
    state: fact.state,
    firstReleasedAt: fact.firstReleasedAt,
    releasedAt: fact.releasedAt,
    now: fact.state === 'live' ? facetsOf(fact) : null,
    ever: fact.facetsEver,
  }
}

/**
 * The view over a database that has `FACETS`. Feeds that were placed under the rule that is in force are kept on from the beginning; `isAlone`, where
 * every feed is this process's: an empty view keeps all of them, so that nothing has to be read once more to be placed.
 */
export const openFacets = (
  db: DatabaseSync,
  { feeds, categories }: Pick<ConfigSnapshot, 'feeds' | 'categories'>,
  { isAlone = false }: Readonly<{ isAlone?: boolean }> = {},
): Facetted => {
  const insert =
    db.prepare(`INSERT INTO article (id, version, state, first_released_at, released_at, now, ever) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, state = excluded.state, first_released_at = excluded.first_released_at,
      released_at = excluded.released_at, now = excluded.now, ever = excluded.ever
    WHERE excluded.version > version`)
  const one = db.prepare('SELECT * FROM article WHERE id = ?')
  const after = db.prepare('SELECT * FROM article WHERE id > ? ORDER BY id LIMIT ?')
  const places = openPlaces(db)
  /** Under which rule articles are placed as they come. */
  const rules = new Map<string, Rule>()
  /** Feeds in which every article has its place. */
  const kept = new Set<string>()
  let touched = new Set<string>()
  let tell: (feedIds: ReadonlySet<string>) => void = () => undefined
  let ensuring: Promise<void> = Promise.resolve()

  if (isAlone && db.prepare('SELECT 1 FROM article LIMIT 1').get() === undefined)
    for (const feed of feeds.values()) places.keep(feed.id, ruleOf({ feed, categories }))
  for (const [feedId, hash] of places.rules()) {
    const feed = feeds.get(feedId)
    kept.add(feedId)
    if (feed !== undefined && ruleOf({ feed, categories }) === hash) rules.set(feedId, { feed, categories })
  }

  const find = (articleId: string): KnownArticle | null => {
    const row = one.get(articleId) as Row | undefined
    return row === undefined ? null : toKnown(row)
  }

  const put = ({ articleId, version, state, firstReleasedAt, releasedAt, now, ever }: Placed): boolean => {
    const nowJson = now === null ? null : JSON.stringify(now)
    return insert.run(articleId, version, state, firstReleasedAt, releasedAt, nowJson, JSON.stringify(ever)).changes > 0
  }

  const apply = (facts: readonly Fact[]): void => {
    for (const article of facts.map(toPlaced)) {
      const before = article.version === 1 ? null : find(article.articleId)
      if (!put(article)) continue
      const moved = before !== null && before.firstReleasedAt !== article.firstReleasedAt
      for (const [feedId, rule] of rules) {
        if (moved) places.displace(feedId, article.articleId, before.firstReleasedAt)
        if (places.place(article, rule) || moved) touched.add(feedId)
      }
    }
  }

  const forget = (feedId: string): void => {
    rules.delete(feedId)
    kept.delete(feedId)
    inTransaction(db, () => places.forget(feedId))
  }

  const fill = async (wanted: readonly Rule[]): Promise<void> => {
    for (const rule of wanted) {
      forget(rule.feed.id)
      // From now on what comes is placed as it comes; what is there already is placed below. A repeat changes nothing.
      rules.set(rule.feed.id, rule)
    }
    for (let last = ''; ; ) {
      const rows = after.all(last, BATCH) as Row[]
      inTransaction(db, () => {
        for (const article of rows.map(toKnown)) for (const rule of wanted) places.place(article, rule)
      })
      const next = rows.at(-1)?.id
      if (next === undefined || rows.length < BATCH) break
      last = next
      await new Promise(setImmediate)
    }
    for (const rule of wanted) {
      // Last: a fill that was cut off is done again.
      places.keep(rule.feed.id, ruleOf(rule))
      kept.add(rule.feed.id)
    }
  }

  const ensure = async (wanted: readonly Rule[]): Promise<void> => {
    const known = places.rules()
    const changed = wanted.filter(rule => known.get(rule.feed.id) !== ruleOf(rule) || !rules.has(rule.feed.id))
    if (changed.length > 0) await fill(changed)
    // The same filters, perhaps under another title.
    for (const rule of wanted) rules.set(rule.feed.id, rule)
  }

  return {
    apply,
    applied: () => {
      if (touched.size === 0) return
      const feedIds = touched
      touched = new Set()
      tell(feedIds)
    },
    places,
    find,
    ensure: wanted => {
      const mine = ensuring.then(() => ensure(wanted))
      ensuring = mine.catch(() => undefined)
      return mine
    },
    kept: () => kept,
    forget,
    onPlaced: listener => {
      tell = listener
    },
  }
}

const factOf = (record: LogRecord, onPoison: FacetViewOptions['onPoison']): Fact | null => {
  try {
    const event = fromRecord(record)
    return isArticleEvent(event) ? event.data : null
  } catch (error) {
    onPoison({ partition: record.partition, position: record.position, code: codeOf(error), message: messageOf(error) })
    return null
  }
}

type FacetViewOptions = Readonly<{
  log: Log
  file: string
  configuration: Pick<Configuration, 'current'>
  /** A record that is no fact is passed over here; the fan-out gives it to `dead-letters`. */
  onPoison: (details: { partition: number; position: number; code: string; message: string }) => void
}>

/** Opens the view and follows `articles`. Its file may be shared, and a crash costs nothing. */
export const openFacetView = async ({ log, file, configuration, onPoison }: FacetViewOptions): Promise<FacetView> => {
  let opened: Readonly<{ db: DatabaseSync; facetted: Facetted }> | null = null
  /** The first batch may be applied before `openProjection` resolves. */
  const open = (db: DatabaseSync): Facetted => {
    if (opened?.db !== db) opened = { db, facetted: openFacets(db, configuration.current(), { isAlone: log.kind === 'embedded' }) }
    return opened.facetted
  }
  const projection = await openProjection({
    log,
    topic: topics.articles.name,
    file,
    schema: FACETS,
    apply: (db, records) => open(db).apply(records.flatMap(record => factOf(record, onPoison) ?? [])),
    onApplied: () => opened?.facetted.applied(),
    patienceMs: PATIENCE_MS,
  })
  const { apply: _apply, applied: _applied, ...view } = projection.reading(() => open(projection.db))
  return { ...view, projection }
}
