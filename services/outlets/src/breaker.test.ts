import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Breaker, closedBreaker, forgetProbe, isFailing, limitOf, noteFailure, notePassage, noteSuccess, passage } from './breaker.ts'
import { createOwnSide } from './own-side.ts'

const NOW = 1_800_000_000_000
const failTimes = (times: number, breaker: Breaker = closedBreaker, nowMs = NOW) => {
  let next = breaker
  for (let i = 0; i < times; i++) next = noteFailure(next, 'go', nowMs, 1)
  return next
}

describe('the breaker of one outlet', () => {
  test('five failures in a row open it for 5 s', () => {
    assert.equal(passage(failTimes(4), NOW, false, 1), 'go')
    const open = failTimes(5)
    assert.equal(passage(open, NOW, false, 1), 'no')
    assert.equal(passage(open, NOW + 4_999, false, 1), 'no')
    assert.equal(passage(open, NOW + 5_000, false, 1), 'probe')
  })

  test('a success between failures begins the row again', () => {
    const breaker = failTimes(4, noteSuccess(failTimes(4), NOW, 1, 4))
    assert.equal(passage({ ...breaker, buckets: [] }, NOW, false, 1), 'go')
  })

  test('half of ten and more in a minute open it; fewer than ten, or spread over longer, do not', () => {
    let mixed: Breaker = closedBreaker
    for (let i = 0; i < 4; i++) mixed = noteFailure(noteSuccess(mixed, NOW + i * 1000, 1, 4), 'go', NOW + i * 1000, 1)
    assert.equal(passage(mixed, NOW + 4000, false, 1), 'go')
    mixed = noteFailure(noteSuccess(mixed, NOW + 5000, 1, 4), 'go', NOW + 5000, 1)
    assert.equal(passage(mixed, NOW + 5000, false, 1), 'no')

    let slow: Breaker = closedBreaker
    for (let i = 0; i < 20; i++) slow = noteFailure(noteSuccess(slow, NOW + i * 30_000, 1, 4), 'go', NOW + i * 30_000, 1)
    assert.equal(passage(slow, NOW + 20 * 30_000, false, 1), 'go')
  })

  test('one probe at a time; each that fails doubles the wait, up to 15 min', () => {
    let breaker = failTimes(5)
    let nowMs = NOW
    const waits: number[] = []
    for (let i = 0; i < 10; i++) {
      nowMs = breaker.openUntilMs ?? assert.fail('it is open')
      const probing = notePassage(breaker, passage(breaker, nowMs, false, 1), nowMs)
      assert.equal(passage(probing, nowMs + 1, false, 1), 'no')
      breaker = noteFailure(probing, 'probe', nowMs, 1)
      waits.push((breaker.openUntilMs ?? 0) - nowMs)
    }
    assert.deepEqual(waits.slice(0, 3), [10_000, 20_000, 40_000])
    assert.equal(waits.at(-1), 900_000)
  })

  test('after three days of only failures it is probed once an hour', () => {
    const breaker = { ...failTimes(5), failingSinceMs: NOW - 72 * 3_600_000 }
    const again = noteFailure(notePassage(breaker, 'probe', NOW), 'probe', NOW, 1)
    assert.equal((again.openUntilMs ?? 0) - NOW, 3_600_000)
  })

  test('a straggler from before the opening does not prolong it', () => {
    const open = failTimes(5)
    assert.equal(noteFailure(open, 'go', NOW + 4_000, 1).openUntilMs, open.openUntilMs)
  })

  test('a probe that was not made lets somebody else probe', () => {
    const probing = notePassage(failTimes(5), 'probe', NOW + 5_000)
    assert.equal(passage(forgetProbe(probing, 'probe'), NOW + 5_000, false, 1), 'probe')
  })

  test('a kill passes an open breaker once a minute', () => {
    const open = { ...failTimes(5), openUntilMs: NOW + 900_000 }
    assert.equal(passage(open, NOW, true, 1), 'bypass')
    const bypassed = notePassage(open, 'bypass', NOW)
    assert.equal(passage(bypassed, NOW + 59_999, true, 1), 'no')
    assert.equal(passage(bypassed, NOW + 60_000, true, 1), 'bypass')
    assert.equal(passage(bypassed, NOW + 60_000, false, 1), 'no')
  })

  test('after an outage the outlet is let back to its full concurrency one success at a time', () => {
    let breaker = noteSuccess(notePassage(failTimes(5), 'probe', NOW), NOW, 1, 4)
    const limits = [limitOf(breaker, 4)]
    for (let i = 0; i < 4; i++) {
      breaker = noteSuccess(breaker, NOW, 1, 4)
      limits.push(limitOf(breaker, 4))
    }
    assert.deepEqual(limits, [1, 2, 3, 4, 4])
    assert.equal(isFailing(breaker), false)
  })
})

describe('our own side', () => {
  test('four of five outlets out of reach within half a minute freeze attempts, with a canary every 5 s', () => {
    const ownSide = createOwnSide(1)
    for (const id of ['a', 'b', 'c', 'd']) ownSide.note(id, false, NOW)
    assert.equal(ownSide.isFrozen(NOW), false, 'four outlets say nothing about us')
    ownSide.note('e', true, NOW)
    assert.equal(ownSide.isFrozen(NOW), true)
    assert.equal(ownSide.admit(NOW), true)
    assert.equal(ownSide.admit(NOW + 4_999), false)
    assert.equal(ownSide.admit(NOW + 5_000), true)
  })

  test('the first outlet that is reached ends it', () => {
    const ownSide = createOwnSide(1)
    for (const id of ['a', 'b', 'c', 'd', 'e']) ownSide.note(id, false, NOW)
    assert.equal(ownSide.isFrozen(NOW), true)
    ownSide.note('c', true, NOW + 1)
    assert.equal(ownSide.isFrozen(NOW + 1), false)
    assert.equal(ownSide.admit(NOW + 1), true)
  })

  test('a fifth of the outlets down is their own trouble', () => {
    const ownSide = createOwnSide(1)
    for (const id of ['a', 'b', 'c', 'd', 'e']) ownSide.note(id, id !== 'a', NOW)
    assert.equal(ownSide.isFrozen(NOW), false)
  })

  test('results older than half a minute do not count', () => {
    const ownSide = createOwnSide(1)
    for (const id of ['a', 'b', 'c', 'd']) ownSide.note(id, false, NOW)
    ownSide.note('e', false, NOW + 31_000)
    assert.equal(ownSide.isFrozen(NOW + 31_000), false)
  })
})
