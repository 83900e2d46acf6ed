import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Objects } from '@newswire/objects/objects'
import { MAX_NOTICE_MS, noticeMsFor, readReaders } from './retention.ts'
import { feedOf, makeFact, makeRetraction } from './sample-facts.ts'
import { toRule } from './sample-view.ts'
import { applyToWindow, emptyWindow, NOTICE_MS } from './window.ts'

const DAY_MS = 86_400_000
const NOW = '2026-03-20T00:00:00.000Z'
const seen = (slowestDays: number, agoDays = 1) => ({
  slowestMs: slowestDays * DAY_MS,
  seenAt: new Date(Date.parse(NOW) - agoDays * DAY_MS).toISOString(),
})

test('notices stay seven days, or as long as the slowest reader takes and a quarter more, in whole days, at most ninety', () => {
  assert.equal(noticeMsFor(null, NOW), NOTICE_MS)
  assert.equal(noticeMsFor(seen(0.1), NOW), NOTICE_MS)
  assert.equal(noticeMsFor(seen(10), NOW), 13 * DAY_MS)
  assert.equal(noticeMsFor(seen(1000), NOW), MAX_NOTICE_MS)
})

test('a reader that stays away for ninety days, or whose numbers are none, counts no longer', () => {
  assert.equal(noticeMsFor(seen(30, 91), NOW), NOTICE_MS)
  assert.equal(noticeMsFor({ slowestMs: 30 * DAY_MS, seenAt: 'never' }, NOW), NOTICE_MS)
  assert.equal(noticeMsFor({ slowestMs: Number.POSITIVE_INFINITY, seenAt: NOW }, NOW), NOTICE_MS)
})

test('what the gateways left is read, and what is no such document is nothing', async () => {
  const read = (text: string | null) => {
    const bytes = Buffer.from(text ?? '')
    const get: Objects['get'] = async () =>
      text === null ? null : { bytes, etag: 'e', contentType: 'application/json', lastModified: new Date(0) }
    return readReaders({ get }, 'all')
  }
  assert.equal((await read(JSON.stringify({ n: 1, slowestMs: 5, seenAt: NOW })))?.slowestMs, 5)
  for (const bad of [null, '', '{', '[]', '{"n":1,"slowestMs":"x","seenAt":""}']) assert.equal(await read(bad), null)
})

test('a window ends notices by its own retention, which is part of it', () => {
  const rule = toRule(feedOf())
  const gone = makeRetraction({ articleId: 'baoqk.gone', version: 2, releasedAt: '2026-03-02T00:00:00.000Z' })
  const later = makeFact({ articleId: 'baoqk.a', firstReleasedAt: '2026-03-12T00:00:00.000Z', releasedAt: '2026-03-12T00:00:00.000Z' })
  const states = new Map([gone, later].map(fact => [fact.articleId, fact]))
  const kinds = (noticeMs: number) => applyToWindow({ ...emptyWindow('all'), noticeMs }, states, rule).entries.map(one => one.kind)
  assert.deepEqual(kinds(NOTICE_MS), ['item'])
  assert.deepEqual(kinds(13 * DAY_MS), ['item', 'notice'])
})
