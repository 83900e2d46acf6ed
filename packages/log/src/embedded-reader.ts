/** Reading one partition: from memory where the newest records are, else from the file. */
import type { DatabaseSync } from 'node:sqlite'
import { createCount } from './embedded-count.ts'
import type { PartitionState } from './embedded-file.ts'
import type { LogRecord, Position, Start } from './log.ts'

/** Records, and where to go on: behind holes that were passed. */
type Slice = Readonly<{ records: readonly LogRecord[]; next: Position }>

export type EmbeddedReader = Readonly<{
  /** At most `limit` records and about 1 MiB, from `position` on, which may lie in a hole or before the start. */
  slice(partition: PartitionState, position: Position, limit: number): Slice
  /** Where reading begins. */
  resolve(partition: PartitionState, from: Start): Position
  /** Records from a position on (`embedded-count.ts`), and the time of the first. */
  pending(partition: PartitionState, from: Position): Readonly<{ records: number; oldestAtMs: number | null }>
}>

const TAIL_RECORDS = 256
const TAIL_BYTES = 262_144
const SLICE_BYTES = 1_048_576

/** Keeps the newest records of a partition in memory; what readers of the present miss there, they find in the file. */
export const extendTail = (partition: PartitionState, record: LogRecord): void => {
  const { tail } = partition
  tail.push(record)
  partition.tailBytes += record.value?.length ?? 0
  if (tail.length <= TAIL_RECORDS && partition.tailBytes <= TAIL_BYTES) return
  // Half goes at once, so that this is rare.
  const dropped = tail.splice(0, Math.max(1, tail.length >>> 1))
  for (const { value } of dropped) partition.tailBytes -= value?.length ?? 0
}

/** Retention and compaction change the past: forget what is in memory of it. */
export const forgetTail = (partition: PartitionState): void => {
  partition.blocks.clear()
  partition.tail = []
  partition.tailBytes = 0
}

type Row = [id: number, ts: number, k: string | null, v: Uint8Array | null, h: string]

/** The first place in the tail at or behind a position; its records are in order of position. */
const findInTail = (tail: readonly LogRecord[], position: Position): number => {
  let low = 0
  let high = tail.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((tail[middle]?.position ?? 0) < position) low = middle + 1
    else high = middle
  }
  return low
}

/** A start has half a dozen readers of the same past, each at its own pace: so far apart they still meet. */
const SHARED_BYTES = 6 * 1_048_576
const SHARED_FOR_MS = 1_000

type Shared = {
  readonly record: LogRecord
  readonly bytes: number /** The row behind it, once somebody has read on. */
  next: number | null
}

/**
 * Records that came from the file, by row, for the reader that comes by next: what is made of one (`fromRecord`) is made once for an object, and the file
 * need not be asked again. A position is never used twice, so none is ever wrong.
 */
const createShared = () => {
  const rows = new Map<number, Shared>()
  let bytes = 0
  const forget = () => {
    rows.clear()
    bytes = 0
  }
  let idle: NodeJS.Timeout | undefined
  return {
    /** As many as are known in a row. */
    from: (row: number, limit: number): LogRecord[] => {
      const found: LogRecord[] = []
      let taken = 0
      for (let at: number | null = row; at !== null && found.length < limit && taken <= SLICE_BYTES; ) {
        const shared = rows.get(at)
        if (shared === undefined) break
        found.push(shared.record)
        taken += shared.bytes
        at = shared.next
      }
      return found
    },
    /** `before`: the row that was read just before it, or that would be if there were no holes. */
    add: (row: number, before: number, record: LogRecord): LogRecord => {
      const last = rows.get(before)
      if (last !== undefined) last.next = row
      const known = rows.get(row)
      if (known !== undefined) return known.record
      const own = 500 + (record.value?.length ?? 0)
      rows.set(row, { record, bytes: own, next: null })
      bytes += own
      for (const [oldest, passed] of rows) {
        if (bytes <= SHARED_BYTES) break
        rows.delete(oldest)
        bytes -= passed.bytes
      }
      idle = idle?.refresh() ?? setTimeout(forget, SHARED_FOR_MS).unref()
      return record
    },
  }
}

export const createEmbeddedReader = (db: DatabaseSync): EmbeddedReader => {
  const shared = createShared()
  const select = db.prepare('SELECT id, ts, k, v, h FROM rec WHERE id >= ? AND id < ? ORDER BY id LIMIT ?')
  select.setReturnArrays(true)
  const firstFrom = db.prepare('SELECT id, ts FROM rec WHERE id >= ? AND id < ? ORDER BY id LIMIT 1')
  const count = createCount(db)

  const fromFile = (partition: PartitionState, position: Position, limit: number): Slice => {
    const { base, topic, number, next } = partition
    const records = shared.from(base + position, limit)
    let bytes = records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
    let before = base + (records.at(-1)?.position ?? position - 1)
    const rest = bytes > SLICE_BYTES ? 0 : limit - records.length
    for (const row of rest > 0 ? select.iterate(before + 1, base + next, rest) : []) {
      const [id, timestamp, key, value, headers] = row as unknown as Row
      const record = { topic, partition: number, position: id - base, key, value, headers: JSON.parse(headers), timestamp }
      records.push(shared.add(id, before, record))
      before = id
      bytes += value?.length ?? 0
      if (bytes > SLICE_BYTES) break
    }
    const last = records.at(-1)
    const isAll = records.length < limit && bytes <= SLICE_BYTES
    return { records, next: isAll || !last ? next : last.position + 1 }
  }

  const fromTail = (partition: PartitionState, position: Position, limit: number): Slice => {
    const begin = findInTail(partition.tail, position)
    const records = partition.tail.slice(begin, begin + limit)
    const last = records.at(-1)
    const isAll = begin + records.length === partition.tail.length
    return { records, next: isAll || !last ? partition.next : last.position + 1 }
  }

  const offsetAt = ({ base, start, next }: PartitionState, timeMs: number): Position => {
    let low = start
    let high = next
    // Times never fall within a partition, so positions can be halved; a hole counts as the record behind it.
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const row = firstFrom.get(base + middle, base + high) as { id: number; ts: number } | undefined
      if (row === undefined || row.ts >= timeMs) high = middle
      else low = row.id - base + 1
    }
    const found = firstFrom.get(base + low, base + next) as { id: number } | undefined
    return found ? found.id - base : next
  }

  return {
    slice: (partition, position, limit) => {
      const from = Math.max(position, partition.start)
      if (from >= partition.next || limit < 1) return { records: [], next: Math.min(from, partition.next) }
      const oldest = partition.tail[0]
      return oldest && oldest.position <= from ? fromTail(partition, from, limit) : fromFile(partition, from, limit)
    },
    resolve: (partition, from) => {
      const { start, next, number } = partition
      if (from === 'start') return start
      if (from === 'end') return next
      if ('timeMs' in from) return offsetAt(partition, from.timeMs)
      return Math.min(Math.max(from.positions[number] ?? start, start), next)
    },
    pending: (partition, from) => {
      const { base, start, next } = partition
      const begin = Math.max(from, start)
      const first = firstFrom.get(base + begin, base + next) as { ts: number } | undefined
      return { records: count(partition, begin, next), oldestAtMs: first?.ts ?? null }
    },
  }
}
