/** What is asked of the trace (contract §8). */
import type { DatabaseSync } from 'node:sqlite'
import { type Decided, decidedList } from '@newswire/events/decision'
import { parseWarnings, type Warning } from '@newswire/events/warnings'
import { closedStates, listed, SET_ASIDE, waitingStates } from './overview.ts'
import { all, type Row, text } from './rows.ts'
import { resendOutcome, resentVersion } from './tables.ts'

export type SubmissionStatus = Readonly<{
  submissionId: string
  articleId: string
  command: string | null
  state: string
  version?: number
  code?: string
  detail?: string
  /** How many of its pictures were ready when it went on, and behind a semicolon each which were not, and why; absent until then, and without pictures. */
  pictures?: string
  /** Taken all the same, whatever its state is now. */
  warnings?: readonly Warning[]
  acceptedAt: string | null
  at: string
}>

type StageTrace = Readonly<{ stage: string; outcome: string; at: string; ms: number | null; detail: string | null }>
/** `detail`: to whom, as its milestone says it. */
export type ResendTrace = Readonly<{ version: number; detail: string | null }>
export type SinkTrace = Readonly<{
  kind: string
  id: string
  state: string
  /** The version that the sink holds or is working on. */
  version: number
  attempts: number | null
  nextAt: string | null
  lastError: string | null
  reason: string | null
  doneAt: string | null
}>
export type VersionTrace = Readonly<{
  version: number
  action: string
  submissionId: string
  releasedAt: string
  /** Why there is such a version, when no submission asked for it. */
  detail?: string
  stages: readonly StageTrace[]
  sinks: readonly SinkTrace[]
}>
export type ArticleTrace = Readonly<{
  articleId: string
  title: string | null
  versions: readonly VersionTrace[]
  /** Every submission with what became of it, also those that were never released. */
  submissions: readonly SubmissionStatus[]
}>
export type ArticleSummary = Readonly<{
  articleId: string
  /** As last public; `null` for what never was, and for what was purged by law. */
  title: string | null
  /** 0: nothing of it was released, or (`held`) this line is of an update that waits. */
  version: number
  action: string
  /** Of what was not released: when it came to where it stands. */
  releasedAt: string
  /** What a submission waits for, or why it was refused. */
  detail?: string
  done: number
  expected: number
  state: string
}>

const toSubmission = (row: Row): SubmissionStatus => ({
  submissionId: String(row.id),
  articleId: String(row.article),
  command: text(row.command),
  state: String(row.state),
  ...(row.version === null ? {} : { version: Number(row.version) }),
  ...(row.code === null ? {} : { code: String(row.code) }),
  ...(row.detail === null ? {} : { detail: String(row.detail) }),
  acceptedAt: text(row.accepted_at),
  at: String(row.at),
})

export const readSubmission = (db: DatabaseSync, submissionId: string): SubmissionStatus | null => {
  const row = db.prepare('SELECT * FROM submission WHERE id = ?').get(submissionId) as Row | undefined
  if (row === undefined) return null
  const stages = db.prepare("SELECT detail FROM stage WHERE article = ? AND submission = ? AND stage = ? AND outcome = 'accepted'")
  const detailOf = (stage: string) => text((stages.get(text(row.article), submissionId, stage) as Row | undefined)?.detail)
  const [warnings, pictures] = [parseWarnings(detailOf('ingest') ?? ''), detailOf('images')]
  return { ...toSubmission(row), ...(pictures === null ? {} : { pictures }), ...(warnings.length === 0 ? {} : { warnings }) }
}

/** What was asked for under this id: of which version, and to whom; `null` when nothing was. */
export const readResend = (db: DatabaseSync, articleId: string, requestId: string): ResendTrace | null => {
  const row = db
    .prepare("SELECT outcome, detail FROM stage WHERE article = ? AND submission = ? AND stage = 'resend' ORDER BY at LIMIT 1")
    .get(articleId, requestId) as Row | undefined
  return row === undefined ? null : { version: resentVersion(String(row.outcome)), detail: text(row.detail) }
}

/** Nothing of a newer version is due there, or a feed's rules keep it out: that is the answer to all before. What is done is for `settle` to say. */
const isPassed = (row: Row, rows: readonly Row[]): boolean =>
  row.kind !== 'archive' &&
  !closedStates.includes(String(row.state)) &&
  rows.some(
    one =>
      one.kind === row.kind &&
      one.id === row.id &&
      Number(one.version) > Number(row.version) &&
      (one.state === 'skipped' || (one.kind === 'feed' && one.state === 'rejected')),
  )

