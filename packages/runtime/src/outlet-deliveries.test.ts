import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toRecord } from '@newswire/events/events'
import type { PendingPart } from '@newswire/events/outlet'
import { stateOf, toIntent, withNewer } from './outlet-deliveries.ts'

const written = (fields: Partial<NonNullable<PendingPart['delivery']>>): NonNullable<PendingPart['delivery']> => ({
  phase: 'pending',
  want: 2,
  kill: false,
  sequence: 9,
  open: [2],
  attempts: 0,
  nextAtMs: 1_800_000_000_000,
  lastError: null,
  ...fields,
})
const at = (version: number, sequence: number, delivery: PendingPart['delivery'], { committed = 10, held = false } = {}) =>
  stateOf({ version, sequence }, { delivery, committed, held })

test('what the group is done with, and is not written down, is with the outlet, after nobody here knows how many attempts', () => {
  assert.deepEqual(at(1, 5, null), { state: 'done', attempts: null, nextAt: null, lastError: null })
  assert.equal(at(1, 10, null).state, 'pending', 'its own record is not committed yet')
  assert.equal(stateOf({ version: 1, sequence: 5 }, { delivery: null, committed: null, held: false }).state, 'pending')
})

test('an older version than the one that is written down is settled by what came of it', () => {
  assert.equal(at(1, 5, written({})).state, 'done')
  assert.equal(at(1, 5, written({ open: [1, 2] })).state, 'pending')
})

test('what is written down says its phase, and when it is tried next unless nothing goes out', () => {
  const retrying = at(2, 9, written({ phase: 'wait', attempts: 3, lastError: 'it answered 503' }))
  assert.deepEqual(retrying, { state: 'retrying', attempts: 3, nextAt: '2027-01-15T08:00:00.000Z', lastError: 'it answered 503' })
  assert.equal(at(2, 9, written({ attempts: 1 })).state, 'retrying')
  assert.deepEqual(at(2, 9, written({ phase: 'wait' }), { held: true }), { state: 'suspended', attempts: 0, nextAt: null, lastError: null })
  for (const phase of ['rejected', 'dead'] as const) assert.equal(at(2, 9, written({ phase }), { held: true }).state, phase)
})

test('the settle-repeat of an acknowledged retraction is no delivery that is still to come', () => {
  assert.equal(at(2, 9, written({ phase: 'wait', open: [] })).state, 'done')
})

const recordOf = (articleId: string) => ({
  ...toRecord({
    id: 'an-intent',
    type: 'delivery.wanted',
    source: '/x',
    subject: 'a',
    time: '2026-01-01T00:00:00Z',
    data: { outletId: 'a', also: ['b', 'c-2'], articleId, version: 3 },
  }),
  partition: 0,
  position: 7,
  timestamp: 0,
})

test('an intent of what is no article is in no list: it would fail all of it', () => {
  for (const id of ['', '__proto__', '../x', '<b>']) assert.equal(toIntent(recordOf(id), 'a'), null)
})

test('an intent that several outlets share is in the list of each of them, and in nobody else’s', () => {
  const record = recordOf('press.b')
  for (const id of ['a', 'b', 'c-2']) assert.equal(toIntent(record, id)?.sequence, 7)
  for (const id of ['c', 'press', 'version']) assert.equal(toIntent(record, id), null)
})

test('what is done says which newer version may be the one that is there', () => {
  const intent = (articleId: string, version: number, state: 'done' | 'pending') => {
    const none = { action: null, at: '', replayed: false, attempts: null, nextAt: null, lastError: null }
    return { ...none, sequence: version, articleId, version, state }
  }
  const listed = withNewer([
    intent('press.a', 1, 'done'),
    intent('press.b', 1, 'done'),
    intent('press.a', 2, 'done'),
    intent('press.a', 3, 'pending'),
  ])
  assert.deepEqual(
    listed.map(one => one.supersededBy),
    [2, null, null, null],
  )
})
