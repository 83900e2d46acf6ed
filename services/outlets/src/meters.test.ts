import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from '@newswire/runtime/metrics'
import { createHubMeters, createMeters } from './meters.ts'

type Stats = ReturnType<Parameters<ReturnType<typeof createMeters>['watch']>[0]>
type HubStats = ReturnType<Parameters<ReturnType<typeof createHubMeters>['watch']>[0]>

test('what went to another process is told by that one alone', async t => {
  let at = 0
  t.mock.method(performance, 'now', () => at)
  const metrics = createMetrics({ processMetrics: false })
  let outlets = [{ id: 'x', backlog: 7, oldestSinceMs: 400_000 }] as unknown as Stats
  let subscribers = [{ feedId: 'all', backlog: 3, oldestSinceMs: 400_000 }] as unknown as HubStats
  createMeters(metrics, () => 1_000_000).watch(() => outlets)
  createHubMeters(metrics, () => 1_000_000).watch(() => subscribers)
  const told = async () => (await metrics.text()).split('\n').filter(line => /^newswire_\w*(?:backlog|oldest_pending_seconds)\{/.test(line))
  assert.equal((await told()).length, 4)
  outlets = []
  subscribers = []
  at += 10_000
  assert.deepEqual(await told(), [])
})
