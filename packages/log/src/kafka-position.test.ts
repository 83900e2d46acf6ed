import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkEpoch, toOffset, toPosition } from './kafka-position.ts'

test('positions keep rising when the log is replaced', () => {
  assert.ok(toPosition(1, 0) > toPosition(0, 2 ** 44 - 1))
  assert.ok(toPosition(4, 7) > toPosition(4, 6))
})

test('a position is a safe integer up to the last epoch', () => {
  assert.ok(Number.isSafeInteger(toPosition(511, 2 ** 44 - 1)))
  for (const epoch of [-1, 512, 1.5, Number.NaN]) assert.throws(() => checkEpoch(epoch), /0 to 511/)
})

test('an offset comes back from its position', () => {
  for (const offset of [0, 1, 123_456_789_012]) assert.equal(toOffset(3, toPosition(3, offset)), offset)
})

test('a position of an older log lies before everything, one of a newer log behind everything', () => {
  assert.equal(toOffset(2, toPosition(1, 500)), 0)
  assert.equal(toOffset(1, toPosition(2, 0)), 2 ** 44 - 1)
})
