/**
 * The search index: SQLite FTS5, one row a public article. A row's number, its place, falls with the article's first release, so that the newest are found
 * first without sorting: a search that is content with twenty looks at little more than twenty, however many there are. Falls, because FTS5 goes up through
 * its lists in half the time that it takes to go down.
 */
import type { DatabaseSync } from 'node:sqlite'
import { type BulkRow, createBulkWriter, forgetSegments, MOST_ROWS } from './search-bulk.ts'
import type { Prepared } from './search-text.ts'
import { createVocabulary, type Vocabulary } from './search-vocabulary.ts'

/**
 * A changed text is another layout: the index is made again. Terms are made before they come here (`search-text.ts`), so FTS5 only splits at spaces, and
 * remembers which articles have a term and nothing else of it. Titles are a table of their own: looked for in the one of everything, they cost as much as everything.
 */
export const searchSchema = `
-- Terms as of November 2026: what says how an emoji is drawn is none, and a soft hyphen parts no word.
-- Places fall with time.
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
const PLACES_A_SECOND = 256
/** The last second that an instant can have, since 1970, so that places are positive. */
const LAST_SECOND = 253_402_300_799

/** The first of the places of an instant's second, which are the last to be given out: the later of two articles is the newer. */
const firstPlaceAt = (instant: string | number): number => (LAST_SECOND - Math.floor(new Date(instant).getTime() / 1000)) * PLACES_A_SECOND

/** The places of what was first released within a span, from the first on, before the second; `null`: without an end there. ms since 1970. */
export const toPlaces = ({ fromMs, beforeMs }: Readonly<{ fromMs: number | null; beforeMs: number | null }>) => ({
  from: beforeMs === null ? 0 : firstPlaceAt(beforeMs) + PLACES_A_SECOND,
  to: fromMs === null ? Number.MAX_SAFE_INTEGER : firstPlaceAt(fromMs) + PLACES_A_SECOND,
})

/** Only the newest version of an article is of interest; in the order in which they are given places. */
const newestInOrder = (all: readonly Prepared[]): readonly Prepared[] => {
  const newest = new Map<string, Prepared>()
  for (const one of all) {
    const before = newest.get(one.articleId)
    if (before === undefined || before.version < one.version) newest.set(one.articleId, one)
  }
  return [...newest.values()].sort((a, b) => Date.parse(a.firstReleasedAt) - Date.parse(b.firstReleasedAt))
}

/** Word → in how many versions it came. */
export type WordCounts = ReadonlyMap<string, number>

type Live = NonNullable<Prepared['live']>
type Placed = Readonly<{ version: Prepared; held: number | null; place: number | null }>

/** What it gives looks each up once, and serves one transaction: a profile that was rolled back is not there, and its number is the next one's. */
const createProfiles = (db: DatabaseSync) => {
  const add = db.prepare('INSERT OR IGNORE INTO profile (publisher, language, categories) VALUES (?, ?, ?)')
  const find = db.prepare('SELECT n FROM profile WHERE publisher = ? AND language = ? AND categories = ?')
  return () => {
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
}

export type IndexWriter = Readonly<{
  /** Writes versions and how often words came in them, inside a transaction of the caller's. Repeats and older versions change nothing but the guessing. `vocabulary`: where terms are numbers. */
  write(versions: readonly Prepared[], counts: WordCounts, vocabulary?: Vocabulary): void
  /** FTS5 was asked for something beside this: it knows its segments now, so none is put beside them until `forget`. */
  touched(): void
  /** New articles may be written as segments again. Outside a transaction, and only while much is written: everything is prepared anew. */
  forget(): void
}>

/** Fewer new articles are given to FTS5. */
const MANY_ROWS = 100

/** `mostSegments`: how many FTS5 leaves as they are. */
export const createIndexWriter = (db: DatabaseSync, { mostSegments }: Readonly<{ mostSegments: number }>): IndexWriter => {
  const known = db.prepare('SELECT version, place FROM article WHERE id = ?')
  const remember = db.prepare('INSERT OR REPLACE INTO article (id, version, place) VALUES (?, ?, ?)')
  const firstOf = db.prepare('SELECT min(place) AS place FROM shown WHERE place >= ? AND place < ?')
  const profiles = createProfiles(db)
  const file = db.prepare('INSERT INTO filed (place, profile) VALUES (?, ?)')
  const show = db.prepare(
    'INSERT INTO shown (place, id, released_at, published_at, updated_at, title, summary, text, more) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const index = db.prepare('INSERT INTO everywhere (rowid, terms) VALUES (?, CAST(? AS TEXT))')
  const indexTitle = db.prepare('INSERT INTO titles (rowid, terms) VALUES (?, CAST(? AS TEXT))')
  const drops = ['everywhere WHERE rowid', 'titles WHERE rowid', 'filed WHERE place', 'shown WHERE place'].map(what =>
    db.prepare(`DELETE FROM ${what} = ?`),
  )
  const count = db.prepare('INSERT INTO word (word, times) VALUES (?, ?) ON CONFLICT (word) DO UPDATE SET times = times + excluded.times')

  /** `given`: by the first place of a second, the lowest that was given out and is not written yet. */
  const freePlace = (instant: string, given: Map<number, number>): number => {
    for (let first = firstPlaceAt(instant); ; first -= PLACES_A_SECOND) {
      const end = first + PLACES_A_SECOND
      const { place } = firstOf.get(first, end) as { place: number | null }
      const free = Math.min(place ?? end, given.get(first) ?? end) - 1
      if (free < first) continue
      given.set(first, free)
      return free
    }
  }
  const bulk = createBulkWriter(db, 'everywhere')
  let isUntouched = false

  /** New articles whose terms are numbers, as a segment; those that were not there. */
  const putMany = (rising: readonly Placed[], vocabulary: Vocabulary): ReadonlySet<number> => {
    const rows = rising.flatMap(({ version: { live }, held, place }): readonly BulkRow[] => {
      const terms = live?.findable.terms
      return held === null && place !== null && terms instanceof Uint32Array ? [{ place, terms }] : []
    })
    if (!isUntouched || rows.length < MANY_ROWS || rows.length > MOST_ROWS || bulk.segments() >= mostSegments) return new Set()
    bulk.write(rows, vocabulary)
    return new Set(rows.map(one => one.place))
  }
  const termsOf = (terms: Uint8Array | Uint32Array, vocabulary: Vocabulary): Uint8Array =>
    terms instanceof Uint32Array ? vocabulary.spell(terms) : terms
  const put = ({ articleId, firstReleasedAt }: Prepared, live: Live, place: number, profile: number) => {
    const { findable, publishedAt, updatedAt } = live
    const { title, summary, text, more } = findable.shown
    indexTitle.run(place, findable.titleTerms)
    file.run(place, profile)
    show.run(place, articleId, firstReleasedAt, publishedAt, updatedAt, title, summary, text, more)
  }

  /** What changes the index, each with the place it has and the one it gets. */
  const placed = (versions: readonly Prepared[]): readonly Placed[] => {
    const given = new Map<number, number>()
    return newestInOrder(versions).flatMap(version => {
      const before = known.get(version.articleId) as { version: number; place: number | null } | undefined
      if (before !== undefined && before.version >= version.version) return []
      const held = before?.place ?? null
      const place = version.live === null ? null : (held ?? freePlace(version.firstReleasedAt, given))
      return [{ version, held, place }]
    })
  }

  const write: IndexWriter['write'] = (versions, counts, vocabulary = createVocabulary()) => {
    // FTS5 takes rows in rising order without writing in between.
    const rising = [...placed(versions)].sort((a, b) => (a.place ?? a.held ?? 0) - (b.place ?? b.held ?? 0))
    // Before anything is asked of FTS5, which would not know of it.
    const indexed = putMany(rising, vocabulary)
    const profileOf = profiles()
    for (const { version, held, place } of rising) {
      if (held !== null) {
        isUntouched = false
        for (const drop of drops) drop.run(held)
      }
      if (version.live !== null && place !== null) {
        if (!indexed.has(place)) {
          isUntouched = false
          index.run(place, termsOf(version.live.findable.terms, vocabulary))
        }
        put(version, version.live, place, profileOf(version.live))
      }
      remember.run(version.articleId, version.version, place)
    }
    for (const [word, times] of counts) count.run(word, times)
  }
  return {
    write,
    touched: () => {
      isUntouched = false
    },
    forget: () => {
      if (!isUntouched) forgetSegments(db)
      isUntouched = true
    },
  }
}
