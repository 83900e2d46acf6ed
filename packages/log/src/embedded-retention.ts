/**
 * What time removes: whole records by age (`delete`), or all but the newest of each key (`compact`). In slices, each a transaction of
 * its own with a pause behind it, so that it is never felt. Positions stay what they are; readers pass the holes.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { type LogFile, type PartitionState, type TopicState, tpOf } from './embedded-file.ts'
import { type EmbeddedReader, forgetTail } from './embedded-reader.ts'
import type { Position } from './log.ts'
import { inTransaction } from './transaction.ts'

type Retention = Readonly<{
  /** One pass over all topics. */
  run(nowMs: number, signal: AbortSignal): Promise<void>
}>

const SLICE_ROWS = 200
const SCAN_ROWS = 2000
const PAUSE_MS = 20
/** A tombstone stays a day after it could be compacted, for readers that are behind. */
const TOMBSTONE_MS = 86_400_000

type KeyRow = [id: number, k: string | null, ts: number, isTombstone: number]

export const createRetention = (file: LogFile, reader: EmbeddedReader): Retention => {
  const { db } = file
  const removeBelow = db.prepare('DELETE FROM rec WHERE id IN (SELECT id FROM rec WHERE id >= ? AND id < ? ORDER BY id LIMIT ?)')
  const removeOne = db.prepare('DELETE FROM rec WHERE id = ?')
  const setEnds = db.prepare('UPDATE tp SET start = ?, next = ?, ts = ? WHERE tp = ?')
  const keys = db.prepare('SELECT id, k, ts, v IS NULL FROM rec WHERE id >= ? AND id < ? ORDER BY id LIMIT ?')
  keys.setReturnArrays(true)
  const getCompacted = db.prepare('SELECT compacted FROM tp WHERE tp = ?')
  const setCompacted = db.prepare('UPDATE tp SET compacted = ? WHERE tp = ?')

  const pause = (signal: AbortSignal): Promise<void> => wait(PAUSE_MS, undefined, { signal }).catch(() => undefined)

  const removeOld = async (partition: PartitionState, cutoffMs: number, signal: AbortSignal): Promise<void> => {
    const keepFrom = reader.resolve(partition, { timeMs: cutoffMs })
    if (keepFrom <= partition.start) return
    // First the start, so that no reader begins in what is going; the end with it, because the records that tell it may all go.
    partition.start = keepFrom
    forgetTail(partition)
    setEnds.run(keepFrom, partition.next, partition.lastMs, tpOf(partition))
    while (!signal.aborted) {
      const { changes } = inTransaction(db, () => removeBelow.run(partition.base, partition.base + keepFrom, SLICE_ROWS))
      if (changes < SLICE_ROWS) return
      await pause(signal)
    }
  }

  async function* scan(partition: PartitionState, from: Position, to: Position, signal: AbortSignal): AsyncGenerator<KeyRow[]> {
    let id = partition.base + from
    while (!signal.aborted) {
      const rows = keys.all(id, partition.base + to, SCAN_ROWS) as unknown as KeyRow[]
      if (rows.length > 0) yield rows
      const last = rows.at(-1)
      if (rows.length < SCAN_ROWS || !last) return
      id = last[0] + 1
      await pause(signal)
    }
  }

  /** As Kafka does it: the newest of each key of the part that was not looked at yet replaces what is older, up to the cut-off. */
  const compact = async (partition: PartitionState, cutoffMs: number, signal: AbortSignal): Promise<void> => {
    const end = reader.resolve(partition, { timeMs: cutoffMs })
    const { compacted } = getCompacted.get(tpOf(partition)) as { compacted: number }
    if (end <= compacted) return
    const newest = new Map<string, number>()
    for await (const rows of scan(partition, compacted, end, signal)) for (const [id, key] of rows) if (key !== null) newest.set(key, id)
    for await (const rows of scan(partition, partition.start, end, signal)) {
      const gone = rows.filter(([id, key, ts, isTombstone]) => {
        if (key === null) return false
        return (newest.get(key) ?? id) > id || (isTombstone === 1 && ts < cutoffMs - TOMBSTONE_MS)
      })
      for (let i = 0; i < gone.length && !signal.aborted; i += SLICE_ROWS) {
        inTransaction(db, () => {
          for (const [id] of gone.slice(i, i + SLICE_ROWS)) removeOne.run(id)
          // The newest record may be a tombstone that goes: the end must be known without it.
          setEnds.run(partition.start, partition.next, partition.lastMs, tpOf(partition))
        })
        forgetTail(partition)
        await pause(signal)
      }
    }
    if (!signal.aborted) setCompacted.run(end, tpOf(partition))
  }

  const runTopic = async ({ spec, partitions }: TopicState, nowMs: number, signal: AbortSignal): Promise<void> => {
    const cutoffMs = nowMs - spec.retentionMs
    for (const partition of partitions) {
      if (signal.aborted) return
      if (spec.cleanup === 'delete') await removeOld(partition, cutoffMs, signal)
      else await compact(partition, cutoffMs, signal)
    }
  }

  return {
    run: async (nowMs, signal) => {
      for (const topic of file.topics.values()) await runTopic(topic, nowMs, signal)
    },
  }
}
