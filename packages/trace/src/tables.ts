/** The tables of the trace, and how one milestone changes them. */
import type { DatabaseSync } from 'node:sqlite'
import type { Milestone } from '@newswire/events/milestone'

export const schema = `
CREATE TABLE submission (
  id TEXT PRIMARY KEY, article TEXT NOT NULL, command TEXT, state TEXT NOT NULL, version INTEGER, code TEXT, detail TEXT,
  accepted_at TEXT, at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX submission_by_article ON submission (article, accepted_at);
CREATE INDEX submission_waiting ON submission (at) WHERE state IN ('accepted', 'parked', 'held', 'refused');
CREATE TABLE stage (
  article TEXT NOT NULL, submission TEXT NOT NULL, stage TEXT NOT NULL, outcome TEXT NOT NULL, at TEXT NOT NULL, ms REAL, detail TEXT,
  PRIMARY KEY (article, submission, stage, outcome)
) STRICT, WITHOUT ROWID;
CREATE TABLE release (
  article TEXT NOT NULL, version INTEGER NOT NULL, action TEXT NOT NULL, submission TEXT NOT NULL, title TEXT, at TEXT NOT NULL, received_at TEXT,
  detail TEXT, PRIMARY KEY (article, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX release_by_time ON release (at);
CREATE TABLE fan_out (
  article TEXT NOT NULL, version INTEGER NOT NULL, stage TEXT NOT NULL, part INTEGER NOT NULL, at TEXT NOT NULL, ms REAL, sinks INTEGER NOT NULL,
  decisions TEXT,
  PRIMARY KEY (article, version, stage, part)
) STRICT, WITHOUT ROWID;
CREATE TABLE sink (
  article TEXT NOT NULL, version INTEGER NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER,
  next_at TEXT, last_error TEXT, reason TEXT, at TEXT NOT NULL, done_at TEXT,
  PRIMARY KEY (article, version, kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX sink_done_by_outlet ON sink (id, done_at) WHERE kind = 'outlet' AND done_at IS NOT NULL;
CREATE TABLE proved_gone (article TEXT NOT NULL, version INTEGER NOT NULL, at TEXT NOT NULL, PRIMARY KEY (article, version)) STRICT, WITHOUT ROWID;
CREATE INDEX sink_open ON sink (state) WHERE state NOT IN ('done', 'skipped', 'superseded');
`

/**
 * How far a sink's row is with its version: by attempts, then by time, then by what ends. Clocks of two processes differ, so attempts come first:
 * a late `retrying` never covers the end that came of it. Nobody says how often a version was tried that a newer one took the place of.
 */
const progress = (row: string) =>
  `(CASE WHEN ${row}state IN ('skipped', 'superseded') THEN 1e9 ELSE coalesce(${row}attempts, 0) END, ${row}at,
    ${row}state IN ('dead', 'rejected', 'skipped', 'superseded'), ${row}state, coalesce(${row}next_at, ''))`

/**
 * Later states of a submission replace earlier ones; a final one stays, whatever comes late. But what was refused, because it ended in dead
 * letters, may be redriven: what comes of that counts.
 */
const RANK = { accepted: 0, parked: 1, held: 2, refused: 3, released: 4, duplicate: 4, superseded: 4 } as const

/** How a version that was brought back from the archive is known: nothing else is told of it. */
export const RESTORED = ['rebuild', 'restored'] as const

/** A resend is kept as a stage of its request; what came of it says which version it was of. */
export const resendOutcome = (version: number): string => `v${version}`
export const resentVersion = (outcome: string): number => Number(outcome.slice(1))

