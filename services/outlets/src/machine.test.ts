import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  afterAttempt,
  beginAttempt,
  type Delivery,
  hold,
  isArmed,
  leastSendable,
  loseSight,
  type Outcome,
  postpone,
  restore,
  wantVersion,
} from './machine.ts'

const NOW = 1_800_000_000_000
const HOUR = 3_600_000
const steady = { random: () => 0.5, scale: 1 }
const intent = (version: number, kill = false, maybeSent: number | null = null) => ({ version, kill, sequence: version * 10, maybeSent })
const failed = (rest: Partial<Extract<Outcome, { kind: 'failed' }>> = {}): Outcome => ({
  kind: 'failed',
  reason: 'it answered 500',
  ambiguous: false,
  connect: false,
  retryAfterMs: null,
  alarm: false,
  ...rest,
})
const refused: Outcome = { kind: 'refused', reason: 'it answered 422' }
const some = (delivery: Delivery | null): Delivery => {
  assert.ok(delivery !== null)
  return delivery
}
const pending = (version = 1, kill = false) => wantVersion(null, intent(version, kill), NOW)
const inflight = (version = 1, kill = false) => beginAttempt(pending(version, kill), { version, kill })
const after = (delivery: Delivery, outcome: Outcome, nowMs = NOW) => afterAttempt(delivery, outcome, nowMs, steady)

