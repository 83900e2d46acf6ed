import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GIVE_UP_AFTER_MS, longestDelayMs, nextDelayMs, RETRY_DELAYS_MS } from './schedule.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const tried = (attempts: number, rest: Partial<Parameters<typeof nextDelayMs>[0]> = {}) => ({
  kill: false,
  attempts,
  failingForMs: 0,
  retryAfterMs: null,
  ...rest,
})
const steady = { random: () => 0.5, scale: 1 }

test('the schedule is thirteen attempts in 71.7 hours', () => {
  const total = RETRY_DELAYS_MS.reduce((sum, ms) => sum + ms, 0)
  assert.equal(RETRY_DELAYS_MS.length + 1, 13)
  assert.equal((total / HOUR).toFixed(1), '71.7')
})

test('each delay differs by up to a fifth either way', () => {
  RETRY_DELAYS_MS.forEach((base, index) => {
    assert.equal(nextDelayMs(tried(index + 1), { random: () => 0, scale: 1 }), base * 0.8)
    assert.equal(nextDelayMs(tried(index + 1), { random: () => 0.5, scale: 1 }), base)
    assert.ok(Math.abs((nextDelayMs(tried(index + 1), { random: () => 1, scale: 1 }) ?? 0) - base * 1.2) < 1)
  })
})

test('there is no fourteenth attempt, and none after 72 hours', () => {
  assert.equal(nextDelayMs(tried(13), steady), null)
  assert.equal(nextDelayMs(tried(2, { failingForMs: GIVE_UP_AFTER_MS }), steady), null)
})

test('a kill is tried after 2 s, 10 s, 30 s, 1 min, 5 min, then every 15 min, after three days every hour, without end', () => {
  const delays = [1, 2, 3, 4, 5, 6, 100].map(attempts => nextDelayMs(tried(attempts, { kill: true }), steady))
  assert.deepEqual(delays, [2_000, 10_000, 30_000, MINUTE, 5 * MINUTE, 15 * MINUTE, 15 * MINUTE])
  assert.equal(nextDelayMs(tried(999, { kill: true, failingForMs: GIVE_UP_AFTER_MS }), steady), HOUR)
})

test('Retry-After is honoured from the delay of the schedule up to twice that and two hours, at most a day', () => {
  const at = (attempts: number, retryAfterMs: number) => nextDelayMs(tried(attempts, { retryAfterMs }), steady)
  assert.equal(at(1, 1), 5_000)
  assert.equal(at(1, 90_000), 90_000)
  assert.equal(at(1, 100 * HOUR), 10_000 + 2 * HOUR)
  assert.equal(at(12, 100 * HOUR), 24 * HOUR)
})

test('Retry-After holds up a kill for a minute at most', () => {
  assert.equal(nextDelayMs(tried(1, { kill: true, retryAfterMs: 10 * HOUR }), steady), MINUTE)
  assert.equal(nextDelayMs(tried(5, { kill: true, retryAfterMs: 10 * HOUR }), steady), 5 * MINUTE)
})

test('the scale multiplies delays and bounds', () => {
  const fast = { random: () => 0.5, scale: 0.001 }
  assert.equal(nextDelayMs(tried(1), fast), 5)
  assert.equal(nextDelayMs(tried(1, { failingForMs: GIVE_UP_AFTER_MS * 0.001 }), fast), null)
  assert.equal(nextDelayMs(tried(1, { retryAfterMs: 1_000 }), fast), 1_000)
})

test('nothing that the schedule or a partner can ask for is longer than the longest wait that is believed', () => {
  for (const kill of [true, false])
    for (let attempts = 1; attempts < 30; attempts++)
      for (const retryAfterMs of [null, 1_000, 999 * HOUR])
        for (const failingForMs of [0, GIVE_UP_AFTER_MS - 1, GIVE_UP_AFTER_MS]) {
          const asked = nextDelayMs(tried(attempts, { kill, retryAfterMs, failingForMs }), { random: () => 1, scale: 1 })
          assert.ok(asked === null || asked <= longestDelayMs({ kill, attempts }), `${kill} ${attempts} ${retryAfterMs}: ${asked}`)
        }
})