/**
 * The archive keeps every version by itself; every other sink shows one, so a newer one done there settles the older (contract §8). An outlet may never
 * have acknowledged that older one: `version` and `reason` say so, because nobody is to read that it was received. The rule of `OPEN` (`overview.ts`),
 * which asks for each open row of all articles; here by a map, because one article may have ten thousand sinks.
 */
const settle = (row: Row, rows: readonly Row[], newestDone: ReadonlyMap<string, { version: number; doneAt: string | null }>): SinkTrace => {
  const newer = newestDone.get(`${row.kind}/${row.id}`)
  const settled = row.kind !== 'archive' && row.state !== 'done' && newer !== undefined && newer.version >= Number(row.version)
  return {
    kind: String(row.kind),
    id: String(row.id),
    state: settled ? 'done' : isPassed(row, rows) ? 'superseded' : String(row.state),
    version: settled ? newer.version : Number(row.version),
    attempts: row.attempts === null ? null : Number(row.attempts),
    nextAt: settled || row.state === 'done' ? null : text(row.next_at),
    lastError: text(row.last_error),
    reason: settled && row.kind === 'outlet' ? `it acknowledged version ${newer.version}, and not this one` : text(row.reason),
    doneAt: settled ? newer.doneAt : text(row.done_at),
  }
}

const newestDoneBySink = (rows: readonly Row[]): Map<string, { version: number; doneAt: string | null }> => {
  const newest = new Map<string, { version: number; doneAt: string | null }>()
  for (const row of rows) {
    if (row.state !== 'done') continue
    const key = `${row.kind}/${row.id}`
    if ((newest.get(key)?.version ?? 0) < Number(row.version)) newest.set(key, { version: Number(row.version), doneAt: text(row.done_at) })
  }
  return newest
}

/** The parts of one fan-out as one. */
const FAN_OUTS = `SELECT version, stage, min(at) AS at, max(ms) AS ms, sum(sinks) AS sinks FROM fan_out WHERE article = ? GROUP BY version, stage ORDER BY min(at)`

/** What was decided when a version was routed; `null` when nothing is known of that here: it was routed before that was recorded, or long ago. */
export const readDecisions = (db: DatabaseSync, articleId: string, version: number): readonly Decided[] | null => {
  const rows = all(
    db,
    "SELECT decisions FROM fan_out WHERE article = ? AND version = ? AND stage = 'outlets' AND decisions IS NOT NULL ORDER BY part",
    articleId,
    version,
  )
  return rows.length === 0 ? null : rows.flatMap(row => decidedList.parse(JSON.parse(String(row.decisions))))
}

/** As last public: a retraction has no title of its own. What was purged by law is named by its id alone. */
const titleOf = (releases: readonly Row[]): string | null =>
  releases.at(-1)?.action === 'purged' ? null : text(releases.findLast(one => one.title !== null)?.title)

export const readArticleTrace = (db: DatabaseSync, articleId: string): ArticleTrace | null => {
  const submissions = all(db, 'SELECT * FROM submission WHERE article = ? ORDER BY coalesce(accepted_at, at)', articleId)
  const releases = all(db, 'SELECT * FROM release WHERE article = ? ORDER BY version', articleId)
  if (submissions.length === 0 && releases.length === 0) return null
  const stages = all(db, 'SELECT * FROM stage WHERE article = ? ORDER BY at', articleId)
  const fanOuts = all(db, FAN_OUTS, articleId)
  const sinks = all(db, 'SELECT * FROM sink WHERE article = ? ORDER BY kind, id', articleId)
  const newest = newestDoneBySink(sinks)
  const stagesOf = (release: Row): StageTrace[] => [
    ...stages
      .filter(one => one.submission === release.submission)
      .map(one => ({
        stage: String(one.stage),
        outcome: String(one.outcome),
        at: String(one.at),
        ms: one.ms === null ? null : Number(one.ms),
        detail: text(one.detail),
      })),
    ...fanOuts
      .filter(one => one.version === release.version)
      .map(one => ({
        stage: String(one.stage),
        outcome: 'fanned-out',
        at: String(one.at),
        ms: one.ms === null ? null : Number(one.ms),
        detail: `${one.sinks} expected`,
      })),
    ...stages
      .filter(one => one.stage === 'resend' && one.outcome === resendOutcome(Number(release.version)))
      .map(one => ({ stage: 'resend', outcome: 'asked', at: String(one.at), ms: null, detail: text(one.detail) })),
  ]
  return {
    articleId,
    title: titleOf(releases),
    versions: releases.map(release => ({
      version: Number(release.version),
      action: String(release.action),
      submissionId: String(release.submission),
      releasedAt: String(release.at),
      ...(release.detail === null ? {} : { detail: String(release.detail) }),
      stages: stagesOf(release),
      sinks: sinks.filter(one => one.version === release.version).map(one => settle(one, sinks, newest)),
    })),
    submissions: submissions.map(toSubmission),
  }
}