/** A writer with its prepared statements. Writing the same milestone again changes nothing. */
export const milestoneWriter = (db: DatabaseSync): ((milestone: Milestone) => void) => {
  const submissionState = db.prepare('SELECT state FROM submission WHERE id = ?')
  const addSubmission = db.prepare(
    'INSERT INTO submission (id, article, command, state, version, code, detail, accepted_at, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const moveSubmission = db.prepare(
    'UPDATE submission SET state = ?, version = coalesce(?, version), code = ?, detail = ?, at = ? WHERE id = ?',
  )
  const nameSubmission = db.prepare(
    'UPDATE submission SET command = coalesce(command, ?), accepted_at = coalesce(accepted_at, ?) WHERE id = ?',
  )
  const addStage = db.prepare(
    'INSERT OR IGNORE INTO stage (article, submission, stage, outcome, at, ms, detail) VALUES (?, ?, ?, ?, ?, ?, ?)',
  )
  const addRelease = db.prepare(
    'INSERT OR IGNORE INTO release (article, version, action, submission, title, at, received_at, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const addFanOut = db.prepare(
    'INSERT OR IGNORE INTO fan_out (article, version, stage, part, at, ms, sinks, decisions) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const addProof = db.prepare('INSERT OR IGNORE INTO proved_gone (article, version, at) VALUES (?, ?, ?)')
  const expectSink = db.prepare("INSERT OR IGNORE INTO sink (article, version, kind, id, state, at) VALUES (?, ?, ?, ?, 'pending', ?)")
  // `done` stays, from the first time on. An expected sink gives way to anything: its time is another process's, whose clock may be ahead.
  const setSink =
    db.prepare(`INSERT INTO sink (article, version, kind, id, state, attempts, next_at, last_error, reason, at, done_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (article, version, kind, id) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, next_at = excluded.next_at,
      last_error = excluded.last_error, reason = excluded.reason, at = excluded.at, done_at = excluded.done_at
    WHERE CASE WHEN state = 'done' THEN excluded.state = 'done' AND excluded.at < at
      WHEN excluded.state = 'done' OR (state = 'pending' AND attempts IS NULL) THEN TRUE
      ELSE ${progress('excluded.')} > ${progress('')} END`)

  const writeSubmission = (m: Extract<Milestone, { kind: 'submission' }>) => {
    const acceptedAt = m.stage === 'ingest' ? m.at : null
    const known = submissionState.get(m.submissionId) as { state: keyof typeof RANK } | undefined
    if (known === undefined)
      addSubmission.run(
        m.submissionId,
        m.articleId,
        m.command ?? null,
        m.state,
        m.version ?? null,
        m.code ?? null,
        m.detail ?? null,
        acceptedAt,
        m.at,
      )
    else {
      if (RANK[m.state] > RANK[known.state])
        moveSubmission.run(m.state, m.version ?? null, m.code ?? null, m.detail ?? null, m.at, m.submissionId)
      nameSubmission.run(m.command ?? null, acceptedAt, m.submissionId)
    }
    addStage.run(m.articleId, m.submissionId, m.stage, m.state, m.at, m.ms ?? null, m.detail ?? null)
  }

  return m => {
    switch (m.kind) {
      case 'submission':
        return writeSubmission(m)
      case 'released':
        addRelease.run(m.articleId, m.version, m.action, m.submissionId, m.title ?? null, m.at, m.receivedAt ?? null, m.detail ?? null)
        expectSink.run(m.articleId, m.version, 'archive', 'archive', m.at)
        return
      case 'restored':
        addRelease.run(m.articleId, m.version, m.action, m.submissionId, m.title ?? null, m.releasedAt, null, m.detail ?? null)
        if (m.isArchived) setSink.run(m.articleId, m.version, 'archive', 'archive', 'done', null, null, null, null, m.at, m.at)
        else expectSink.run(m.articleId, m.version, 'archive', 'archive', m.at)
        addStage.run(m.articleId, m.submissionId, ...RESTORED, m.at, null, null)
        return
      case 'fanned-out':
        addFanOut.run(
          m.articleId,
          m.version,
          m.stage,
          m.part ?? 0,
          m.at,
          m.ms ?? null,
          m.sinks.length,
          m.decisions === undefined ? null : JSON.stringify(m.decisions),
        )
        for (const sink of m.sinks) expectSink.run(m.articleId, m.version, sink.kind, sink.id, m.at)
        return
      case 'sink':
        for (const id of [m.sink.id, ...(m.also ?? [])])
          setSink.run(
            m.articleId,
            m.version,
            m.sink.kind,
            id,
            m.state,
            m.attempts ?? null,
            m.nextAt ?? null,
            m.lastError ?? null,
            m.reason ?? null,
            m.at,
            m.state === 'done' ? m.at : null,
          )
        return
      case 'proved-gone':
        addProof.run(m.articleId, m.version, m.at)
        return
      case 'resent':
        // No column of its own: a changed layout would be made again from the log, which knows a month.
        addStage.run(m.articleId, m.requestId, 'resend', resendOutcome(m.version), m.at, null, m.detail ?? null)
        return
      default:
        return m satisfies never
    }
  }
}