describe('one article at one outlet', () => {
  test('NONE, intent: PENDING, due at once', () => {
    const delivery = pending(3)
    assert.equal(delivery.phase, 'pending')
    assert.equal(delivery.want, 3)
    assert.equal(delivery.nextAtMs, NOW)
    assert.deepEqual(delivery.open, [3])
  })

  test('PENDING, slot free: INFLIGHT at the latest version, not at the one the intent named', () => {
    const delivery = beginAttempt(pending(3), { version: 5, kill: false })
    assert.equal(delivery.phase, 'inflight')
    assert.equal(delivery.version, 5)
    assert.equal(delivery.want, 5)
    assert.equal(delivery.attempts, 1)
  })

  test('a version that is tried before its intent comes is told an end of, also when another takes its place', () => {
    const tried = some(after(beginAttempt(pending(3), { version: 5, kill: true }), failed()))
    assert.deepEqual(tried.open, [3, 5])
    assert.equal(wantVersion(tried, intent(5, true), NOW), tried)
    assert.deepEqual(wantVersion(tried, intent(6), NOW).open, [3, 5, 6])
    const sent = some(after(wantVersion(beginAttempt(pending(3), { version: 5, kill: false }), intent(6), NOW), { kind: 'accepted' }))
    assert.deepEqual(sent.open, [6])
  })

  test('an intent that is not newer changes nothing, in every phase', () => {
    for (const delivery of [pending(3), inflight(3), some(after(inflight(3), failed())), some(after(inflight(3), refused))])
      for (const version of [1, 2, 3]) assert.equal(wantVersion(delivery, intent(version), NOW + 1), delivery)
  })

  test('WAIT, newer version: PENDING now, attempts from the start', () => {
    const waiting = some(after(inflight(1), failed()))
    const next = wantVersion(waiting, intent(2), NOW + 5)
    assert.equal(next.phase, 'pending')
    assert.equal(next.nextAtMs, NOW + 5)
    assert.equal(next.attempts, 0)
    assert.equal(next.firstFailedAtMs, null)
    assert.equal(beginAttempt(next, { version: 2, kill: false }).attempts, 1)
  })

  test('INFLIGHT, newer version: stays in flight, because only one request at a time keeps the order', () => {
    const next = wantVersion(inflight(1), intent(2), NOW)
    assert.equal(next.phase, 'inflight')
    assert.equal(next.version, 1)
    assert.equal(next.want, 2)
  })

  test('INFLIGHT, 2xx, latest: DONE', () => {
    assert.equal(after(inflight(1), { kind: 'accepted' }), null)
  })

  test('INFLIGHT, 2xx, newer wanted: PENDING, the newer at once', () => {
    const next = some(after(wantVersion(inflight(1), intent(2), NOW), { kind: 'accepted' }, NOW + 9))
    assert.equal(next.phase, 'pending')
    assert.equal(next.nextAtMs, NOW + 9)
    assert.deepEqual(next.open, [2])
  })

  test('INFLIGHT, timeout or reset after bytes were sent: WAIT, and what may have got there is remembered', () => {
    const next = some(after(inflight(4), failed({ ambiguous: true })))
    assert.equal(next.phase, 'wait')
    assert.equal(next.maybeSent, 4)
    const again = some(after(beginAttempt(wantVersion(next, intent(5), NOW), { version: 5, kill: false }), failed({ ambiguous: true })))
    assert.equal(again.maybeSent, 4, 'the oldest is what a kill has to worry about')
  })

  test('INFLIGHT, cannot take it now: WAIT by the schedule, in our own words', () => {
    const next = some(after(inflight(1), failed()))
    assert.equal(next.phase, 'wait')
    assert.equal(next.nextAtMs, NOW + 5_000)
    assert.equal(next.maybeSent, null)
    assert.equal(next.lastError, 'it answered 500')
    assert.equal(next.firstFailedAtMs, NOW)
  })

  test('INFLIGHT, failed, newer wanted: PENDING now, and the older one is not tried again', () => {
    const next = some(after(wantVersion(inflight(1), intent(2), NOW), failed(), NOW + 1))
    assert.equal(next.phase, 'pending')
    assert.equal(next.nextAtMs, NOW + 1)
    assert.equal(next.attempts, 0)
  })

  test('INFLIGHT, refused: REJECTED, not tried again; a newer version re-arms it', () => {
    const next = some(after(inflight(1), refused))
    assert.equal(next.phase, 'rejected')
    assert.equal(isArmed(next), false)
    assert.equal(wantVersion(next, intent(2), NOW).phase, 'pending')
  })

  test('INFLIGHT, 410: kept, and no attempt is counted', () => {
    const next = some(after(inflight(1), { kind: 'gone', reason: 'it answered 410' }))
    assert.equal(next.phase, 'pending')
    assert.equal(next.attempts, 0)
  })

  test('INFLIGHT, our own side is away: tried again soon, and no attempt is counted', () => {
    const next = some(after(inflight(1), { kind: 'own', reason: 'the store is away' }))
    assert.equal(next.phase, 'pending')
    assert.equal(next.attempts, 0)
    assert.equal(next.firstFailedAtMs, null)
    assert.equal(next.nextAtMs, NOW + 1_000)
  })

  test('WAIT, due: INFLIGHT again, the attempt counted on', () => {
    assert.equal(beginAttempt(some(after(inflight(1), failed())), { version: 1, kill: false }).attempts, 2)
  })

  test('thirteen failures: DEAD, kept; a newer version re-arms it', () => {
    let delivery = inflight(1)
    let nowMs = NOW
    for (let attempt = 1; attempt < 13; attempt++) {
      delivery = some(after(delivery, failed(), nowMs))
      assert.equal(delivery.phase, 'wait', `attempt ${attempt}`)
      nowMs = delivery.nextAtMs
      delivery = beginAttempt(delivery, { version: 1, kill: false })
    }
    const dead = some(after(delivery, failed(), nowMs))
    assert.equal(dead.phase, 'dead')
    assert.equal(isArmed(dead), false)
    assert.equal(wantVersion(dead, intent(2), NOW).phase, 'pending')
  })

  test('WAIT, 72 hours after the first failure: DEAD', () => {
    const waiting = some(after(inflight(1), failed()))
    const late = beginAttempt(waiting, { version: 1, kill: false })
    assert.equal(some(after(late, failed(), NOW + 72 * HOUR)).phase, 'dead')
  })

  test('nothing was tried: PENDING later, no attempt counted', () => {
    const next = postpone(pending(1), NOW + 100)
    assert.equal(next.attempts, 0)
    assert.equal(next.nextAtMs, NOW + 100)
  })

  test('a state behind the intent, or older than what was sent before, is never sent', () => {
    assert.equal(leastSendable(pending(3)), 3)
    const sentFive = some(after(beginAttempt(pending(3), { version: 5, kill: false }), failed()))
    assert.equal(leastSendable({ ...sentFive, want: 3 }), 5)
  })
})

