import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeOfAssignment } from './kafka-members.ts'

test('a member that stayed keeps what it still has', () => {
  assert.deepEqual(changeOfAssignment([0, 1, 2], [1, 2, 3], true), { gained: [3], lost: [0], kept: [1, 2] })
})

test('a member that was away lost everything, also what it has again', () => {
  assert.deepEqual(changeOfAssignment([0, 1], [1, 2], false), { gained: [1, 2], lost: [0, 1], kept: [] })
})

test('a first join only gains', () => {
  assert.deepEqual(changeOfAssignment([], [4], false), { gained: [4], lost: [], kept: [] })
})
