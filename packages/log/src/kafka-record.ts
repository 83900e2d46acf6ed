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

const headerText = (value: IHeaders[string]): string => {
  const last = Array.isArray(value) ? value.at(-1) : value
  return last === undefined ? '' : last.toString()
}

/** Of a header that is there several times the last counts. A key that is not UTF-8 loses its bad bytes; no producer of ours writes one. */
export const toLogRecord = (epoch: number, topic: string, partition: number, message: FetchedMessage): LogRecord => ({
  topic,
  partition,
  position: toPosition(epoch, Number(message.offset)),
  key: message.key === null ? null : message.key.toString('utf8'),
  value: message.value === null ? null : new Uint8Array(message.value),
  headers: Object.fromEntries(Object.entries(message.headers ?? {}).map(([name, value]) => [name, headerText(value)])),
  timestamp: Number(message.timestamp),
})
