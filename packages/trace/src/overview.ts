/** What is open over all articles: the first page of the console, and what alerts go by. */
import type { DatabaseSync } from 'node:sqlite'
import { EMBARGOED, INSTANT_LENGTH } from '@newswire/events/milestone'
import { all, type Row } from './rows.ts'

/** Articles that still wait for their embargo a minute after it ended: the desk is away, or its clock is wrong. */
export type OverdueHolds = Readonly<{
  articles: number
  /** Those whose time came first, at most ten. `until`: RFC 3339 UTC. */
  oldest: readonly Readonly<{ articleId: string; until: string }>[]
}>

export type Overview = Readonly<{
  articles: number
  versions: number
  submissions: Readonly<Record<string, number>>
  /** What is still open, by state; without what is set aside. */
  sinks: Readonly<Record<string, number>>
  /** Feed → articles that its profile's rules keep out of it: nothing is late, and the rest of the feed goes on. */
  setAside: Readonly<Record<string, number>>
  /** Sinks that do not hold a version a minute after its release, or after the time that it is held until; those of them that wait for a retraction. */
  overdue: Readonly<{ sinks: number; retractions: number }>
  /** Whose the overdue ones are, the most first. */
  late: readonly Readonly<{ kind: string; id: string; versions: number }>[]
  overdueHolds: OverdueHolds
  /** Sinks that have failed and are tried again, and are not late yet: how many versions, and since when the oldest is released, ms. The oldest first. */
  retrying: readonly Readonly<{ kind: string; id: string; versions: number; oldestMs: number }>[]
  releasedLastMinute: number
  /** Milliseconds from acceptance to release of the last 200 releases. */
  releaseMs: Readonly<{ p50: number | null; p95: number | null; p99: number | null }>
}>

/** Nobody waits for these. */
export const closedStates: readonly string[] = ['done', 'skipped', 'superseded']
/**
 * SQL: a sink's row says what becomes of all versions before. Every sink but the archive looks at the newest version alone, so one that was sent, or of which
 * nothing is due there, ends those before it: also one that an outlet's process never heard was wanted when it died. A feed answers by its rules as well.
 */
const endsOlder = (row: string): string => `(${row}.state IN ('done', 'skipped') OR (${row}.kind = 'feed' AND ${row}.state = 'rejected'))`
/** As SQL has a list. */
export const listed = (words: readonly string[]): string => words.map(word => `'${word}'`).join(', ')

/** Sinks that do not hold a version yet, unless a newer one ended it. The archive keeps every version by itself. */
export const OPEN = `s.state NOT IN (${listed(closedStates)}) AND (s.kind = 'archive' OR NOT EXISTS (
  SELECT 1 FROM sink newer WHERE newer.article = s.article AND newer.version > s.version AND newer.kind = s.kind AND newer.id = s.id
    AND ${endsOlder('newer')}
))`
const TAKEN_BACK = "r.action IN ('retracted', 'purged')"
/** Held until a time of the outlet's own, or older than what is held so: a newer version takes its place, but for a retraction, which is due at once. */
const HELD = `(s.state = 'pending' AND (coalesce(s.next_at, '') >= ?1 OR (NOT ${TAKEN_BACK} AND EXISTS (SELECT 1 FROM sink newer
  WHERE newer.article = s.article AND newer.version > s.version AND newer.kind = s.kind AND newer.id = s.id
    AND newer.state = 'pending' AND newer.next_at >= ?1))))`
/** A feed's rules keep an article out: that is an answer, and nobody waits for another. */
export const SET_ASIDE = "(s.kind = 'feed' AND s.state = 'rejected')"
const OPEN_SINKS = `SELECT s.state, count(*) AS n FROM sink s WHERE ${OPEN} AND NOT ${SET_ASIDE} GROUP BY s.state`
const SINKS_ASIDE = `SELECT s.id AS state, count(*) AS n FROM sink s WHERE ${OPEN} AND ${SET_ASIDE} GROUP BY s.id`
const OVERDUE_SINKS = `SELECT s.kind, s.id, count(*) AS versions, sum(${TAKEN_BACK}) AS kills
  FROM sink s JOIN release r ON r.article = s.article AND r.version = s.version WHERE ${OPEN} AND NOT ${SET_ASIDE} AND NOT ${HELD} AND r.at < ?1
  GROUP BY s.kind, s.id ORDER BY versions DESC, s.kind, s.id`

