/** Which articles stand taken back, and since when that is proved at every public exit. */
import type { DatabaseSync } from 'node:sqlite'
import { all, type Row, text } from './rows.ts'

export type RetractionRow = Readonly<{ articleId: string; version: number; action: string; releasedAt: string; provedAt: string | null }>

const RELEASES = `SELECT r.article, r.version, r.action, r.at, p.at AS proved_at FROM release r
  LEFT JOIN proved_gone p ON p.article = r.article AND p.version = r.version`
const RETRACTIONS = `${RELEASES} WHERE r.at >= ? AND r.action IN ('retracted', 'purged')
    AND r.version = (SELECT max(version) FROM release WHERE article = r.article) ORDER BY r.at DESC LIMIT ?`

const toRetraction = (row: Row): RetractionRow => ({
  articleId: String(row.article),
  version: Number(row.version),
  action: String(row.action),
  releasedAt: String(row.at),
  provedAt: text(row.proved_at),
})

/** Articles that stand taken back, since a time; the newest first. */
export const readRetractions = (db: DatabaseSync, since: string, limit: number): readonly RetractionRow[] =>
  all(db, RETRACTIONS, since, limit).map(toRetraction)

/** `null` when the article does not stand taken back. */
export const readRetraction = (db: DatabaseSync, articleId: string): RetractionRow | null => {
  const [row] = all(db, `${RELEASES} WHERE r.article = ? ORDER BY r.version DESC LIMIT 1`, articleId)
  return row !== undefined && (row.action === 'retracted' || row.action === 'purged') ? toRetraction(row) : null
}
