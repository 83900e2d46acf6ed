import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRounds } from './rounds.ts'

test('a round that is asked for while one runs follows it, and one that fails is tried again', async t => {
  const runs: (() => void)[] = []
  let failures = 0
  let fail = true
  const rounds = createRounds({
    run: () => new Promise<void>((resolve, reject) => runs.push(() => (fail ? reject(new Error('away')) : resolve()))),
    everyMs: 3_600_000,
    retryMs: 1,
    onError: () => {
      failures += 1
    },
  })
  t.after(() => rounds.stop())
  const runsReach = async (count: number) => {
    const deadline = Date.now() + 60_000
    while (runs.length < count) {
      assert.ok(Date.now() < deadline, `run ${count} did not begin`)
      await new Promise(setImmediate)
    }
  }
  rounds.request()
  runs[0]?.()
  await runsReach(2)
  assert.equal(failures, 1)
  fail = false
  rounds.request()
  rounds.request()
  runs[1]?.()
  await runsReach(3)
  runs[2]?.()
  assert.equal(runs.length, 3)
})
