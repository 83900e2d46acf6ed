/** A follower of two leaders, of which one does not answer: on a cluster that answers as it is told. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { KafkaClient } from './kafka-client.ts'
import { followTopic } from './kafka-follow.ts'
import { createToLogRecord } from './kafka-record.ts'
import { isCurrent, UNREAD_MS } from './kafka-unread.ts'
import { sampleCluster } from './sample-cluster.ts'

const until = async (what: string, isSo: () => boolean) => {
  const deadline = performance.now() + 60_000
  while (!isSo()) {
    assert.ok(performance.now() < deadline, what)
    await wait(5)
  }
}

/** Partition 0 is led by broker 1, partition 1 by broker 2; `isAway` is about the second. */
const follow = async (t: TestContext) => {
  const asked = { '1': 0, '2': 0 }
  const state = { isAway: true }
  const fetchFrom = (nodeId: '1' | '2') => async () => {
    asked[nodeId] += 1
    await wait(1)
    if (nodeId === '2' && state.isAway) throw new Error('connect ETIMEDOUT')
    return { responses: [{ topicName: 'work', partitions: [{ partition: Number(nodeId) - 1, highWatermark: '0', messages: [] }] }] }
  }
  const cluster = {
    ...sampleCluster,
    fetchTopicsOffset: async () => [{ topic: 'work', partitions: [0, 1].map(partition => ({ partition, offset: '0' })) }],
    findLeaderForPartitions: () => ({ '1': [0], '2': [1] }),
    findBroker: async ({ nodeId }: { nodeId: '1' | '2' }) => ({ fetch: fetchFrom(nodeId) }),
  }
  const following = await followTopic({
    client: { cluster: () => cluster } as unknown as KafkaClient,
    epoch: 0,
    toLogRecord: createToLogRecord(0),
    topic: 'work',
    options: { topic: 'work', from: 'end', onRecords: () => undefined },
  })
  t.after(() => following.stop())
  return { following, asked, state }
}

test('a leader that cannot be reached is seen however often another one answers, and no more once it answers again', async t => {
  const { following, asked, state } = await follow(t)
  const begunMs = performance.now()
  await until('both to be asked several times', () => asked['1'] > 2 && asked['2'] > 2)
  for (const { '1': times } = { ...asked }; asked['1'] < times + 2; await wait(1)) {
    const { failingSinceMs } = following.state()
    assert.ok(failingSinceMs !== null && failingSinceMs <= begunMs, 'since it was asked first')
  }
  assert.equal(isCurrent(following.state().failingSinceMs, begunMs + UNREAD_MS), false)
  state.isAway = false
  await until('it to answer', () => isCurrent(following.state().failingSinceMs, begunMs + UNREAD_MS))
})

test('a leader that moves and a broker that restarts leave health as it is', () => {
  assert.equal(isCurrent(null, 50_000), true)
  assert.equal(isCurrent(41_000, 50_000), true)
  assert.equal(isCurrent(40_000, 50_000), false)
})
