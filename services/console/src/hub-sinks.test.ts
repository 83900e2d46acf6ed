import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ArticleTrace, SinkTrace } from '@newswire/trace/queries'
import { countForAWhile, withHubSinks } from './hub-sinks.ts'

const sink = (kind: string, id: string, state = 'done'): SinkTrace => ({
  kind,
  id,
  state,
  version: 2,
  attempts: null,
  nextAt: null,
  lastError: null,
  reason: null,
  doneAt: null,
})
const version = (number: number, sinks: readonly SinkTrace[]) => ({
  version: number,
  action: 'updated',
  submissionId: 's',
  releasedAt: '2026-01-01T00:00:00.000Z',
  stages: [],
  sinks,
})
const trace: ArticleTrace = {
  articleId: 'press.a',
  title: null,
  versions: [
    version(1, [sink('feed', 'all')]),
    version(2, [sink('feed', 'all'), sink('feed', 'late', 'pending'), sink('feed', 'quiet'), sink('outlet', 'all'), sink('feed', 'busy')]),
  ],
  submissions: [],
}
const COUNTS: Readonly<Record<string, { live: number; pending: number; failing: number }>> = {
  all: { live: 1_000, pending: 0, failing: 0 },
  late: { live: 5, pending: 0, failing: 0 },
  quiet: { live: 0, pending: 0, failing: 0 },
  busy: { live: 10, pending: 3, failing: 1 },
}

test('each feed with subscribers that shows the newest version is one sink, however many they are', async () => {
  const { versions } = await withHubSinks(trace, async feedId => COUNTS[feedId] ?? null)
  assert.deepEqual(versions[0], trace.versions[0])
  assert.deepEqual(
    versions[1]?.sinks.filter(one => one.kind === 'hub').map(({ id, state, reason }) => [id, state, reason]),
    [
      ['all', 'done', '1000 subscribers have the feed as it stands'],
      ['busy', 'retrying', '3 of 10 subscribers have still to get the feed as it stands, 1 of them fail'],
    ],
  )
})

test('a store that is away, and an article that was never released, change nothing', async () => {
  assert.equal(await withHubSinks(trace, async () => null), trace)
  const never = { ...trace, versions: [] }
  assert.equal(await withHubSinks(never, async () => COUNTS.all ?? null), never)
})

test('subscribers are read once for all who ask within ten seconds', async () => {
  let [reads, nowMs] = [0, 0]
  const count = countForAWhile(
    async () => {
      reads += 1
      if (reads === 2) throw new Error('away')
      return { live: reads, pending: 0, failing: 0 }
    },
    () => nowMs,
  )
  assert.equal((await count('all'))?.live, 1)
  nowMs = 9_999
  assert.equal((await count('all'))?.live, 1)
  nowMs = 10_000
  assert.equal(await count('all'), null)
  nowMs = 20_000
  assert.equal((await count('all'))?.live, 3)
})
