/** What goes into the next request to the brokers: pure, so that order and limits can be tested without one. */

/** A record that knows its partition, with what the limits need. `call` is whoever published it. */
export type Waiting<Call> = Readonly<{
  call: Call
  /** Where in its call it stands, for the result. */
  index: number
  topic: string
  partition: number
  /** An upper bound of what it takes in a batch. */
  bytes: number
  /** What one batch of its topic may take. */
  maxBatchBytes: number
  /** By when it goes although nobody waits for anything (`performance.now()`). */
  dueMs: number
}>

type BatchLimits = Readonly<{ maxBytes: number; maxRecords: number }>

/** A request has up to 4 MiB: below every broker's `socket.request.max.bytes`, and quick to send again. kafkajs groups records in quadratic time. */
const batchLimits: BatchLimits = { maxBytes: 4 * 1_048_576, maxRecords: 2000 }

/** The fixed part of a record batch: 61 bytes of header, rounded up for the record's own framing. */
const FRAME_BYTES = 100
const HEADER_BYTES = 10

/** An upper bound of the size of a batch that holds only this record. */
export const recordBytes = (key: Uint8Array | null, value: Uint8Array | null, headers: Readonly<Record<string, string>>): number => {
  let bytes = FRAME_BYTES + (key?.length ?? 0) + (value?.length ?? 0)
  for (const [name, text] of Object.entries(headers)) bytes += HEADER_BYTES + Buffer.byteLength(name) + Buffer.byteLength(text)
  return bytes
}

type Fill = { bytes: number; records: number; byPartition: Map<string, number> }

const fits = (fill: Fill, record: Waiting<unknown>, limits: BatchLimits): boolean => {
  if (fill.records === 0) return true
  if (fill.records >= limits.maxRecords || fill.bytes + record.bytes > limits.maxBytes) return false
  const inPartition = fill.byPartition.get(`${record.topic}/${record.partition}`) ?? 0
  return inPartition === 0 || inPartition + record.bytes <= record.maxBatchBytes
}

const put = (fill: Fill, record: Waiting<unknown>) => {
  const key = `${record.topic}/${record.partition}`
  fill.byPartition.set(key, (fill.byPartition.get(key) ?? 0) + record.bytes)
  fill.bytes += record.bytes
  fill.records += 1
}

/**
 * How many records from the front of the queue go into the next request, always at least one. Calls go whole where they fit, so that a
 * failure tears as few of them as possible; one that fits in no request is cut.
 */
export const countForBatch = (queue: readonly Waiting<unknown>[], limits: BatchLimits = batchLimits): number => {
  const fill: Fill = { bytes: 0, records: 0, byPartition: new Map() }
  let whole = 0
  let taken = 0
  for (const record of queue) {
    if (taken > 0 && record.call !== queue[taken - 1]?.call) whole = taken
    if (!fits(fill, record, limits)) return whole > 0 ? whole : taken
    put(fill, record)
    taken += 1
  }
  return taken
}
