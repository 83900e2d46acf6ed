import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dayStart } from './site-days.ts'

test('a day begins when its zone says so, also where clocks are put forward or back', () => {
  const start = (day: string, zone: string, after = 0) => new Date(dayStart(day, zone, after)).toISOString()
  assert.equal(start('2026-01-31', 'Asia/Ho_Chi_Minh'), '2026-01-30T17:00:00.000Z')
  assert.equal(start('2026-01-31', 'Asia/Ho_Chi_Minh', 1), '2026-01-31T17:00:00.000Z')
  assert.equal(start('2026-03-29', 'Europe/Berlin'), '2026-03-28T23:00:00.000Z')
  assert.equal(start('2026-03-29', 'Europe/Berlin', 1), '2026-03-29T22:00:00.000Z')
  assert.equal(start('2026-10-25', 'Europe/Berlin', 1), '2026-10-25T23:00:00.000Z')
  assert.equal(start('1954-05-07', 'UTC'), '1954-05-07T00:00:00.000Z')
  assert.equal(start('2026-06-01', 'America/Los_Angeles'), '2026-06-01T07:00:00.000Z')
})
