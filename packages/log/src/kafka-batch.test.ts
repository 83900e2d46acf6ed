import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countForBatch, recordBytes, type Waiting } from './kafka-batch.ts'

const limits = { maxBytes: 1000, maxRecords: 6 }
const record = (call: string, partition: number, bytes: number): Waiting<string> => ({
  call,
  index: 0,
  topic: 't',
  partition,
  bytes,
  maxBatchBytes: 400,
  dueMs: 0,
})

test('an empty queue makes no request', () => {
  assert.equal(countForBatch([], limits), 0)
})

test('everything that fits goes in one request', () => {
  assert.equal(countForBatch([record('a', 0, 100), record('b', 1, 100), record('c', 0, 100)], limits), 3)
})

test('one record larger than any batch goes alone', () => {
  assert.equal(countForBatch([record('a', 0, 5000), record('b', 1, 10)], limits), 1)
})

test('a large record may share a request with another partition, never a batch with its own', () => {
  assert.equal(countForBatch([record('a', 0, 390), record('b', 1, 10), record('c', 0, 20)], limits), 2)
})

test('a call goes whole into the next request rather than torn over two', () => {
  const queue = [record('a', 0, 300), record('b', 1, 300), record('b', 2, 300), record('b', 3, 300)]
  assert.equal(countForBatch(queue, limits), 1)
})

test('a call that fits in no request is cut', () => {
  const queue = Array.from({ length: 9 }, () => record('a', 0, 100))
  assert.equal(countForBatch(queue, limits), 4)
})

test('records are counted as well as bytes', () => {
  const queue = Array.from({ length: 9 }, (_, i) => record(`call ${i}`, i, 1))
  assert.equal(countForBatch(queue, limits), 6)
})

test('the size of a record counts its key, value and headers in UTF-8', () => {
  const bytes = (text: string) => new TextEncoder().encode(text)
  const empty = recordBytes(null, null, {})
  assert.equal(recordBytes(bytes('k'), bytes('tin tức'), {}) - empty, 1 + 9)
  assert.ok(recordBytes(null, null, { ce_id: 'ở' }) - empty >= 5 + 3)
})
