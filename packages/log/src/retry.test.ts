import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RejectError, UnavailableError } from '@newswire/events/errors'
import { decideAfter, defaultRetryPolicy, unavailableDelay } from './retry.ts'

const rules = { policy: defaultRetryPolicy, scale: 1, random: () => 0.5 }
const first = { counted: 0, unavailable: 0 }
const away = new UnavailableError('NEWSWIRE_TEST_AWAY', 'away')

test('a reject is dead at once, whatever was tried before', () => {
  const error = new RejectError('NEWSWIRE_TEST', 'no')
  assert.deepEqual(decideAfter(error, first, rules), { kind: 'dead' })
  assert.deepEqual(decideAfter(error, { counted: 2, unavailable: 9 }, rules), { kind: 'dead' })
})

test('any other error follows the list of delays and is then dead', () => {
  const delays = [0, 1, 2].map(counted => decideAfter(new TypeError('x'), { counted, unavailable: 0 }, rules))
  assert.deepEqual(
    delays,
    [100, 1000, 5000].map(delayMs => ({ kind: 'retry', delayMs })),
  )
  assert.deepEqual(decideAfter(new TypeError('x'), { counted: 3, unavailable: 0 }, rules), { kind: 'dead' })
  assert.deepEqual(decideAfter('x', first, { ...rules, policy: [] }), { kind: 'dead' })
})

test('what is unavailable waits from 100 ms up to 5 s, for ever, and does not use up the list', () => {
  const waits = [0, 1, 2, 3, 4, 5, 6, 7, 1000].map(unavailable => decideAfter(away, { counted: 3, unavailable }, rules))
  assert.deepEqual(
    waits,
    [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000].map(delayMs => ({ kind: 'wait', delayMs })),
  )
})

test('jitter moves a delay by at most a fifth and never out of the bounds', () => {
  for (const random of [() => 0, () => 0.999_999]) {
    const verdict = decideAfter(new Error('x'), { counted: 1, unavailable: 0 }, { ...rules, random })
    assert.ok(verdict.kind === 'retry' && verdict.delayMs >= 800 && verdict.delayMs <= 1200)
    for (let n = 0; n < 30; n += 1) {
      const delay = unavailableDelay(n, 1, random)
      assert.ok(delay >= 100 && delay <= 5000, `${delay}`)
    }
  }
  assert.notEqual(
    unavailableDelay(3, 1, () => 0),
    unavailableDelay(3, 1, () => 1),
  )
})

test('the scale multiplies every delay', () => {
  assert.deepEqual(decideAfter(new Error('x'), first, { ...rules, scale: 0.01 }), { kind: 'retry', delayMs: 1 })
  assert.deepEqual(decideAfter(away, first, { ...rules, scale: 3 }), { kind: 'wait', delayMs: 300 })
})
