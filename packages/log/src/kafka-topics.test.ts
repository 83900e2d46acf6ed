import assert from 'node:assert/strict'
import { test } from 'node:test'
import { topics } from '@newswire/events/topics'
import { differencesOf, wantedConfig } from './kafka-topics.ts'

const DAY_MS = 86_400_000

test('a compacted topic keeps every record a month and compacts within a week after that', () => {
  assert.deepEqual(wantedConfig(topics.articles, 3), {
    'cleanup.policy': 'compact',
    'max.message.bytes': '4194304',
    'min.insync.replicas': '2',
    'min.compaction.lag.ms': String(30 * DAY_MS),
    'max.compaction.lag.ms': String(37 * DAY_MS),
    'segment.ms': String(DAY_MS),
  })
})

test('one broker never waits for a second copy', () => {
  assert.equal(wantedConfig(topics.submissions, 1)['min.insync.replicas'], '1')
  assert.equal(wantedConfig(topics.submissions, 1)['retention.ms'], String(30 * DAY_MS))
})

test('each difference names what is wanted and what is found', () => {
  const found = { partitions: 6, replicas: 1, config: { ...wantedConfig(topics.submissions, 3), 'retention.ms': '1000' } }
  assert.deepEqual(differencesOf(topics.submissions, found, 3), [
    'partitions: wanted 12, found 6',
    'replicas: wanted 3, found 1',
    `retention.ms: wanted ${30 * DAY_MS}, found 1000`,
  ])
})

test('more copies than wanted are no difference', () => {
  const found = { partitions: 12, replicas: 5, config: wantedConfig(topics.submissions, 3) }
  assert.deepEqual(differencesOf(topics.submissions, found, 3), [])
})
