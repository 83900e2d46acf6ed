import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeFact, makeRetraction } from './sample-facts.ts'
import { visibleAfter } from './visible.ts'

test('how long a change took is counted from the front door, or from its release where it waited by intent; what is old by itself is not counted', () => {
  const releasedAt = '2026-03-01T08:00:00.000Z'
  const nowMs = Date.parse(releasedAt) + 2_000
  const receivedAt = '2026-03-01T07:59:59.000Z'
  assert.equal(visibleAfter(makeFact({ releasedAt, receivedAt }), nowMs), 3)
  assert.equal(visibleAfter(makeFact({ releasedAt }), nowMs), 2)
  assert.equal(visibleAfter(makeRetraction({ releasedAt, receivedAt }), nowMs), 3)
  assert.equal(visibleAfter(makeRetraction({ releasedAt }), nowMs), null, 'a retraction once more, for its substitute')
  assert.equal(visibleAfter(makeFact({ releasedAt, receivedAt, lane: 'backfill' }), nowMs), null)
})
