/**
 * "Where is my article?": the projection of `milestones` that ingest and console answer from. Each process keeps its own file; it can be
 * deleted and is then rebuilt from the log. Milestones may be repeated and may come late: the same set gives the same answer.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { Decided } from '@newswire/events/decision'
import { codeOf, messageOf } from '@newswire/events/errors'
import { fromRecord } from '@newswire/events/events'
import type { Milestone } from '@newswire/events/milestone'
import { topics } from '@newswire/events/topics'
import type { Log, LogRecord } from '@newswire/log/log'
import { openProjection } from '@newswire/log/projection'
import { type OutletTrace, readDeliveries, readOutlets, type ToldDeliveries } from './outlet-queries.ts'
import { type OverdueHolds, type Overview, readOverdueHolds, readOverview } from './overview.ts'
import {
  type ArticleSummary,
  type ArticleTrace,
  findArticles,
  type ResendTrace,
  readArticleTrace,
  readDecisions,
  readResend,
  readSubmission,
  type SubmissionStatus,
} from './queries.ts'
import { type RetractionRow, readRetraction, readRetractions } from './retractions.ts'
import { milestoneWriter, schema } from './tables.ts'

type Place = Readonly<{ partition: number; position: number }>
type MilestonesListener = (milestones: readonly Milestone[], places: readonly Place[]) => void

export type Trace = Readonly<{
  /** Resolves once all that was in `milestones` at start is applied. */
  ready: Promise<void>
  isReady(): boolean
  /** Resolves once all that is in `milestones` now is applied. */
  caughtUp(signal?: AbortSignal): Promise<void>
  /** `null` when nothing is known of the article. */
  article(articleId: string): ArticleTrace | null
  /** Who was decided to get a version and who not, by groups; `null` when that was not recorded, or too long ago. */
  decisions(articleId: string, version: number): readonly Decided[] | null
  /** Articles that stand taken back since a time (RFC 3339), the newest first. */
  retractions(since: string, limit: number): readonly RetractionRow[]
  /** `null` when the article does not stand taken back. */
  retraction(articleId: string): RetractionRow | null
  /** The resend that was asked for under this id; `null` when none was. */
  resend(articleId: string, requestId: string): ResendTrace | null
  submission(submissionId: string): SubmissionStatus | null
  /** Newest first. `q` looks in ids and titles, `state` at the slowest sink. */
  articles(query: { q?: string; state?: string; limit?: number }): readonly ArticleSummary[]
  overview(nowMs: number): Overview
  overdueHolds(nowMs: number): OverdueHolds
  /** Each of these outlets, also those that nothing is known of. */
  outlets(outletIds: Iterable<string>): ReadonlyMap<string, OutletTrace>
  /** What one outlet said of versions of articles; `null`: that is not known here. */
  deliveries(outletId: string): ToldDeliveries
  /** As long as it is not given back, what is told is applied, and listeners hear of it, within 20 ms in place of a second. Twice is once. */
  attend(): () => void
  /** Called with each applied batch, and where in the log each of it stands; returns how to stop. */
  onMilestones(listener: MilestonesListener): () => void
  failure(): Error | null
  stop(): Promise<void>
}>

type TraceOptions = Readonly<{
  log: Log
  file: string
  /** A record that is no milestone of ours is passed over here and told to this; dead-lettering it is the console's guard's work. */
  onPoison: (details: { partition: number; position: number; code: string; message: string }) => void
}>

const parse = (record: LogRecord, onPoison: TraceOptions['onPoison']): Milestone | null => {
  try {
    const event = fromRecord(record)
    return event?.type === 'milestone.reached' ? event.data : null
  } catch (error) {
    onPoison({ partition: record.partition, position: record.position, code: codeOf(error), message: messageOf(error) })
    return null
  }
}

/** Who asks for one article lets the trace catch up first, which is no matter of patience; what the console shows by itself is so much later at most, ms. */
const PATIENCE_MS = 1_000
const ATTENDED_MS = 20

export const createTrace = async ({ log, file, onPoison }: TraceOptions): Promise<Trace> => {
  const listeners = new Set<MilestonesListener>()
  const attending = new Set<object>()
  let write: ReturnType<typeof milestoneWriter> | undefined
  let batch: Milestone[] = []
  let places: Place[] = []
  const apply = (db: DatabaseSync, records: readonly LogRecord[]) => {
    write ??= milestoneWriter(db)
    batch = []
    places = []
    for (const record of records) {
      const found = parse(record, onPoison)
      if (found === null) continue
      write(found)
      batch.push(found)
      places.push({ partition: record.partition, position: record.position })
    }
  }
  const projection = await openProjection({
    log,
    topic: topics.milestones.name,
    file,
    schema,
    apply,
    patienceMs: () => (attending.size > 0 ? ATTENDED_MS : PATIENCE_MS),
    onApplied: () => {
      for (const listener of listeners) listener(batch, places)
    },
  })
  const { db } = projection
  return {
    ready: projection.ready,
    isReady: projection.isReady,
    caughtUp: projection.caughtUp,
    article: articleId => readArticleTrace(db, articleId),
    decisions: (articleId, version) => readDecisions(db, articleId, version),
    retractions: (since, limit) => readRetractions(db, since, limit),
    retraction: articleId => readRetraction(db, articleId),
    resend: (articleId, requestId) => readResend(db, articleId, requestId),
    submission: submissionId => readSubmission(db, submissionId),
    articles: query => findArticles(db, query),
    overview: nowMs => readOverview(db, nowMs),
    overdueHolds: nowMs => readOverdueHolds(db, nowMs),
    outlets: outletIds => readOutlets(db, outletIds),
    deliveries: outletId => readDeliveries(db, outletId),
    attend: () => {
      const mine = {}
      attending.add(mine)
      projection.hurry()
      return () => attending.delete(mine)
    },
    onMilestones: listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    failure: projection.failure,
    stop: projection.stop,
  }
}
