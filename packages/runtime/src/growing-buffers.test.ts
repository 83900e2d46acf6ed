import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGrowingBuffers, growingBuffersFlag, noGrowingBuffersFlag } from './growing-buffers.ts'

test('no buffers grow while the heap is kept lean, and those that may do again at once when it is not', () => {
  const told: string[] = []
  const buffers = createGrowingBuffers(flag => told.push(flag))
  buffers.allow(true)
  assert.equal(told.at(-1), growingBuffersFlag)
  buffers.keepLean(true)
  assert.equal(told.at(-1), noGrowingBuffersFlag)
  buffers.allow(true)
  assert.equal(told.at(-1), noGrowingBuffersFlag, 'whatever is allowed meanwhile')
  buffers.keepLean(false)
  assert.equal(told.at(-1), growingBuffersFlag)
  buffers.allow(false)
  buffers.keepLean(false)
  assert.equal(told.at(-1), noGrowingBuffersFlag)
})
