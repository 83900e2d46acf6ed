/**
 * Answers searches from an index. What one costs is bounded whatever is asked: at most a dozen words, as many rows as a page has, and counting that
 * ends at `COUNTED`. Everything of one answer is of one moment.
 */
import type { DatabaseSync } from 'node:sqlite'
import { type SearchTable, searchTables } from './search-index.ts'
import { mustBeRead, parseTyped, type Tier, type Tiers, type Typed, toOpenTiers, toPartialTiers, toTiers } from './search-query.ts'
import { createMarker, type Marker } from './search-snippet.ts'
import { onOneLine } from './search-text.ts'

/** `all`: articles with every word; `open`: the last word goes on; `partial`: some of the words, because none has all. */
export type Reach = 'all' | 'open' | 'partial'
/** Behind the last hit of a page: what comes or goes meanwhile moves nothing behind it. */
export type Behind = Readonly<{ reach: Reach; tier: number; place: number }>

export type SearchQuery = Readonly<{
  typed: string
  /** Terms of FTS5 (`search-text.ts`), each list one of which must be there. */
  filed: readonly (readonly string[])[]
  /** Places: from the first on, before the second. */
  from: number
  to: number
  sort: 'relevance' | 'time'
  /** Where the page begins: behind a hit, or so many hits down. */
  begin: Behind | number
  limit: number
  /** Whether to count. */
  counts: boolean
}>

export type Hit = Readonly<{
  articleId: string
  publishedAt: string
  updatedAt: string
  publisher: string
  language: string
  categories: readonly string[]
  title: string
  /** Escaped, with `<mark>` around what was searched for. */
  titleHtml: string
  snippetHtml: string
}>

/** How many were found with one publisher, language and set of categories. */
export type Count = Readonly<{ publisher: string; language: string; categories: readonly string[]; articles: number }>

export type SearchFound = Readonly<{
  reach: Reach
  hits: readonly Hit[]
  /** `null` when there is nothing behind this page. */
  next: Behind | null
  /** Empty when nobody asked to count. */
  counts: readonly Count[]
  /** There are more than were counted, or what stands in quotes was counted by its words. */
  isAbout: boolean
  /** What was understood: the words, folded. */
  words: readonly string[]
}>

/** Articles that are counted, newest first. */
export const COUNTED = 1_000
/** Rows looked at for one page, when what stands in quotes must be read in the text. */
const MAX_READ = 300
const MAX_ENDINGS = 16

type Row = Readonly<{
  id: string
  published_at: string
  updated_at: string
  title: string
  summary: string
  text: string
  more: string
  profile: number
}>

/** Numbers reach SQLite as floating point, which FTS5 does not take for a place: it would look at every row and leave the choice to SQLite. */
const INTEGER = 'CAST(? AS INTEGER)'

const byTable = <T>(make: (table: SearchTable) => T): Readonly<Record<SearchTable, T>> =>
  Object.fromEntries(searchTables.map(table => [table, make(table)])) as Record<SearchTable, T>

