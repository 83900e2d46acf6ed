import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inPartnersWords, isHeld, MOST_SECRETS, outletState, planRotation, type Signing, secretsInForce } from './outlet.ts'

const HOUR = 3_600_000
const NOW = Date.parse('2026-03-01T08:00:00.000Z')
const ENV = 'PARTNER_SECRET'
const rotate = (before: Signing | null, id: string, nowMs: number, overlapMs = 24 * HOUR): Signing => {
  const next = planRotation(before, { secretEnv: ENV, id, nowMs, overlapMs })
  assert.ok(next)
  return next
}
const names = (signing: Signing | null, nowMs: number, env = ENV) =>
  secretsInForce(signing, env, nowMs).map(one => (one.from === 'sealed' ? one.id : one.name))

test('without a rotation the environment’s secret signs alone', () => {
  assert.deepEqual(names(null, NOW), [ENV])
})

test('a new secret signs first, the one before it for the overlap and not a moment longer', () => {
  const one = rotate(null, 'one', NOW)
  assert.deepEqual(names(one, NOW), ['one', ENV])
  assert.deepEqual(names(one, NOW + 24 * HOUR - 1), ['one', ENV])
  assert.deepEqual(names(one, NOW + 24 * HOUR), ['one'])
  const two = rotate(one, 'two', NOW + 48 * HOUR)
  assert.deepEqual(names(two, NOW + 48 * HOUR), ['two', 'one'])
  assert.deepEqual(names(two, NOW + 72 * HOUR), ['two'])
})

test('another rotation within the overlap lengthens nobody’s time, and more than three at once are refused', () => {
  const one = rotate(null, 'one', NOW)
  const two = rotate(one, 'two', NOW + HOUR)
  assert.deepEqual(names(two, NOW + 2 * HOUR), ['two', 'one', ENV])
  assert.deepEqual(names(two, NOW + 24 * HOUR), ['two', 'one'])
  assert.equal(names(two, NOW + HOUR).length, MOST_SECRETS)
  assert.equal(planRotation(two, { secretEnv: ENV, id: 'three', nowMs: NOW + HOUR, overlapMs: HOUR }), null)
  assert.deepEqual(names(rotate(two, 'three', NOW + HOUR, 0), NOW + HOUR), ['three'], 'an overlap of nothing ends them all')
})

test('an outlet that is configured with another variable signs with that one too', () => {
  const one = rotate(null, 'one', NOW)
  assert.deepEqual(names(one, NOW + 48 * HOUR, 'A_NEW_SECRET'), ['one', 'A_NEW_SECRET'])
})

test('partners are told the status that they answered, and of everything else one and the same', () => {
  assert.equal(inPartnersWords('it answered 503'), 'it answered 503')
  const others = [
    'no connection could be made (ECONNREFUSED)',
    'no whole answer came (NEWSWIRE_OUTBOUND_TIMEOUT)',
    'our own rules forbid its address (X)',
    'it answered 503 and more',
  ]
  assert.equal(new Set(others.map(inPartnersWords)).size, 1)
  assert.equal(inPartnersWords(null), null)
})

test('what an older build wrote is read, and what a newer one keeps is not lost', () => {
  const old = outletState.parse({ n: 3, suspended: null })
  assert.deepEqual([old.paused, old.signing, old.health], [null, null, null])
  assert.equal(outletState.parse({ n: 1, suspended: null, later: 'x' })['later'], 'x')
  assert.equal(isHeld({ paused: null, suspended: { at: '', reason: '', target: 'another address' } }, { deliver: { url: 'x' } }), false)
})
