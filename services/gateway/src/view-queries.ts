/** What the pages ask of the view: all of it public, newest first by first release, which no update moves. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Match } from '@newswire/events/config'
import type { LiveFact } from '@newswire/events/fact'
import { parseArticleId } from '@newswire/events/ids'
import type { Cursor } from './paging.ts'

/** What is looked through for a preview: a feed that matches nothing this new shows none. */
const PREVIEW_DEPTH = 2_000

/** Which articles of a list: all, or those filed under one of these categories. */
export type ListQuery = Readonly<{ limit: number; categories?: readonly string[]; before?: Cursor; after?: Cursor }>

export type Queries = Readonly<{
  /** Newest first, also for `after`, which are the nearest that are newer. */
  list(query: ListQuery): readonly LiveFact[]
  /** Whether anything public is filed under one of these categories. */
  hasAny(categories: readonly string[]): boolean
  /** The newest that a feed with this match shows; its categories with their children. */
  preview(match: Match, categories: readonly string[] | undefined, limit: number): readonly LiveFact[]
  /** Public articles of the same publisher that say they translate this one. */
  translationsOf(articleId: string): readonly LiveFact[]
}>

type Row = Readonly<{ id: string; released_at: string }>

const FIRST = { at: '\uffff', articleId: '' }
const LAST = { at: '', articleId: '' }

const newestFirst = (a: Row, b: Row): number =>
  a.released_at === b.released_at ? (a.id < b.id ? 1 : -1) : a.released_at < b.released_at ? 1 : -1

const newestOnce = <T extends Row>(rows: readonly T[]): readonly T[] =>
  [...new Map(rows.map(row => [row.id, row])).values()].sort(newestFirst)

const older = (table: string, where: string) =>
  `SELECT id, released_at FROM ${table} WHERE ${where} AND (released_at, id) < (?, ?) ORDER BY released_at DESC, id DESC LIMIT ?`
const newer = (table: string, where: string) =>
  `SELECT id, released_at FROM ${table} WHERE ${where} AND (released_at, id) > (?, ?) ORDER BY released_at, id LIMIT ?`

/** One walk along an index a category, put together here: SQLite would sort all that is filed under them. */
const createRows = (db: DatabaseSync) => {
  const all = { older: db.prepare(older('article', "state = 'public'")), newer: db.prepare(newer('article', "state = 'public'")) }
  const filed = {
    older: db.prepare(older('article_category', 'category = ?')),
    newer: db.prepare(newer('article_category', 'category = ?')),
  }
  const walk = (statement: StatementSync, start: Cursor, limit: number, category?: string): Row[] =>
    statement.all(...(category === undefined ? [] : [category]), start.at, start.articleId, limit) as Row[]
  return ({ limit, categories, before, after }: ListQuery): readonly Row[] => {
    const way = after === undefined ? 'older' : 'newer'
    const start = after ?? before ?? (way === 'older' ? FIRST : LAST)
    const found =
      categories === undefined ? walk(all[way], start, limit) : categories.flatMap(category => walk(filed[way], start, limit, category))
    const once = newestOnce(found)
    return way === 'older' ? once.slice(0, limit) : once.slice(-limit)
  }
}

const marks = (values: readonly unknown[]): string => values.map(() => '?').join(', ')

type FactRow = Row & Readonly<{ fact: string }>

/** The newest of all, or of a category, looked through in their order: joined the other way round, SQLite would look through everything. */
const previewSql = (isFiled: boolean, conditions: readonly string[], limit: number): string => {
  const [table, where] = isFiled ? ['article_category', 'category = ?'] : ['article', "state = 'public'"]
  return `SELECT article.id, article.released_at, article.fact
    FROM (SELECT id, released_at FROM ${table} WHERE ${where} ORDER BY released_at DESC, id DESC LIMIT ${PREVIEW_DEPTH}) AS recent
    CROSS JOIN article ON article.id = recent.id
    WHERE ${['TRUE', ...conditions].join(' AND ')} ORDER BY recent.released_at DESC, recent.id DESC LIMIT ${limit}`
}

const createPreview =
  (db: DatabaseSync): Queries['preview'] =>
  ({ languages, publishers, types }, categories, limit) => {
    const wanted = Object.entries({ publisher: publishers, type: types })
    // As `isLanguage` has it: `LIKE` takes letters of any case for equal, and no tag has a sign that it reads otherwise.
    const spoken = languages === undefined ? [] : [`(${['FALSE', ...languages.map(() => "article.language || '-' LIKE ?")].join(' OR ')})`]
    const conditions = [
      ...spoken,
      ...wanted.flatMap(([column, values]) => (values === undefined ? [] : [`article.${column} IN (${marks(values)})`])),
    ]
    const values = [...(languages ?? []).map(language => `${language}-%`), ...wanted.flatMap(([, one]) => one ?? [])]
    const statement = db.prepare(previewSql(categories !== undefined, conditions, limit))
    const found = categories === undefined ? statement.all(...values) : categories.flatMap(category => statement.all(category, ...values))
    return newestOnce(found as FactRow[])
      .slice(0, limit)
      .map(row => JSON.parse(row.fact) as LiveFact)
  }

export const createQueries = (db: DatabaseSync): Queries => {
  const rows = createRows(db)
  const factOf = db.prepare('SELECT fact FROM article WHERE id = ?')
  const hasOne = db.prepare('SELECT 1 FROM article_category WHERE category = ? LIMIT 1')
  const translations = db.prepare(
    "SELECT fact FROM article WHERE translation_of IN (?, ?) AND publisher = ? AND state = 'public' ORDER BY id LIMIT 50",
  )
  return {
    list: query => rows(query).map(row => JSON.parse((factOf.get(row.id) as { fact: string }).fact) as LiveFact),
    hasAny: categories => categories.some(category => hasOne.get(category) !== undefined),
    preview: createPreview(db),
    translationsOf: articleId => {
      const parts = parseArticleId(articleId)
      if (parts === null) return []
      // Publishers name their own articles with or without themselves.
      return (translations.all(articleId, parts.localId, parts.publisher) as { fact: string }[]).map(
        row => JSON.parse(row.fact) as LiveFact,
      )
    },
  }
}