const prepare = (db: DatabaseSync) => ({
  places: byTable(table =>
    db.prepare(
      `SELECT rowid AS place FROM ${table} WHERE ${table} MATCH ? AND rowid >= ${INTEGER} AND rowid < ${INTEGER} ORDER BY rowid LIMIT ?`,
    ),
  ),
  has: byTable(table => db.prepare(`SELECT 1 FROM ${table} WHERE ${table} MATCH ? AND rowid = ${INTEGER}`)),
  // As one text, and counted here: sorted into groups by SQLite it takes half as long again.
  filed: db.prepare(
    `SELECT group_concat(profile) AS profiles FROM
      (SELECT rowid AS place FROM everywhere WHERE everywhere MATCH ? AND rowid >= ${INTEGER} AND rowid < ${INTEGER} ORDER BY rowid LIMIT ${COUNTED + 1}) AS matched
      CROSS JOIN filed ON filed.place = matched.place`,
  ),
  profile: db.prepare('SELECT publisher, language, categories FROM profile WHERE n = ?'),
  // The long one as bytes: SQLite's way of making a string of it takes half of what reading the whole row takes.
  shown: db.prepare(
    `SELECT id, published_at, updated_at, title, summary, CAST(text AS BLOB) AS text, more, profile
      FROM shown JOIN filed ON filed.place = shown.place WHERE shown.place = ?`,
  ),
  // So many that most of a language's words with one first letter are among them.
  endings: db.prepare(
    'SELECT word FROM (SELECT word, times FROM word WHERE word >= ? AND word < ? LIMIT 20000) ORDER BY times DESC, word LIMIT ?',
  ),
})
type Statements = ReturnType<typeof prepare>

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const rowAt = ({ shown }: Statements, place: number): Row | undefined => {
  const found = shown.get(place) as (Omit<Row, 'text'> & { text: Uint8Array }) | undefined
  return found && { ...found, text: decoder.decode(found.text) }
}

type Profile = Omit<Count, 'articles'>

/** Profiles are few and never change. */
const createProfileOf = ({ profile }: Statements): ((n: number) => Profile) => {
  const known = new Map<number, Profile>()
  return n => {
    const found = known.get(n)
    if (found !== undefined) return found
    const row = profile.get(n) as Omit<Profile, 'categories'> & { categories: string }
    const made = { ...row, categories: JSON.parse(row.categories) as string[] }
    known.set(n, made)
    return made
  }
}

const toFilter = (terms: readonly string[]): string => `(${terms.map(term => `"${term}"`).join(' OR ')})`

const endingsOf = ({ endings }: Statements, { units }: Typed): readonly string[] => {
  const begin = units.at(-1)?.words.at(-1)?.folded ?? ''
  if (begin === '') return []
  return (endings.all(begin, `${begin}\u{10ffff}`, MAX_ENDINGS) as { word: string }[]).map(({ word }) => word)
}

type Plan = Readonly<{ reach: Reach; tiers: Tiers; marker: Marker }>

/** Whether a row is of tiers that were shown on pages before this one, which are not gone through again. */
const wasEarlier = (statements: Statements, earlier: readonly Tier[], place: number): boolean =>
  earlier.some(({ table, match }) => statements.has[table].get(match, place) !== undefined)

/** A page of what a plan finds: tier after tier, each newest first, nothing twice. */
const readPage = (statements: Statements, { reach, tiers: { tiers }, marker }: Plan, query: SearchQuery, isRead: boolean) => {
  const { begin, from, to, limit } = query
  const [first, start] = typeof begin === 'number' ? [0, from] : [begin.tier, Math.max(begin.place + 1, from)]
  let skip = typeof begin === 'number' ? begin : 0
  const seen = new Set<number>()
  const rows: Row[] = []
  let last: Behind | null = null
  let read = 0
  for (let tier = first; tier < tiers.length; tier += 1) {
    const { table, match } = tiers[tier] as Tier
    // Of the tier that this page begins in, the rows above its beginning.
    const earlier = typeof begin === 'number' ? [] : tiers.slice(0, tier === first ? first : first + 1)
    for (let next = tier === first ? start : from; ; ) {
      // One more than is shown tells whether there is a next page; those seen in an earlier tier may come again.
      const wanted = skip + limit + 1 - rows.length + seen.size
      const places = statements.places[table].all(match, next, to, wanted) as { place: number }[]
      for (const { place } of places) {
        next = place + 1
        if (seen.has(place) || wasEarlier(statements, earlier, place)) continue
        if (rows.length === limit || read >= MAX_READ) return { rows, next: last }
        seen.add(place)
        last = { reach, tier, place }
        if (skip > 0 && !isRead) {
          skip -= 1
          continue
        }
        const row = rowAt(statements, place)
        read += 1
        if (row === undefined || (isRead && !marker.hasQuoted([row.title, row.summary, row.text, row.more]))) continue
        if (skip > 0) skip -= 1
        else rows.push(row)
      }
      if (places.length < wanted) break
    }
  }
  return { rows, next: null }
}

