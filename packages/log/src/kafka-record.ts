/** A message of kafkajs as a record of the port: bytes copied, so that one record kept does not keep a whole fetch in memory. */
import type { IHeaders } from 'kafkajs'
import { toPosition } from './kafka-position.ts'
import type { LogRecord } from './log.ts'

/** What is used of a fetched message; those of a consumer and of a bare fetch have it both. */
export type FetchedMessage = Readonly<{
  key: Buffer | null
  value: Buffer | null
  timestamp: string
  offset: string
  headers?: IHeaders | undefined
}>

/** The batch that it came in. */
export type BatchedMessage = FetchedMessage & Readonly<{ batchContext?: { firstOffset: string; lastOffsetDelta: number } }>

/** Behind the batch whose last message this is, and behind what compaction took from its tail. */
export const behindBatch = ({ offset, batchContext }: BatchedMessage): number =>
  1 + (batchContext === undefined ? Number(offset) : Number(batchContext.firstOffset) + batchContext.lastOffsetDelta)

const headerText = (value: IHeaders[string]): string => {
  const last = Array.isArray(value) ? value.at(-1) : value
  return last === undefined ? '' : last.toString()
}

/** Of a header that is there several times the last counts. A key that is not UTF-8 loses its bad bytes; no producer of ours writes one. */
const make = (epoch: number, topic: string, partition: number, message: FetchedMessage): LogRecord => ({
  topic,
  partition,
  position: toPosition(epoch, Number(message.offset)),
  key: message.key === null ? null : message.key.toString('utf8'),
  value: message.value === null ? null : new Uint8Array(message.value),
  headers: Object.fromEntries(Object.entries(message.headers ?? {}).map(([name, value]) => [name, headerText(value)])),
  timestamp: Number(message.timestamp),
})

/** Enough for what a second brings, so that its consumers of one process meet. */
const KEPT_RECORDS = 512
/** Larger ones are rare, and dear to keep. */
const MAX_KEPT_BYTES = 64 * 1024

const isSame = (record: LogRecord, { value, timestamp }: FetchedMessage): boolean =>
  record.timestamp === Number(timestamp) && record.value !== null && value !== null && Buffer.compare(record.value, value) === 0

export type ToLogRecord = (topic: string, partition: number, message: FetchedMessage) => LogRecord

/**
 * Turns what was fetched into records. Several consumers of one process that fetch the same record get the same object, as on the embedded log, so
 * that it is decoded once for all of them (`fromRecord`).
 */
export const createToLogRecord = (epoch: number): ToLogRecord => {
  const recent = new Map<string, LogRecord>()
  return (topic, partition, message) => {
    const name = `${topic}/${partition}/${message.offset}`
    const known = recent.get(name)
    if (known !== undefined && isSame(known, message)) return known
    const record = make(epoch, topic, partition, message)
    if ((record.value?.length ?? 0) > MAX_KEPT_BYTES) return record
    recent.set(name, record)
    const oldest = recent.size > KEPT_RECORDS ? recent.keys().next().value : undefined
    if (oldest !== undefined) recent.delete(oldest)
    return record
  }
}
