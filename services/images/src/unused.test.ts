import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PictureUse } from '@newswire/objects/picture-use'
import { nextStep, type Use } from './unused.ts'

const DAY = 86_400_000
const START = Date.parse('2026-01-01T00:00:00Z')
const at = (days: number) => new Date(START + days * DAY).toISOString()
const found = (phase: PictureUse['phase'], since: number, lookedAt: number): PictureUse => ({
  n: 7,
  phase,
  since: at(since),
  lookedAt: at(lookedAt),
})
const step = (note: PictureUse | null, use: Use, day: number, hasFiles = true, walkedFrom: number | null = day) =>
  nextStep(
    note,
    { use, hasFiles },
    { nowMs: START + day * DAY, keepMs: 30 * DAY, walkedFromMs: walkedFrom === null ? null : START + walkedFrom * DAY },
  )
const noted = (phase: PictureUse['phase'], since: number, lookedAt: number, n = 8) => ({
  step: 'note',
  next: { ...found(phase, since, lookedAt), n },
})

test('a picture is removed when it was found unused on every day of its time, and not before', () => {
  let note: PictureUse | null = null
  for (let day = 0; day < 30; day++) {
    const next = step(note, 'none', day)
    assert.deepEqual(next, noted('unused', 0, day, day + 1), `day ${day}`)
    note = next.step === 'note' ? next.next : null
  }
  assert.deepEqual(step(note, 'none', 30), { step: 'remove', next: { ...found('removing', 0, 30), n: 31 } })
})

test('nothing is removed, or gone on with, on the word of a walk that may not have met what was on its way at the first look', () => {
  const removing = found('removing', 0, 30)
  for (const walkedFrom of [null, -1, 0, 6.9]) {
    assert.deepEqual(step(found('unused', 0, 29), 'none', 30, true, walkedFrom), noted('unused', 0, 30))
    assert.deepEqual(step(removing, 'none', 31, true, walkedFrom), { step: 'nothing' })
  }
  assert.equal(step(found('unused', 0, 29), 'none', 30, true, 7).step, 'remove')
  assert.equal(step(removing, 'none', 31, true, 7).step, 'remove')
})

test('who uses it again begins its time anew', () => {
  assert.deepEqual(step(found('unused', 0, 29), 'shown', 30), noted('used', 0, 30))
  assert.deepEqual(step(found('used', 0, 30), 'none', 31), noted('unused', 31, 31))
})

test('days on which nobody looked do not count, nor does what came before them', () => {
  assert.deepEqual(step(found('unused', 0, 10), 'none', 40), noted('unused', 40, 40))
  assert.deepEqual(step(found('unused', 0, 27.5), 'none', 30).step, 'remove')
})

test('a picture of which only the original is needed and there, or nothing at all, is left alone', () => {
  for (const use of ['kept', 'none'] as const) assert.deepEqual(step(null, use, 0, false), { step: 'nothing' })
  assert.deepEqual(step(found('unused', 0, 29), 'kept', 30, false), noted('used', 0, 30))
})

test('a note that has said all it had to is forgotten, days later', () => {
  assert.deepEqual(step(found('used', 0, 30), 'shown', 31), { step: 'nothing' })
  assert.deepEqual(step(found('used', 0, 30), 'shown', 34), { step: 'forget' })
})

test('a removal is gone on with when whoever was at it must be dead, unless the picture is in use again', () => {
  const minutes = (count: number) => count / 1440
  const removing = found('removing', 0, 30)
  for (const use of ['none', 'shown'] as const) assert.deepEqual(step(removing, use, 30 + minutes(9)), { step: 'nothing' })
  assert.deepEqual(step(removing, 'none', 30 + minutes(11)).step, 'remove')
  // Its clock, or this one, was put back.
  assert.deepEqual(step(removing, 'none', 29).step, 'remove')
  assert.deepEqual(step(removing, 'shown', 30 + minutes(11)), {
    step: 'note',
    next: { ...found('used', 0, 30), n: 8, lookedAt: at(30 + minutes(11)) },
  })
})