describe('kills', () => {
  test('a kill re-arms from WAIT, REJECTED and DEAD', () => {
    const rejected = some(after(inflight(1), refused))
    for (const delivery of [rejected, { ...rejected, phase: 'dead' as const }, some(after(inflight(1), failed()))]) {
      const next = wantVersion(delivery, intent(2, true), NOW)
      assert.equal(next.phase, 'pending')
      assert.equal(next.kill, true)
    }
  })

  test('a kill is never rejected, never dead, never given up with a 410', () => {
    for (const outcome of [refused, failed(), { kind: 'gone', reason: 'it answered 410' } as const]) {
      let delivery = inflight(2, true)
      let nowMs = NOW
      for (let attempt = 1; attempt < 400; attempt++) {
        delivery = some(after(delivery, outcome, nowMs))
        assert.equal(delivery.phase, 'wait')
        nowMs = delivery.nextAtMs
        delivery = beginAttempt(delivery, { version: 2, kill: true })
      }
      assert.ok(nowMs - NOW > 72 * HOUR)
    }
  })

  test('after a kill that followed a send of unknown outcome one settle-repeat goes out a minute later', () => {
    const ambiguous = some(after(inflight(1), failed({ ambiguous: true })))
    const kill = beginAttempt(wantVersion(ambiguous, intent(2, true), NOW), { version: 2, kill: true })
    assert.equal(kill.settling, false)
    const settling = some(after(kill, { kind: 'accepted' }))
    assert.equal(settling.phase, 'wait')
    assert.equal(settling.settling, true)
    assert.equal(settling.nextAtMs, NOW + 60_000)
    assert.deepEqual(settling.open, [])
    const repeat = beginAttempt(settling, { version: 2, kill: true })
    assert.equal(repeat.settling, true)
    assert.equal(after(repeat, { kind: 'accepted' }), null)
  })

  test('a second kill before the settle-repeat of the first gets one in its place: what may still arrive is the same', () => {
    const ambiguous = some(after(inflight(1), failed({ ambiguous: true })))
    const first = beginAttempt(wantVersion(ambiguous, intent(2, true), NOW), { version: 2, kill: true })
    const settling = some(after(first, { kind: 'accepted' }))
    const second = beginAttempt(wantVersion(settling, intent(3, true), NOW), { version: 3, kill: true })
    assert.equal(second.settling, false)
    assert.equal(some(after(second, { kind: 'accepted' })).settling, true)
  })

  test('a kill whose own first attempt was ambiguous needs no settle-repeat', () => {
    const again = beginAttempt(some(after(inflight(2, true), failed({ ambiguous: true }))), { version: 2, kill: true })
    assert.equal(after(again, { kind: 'accepted' }), null)
  })

  test('a kill after a crash that may hide a send gets its settle-repeat', () => {
    const kill = beginAttempt(wantVersion(null, intent(2, true, 0), NOW), { version: 2, kill: true })
    assert.equal(some(after(kill, { kind: 'accepted' })).settling, true)
  })

  test('an older version that was acknowledged after an ambiguous attempt needs no settle-repeat', () => {
    const again = beginAttempt(some(after(inflight(1), failed({ ambiguous: true }))), { version: 1, kill: false })
    assert.equal(after(again, { kind: 'accepted' }), null)
  })

  test('an ambiguous version that was followed by an acknowledged newer one still counts for the kill after that', () => {
    const ambiguous = some(after(inflight(1), failed({ ambiguous: true })))
    const newer = wantVersion(beginAttempt(wantVersion(ambiguous, intent(2), NOW), { version: 2, kill: false }), intent(3, true), NOW)
    const kill = beginAttempt(some(after(newer, { kind: 'accepted' })), { version: 3, kill: true })
    assert.equal(some(after(kill, { kind: 'accepted' })).settling, true)
  })

  test('a settle-repeat that keeps failing ends after 72 hours, because the kill was acknowledged', () => {
    const settling = some(after(beginAttempt(wantVersion(null, intent(2, true, 0), NOW), { version: 2, kill: true }), { kind: 'accepted' }))
    const waiting = some(after(beginAttempt(settling, { version: 2, kill: true }), failed()))
    assert.equal(waiting.phase, 'wait')
    const again = beginAttempt(waiting, { version: 2, kill: true })
    assert.equal(some(after(again, failed(), NOW + 72 * HOUR - 1)).settling, true)
    assert.equal(after(again, failed(), NOW + 72 * HOUR), null)
  })

  test('a republish takes the place of a settle-repeat', () => {
    const settling = some(after(beginAttempt(wantVersion(null, intent(2, true, 0), NOW), { version: 2, kill: true }), { kind: 'accepted' }))
    const next = wantVersion(settling, intent(3), NOW)
    assert.equal(next.settling, false)
    assert.equal(next.kill, false)
    assert.equal(next.phase, 'pending')
  })
})

