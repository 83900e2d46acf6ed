import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOffsets } from './kafka-follow.ts'
import { toPosition } from './kafka-position.ts'
import { toFetched } from './kafka-reader.ts'

const message = (offset: number, batch: { firstOffset: number; lastOffsetDelta: number }) => ({
  key: null,
  value: Buffer.from('x'),
  timestamp: '0',
  offset: String(offset),
  batchContext: { firstOffset: String(batch.firstOffset), lastOffsetDelta: batch.lastOffsetDelta },
})

const answer = (messages: ReturnType<typeof message>[], highWatermark = '100') => ({ partition: 0, highWatermark, messages })

test('reading goes on behind the whole batch, over what compaction took from its tail', () => {
  const batch = { firstOffset: 10, lastOffsetDelta: 9 }
  const fetched = toFetched(answer([message(10, batch), message(12, batch)]), 10, false)
  assert.equal(fetched.next, 20)
  assert.equal(fetched.messages.length, 2)
})

test('records of a batch before the asked offset are not given again', () => {
  const batch = { firstOffset: 10, lastOffsetDelta: 2 }
  const fetched = toFetched(answer([message(10, batch), message(11, batch), message(12, batch)]), 12, false)
  assert.deepEqual(
    fetched.messages.map(one => one.offset),
    ['12'],
  )
  assert.equal(fetched.next, 13)
})

test('a partition that found no room in a fetch is not passed over', () => {
  const fetched = toFetched(answer([]), 40, false)
  assert.equal(fetched.next, 40)
  assert.equal(fetched.stalled, true)
})

test('a batch without records is stepped through when its partition was asked alone', () => {
  const fetched = toFetched(answer([]), 40, true)
  assert.equal(fetched.next, 41)
  assert.equal(fetched.stalled, false)
})

test('nothing new at the end moves nothing', () => {
  for (const alone of [true, false]) {
    const fetched = toFetched(answer([]), 100, alone)
    assert.equal(fetched.next, 100)
    assert.equal(fetched.stalled, false)
  }
})

const ranges = [
  { partition: 0, start: 5, end: 50 },
  { partition: 1, start: 0, end: 0 },
]
const begin = (from: Parameters<typeof startOffsets>[0], atTime = new Map<number, number>()) =>
  Object.fromEntries(startOffsets(from, ranges, 2, atTime))

test('reading begins at the first kept record, at the end, or at a time', () => {
  assert.deepEqual(begin('start'), { 0: 5, 1: 0 })
  assert.deepEqual(begin('end'), { 0: 50, 1: 0 })
  assert.deepEqual(begin({ timeMs: 1 }, new Map([[0, 17]])), { 0: 17, 1: 0 })
})

test('with positions, a partition that is not named begins at its start', () => {
  assert.deepEqual(begin({ positions: { 1: toPosition(2, 0) } }), { 0: 5, 1: 0 })
})

test('a position outside what is kept is brought inside', () => {
  assert.deepEqual(begin({ positions: { 0: toPosition(2, 1) } }), { 0: 5, 1: 0 })
  assert.deepEqual(begin({ positions: { 0: toPosition(2, 99) } }), { 0: 50, 1: 0 })
  assert.deepEqual(begin({ positions: { 0: toPosition(1, 30) } }), { 0: 5, 1: 0 })
})
