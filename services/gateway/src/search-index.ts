/**
 * The search index: SQLite FTS5, one row a public article. A row's number, its place, rises with the article's first release, so that the newest are found
 * first without sorting: a search that is content with twenty looks at little more than twenty, however many there are.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { Prepared } from './search-text.ts'

/**
 * A changed text is another layout: the index is made again. Terms are made before they come here (`search-text.ts`), so FTS5 only splits at spaces, and
 * remembers which articles have a term and nothing else of it. Titles are a table of their own: looked for in the one of everything, they cost as much as everything.
 */
export const searchSchema = `
CREATE TABLE article (id TEXT PRIMARY KEY, version INTEGER NOT NULL, place INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE profile (n INTEGER PRIMARY KEY, publisher TEXT NOT NULL, language TEXT NOT NULL, categories TEXT NOT NULL, UNIQUE (publisher, language, categories)) STRICT;
CREATE TABLE filed (place INTEGER PRIMARY KEY, profile INTEGER NOT NULL) STRICT;
CREATE TABLE shown (place INTEGER PRIMARY KEY, id TEXT NOT NULL, released_at TEXT NOT NULL, published_at TEXT NOT NULL, updated_at TEXT NOT NULL, title TEXT NOT NULL, summary TEXT NOT NULL, text TEXT NOT NULL, more TEXT NOT NULL) STRICT;
-- In how many versions a word came: for guessing how one goes on, so what goes again need not be taken off.
CREATE TABLE word (word TEXT PRIMARY KEY, times INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE VIRTUAL TABLE everywhere USING fts5(terms, content='', contentless_delete=1, detail=none, tokenize="ascii tokenchars '.-_'");
CREATE VIRTUAL TABLE titles USING fts5(terms, content='', contentless_delete=1, detail=none, tokenize="ascii tokenchars '.-_'");
INSERT INTO everywhere (everywhere, rank) VALUES ('hashsize', 67108864);
`
export const searchTables = ['everywhere', 'titles'] as const
export type SearchTable = (typeof searchTables)[number]

/** Places of one second: of more articles than that, the last are found as if they were a second younger. */
export const PLACES_A_SECOND = 256
/** Seconds from the first year that an instant can have to 1970, so that places are positive. */
const SECONDS_TO_1970 = 62_167_219_200

/** The first place of an instant's second. */
export const firstPlaceAt = (instant: string | number): number =>
  (Math.floor(new Date(instant).getTime() / 1000) + SECONDS_TO_1970) * PLACES_A_SECOND

/** Only the newest version of an article is of interest, and FTS5 takes rows in rising order without writing in between. */
const newestInOrder = (all: readonly Prepared[]): readonly Prepared[] => {
  const newest = new Map<string, Prepared>()
  for (const one of all) {
    const before = newest.get(one.articleId)
    if (before === undefined || before.version < one.version) newest.set(one.articleId, one)
  }
  return [...newest.values()].sort((a, b) => Date.parse(a.firstReleasedAt) - Date.parse(b.firstReleasedAt))
}

type Live = NonNullable<Prepared['live']>

const createProfiles = (db: DatabaseSync) => {
  const add = db.prepare('INSERT OR IGNORE INTO profile (publisher, language, categories) VALUES (?, ?, ?)')
  const find = db.prepare('SELECT n FROM profile WHERE publisher = ? AND language = ? AND categories = ?')
  const known = new Map<string, number>()
  return ({ publisher, language, categories }: Live): number => {
    const key = `${publisher} ${language} ${categories}`
    const before = known.get(key)
    if (before !== undefined) return before
    add.run(publisher, language, categories)
    const { n } = find.get(publisher, language, categories) as { n: number }
    known.set(key, n)
    return n
  }
}

/** Writes versions, inside a transaction of the caller's. Repeats and older versions change nothing. */
export const createIndexWriter = (db: DatabaseSync): ((versions: readonly Prepared[]) => void) => {
  const known = db.prepare('SELECT version, place FROM article WHERE id = ?')
  const remember = db.prepare('INSERT OR REPLACE INTO article (id, version, place) VALUES (?, ?, ?)')
  const lastOf = db.prepare('SELECT max(place) AS place FROM shown WHERE place >= ? AND place < ?')
  const profileOf = createProfiles(db)
  const file = db.prepare('INSERT INTO filed (place, profile) VALUES (?, ?)')
  const show = db.prepare(
    'INSERT INTO shown (place, id, released_at, published_at, updated_at, title, summary, text, more) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const index = db.prepare('INSERT INTO everywhere (rowid, terms) VALUES (?, ?)')
  const indexTitle = db.prepare('INSERT INTO titles (rowid, terms) VALUES (?, ?)')
  const drops = ['everywhere WHERE rowid', 'titles WHERE rowid', 'filed WHERE place', 'shown WHERE place'].map(what =>
    db.prepare(`DELETE FROM ${what} = ?`),
  )
  const count = db.prepare('INSERT INTO word (word, times) VALUES (?, ?) ON CONFLICT (word) DO UPDATE SET times = times + excluded.times')

  const freePlace = (instant: string): number => {
    for (let first = firstPlaceAt(instant); ; first += PLACES_A_SECOND) {
      const { place } = lastOf.get(first, first + PLACES_A_SECOND) as { place: number | null }
      if (place === null) return first
      if (place + 1 < first + PLACES_A_SECOND) return place + 1
    }
  }
  const put = ({ articleId, firstReleasedAt }: Prepared, live: Live, place: number, counts: Map<string, number>) => {
    const { findable, publishedAt, updatedAt } = live
    const { title, summary, text, more } = findable.shown
    index.run(place, findable.terms)
    indexTitle.run(place, findable.titleTerms)
    file.run(place, profileOf(live))
    show.run(place, articleId, firstReleasedAt, publishedAt, updatedAt, title, summary, text, more)
    for (const word of findable.words) counts.set(word, (counts.get(word) ?? 0) + 1)
  }

  return versions => {
    const counts = new Map<string, number>()
    for (const version of newestInOrder(versions)) {
      const before = known.get(version.articleId) as { version: number; place: number | null } | undefined
      if (before !== undefined && before.version >= version.version) continue
      const held = before?.place ?? null
      if (held !== null) for (const drop of drops) drop.run(held)
      const place = version.live === null ? null : (held ?? freePlace(version.firstReleasedAt))
      if (version.live !== null && place !== null) put(version, version.live, place, counts)
      remember.run(version.articleId, version.version, place)
    }
    for (const [word, times] of counts) count.run(word, times)
  }
}
