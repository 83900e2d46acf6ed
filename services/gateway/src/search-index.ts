/**
 * The search index: SQLite FTS5, one row a public article. A row's number, its place, rises with the article's first release, so that the newest are found
 * first without sorting: a search that is content with twenty looks at little more than twenty, however many there are.
 */
import type { DatabaseSync } from 'node:sqlite'
import { type Fact, isPublic, type LiveFact } from '@newswire/events/fact'
import { toFactForAll } from '@newswire/events/public-article'
import { toFindable } from './search-text.ts'

/** A changed text is another layout: the index is made again. Text is folded before it comes here (`search-words.ts`), so FTS5 only splits at spaces. */
export const searchSchema = `
CREATE TABLE article (id TEXT PRIMARY KEY, version INTEGER NOT NULL, place INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE profile (n INTEGER PRIMARY KEY, publisher TEXT NOT NULL, language TEXT NOT NULL, categories TEXT NOT NULL, UNIQUE (publisher, language, categories)) STRICT;
CREATE TABLE filed (place INTEGER PRIMARY KEY, profile INTEGER NOT NULL) STRICT;
CREATE TABLE shown (place INTEGER PRIMARY KEY, id TEXT NOT NULL, released_at TEXT NOT NULL, published_at TEXT NOT NULL, updated_at TEXT NOT NULL, title TEXT NOT NULL, summary TEXT NOT NULL, text TEXT NOT NULL, more TEXT NOT NULL) STRICT;
-- How many articles had a word when they came: for guessing how a word goes on, so it need not be exact.
CREATE TABLE word (word TEXT PRIMARY KEY, articles INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5(title, head, body, exact, filed, content='', contentless_delete=1, tokenize="ascii tokenchars '.-'");
INSERT INTO words (words, rank) VALUES ('hashsize', 33554432);
`

/** Places of one second: of more articles than that, the last are found as if they were a second younger. */
export const PLACES_A_SECOND = 256
/** Seconds from the first year that an instant can have to 1970, so that places are positive. */
const SECONDS_TO_1970 = 62_167_219_200

/** The first place of an instant's second. */
export const firstPlaceAt = (instant: string | number): number =>
  (Math.floor(new Date(instant).getTime() / 1000) + SECONDS_TO_1970) * PLACES_A_SECOND

/** Only the newest version of an article is of interest, and FTS5 takes rows in rising order without writing in between. */
const newestInOrder = (facts: readonly Fact[]): readonly Fact[] => {
  const newest = new Map<string, Fact>()
  for (const fact of facts) {
    const before = newest.get(fact.articleId)
    if (before === undefined || before.version < fact.version) newest.set(fact.articleId, fact)
  }
  return [...newest.values()].sort((a, b) => Date.parse(a.firstReleasedAt) - Date.parse(b.firstReleasedAt))
}

const createProfiles = (db: DatabaseSync) => {
  const add = db.prepare('INSERT OR IGNORE INTO profile (publisher, language, categories) VALUES (?, ?, ?)')
  const find = db.prepare('SELECT n FROM profile WHERE publisher = ? AND language = ? AND categories = ?')
  return ({ publisher, article }: LiveFact): number => {
    const key = [publisher, article.language, JSON.stringify([...new Set(article.categories)].sort())] as const
    add.run(...key)
    return (find.get(...key) as { n: number }).n
  }
}

/** Writes facts, inside a transaction of the caller's. Repeats and older versions change nothing. */
export const createIndexWriter = (db: DatabaseSync): ((facts: readonly Fact[]) => void) => {
  const known = db.prepare('SELECT version, place FROM article WHERE id = ?')
  const remember = db.prepare('INSERT OR REPLACE INTO article (id, version, place) VALUES (?, ?, ?)')
  const lastOf = db.prepare('SELECT max(place) AS place FROM shown WHERE place >= ? AND place < ?')
  const profileOf = createProfiles(db)
  const file = db.prepare('INSERT OR REPLACE INTO filed (place, profile) VALUES (?, ?)')
  const show = db.prepare(
    'INSERT OR REPLACE INTO shown (place, id, released_at, published_at, updated_at, title, summary, text, more) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const index = db.prepare('INSERT OR REPLACE INTO words (rowid, title, head, body, exact, filed) VALUES (?, ?, ?, ?, ?, ?)')
  const drops = ['words WHERE rowid', 'filed WHERE place', 'shown WHERE place'].map(what => db.prepare(`DELETE FROM ${what} = ?`))
  const count = db.prepare(
    'INSERT INTO word (word, articles) VALUES (?, ?) ON CONFLICT (word) DO UPDATE SET articles = articles + excluded.articles',
  )

  const freePlace = (instant: string): number => {
    for (let first = firstPlaceAt(instant); ; first += PLACES_A_SECOND) {
      const { place } = lastOf.get(first, first + PLACES_A_SECOND) as { place: number | null }
      if (place === null) return first
      if (place + 1 < first + PLACES_A_SECOND) return place + 1
    }
  }
  const put = (fact: LiveFact, place: number, counts: Map<string, number>) => {
    const { shown, words, title, head, body, exact, filed } = toFindable(toFactForAll(fact))
    index.run(place, title, head, body, exact, filed)
    file.run(place, profileOf(fact))
    const { publishedAt = fact.firstReleasedAt } = fact.article
    show.run(place, fact.articleId, fact.firstReleasedAt, publishedAt, fact.updatedAt, shown.title, shown.summary, shown.text, shown.more)
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  }

  return facts => {
    const counts = new Map<string, number>()
    for (const fact of newestInOrder(facts)) {
      const before = known.get(fact.articleId) as { version: number; place: number | null } | undefined
      if (before !== undefined && before.version >= fact.version) continue
      let place = before?.place ?? null
      if (isPublic(fact)) {
        place ??= freePlace(fact.firstReleasedAt)
        put(fact, place, counts)
      } else if (place !== null) {
        for (const drop of drops) drop.run(place)
        place = null
      }
      remember.run(fact.articleId, fact.version, place)
    }
    for (const [word, articles] of counts) count.run(word, articles)
  }
}
