/**
 * Notices a replaced log (architecture §6.19): how far `submissions` had come is kept in the store. A log that ends below that is another
 * one, and under its low positions every article would look old; starting is refused until an operator raises the epoch. A store that knows of no
 * log, beside one that has articles, is not the store of that log: the desk would know no article, and could take none back. Nor is one that lacks what
 * the log says of articles: the desk swaps `current/` before it publishes a fact, so no crash leaves a fact that the store does not have. An embedded log
 * also knows how often the mark in its store was written, and is told after the store has it: a store that counts less was put back from an earlier copy.
 */
import { join } from 'node:path'
import { codeOf, type ErrorCode, RejectError } from '@newswire/events/errors'
import { fromRecord, isArticleEvent, type NewswireEvent } from '@newswire/events/events'
import type { Fact } from '@newswire/events/fact'
import { isArticleId } from '@newswire/events/ids'
import { topics } from '@newswire/events/topics'
import { type LogPeek, peekAtEmbeddedLog } from '@newswire/log/embedded-look'
import type { Log, LogRecord, Position } from '@newswire/log/log'
import type { ObjectsReader } from '@newswire/objects/disk-reader'
import { getDocument, swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { getReleased } from '@newswire/objects/released'
import type { Logger } from '@newswire/runtime/logger'
import type { Settings } from '@newswire/runtime/settings'
import { z } from 'zod'
import { openReader, type StoreSettings } from './open-objects.ts'

/** Positions of a higher one would no longer be safe integers (ADR 2). */
const MAX_EPOCH = 511

const markDocument = z.object({ n: z.int(), epoch: z.int().min(0).max(MAX_EPOCH), ends: z.record(z.string(), z.int()) })

/** Soon, because a log that is replaced after a short run must be noticed too. */
const KEEP_EVERY_MS = 10_000

export const readEpoch = async (objects: Pick<Objects, 'get'>): Promise<number> =>
  (await getDocument(objects, keys.logMark(), markDocument))?.value.epoch ?? 0

/** How far `submissions` had come, as it was last written down. */
export const readMarkEnds = async (objects: Objects): Promise<readonly number[]> =>
  Object.values((await getDocument(objects, keys.logMark(), markDocument))?.value.ends ?? {})

/** What is asked of a log here, also of one that is not opened. */
export type LogSide = LogPeek & Pick<Log, 'kind'>

type Partition = Readonly<{ topic: string; partition: number; start: Position; end: Position }>

/** Behind the last record there may be none for a million positions: where it is, is halved for. */
const newestOf = async (log: Pick<Log, 'read'>, { topic, partition, start, end }: Partition, limit: number): Promise<LogRecord[]> => {
  const readFrom = async (position: Position) =>
    (await log.read({ topic, partition, from: { positions: { [partition]: position } }, limit })).records
  let [low, high] = [start, end]
  for (let at = end - 1; low < high; at = Math.floor((low + high) / 2))
    if ((await readFrom(at)).length === 0) high = at
    else low = at + 1
  const last = low - 1
  return last < start ? [] : [...(await readFrom(Math.max(start, last - limit + 1)))]
}

/** Of a log that is open. */
export const sideOf = (log: Pick<Log, 'kind' | 'ends' | 'read' | 'storeMark'>): LogSide => ({
  kind: log.kind,
  ends: log.ends,
  storeMark: () => log.storeMark?.get() ?? 0,
  newest: async (topic, limit) => (await Promise.all((await log.ends(topic)).map(one => newestOf(log, { topic, ...one }, limit)))).flat(),
})

/** Of a file that is not there, or has nothing in it yet. */
export const emptySide: LogSide = {
  kind: 'embedded',
  ends: async () => [],
  storeMark: () => 0,
  newest: async () => [],
}

/** Of an embedded log as it lies there, also while another process has it. Throws `UnavailableError` `NEWSWIRE_LOG_UNAVAILABLE` when it cannot be read. */
export const sideOfFile = ({ dataDir }: Pick<Settings, 'dataDir'>): LogSide => {
  const file = peekAtEmbeddedLog(join(dataDir, 'log.db'))
  return file === null ? emptySide : { kind: 'embedded', ...file }
}

/** Positions skip where a log did not end cleanly, so the ends alone do not say it. */
export const hasRecords = async (log: Pick<LogSide, 'newest'>, topic: string): Promise<boolean> => (await log.newest(topic, 1)).length > 0

const endsOf = async (log: Pick<Log, 'ends'>): Promise<Record<string, number>> =>
  Object.fromEntries((await log.ends(topics.submissions.name)).map(({ partition, end }) => [String(partition), end]))

/** From the gentlest on. What a rebuild brings back is what was released and archived; what waited or was on its way was in the log alone. */
const remedyFor = (log: Pick<Log, 'kind'>): string => {
  const rebuild =
    '`newswire rebuild all` (with nothing running) makes every released article, all feeds, pages and search again from the archive; partners are told nothing again, and what was held or on its way has to be sent again'
  return log.kind === 'kafka'
    ? `Give back the old log (KAFKA_BROKERS and KAFKA_TOPIC_PREFIX say which one is read). If it is lost, ${rebuild}. If another log is meant, \`newswire topics apply --new-epoch\`.`
    : `Give back the log.db that belongs to it. If it is lost, ${rebuild}. Or start over with an empty --data folder: the store cannot go on under another log.`
}

const storeRemedyFor = ({ kind }: Pick<LogSide, 'kind'>): string => {
  const within = 'Originals, pictures, the archive and what every article stands at are in the store alone'
  return kind === 'kafka'
    ? `Look at S3_ENDPOINT, S3_BUCKET and S3_PREFIX, or give the bucket back from a copy. ${within}. To start over on purpose, use another KAFKA_TOPIC_PREFIX.`
    : `Put objects/ back beside log.db, both from the same copy; look whether its disk is mounted, and at S3_BUCKET and S3_PREFIX if it is in S3. ${within}. To start over on purpose, name an empty --data folder.`
}

/** So many of a partition, because one of them may be no fact, or one that was said again. */
const NEWEST = 8

/** The event of a record; `null` for what its consumers take for none, and tell of. */
export const readEvent = (record: LogRecord): NewswireEvent | null => {
  try {
    return fromRecord(record)
  } catch (error) {
    if (error instanceof RejectError) return null
    throw error
  }
}

/** What a record of `articles` says; `null` for what is no fact. */
export const readFact = (record: LogRecord): Fact | null => {
  const event = readEvent(record)
  return isArticleEvent(event) && event.data.articleId === record.key && isArticleId(record.key) ? event.data : null
}

/** The version in `current/`; 0 when there is none, or when what is there cannot be read. */
const storedVersion = async (objects: Pick<Objects, 'get'>, articleId: string): Promise<number> => {
  try {
    return (await getReleased(objects, articleId))?.fact.version ?? 0
  } catch (error) {
    if (codeOf(error) === 'NEWSWIRE_OBJECTS_DOCUMENT') return 0
    throw error
  }
}

const olderRemedyFor = ({ kind }: Pick<LogSide, 'kind'>): string => {
  const back =
    kind === 'kafka' ? 'Give back the bucket as it was.' : 'Put back the objects/ that was beside this log.db, or both from one copy.'
  return `${back} If that is lost, \`newswire rebuild articles\` (with nothing running) makes every article, feed and page right again from the log.`
}

/** Where nothing went out or was taken back since the copy: what was held then may have been withdrawn. */
const findOlderMark = async (log: LogSide, objects: Pick<Objects, 'get'>): Promise<Offence | null> => {
  const told = log.storeMark()
  // Kafka is never told of one.
  if (told === 0) return null
  const mark = await getDocument(objects, keys.logMark(), markDocument)
  if (mark === null || mark.value.n >= told) return null
  return {
    code: 'NEWSWIRE_STORE_OLDER',
    offence: `the log knows its store with mark ${told}, and this one has ${mark.value.n}: the store is older than its log, and would let out what was withdrawn since`,
    remedy: olderRemedyFor(log),
  }
}

/** Of an article: its newest version, as it was said last. `at`: when the log took it, ms since 1970. */
export const newerOf = <T extends Readonly<{ version: number; at: number }>>(one: T | undefined, other: T): T =>
  one === undefined || other.version > one.version || (other.version === one.version && other.at >= one.at) ? other : one

/** The newest version of each article among these records, of what was said last: at the same moment several may be. */
const saidLast = (records: readonly LogRecord[]): readonly Readonly<{ articleId: string; version: number }>[] => {
  const newest = new Map<string, Readonly<{ articleId: string; version: number; at: number }>>()
  for (const record of records) {
    const fact = readFact(record)
    if (fact === null) continue
    const { articleId, version } = fact
    const one = { articleId, version, at: record.timestamp }
    newest.set(articleId, newerOf(newest.get(articleId), one))
  }
  const last = Math.max(...[...newest.values()].map(({ at }) => at))
  return [...newest.values()].filter(({ at }) => at === last)
}

/**
 * What the log says of articles was in the store before, so a store that was put back from an earlier copy lacks what was said last. One that has it was not,
 * whatever else it lacks: what stops a start must be more than one lost object, or one record that no desk wrote.
 */
const findOlderStore = async (log: LogSide, objects: Pick<Objects, 'get'>): Promise<Offence | null> => {
  for (const { articleId, version } of saidLast(await log.newest(topics.articles.name, NEWEST))) {
    const stored = await storedVersion(objects, articleId)
    if (version <= stored) continue
    return {
      code: 'NEWSWIRE_STORE_OLDER',
      offence: `${articleId} has version ${version} in the log and ${stored || 'none'} in the store: the store is older than its log, or has lost the article (or somebody else wrote to \`articles\`), and would show again what was taken back since`,
      remedy: olderRemedyFor(log),
    }
  }
  return findOlderMark(log, objects)
}

type Offence = Readonly<{ code: ErrorCode; offence: string; remedy: string }>

/** Before any article there may be a log that no store knows: what was applied to it, or what was killed while it first started. */
const findLostStore = async (log: LogSide): Promise<Offence | null> => {
  for (const { name } of [topics.articles, topics.submissions])
    if (await hasRecords(log, name))
      return {
        code: 'NEWSWIRE_STORE_REPLACED',
        offence: `the log has ${name}, and the store knows of no log: this is not the store that belongs to it, or it is empty`,
        remedy: storeRemedyFor(log),
      }
  return null
}

/** Why a log and a store do not belong together, or not yet, and what to do; `null` when they may. An older store than that of the log is not looked for. */
export const findOtherLog = async (log: LogSide, objects: Pick<Objects, 'get'>): Promise<Offence | null> => {
  if ((await objects.get(keys.rebuildMark())) !== null)
    return {
      code: 'NEWSWIRE_REBUILD_UNFINISHED',
      offence: '`newswire rebuild all` has begun on this store and did not end, so only a part of the articles is in the log',
      remedy: 'Run it again, with nothing else running: it goes on where it stopped.',
    }
  const mark = await getDocument(objects, keys.logMark(), markDocument)
  if (mark === null) return findLostStore(log)
  const ends = await endsOf(log)
  const behind = Object.entries(mark.value.ends).find(([partition, end]) => (ends[partition] ?? 0) < end)
  if (behind === undefined) return null
  const offence = `submissions partition ${behind[0]} ends at ${ends[behind[0]] ?? 0}, but was at ${behind[1]} before: this is another log than the one the store knows`
  return { code: 'NEWSWIRE_LOG_REPLACED', offence, remedy: remedyFor(log) }
}

/** The same, and why a store is not as the log knows it. */
export const findReplacedLog = async (log: LogSide, objects: Pick<Objects, 'get'>): Promise<Offence | null> =>
  (await findOtherLog(log, objects)) ?? findOlderStore(log, objects)

/**
 * Throws `RejectError`: `NEWSWIRE_LOG_REPLACED` when the log ends below the mark, `NEWSWIRE_STORE_REPLACED` when it has articles and there is no mark,
 * `NEWSWIRE_STORE_OLDER` when the store lacks what the log says of an article, `NEWSWIRE_REBUILD_UNFINISHED` when the log is only half made again.
 */
export const checkLogMark = async (log: LogSide, objects: Pick<Objects, 'get'>, find = findReplacedLog): Promise<void> => {
  const replaced = await find(log, objects)
  if (replaced !== null) throw new RejectError(replaced.code, `${replaced.offence}. ${replaced.remedy}`)
}

const emptyStore: Pick<ObjectsReader, 'get' | 'close'> = { get: async () => null, close: async () => undefined }

/** The store as it lies there, of which nothing is made: one that is not there is an empty one. Whoever asks closes it. */
const openAsItIs = (settings: StoreSettings): Promise<Pick<ObjectsReader, 'get' | 'close'>> =>
  openReader(settings).catch(error => {
    if (codeOf(error) === 'NEWSWIRE_OBJECTS_MISSING') return emptyStore
    throw error
  })

/** The same of an embedded log, before it and the store are opened: a start that is refused leaves nothing behind, no empty log or store that would be taken for the one that was lost. */
export const checkLogMarkBeforeOpening = async (settings: StoreSettings, find = findReplacedLog): Promise<void> => {
  const log = sideOfFile(settings)
  const objects = await openAsItIs(settings)
  try {
    await checkLogMark(log, objects, find)
  } finally {
    await objects.close()
  }
}

/** Positions of a new epoch are above all of the one before. */
export const raiseEpoch = async (objects: Objects): Promise<number> => {
  const mark = await getDocument(objects, keys.logMark(), markDocument)
  const epoch = (mark?.value.epoch ?? 0) + 1
  if (epoch > MAX_EPOCH)
    throw new RejectError(
      'NEWSWIRE_LOG_EPOCH',
      `the epoch is ${MAX_EPOCH} already, the highest there is; nothing was changed. Publish into a new store, or restore the log.`,
    )
  const swapped = await swapDocument(objects, keys.logMark(), { n: (mark?.value.n ?? 0) + 1, epoch, ends: {} }, mark?.etag ?? null)
  if (!swapped.ok)
    throw new RejectError('NEWSWIRE_LOG_MARK_RACE', 'the mark of the log was changed by somebody else at the same moment; try again')
  return epoch
}

/** Writes down how far the log is, if that is further than it was; with `begins` in any case, where the log can be told of it: with each start the store is another. */
export const keepMark = async (log: Pick<Log, 'ends' | 'storeMark'>, objects: Objects, { begins = false } = {}): Promise<void> => {
  const mark = await getDocument(objects, keys.logMark(), markDocument)
  const ends = await endsOf(log)
  const before = mark?.value.ends ?? {}
  const next = Object.fromEntries(Object.entries(ends).map(([partition, end]) => [partition, Math.max(end, before[partition] ?? 0)]))
  const isKept = mark !== null && Object.entries(next).every(([partition, end]) => before[partition] === end)
  if (isKept && !(begins && log.storeMark)) return
  const n = Math.max(mark?.value.n ?? 0, log.storeMark?.get() ?? 0) + 1
  const { ok } = await swapDocument(objects, keys.logMark(), { n, epoch: mark?.value.epoch ?? 0, ends: next }, mark?.etag ?? null)
  // A lost race means that another process has just kept it. The log is told after the store has it, so killed between the two they still fit.
  if (ok) log.storeMark?.raise(n)
}

/** Keeps the mark current while the process runs, and once more at its end; at its start whoever publishes has kept it already (`keepMark`). */
export const keepLogMark = ({ log, objects, logger }: { log: Log; objects: Objects; logger: Logger }): { stop(): Promise<void> } => {
  let running: Promise<void> = Promise.resolve()
  const move = () => {
    running = keepMark(log, objects).catch(error => logger.warn({ err: error }, 'log-mark.not-kept'))
  }
  const timer = setInterval(move, KEEP_EVERY_MS)
  timer.unref()
  return {
    stop: async () => {
      clearInterval(timer)
      await running
      move()
      await running
    },
  }
}
