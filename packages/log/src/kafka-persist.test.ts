/** Brokers that restart, and a reader that waits for them: on a cluster that answers as it is told, with time that nobody waits for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RejectError } from '@newswire/events/errors'
import type { KafkaClient } from './kafka-client.ts'
import { unknownTopic } from './kafka-errors.ts'
import { placeNewGroup } from './kafka-groups.ts'
import { ASK_WITHIN_MS, pauseBeforeNext, START_WITHIN_MS } from './kafka-persist.ts'
import { createKafkaReader } from './kafka-reader.ts'
import { sampleCluster } from './sample-cluster.ts'

const brokerError = (type: string, retriable = true) => Object.assign(new Error(type), { name: 'KafkaJSProtocolError', type, retriable })

/** Two partitions whose leaders answer from `settledMs` on. */
const open = (settledMs: number, error: Error = brokerError('NOT_LEADER_FOR_PARTITION')) => {
  let nowMs = 0
  const committed: string[] = []
  const coordinator = {
    offsetFetch: async () => ({ responses: [] }),
    offsetCommit: async ({ topics }: { topics: { partitions: { offset: string }[] }[] }) =>
      void committed.push(...topics.flatMap(one => one.partitions.map(({ offset }) => offset))),
  }
  const cluster = {
    ...sampleCluster,
    findGroupCoordinator: async () => coordinator,
    fetchTopicsOffset: async () => {
      if (nowMs < settledMs) throw error
      return [{ topic: 'work', partitions: [0, 1].map(partition => ({ partition, offset: '7' })) }]
    },
  }
  const client = { cluster: () => cluster } as unknown as KafkaClient
  const wait = async (ms: number) => {
    nowMs += ms
    await new Promise(resolve => setImmediate(resolve))
  }
  return { reader: createKafkaReader(client, { nowMs: () => nowMs, wait }), committed, nowMs: () => nowMs }
}

test('a service starts also when the leaders of its topic settle only after half a minute', async () => {
  const { reader, committed, nowMs } = open(30_000)
  await placeNewGroup(reader, 'group', 'work', 'start')
  assert.deepEqual(committed, ['7', '7'])
  assert.ok(nowMs() < 32_000, 'and no more than a second later than it could')
})

test('a start that nothing becomes of ends after a minute, with what the brokers said', async () => {
  const { reader, nowMs } = open(Number.POSITIVE_INFINITY)
  await assert.rejects(placeNewGroup(reader, 'group', 'work', 'start'), /NOT_LEADER_FOR_PARTITION/)
  assert.ok(nowMs() <= START_WITHIN_MS && nowMs() > START_WITHIN_MS - 2_000)
})

test('who asks something waits ten seconds, well below the session that a fetch loop must keep', async () => {
  const { reader, nowMs } = open(Number.POSITIVE_INFINITY)
  await assert.rejects(reader.persist('work', () => reader.ranges('work')))
  assert.ok(nowMs() <= ASK_WITHIN_MS && nowMs() > ASK_WITHIN_MS - 2_000)
})

test('what no waiting mends ends a start at once', async () => {
  const { reader, nowMs } = open(Number.POSITIVE_INFINITY, brokerError('TOPIC_AUTHORIZATION_FAILED', false))
  await assert.rejects(placeNewGroup(reader, 'group', 'work', 'start'), /TOPIC_AUTHORIZATION_FAILED/)
  assert.equal(nowMs(), 0)
})

test('a start that waits for the brokers ends when the log is closed', async () => {
  const { reader } = open(Number.POSITIVE_INFINITY)
  const starting = placeNewGroup(reader, 'group', 'work', 'start')
  await reader.close()
  await assert.rejects(starting, { code: 'NEWSWIRE_LOG_UNAVAILABLE' })
})

test('a topic that no broker knows is waited for as long as a new one takes, and our own refusals not at all', () => {
  const next = (error: unknown, elapsedMs: number) => pauseBeforeNext(error, { attempt: 3, elapsedMs, withinMs: START_WITHIN_MS })
  assert.equal(next(unknownTopic('work'), 1_000), 300)
  assert.equal(next(unknownTopic('work'), 1_900), null)
  assert.equal(next(new RejectError('NEWSWIRE_LOG_GROUP_ACTIVE', 'it has members'), 0), null)
  assert.equal(next(new Error('connect ECONNREFUSED'), 59_000), 300)
  assert.equal(next(new Error('connect ECONNREFUSED'), 59_800), null)
})
