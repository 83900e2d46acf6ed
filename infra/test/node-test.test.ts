import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readCounts, runNodeTest } from './node-test.ts'

const counts = (more: Record<string, number>) =>
  JSON.stringify({ counts: { passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0, ...more } })

test('cancelled tests count as failed, and reasons of skipped tests are counted', () => {
  const text = [
    JSON.stringify({ skipped: 'a', reason: 'no broker' }),
    JSON.stringify({ skipped: 'b', reason: 'no broker' }),
    counts({ passed: 3, cancelled: 1, skipped: 2 }),
  ]
  const result = readCounts(text.join('\n'), false)
  assert.deepEqual(result.counts, { passed: 3, failed: 1, skipped: 2 })
  assert.deepEqual([...result.reasons], [['no broker', 2]])
  assert.equal(result.ok, false)
})

test('a run that broke before it could count is a failure', () => {
  assert.deepEqual(readCounts('', true), { counts: { passed: 0, failed: 1, skipped: 0 }, reasons: new Map(), ok: false })
})

test('a run that counted no failure but ended badly is a failure', () => {
  assert.equal(readCounts(counts({ passed: 1 }), false).counts.failed, 1)
})

test('a run of real files is counted as node counted it, a test that never ends included', async t => {
  const root = await mkdtemp(join(tmpdir(), 'newswire-phase-'))
  t.after(() => rm(root, { recursive: true }))
  await writeFile(
    join(root, 'some.test.ts'),
    `import { test } from 'node:test'
     test('passes', () => undefined)
     test('fails', () => { throw new Error('on purpose') })
     test('is skipped', { skip: 'because' }, () => undefined)
     test('hangs', async () => await new Promise(resolve => setTimeout(resolve, 2_000)))`,
  )
  // The outer run tells its children by this variable what they are, and inner runs must not believe it.
  const before = process.env['NODE_TEST_CONTEXT']
  delete process.env['NODE_TEST_CONTEXT']
  t.after(() => {
    if (before !== undefined) process.env['NODE_TEST_CONTEXT'] = before
  })
  const phase = {
    title: 'trial',
    files: ['some.test.ts'],
    concurrency: 1,
    timeoutMs: 500,
    deadlineMs: 30_000,
    env: {},
    output: 'ignore' as const,
  }
  const result = await runNodeTest(root, root, phase, t.signal)
  assert.equal(result.ok, false)
  assert.equal(result.counts.passed, 1)
  assert.equal(result.counts.skipped, 1)
  assert.ok(result.counts.failed >= 2)
  assert.deepEqual([...result.reasons], [['because', 1]])
})
