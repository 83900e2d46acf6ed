import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Picture } from '@newswire/events/article'
import { afterPublished, nextDelayMs, type Parked, patienceMs, toAnnouncing, toArriving, withSettled } from './parked.ts'

const waiting = (url: string, words: Partial<Picture> = {}): Picture => ({
  url,
  role: 'inline',
  caption: '',
  alt: '',
  credit: '',
  state: 'waiting',
  renditions: [],
  ...words,
})
const ready = (url: string, words: Partial<Picture> = {}): Picture => ({
  ...waiting(url, words),
  state: 'ready',
  sha256: 'a'.repeat(64),
  renditions: [{ preset: 'w320', key: `k-${words.caption ?? ''}`, type: 'image/jpeg', width: 1, height: 1, bytes: 1 }],
})
const refused = (url: string): Picture => ({ ...waiting(url), state: 'refused', reason: 'no' })

const parked = (changes: Partial<Parked>): Parked => ({
  n: 1,
  phase: 'parked',
  submission: { command: 'republish', submissionId: 's', articleId: 'press.a', publisher: 'press', receivedAt: '', lane: 'live' },
  position: 0,
  cause: { id: 's' },
  pictures: [],
  missing: [],
  arriving: [],
  parkedAt: '2026-01-01T00:00:00.000Z',
  attempts: 3,
  ...changes,
})

test('a flash does not wait for its pictures, everything else at most 30 s', () => {
  assert.deepEqual([1, 2, 3, 4, 8].map(patienceMs), [0, 0, 30_000, 30_000, 30_000])
})

test('two pictures of one address keep each its own words and files', () => {
  const pictures = [waiting('u', { caption: 'one', role: 'lead' }), waiting('u', { caption: 'two' })]
  const settled = withSettled(pictures, [ready('u', { caption: 'two' }), ready('u', { caption: 'one' })])
  assert.deepEqual(
    settled.map(one => [one.caption, one.role, one.renditions[0]?.key]),
    [
      ['one', 'lead', 'k-one'],
      ['two', 'inline', 'k-two'],
    ],
  )
})

test('what is settled already is not changed by what comes after', () => {
  const pictures = [refused('a'), waiting('b')]
  assert.deepEqual(withSettled(pictures, [ready('a')]), pictures)
  assert.deepEqual(withSettled(pictures, []), pictures)
})

test('an announcement remembers what it goes without, and is finished when that is nothing', () => {
  const without = toAnnouncing(parked({ pictures: [ready('a'), waiting('b')] }))
  assert.deepEqual([without.phase, without.missing, without.n], ['announcing', ['b'], 2])
  const after = afterPublished(without)
  assert.deepEqual([after.phase, after.attempts, after.n], ['late', 0, 3])
  assert.equal(afterPublished(toAnnouncing(parked({ pictures: [ready('a')] }))).phase, 'done')
})

test('of late pictures only those that can be shown are announced; the refused are struck off', () => {
  const late = parked({ phase: 'late', missing: ['a', 'b', 'c'] })
  const some = toArriving(late, [ready('a'), refused('b')])
  assert.deepEqual([some.phase, some.missing, some.arriving.map(one => one.url)], ['arriving', ['c'], ['a']])
  assert.equal(afterPublished(some).phase, 'late')
  assert.equal(toArriving(late, [refused('a')]).phase, 'late')
  assert.equal(toArriving(late, [refused('a'), refused('b'), refused('c')]).phase, 'done')
  assert.equal(toArriving(late, []).phase, 'late')
})

test('a flash that went out without its picture is not left without it for a minute', () => {
  assert.ok((nextDelayMs('late', 0) ?? Number.POSITIVE_INFINITY) <= 5_000)
})

test('tries of a parked one go on for as long as it waits; those of a late one end after about a day', () => {
  for (let attempts = 1; attempts < 50; attempts++) assert.ok((nextDelayMs('parked', attempts) ?? 0) > 0)
  let total = 0
  let attempts = 0
  for (let delay = nextDelayMs('late', 0); delay !== null; delay = nextDelayMs('late', ++attempts)) total += delay
  assert.ok(total > 20 * 3_600_000 && total < 30 * 3_600_000, `${total} ms`)
})
