/** One transaction: records of several calls, and the offsets of groups. */
import { holdsSame } from '@newswire/events/events'
import type { LogFile, PartitionState } from './embedded-file.ts'
import type { LogRecord, NewRecord } from './log.ts'

export type Call = Readonly<{ records: readonly NewRecord[]; partitions: readonly PartitionState[] }>

/** Writes the calls, one after the other; returns their records as readers see them. When it throws nothing is written. */
type Commit = (calls: readonly Call[]) => LogRecord[][]

/** `alsoWrite` adds its rows to every transaction; what it returns is called once they are committed. */
export const createCommit = (file: LogFile, now: () => number, alsoWrite: () => () => void): Commit => {
  const insert = file.db.prepare('INSERT INTO rec (id, ts, k, v, h) VALUES (?, ?, ?, ?, ?)')
  const begin = file.db.prepare('BEGIN IMMEDIATE')
  const commit = file.db.prepare('COMMIT')
  const rollback = file.db.prepare('ROLLBACK')

  const write = (call: Call): LogRecord[] =>
    call.records.map((given, index) => {
      const { key, value, headers = {} } = given
      const partition = call.partitions[index] as PartitionState
      const position = partition.next
      const timestamp = Math.max(partition.lastMs, Math.floor(now()))
      insert.run(partition.base + position, timestamp, key, value, JSON.stringify(headers))
      partition.next = position + 1
      partition.lastMs = timestamp
      const record = { topic: partition.topic, partition: partition.number, position, key, value, headers, timestamp }
      holdsSame(record, given)
      return record
    })

  return calls => {
    const before = new Map<PartitionState, readonly [next: number, lastMs: number]>()
    for (const { partitions } of calls) for (const one of partitions) if (!before.has(one)) before.set(one, [one.next, one.lastMs])
    begin.run()
    try {
      const written = calls.map(write)
      const onWritten = alsoWrite()
      commit.run()
      onWritten()
      return written
    } catch (error) {
      for (const [partition, [next, lastMs]] of before) {
        partition.next = next
        partition.lastMs = lastMs
      }
      if (file.db.isTransaction) rollback.run()
      throw error
    }
  }
}
