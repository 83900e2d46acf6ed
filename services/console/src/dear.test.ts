import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keptWhileDear } from './dear.ts'

/** A question that takes `costMs` of CPU, with the clocks that it is seen by. */
const open = () => {
  const clock = { cpuMs: 0, nowMs: 0 }
  let asked = 0
  const dear = keptWhileDear<number>(
    () => clock.cpuMs,
    () => clock.nowMs,
  )
  const ask = (question: string, costMs: number) =>
    dear(question, () => {
      clock.cpuMs += costMs
      asked += 1
      return asked
    })
  return { clock, ask }
}

test('what is cheap is always of now', () => {
  const { ask } = open()
  assert.deepEqual([ask('a', 1), ask('a', 49), ask('a', 1)], [1, 2, 3])
})

test('what is dear is kept for a time in proportion, whoever asks, and then asked anew', () => {
  const { clock, ask } = open()
  assert.deepEqual([ask('a', 200), ask('a', 200), ask('b', 200)], [1, 1, 2])
  clock.nowMs = 9_999
  assert.equal(ask('a', 200), 1)
  clock.nowMs = 10_001
  assert.equal(ask('a', 200), 3)
})

test('a hundred dear questions keep no hundred answers, and a failure is not kept', () => {
  const { clock, ask } = open()
  for (let n = 0; n < 100; n++) ask(`q${n}`, 100)
  assert.equal(ask('q99', 100), 100)
  assert.equal(ask('q0', 100), 101)
  const dear = keptWhileDear<number>(
    () => clock.cpuMs,
    () => clock.nowMs,
  )
  const fail = () => {
    clock.cpuMs += 100
    throw new Error('away')
  }
  assert.throws(() => dear('a', fail), /away/)
  assert.equal(
    dear('a', () => 7),
    7,
  )
})