const RETRYING_SINKS = `SELECT s.kind, s.id, count(*) AS versions, min(r.at) AS oldest
  FROM sink s JOIN release r ON r.article = s.article AND r.version = s.version WHERE ${OPEN} AND s.state = 'retrying' AND r.at >= ?1
  GROUP BY s.kind, s.id ORDER BY oldest, s.kind, s.id`

const readRetrying = (db: DatabaseSync, nowMs: number): Overview['retrying'] =>
  all(db, RETRYING_SINKS, new Date(nowMs - OVERDUE_MS).toISOString()).map(row => ({
    kind: String(row.kind),
    id: String(row.id),
    versions: Number(row.versions),
    oldestMs: nowMs - Date.parse(String(row.oldest)),
  }))

const readOverdue = (db: DatabaseSync, before: string): Pick<Overview, 'overdue' | 'late'> => {
  const rows = all(db, OVERDUE_SINKS, before)
  const sum = (column: 'versions' | 'kills') => rows.reduce((total, row) => total + Number(row[column]), 0)
  return {
    overdue: { sinks: sum('versions'), retractions: sum('kills') },
    late: rows.map(row => ({ kind: String(row.kind), id: String(row.id), versions: Number(row.versions) })),
  }
}

/** As the index of what waits has them. */
export const waitingStates: readonly string[] = ['accepted', 'parked', 'held', 'refused']
/** By that index: every scrape asks, and by articles all submissions there ever were would be read. */
const OVERDUE_HOLDS = `SELECT article, min(substr(detail, -${INSTANT_LENGTH})) AS until, count(*) OVER () AS articles
  FROM submission INDEXED BY submission_waiting WHERE state IN (${listed(waitingStates)}) AND state = 'held' AND code = '${EMBARGOED}' AND substr(detail, -${INSTANT_LENGTH}) < ?1 GROUP BY article ORDER BY until, article LIMIT 10`

/** `nowMs`: ms since 1970. */
export const readOverdueHolds = (db: DatabaseSync, nowMs: number): OverdueHolds => {
  const rows = all(db, OVERDUE_HOLDS, new Date(nowMs - OVERDUE_MS).toISOString())
  return {
    articles: Number(rows[0]?.articles ?? 0),
    oldest: rows.map(row => ({ articleId: String(row.article), until: String(row.until) })),
  }
}

const counts = (db: DatabaseSync, sql: string): Record<string, number> =>
  Object.fromEntries(all(db, sql).map(row => [String(row.state), Number(row.n)]))

/** A sink that does not hold a version this long after its release is worth a sentence. */
const OVERDUE_MS = 60_000

export const readOverview = (db: DatabaseSync, nowMs: number): Overview => {
  const total = db.prepare('SELECT count(*) AS versions, count(DISTINCT article) AS articles FROM release').get() as Row
  const lastMinute = db.prepare('SELECT count(*) AS n FROM release WHERE at >= ?').get(new Date(nowMs - 60_000).toISOString()) as Row
  const times = all(db, 'SELECT at, received_at FROM release WHERE received_at IS NOT NULL ORDER BY at DESC LIMIT 200')
    .map(row => Date.parse(String(row.at)) - Date.parse(String(row.received_at)))
    .sort((a, b) => a - b)
  const quantile = (q: number) => times[Math.floor(q * times.length)] ?? null
  return {
    articles: Number(total.articles),
    versions: Number(total.versions),
    submissions: counts(db, 'SELECT state, count(*) AS n FROM submission GROUP BY state'),
    sinks: counts(db, OPEN_SINKS),
    setAside: counts(db, SINKS_ASIDE),
    ...readOverdue(db, new Date(nowMs - OVERDUE_MS).toISOString()),
    overdueHolds: readOverdueHolds(db, nowMs),
    retrying: readRetrying(db, nowMs),
    releasedLastMinute: Number(lastMinute.n),
    releaseMs: { p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) },
  }
}
