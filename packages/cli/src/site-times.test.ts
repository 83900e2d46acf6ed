import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inZone, siteTimes } from './site-times.ts'

test('instants are said in the zone, with the offset of their own time of the year; nothing else of a text changes', () => {
  const text = 'held until 2027-01-19T23:00:00.000Z; released 2027-07-01T12:00:00.040Z; day 2027-01-19, press.2027-01-19T23'
  assert.equal(
    inZone(text, 'Asia/Ho_Chi_Minh'),
    'held until 2027-01-20T06:00:00+07:00; released 2027-07-01T19:00:00.040+07:00; day 2027-01-19, press.2027-01-19T23',
  )
  assert.match(inZone(text, 'America/St_Johns'), /2027-01-19T19:30:00-03:30; released 2027-07-01T09:30:00\.040-02:30/)
  assert.equal(inZone(text, 'UTC'), text)
  assert.equal(inZone('1900-01-01T00:00:00Z', 'Asia/Ho_Chi_Minh'), '1900-01-01T00:00:00Z')
})

test('what looks like an instant in the words of strangers, and is none, stays as it is and fails nothing', () => {
  for (const words of [
    'Ngày 2026-13-45T99:99:99Z',
    'a leap second, 2026-06-30T23:59:60Z',
    '2026-02-30T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '0000-06-01T00:00:00Z',
    'until 9999-12-31T23:59:59.000Z',
  ])
    assert.equal(inZone(words, 'Asia/Ho_Chi_Minh'), words)
  assert.equal(inZone('0001-01-01T00:00:00Z', 'Etc/GMT+5'), '0001-01-01T00:00:00Z')
})

test('results for machines stay in UTC, and so does what nobody says the zone for', async () => {
  const at = '2027-01-19T23:00:00.000Z'
  const console = async () => ({ timeZone: 'Asia/Ho_Chi_Minh' })
  const away = () => Promise.reject(new Error('away'))
  assert.equal((await siteTimes({ console }, { json: false }))(at), '2027-01-20T06:00:00+07:00')
  assert.equal((await siteTimes({ console }, { json: true }))(at), at)
  assert.equal((await siteTimes({ console: away }, { json: false }))(at), at)
})
