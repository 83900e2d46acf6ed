/**
 * Notices a replaced log (architecture §6.19): how far `submissions` had come is kept in the store. A log that ends below that is another
 * one, and under its low positions every article would look old; starting is refused until an operator raises the epoch.
 */
import { RejectError } from '@newswire/events/errors'
import { topics } from '@newswire/events/topics'
import type { Log } from '@newswire/log/log'
import { getDocument, swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import type { Logger } from '@newswire/runtime/logger'
import { z } from 'zod'

/** Positions of a higher one would no longer be safe integers (ADR 2). */
const MAX_EPOCH = 511

const markDocument = z.object({ n: z.int(), epoch: z.int().min(0).max(MAX_EPOCH), ends: z.record(z.string(), z.int()) })

/** The first time soon, because a log that is replaced after a short run must be noticed too. */
const KEEP_EVERY_MS = 10_000

export const readEpoch = async (objects: Pick<Objects, 'get'>): Promise<number> =>
  (await getDocument(objects, keys.logMark(), markDocument))?.value.epoch ?? 0

/** How far `submissions` had come, as it was last written down. */
export const readMarkEnds = async (objects: Objects): Promise<readonly number[]> =>
  Object.values((await getDocument(objects, keys.logMark(), markDocument))?.value.ends ?? {})

const endsOf = async (log: Pick<Log, 'ends'>): Promise<Record<string, number>> =>
  Object.fromEntries((await log.ends(topics.submissions.name)).map(({ partition, end }) => [String(partition), end]))

/** From the gentlest on. What a rebuild brings back is what was released and archived; what waited or was on its way was in the log alone. */
const remedyFor = (log: Pick<Log, 'kind'>): string => {
  const rebuild =
    '`newswire rebuild all` (with nothing running) makes every released article, all feeds, pages and search again from the archive; partners are told nothing again, and what was held or on its way has to be sent again'
  return log.kind === 'kafka'
    ? `Give back the old log. If it is lost, ${rebuild}. If another log is meant, \`newswire topics apply --new-epoch\`.`
    : `Give back the log.db that belongs to it. If it is lost, ${rebuild}. Or start over with an empty --data folder: the store cannot go on under another log.`
}

/** Why this is another log than the one the store knows, and what to do; `null` when it may be that one. */
export const findReplacedLog = async (
  log: Pick<Log, 'kind' | 'ends'>,
  objects: Pick<Objects, 'get'>,
): Promise<Readonly<{ offence: string; remedy: string }> | null> => {
  const mark = await getDocument(objects, keys.logMark(), markDocument)
  if (mark === null) return null
  const ends = await endsOf(log)
  const behind = Object.entries(mark.value.ends).find(([partition, end]) => (ends[partition] ?? 0) < end)
  if (behind === undefined) return null
  const offence = `submissions partition ${behind[0]} ends at ${ends[behind[0]] ?? 0}, but was at ${behind[1]} before: this is another log than the one the store knows`
  return { offence, remedy: remedyFor(log) }
}

/** Throws `RejectError` `NEWSWIRE_LOG_REPLACED` when the log ends below the mark. */
export const checkLogMark = async (log: Log, objects: Objects): Promise<void> => {
  const replaced = await findReplacedLog(log, objects)
  if (replaced !== null) throw new RejectError('NEWSWIRE_LOG_REPLACED', `${replaced.offence}. ${replaced.remedy}`)
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

const moveMark = async (log: Log, objects: Objects): Promise<void> => {
  const mark = await getDocument(objects, keys.logMark(), markDocument)
  const ends = await endsOf(log)
  const before = mark?.value.ends ?? {}
  const next = Object.fromEntries(Object.entries(ends).map(([partition, end]) => [partition, Math.max(end, before[partition] ?? 0)]))
  if (mark !== null && Object.entries(next).every(([partition, end]) => before[partition] === end)) return
  // A lost race means that another process has just kept it.
  await swapDocument(
    objects,
    keys.logMark(),
    { n: (mark?.value.n ?? 0) + 1, epoch: mark?.value.epoch ?? 0, ends: next },
    mark?.etag ?? null,
  )
}

/** Keeps the mark current while the process runs. */
export const keepLogMark = ({ log, objects, logger }: { log: Log; objects: Objects; logger: Logger }): { stop(): Promise<void> } => {
  let running: Promise<void> = Promise.resolve()
  const move = () => {
    running = moveMark(log, objects).catch(error => logger.warn({ err: error }, 'log-mark.not-kept'))
  }
  move()
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
