import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createByHand, TRUSTED_AFTER_MS } from './kafka-by-hand.ts'

const fetch = (byHand: ReturnType<typeof createByHand>, records: readonly string[], nowMs: number) => byHand.fetched(() => records, nowMs)

test('fetches rest once records come by hand, and no longer once none has for a while', () => {
  const byHand = createByHand()
  assert.equal(byHand.isAll(0), false)
  byHand.offered('0/1', true, 100)
  assert.equal(byHand.isAll(200), true)
  assert.equal(byHand.isAll(100 + TRUSTED_AFTER_MS), false)
})

test('a record that nobody hands on ends the rest within a second, for a while after the last of them', () => {
  const byHand = createByHand()
  byHand.offered('0/1', true, 0)
  fetch(byHand, ['0/2'], 100)
  assert.equal(byHand.isAll(1_100), false)
  byHand.offered('0/3', true, 5_000)
  assert.equal(byHand.isAll(5_000), false)
  byHand.offered('0/4', true, 1_101 + TRUSTED_AFTER_MS)
  assert.equal(byHand.isAll(1_101 + TRUSTED_AFTER_MS), true)
})

test('a fetch that is quicker than the acknowledgement, or slower, brings nothing from elsewhere', () => {
  const byHand = createByHand()
  byHand.offered('0/1', true, 0)
  fetch(byHand, ['0/2', '0/3'], 10)
  byHand.offered('0/2', false, 20)
  byHand.offered('0/3', false, 20)
  byHand.offered('1/8', false, 30)
  fetch(byHand, ['1/8'], 40)
  assert.equal(byHand.isAll(5_000), true)
})

test('a consumer that is handed nothing never rests, whatever comes', () => {
  const byHand = createByHand()
  for (let n = 0; n < 3_000; n += 1) fetch(byHand, [`0/${n}`], n)
  assert.equal(byHand.isAll(3_000), false)
})
