import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { feedReaders } from '@newswire/events/feed'
import { PROBE_AGENT } from '@newswire/events/retraction-proof'
import { createDiskObjects } from '@newswire/objects/disk'
import { getDocument } from '@newswire/objects/documents'
import { createLogger } from '@newswire/runtime/logger'
import { createMetrics } from '@newswire/runtime/metrics'
import { keepReaders, showReaders } from './keep-readers.ts'
import { createReaders, mergeReaders } from './readers.ts'

const DAY = 86_400_000
const NOW = Date.parse('2026-06-01T00:00:00Z')
const poll = (reader: number, now: number, outcome: 'full' | 'unchanged' = 'unchanged') => ({ outcome, bytes: 10, reader, now })

test('a reader is a number that means nothing outside this process', () => {
  const [one, two] = [createReaders(), createReaders()]
  assert.equal(one.identify('203.0.113.7', 'Reader/1'), one.identify('203.0.113.7', 'Reader/1'))
  assert.notEqual(one.identify('203.0.113.7', 'Reader/1'), one.identify('203.0.113.8', 'Reader/1'))
  assert.notEqual(one.identify('203.0.113.7', 'Reader/1'), one.identify('203.0.113.7', 'Reader/2'))
  assert.equal(two.identify('198.51.100.1', 'Reader/3'), one.identify('203.0.113.7', 'Reader/1'), 'whoever comes first')
})

test('the slowest is who took longest to come back, and is forgotten after 90 days of silence', () => {
  const readers = createReaders()
  readers.polled('all', 'rss', poll(1, NOW))
  readers.polled('all', 'rss', poll(1, NOW + DAY))
  readers.polled('all', 'atom', poll(2, NOW))
  readers.polled('all', 'atom', poll(2, NOW + 3 * DAY))
  assert.equal(readers.seen('all')?.slowestMs, 3 * DAY)
  assert.equal(readers.distinct('all', NOW + 2 * DAY), 1)
  readers.polled('all', 'rss', poll(1, NOW + 50 * DAY))
  readers.sweep(NOW + 100 * DAY)
  assert.equal(readers.distinct('all', 0), 1)
  assert.equal(readers.seen('all')?.slowestMs, 49 * DAY)
})

test('our own looking whether something is gone is no reader, and is away as long as it likes', () => {
  const readers = createReaders()
  const probe = readers.identify('203.0.113.7', PROBE_AGENT)
  readers.polled('all', 'rss', poll(probe, NOW))
  readers.polled('all', 'rss', poll(probe, NOW + 30 * DAY))
  assert.equal(readers.seen('all')?.slowestMs ?? 0, 0)
  assert.equal(readers.distinct('all', 0), 0)
})

test('however many readers come, only so many are told apart, and all polls are counted', () => {
  const readers = createReaders({ maxReaders: 10 })
  for (let reader = 0; reader < 100; reader++) readers.polled('all', 'rss', poll(reader, NOW))
  assert.equal(readers.distinct('all', 0), 10)
  assert.equal(readers.uses()[0]?.polls.unchanged, 100)
})

test('what is held of the slowest reader outlives a restart, until nobody like it has come for 90 days', () => {
  const held = { n: 4, slowestMs: 20 * DAY, seenAt: new Date(NOW).toISOString() }
  const seen = (slowestMs: number, at: number, absentMs?: number) => ({
    slowestMs,
    seenAt: at,
    absence: absentMs === undefined ? null : { absentMs, seenAt: at },
  })
  assert.equal(mergeReaders(null, seen(0, NOW), NOW), null, 'one poll is no interval')
  assert.deepEqual(mergeReaders(null, seen(DAY, NOW), NOW), { n: 1, slowestMs: DAY, seenAt: '2026-06-01T00:00:00.000Z' })
  assert.equal(mergeReaders(held, seen(DAY, NOW + 2 * DAY), NOW + 2 * DAY), null, 'quicker ones change nothing')
  assert.equal(mergeReaders(held, seen(21 * DAY, NOW + 2 * DAY), NOW + 2 * DAY)?.slowestMs, 21 * DAY)
  const later = NOW + 30 * DAY
  assert.equal(mergeReaders(held, seen(DAY, later, 5 * DAY), later), null, 'away for too short to be the one')
  for (const absentMs of [25 * DAY, Number.POSITIVE_INFINITY])
    assert.deepEqual(mergeReaders(held, seen(DAY, later, absentMs), later), {
      n: 5,
      slowestMs: 20 * DAY,
      seenAt: new Date(later).toISOString(),
    })
  const longAfter = NOW + 91 * DAY
  assert.equal(mergeReaders(held, seen(DAY, longAfter), longAfter)?.slowestMs, DAY)
  assert.equal(mergeReaders(null, seen(400 * DAY, NOW), NOW)?.slowestMs, 90 * DAY)
})

test('gateways merge what they saw: the slowest of all readers stays, whoever writes first', async t => {
  const root = mkdtempSync(join(tmpdir(), 'newswire-readers-'))
  const objects = await createDiskObjects({ root, fsync: 'normal' })
  t.after(async () => {
    await objects.close()
    rmSync(root, { recursive: true, force: true })
  })
  const logger = createLogger({ service: 'gateway', level: 'silent' })
  const gateway = (slowestMs: number) => {
    const readers = createReaders()
    readers.polled('all', 'rss', poll(1, NOW - slowestMs))
    readers.polled('all', 'rss', poll(1, NOW))
    return { readers, objects, logger, now: () => NOW }
  }
  await Promise.all([2 * DAY, 9 * DAY, DAY].map(slowestMs => keepReaders(gateway(slowestMs))))
  const kept = await getDocument(objects, 'feeds/all/readers.json', feedReaders)
  assert.equal(kept?.value.slowestMs, 9 * DAY)
})

test('metrics say how often, with what outcome, and how many readers; a counter counts each poll once', async () => {
  const readers = createReaders()
  const metrics = createMetrics({ processMetrics: false })
  showReaders(readers, metrics, () => NOW)
  readers.polled('all', 'rss', poll(1, NOW, 'full'))
  readers.polled('all', 'rss', poll(2, NOW))
  readers.polled('all', 'rss', poll(1, NOW))
  const text = await metrics.text()
  assert.match(text, /newswire_feed_polls_total\{feed="all",output="rss",outcome="unchanged"\} 2/)
  assert.match(text, /newswire_feed_polls_total\{feed="all",output="rss",outcome="full"\} 1/)
  assert.match(text, /newswire_feed_sent_bytes_total\{feed="all",output="rss"\} 30/)
  assert.match(text, /newswire_feed_readers\{feed="all"\} 2/)
})

test('names that one place makes up leave room for the readers of others', () => {
  const readers = createReaders({ maxReaders: 100 })
  for (let n = 0; n < 10_000; n++) readers.polled('all', 'rss', poll(readers.identify('203.0.113.7', `Made up/${n}`), NOW + n))
  for (let day = 0; day < 10; day++) readers.polled('all', 'rss', poll(readers.identify('198.51.100.1', 'Good/1'), NOW + day * DAY))
  assert.equal(readers.seen('all')?.slowestMs, DAY)
  const many = createReaders({ maxReaders: 10 })
  for (let n = 0; n < 50; n++) many.polled('all', 'rss', poll(many.identify(`203.0.113.${n}`, 'Reader/1'), NOW))
  assert.ok(many.distinct('all', NOW) > 0, 'whoever comes when it is full begins anew')
})