const toHit = (row: Row, { publisher, language, categories }: Profile, marker: Marker): Hit => ({
  articleId: row.id,
  publishedAt: row.published_at,
  updatedAt: row.updated_at,
  publisher,
  language,
  categories,
  title: row.title,
  titleHtml: marker.mark(row.title),
  // An index from before may have paragraphs on lines of their own.
  snippetHtml: marker.snippet([row.summary, row.text.includes('\n') ? onOneLine(row.text) : row.text, row.more]),
})

const plansFor = (statements: Statements, typed: Typed, { sort, filed, begin }: SearchQuery) => {
  const filters = filed.map(toFilter)
  const byTime = (tiers: Tiers): Tiers => (sort === 'time' ? { all: tiers.all, tiers: [tiers.all] } : tiers)
  const all = (): Plan => ({ reach: 'all', tiers: byTime(toTiers(typed, filters)), marker: createMarker(typed) })
  const open = (): Plan | null => {
    const endings = typed.units.at(-1)?.isQuoted === true ? [] : endingsOf(statements, typed)
    if (endings.length === 0) return null
    return { reach: 'open', tiers: byTime(toOpenTiers(typed, endings, filters)), marker: createMarker(typed, endings) }
  }
  const partial = (): Plan | null => {
    const tiers = toPartialTiers(typed, filters)
    return tiers === null ? null : { reach: 'partial', tiers: byTime(tiers), marker: createMarker(typed) }
  }
  const ways = { all, open, partial }
  if (typeof begin !== 'number') return [ways[begin.reach]]
  if (typed.units.length === 0) return [all]
  return typed.isOpen ? [open, partial] : [all, open, partial]
}

const createCounter =
  ({ filed }: Statements, profileOf: (n: number) => Profile) =>
  (match: string, { from, to }: Pick<SearchQuery, 'from' | 'to'>): readonly Count[] => {
    const { profiles } = filed.get(match, from, to) as { profiles: string | null }
    const sums = new Map<string, number>()
    for (const n of profiles?.split(',') ?? []) sums.set(n, (sums.get(n) ?? 0) + 1)
    return [...sums]
      .sort((a, b) => b[1] - a[1] || Number(a[0]) - Number(b[0]))
      .map(([n, articles]) => ({ ...profileOf(Number(n)), articles }))
  }

export const createReader = (db: DatabaseSync): ((query: SearchQuery) => SearchFound) => {
  const statements = prepare(db)
  const profileOf = createProfileOf(statements)
  const count = createCounter(statements, profileOf)
  const find = (query: SearchQuery): SearchFound => {
    const typed = parseTyped(query.typed)
    const words = typed.units.flatMap(unit => unit.words.map(({ folded }) => folded))
    const isRead = mustBeRead(typed)
    let found: SearchFound = { reach: 'all', hits: [], next: null, counts: [], isAbout: false, words }
    for (const way of plansFor(statements, typed, query)) {
      const plan = way()
      if (plan === null) continue
      const { rows, next } = readPage(statements, plan, query, isRead)
      if (rows.length === 0 && next === null && query.begin === 0) continue
      const counts = query.counts ? count(plan.tiers.all.match, query) : []
      const total = counts.reduce((sum, { articles }) => sum + articles, 0)
      found = {
        reach: plan.reach,
        hits: rows.map(row => toHit(row, profileOf(row.profile), plan.marker)),
        next,
        counts,
        isAbout: total > COUNTED || isRead,
        words,
      }
      break
    }
    return found
  }
  return query => {
    db.exec('BEGIN')
    try {
      return find(query)
    } finally {
      db.exec('COMMIT')
    }
  }
}