const TITLE = `CASE WHEN r.action = 'purged' THEN NULL ELSE coalesce(r.title,
  (SELECT o.title FROM release o WHERE o.article = r.article AND o.title IS NOT NULL ORDER BY o.version DESC LIMIT 1)) END`

/** By the index on time, so that a page of the newest reads no more than that page. */
const RELEASED = `SELECT * FROM (
  SELECT *, CASE WHEN failed > 0 THEN 'failed' WHEN done + aside < expected THEN 'in flight' WHEN aside > 0 THEN 'set aside' ELSE 'done' END AS state FROM (
    SELECT r.article, r.version, r.action, ${TITLE} AS title, r.at, r.detail,
      (SELECT count(*) FROM sink s WHERE s.article = r.article AND s.version = r.version) AS expected,
      (SELECT count(*) FROM sink s WHERE s.article = r.article AND s.version = r.version AND s.state IN (${listed(closedStates)})) AS done,
      (SELECT count(*) FROM sink s WHERE s.article = r.article AND s.version = r.version AND s.state IN ('rejected', 'dead', 'suspended') AND NOT ${SET_ASIDE}) AS failed,
      (SELECT count(*) FROM sink s WHERE s.article = r.article AND s.version = r.version AND ${SET_ASIDE}) AS aside
    FROM release r
    WHERE r.version = (SELECT max(version) FROM release WHERE article = r.article) AND (r.article LIKE ?1 ESCAPE '\\' OR ${TITLE} LIKE ?1 ESCAPE '\\')))
  WHERE ?2 IN ('', state) OR (?2 = 'retracted' AND action = 'retracted') OR (?2 = 'released' AND action NOT IN ('retracted', 'purged'))
  ORDER BY at DESC LIMIT ?3`

/** The newest submission of each article that was never released; asked for by its state, also one that waits behind a release. */
const WAITING = `SELECT article, 0 AS version, coalesce(command, 'publish') AS action, NULL AS title, at, detail, 0 AS expected, 0 AS done, state FROM submission s
  WHERE state IN (${listed(waitingStates)}) AND article LIKE ?1 ESCAPE '\\'
    AND (state = ?2 OR (?2 = '' AND NOT EXISTS (SELECT 1 FROM release r WHERE r.article = s.article)
      AND id = (SELECT id FROM submission o WHERE o.article = s.article ORDER BY coalesce(o.accepted_at, o.at) DESC, o.id DESC LIMIT 1)))
  ORDER BY at DESC LIMIT ?3`

/** What articles can be asked for by. A release is `released` or `retracted`, and beside that `in flight`, `failed`, `set aside` (a feed's rules keep it out) or `done`; the others wait. */
export const articleStates: readonly string[] = ['released', 'retracted', 'in flight', 'failed', 'set aside', 'done', ...waitingStates]

/** Newest first. `state`: one of `articleStates`; any other finds nothing. */
export const findArticles = (
  db: DatabaseSync,
  { q = '', state = '', limit = 50 }: { q?: string; state?: string; limit?: number },
): readonly ArticleSummary[] => {
  const like = `%${q.replace(/[\\%_]/g, char => `\\${char}`)}%`
  const most = Math.min(Math.max(limit, 1), 500)
  // No release is in a state of those that wait, and to find that out every release would be read.
  return (waitingStates.includes(state) ? [WAITING] : [RELEASED, WAITING])
    .flatMap(sql => all(db, sql, like, state, most))
    .sort((a, b) => (String(a.at) < String(b.at) ? 1 : -1))
    .slice(0, most)
    .map(row => ({
      articleId: String(row.article),
      title: text(row.title),
      version: Number(row.version),
      action: String(row.action),
      releasedAt: String(row.at),
      ...(row.detail === null ? {} : { detail: String(row.detail) }),
      done: Number(row.done),
      expected: Number(row.expected),
      state: String(row.state),
    }))
}