describe('after a restart', () => {
  test('what was in flight may have got there', () => {
    const next = restore(inflight(4), true, NOW + 9, 1)
    assert.equal(next.phase, 'pending')
    assert.equal(next.maybeSent, 4)
    assert.equal(next.nextAtMs, NOW + 9)
  })

  test('after an end that was not clean anything may have got there since the state was written', () => {
    const waiting = some(after(inflight(1), failed()))
    assert.equal(restore(waiting, false, NOW, 1).maybeSent, 0)
    assert.equal(restore(waiting, true, NOW, 1).maybeSent, null)
  })

  test('a stored time far ahead is a clock that was set back: it is waited for as long as the schedule could have asked, a retraction that is tried every hour for 72 minutes', () => {
    const ahead = (delivery: Delivery) => (restore({ ...delivery, nextAtMs: NOW + 900 * HOUR }, true, NOW, 1).nextAtMs - NOW) / HOUR
    const waiting = some(after(inflight(1), failed()))
    assert.ok(Math.abs(ahead(waiting) - 2) < 0.01, `${ahead(waiting)} h after one attempt`)
    assert.equal(ahead({ ...waiting, attempts: 12 }), 28.8)
    assert.ok(ahead(some(after(inflight(1, true), failed()))) <= 1 / 60)
    assert.ok(ahead({ ...some(after(inflight(1, true), failed())), attempts: 500 }) <= 1.2)
    assert.ok(ahead(postpone(pending(1), NOW)) <= 1 / 60, 'what was not attempted waits for nothing but our own side')
    const held = hold(pending(1), NOW + 900 * HOUR)
    assert.equal(restore(held, true, NOW, 1).nextAtMs, NOW + 900 * HOUR, 'what an embargo holds')
    for (const inTime of [1_000, 4_000]) assert.equal(restore({ ...waiting, nextAtMs: NOW + inTime }, true, NOW, 1).nextAtMs, NOW + inTime)
  })

  test('what waits for a person goes on waiting', () => {
    assert.equal(restore(some(after(inflight(1), refused)), true, NOW, 1).phase, 'rejected')
  })
})

test('an attempt whose end nobody hears waits for its time, and may have got there; another is left as it is', () => {
  const lost = loseSight(inflight(2))
  assert.deepEqual([lost.phase, lost.maybeSent, isArmed(lost)], ['pending', 2, true])
  assert.equal(loseSight({ ...inflight(2), maybeSent: 1 }).maybeSent, 1)
  const waiting = some(after(inflight(2), failed()))
  assert.equal(loseSight(waiting), waiting)
})
