import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createToLogRecord, type FetchedMessage } from './kafka-record.ts'

const message = (offset: number, value: string | null, timestamp = '1'): FetchedMessage => ({
  key: Buffer.from('k'),
  value: value === null ? null : Buffer.from(value),
  offset: String(offset),
  timestamp,
  headers: { ce_id: [Buffer.from('first'), Buffer.from('last')] },
})

test('consumers of one process that fetch the same record get the same object', () => {
  const toLogRecord = createToLogRecord(0)
  const record = toLogRecord('articles', 3, message(7, 'a'))
  assert.equal(toLogRecord('articles', 3, message(7, 'a')), record)
  assert.deepEqual(
    { ...record, value: Buffer.from(record.value ?? []).toString() },
    {
      topic: 'articles',
      partition: 3,
      position: 7,
      key: 'k',
      value: 'a',
      headers: { ce_id: 'last' },
      timestamp: 1,
    },
  )
})

test('another topic, partition, time or content at the same offset is another record', () => {
  const toLogRecord = createToLogRecord(0)
  const records = [
    toLogRecord('articles', 3, message(7, 'a')),
    toLogRecord('prepared', 3, message(7, 'a')),
    toLogRecord('articles', 4, message(7, 'a')),
    toLogRecord('articles', 3, message(7, 'b')),
    toLogRecord('articles', 3, message(7, 'b', '2')),
    toLogRecord('articles', 3, message(7, null)),
    toLogRecord('articles', 3, message(7, null)),
  ]
  assert.equal(new Set(records).size, records.length)
})

test('a record that is kept does not keep the fetch that it came in', () => {
  const fetched = Buffer.alloc(1000, 'x')
  const record = createToLogRecord(0)('articles', 0, { ...message(1, ''), value: fetched.subarray(10, 20) })
  assert.equal(record.value?.buffer.byteLength, 10)
})
