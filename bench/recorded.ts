/** What a topic held, offered to another log: all at once, or an article at a time at a steady rate. */
import type { Log, LogRecord, NewRecord } from '@newswire/log/log'

/** By article, the records of each in the order in which they were written. */
export type Recorded = ReadonlyMap<string, readonly NewRecord[]>

const AT_ONCE = 100

const readAll = async (log: Log, topic: string): Promise<readonly LogRecord[]> => {
  const records: LogRecord[] = []
  const following = await log.follow({ topic, from: 'start', onRecords: batch => void records.push(...batch) })
  await following.ready
  await following.stop()
  return records
}

/** All records of a topic in these logs whose key is an article. */
export const record = async (logs: readonly Log[], topic: string): Promise<Recorded> => {
  const found = new Map<string, NewRecord[]>()
  for (const log of logs)
    for (const { key, value, headers } of await readAll(log, topic)) {
      if (key === null) continue
      const of = found.get(key) ?? []
      of.push({ topic, key, value, headers })
      found.set(key, of)
    }
  return found
}

const of = (recorded: Recorded, articleId: string): readonly NewRecord[] => {
  const records = recorded.get(articleId)
  if (records === undefined) throw new Error(`nothing was recorded of ${articleId}`)
  return records
}

/** Resolves when all of it is in the log. */
export const offerAtOnce = async (log: Log, recorded: Recorded, articleIds: readonly string[]): Promise<void> => {
  const batches = Array.from({ length: Math.ceil(articleIds.length / AT_ONCE) }, (_, n) => articleIds.slice(n * AT_ONCE, (n + 1) * AT_ONCE))
  await Promise.all(batches.map(ids => log.publish(ids.flatMap(id => of(recorded, id)))))
}

/** Open loop. Resolves when all of it is in the log, with when each was due (`performance.now()`). */
export const offerSteadily = async (
  log: Log,
  recorded: Recorded,
  { articleIds, perSecond }: Readonly<{ articleIds: readonly string[]; perSecond: number }>,
): Promise<ReadonlyMap<string, number>> => {
  const began = performance.now()
  const due = new Map<string, number>()
  const written: Promise<unknown>[] = []
  for (const [index, id] of articleIds.entries()) {
    const dueAt = began + (index / perSecond) * 1000
    await new Promise(resolve => setTimeout(resolve, Math.max(0, dueAt - performance.now())))
    due.set(id, dueAt)
    written.push(log.publish(of(recorded, id)))
  }
  await Promise.all(written)
  return due
}
