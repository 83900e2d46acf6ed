import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { eventually, spec } from './contract-kit.ts'
import { createEmbeddedLog } from './embedded.ts'
import { createCount } from './embedded-count.ts'
import type { PartitionState } from './embedded-file.ts'

const BASE = 2 ** 40
const partition = (): PartitionState => ({
  topic: 'work',
  number: 0,
  base: BASE,
  start: 0,
  next: 0,
  lastMs: 0,
  tail: [],
  tailBytes: 0,
  blocks: new Map(),
})

/** A table with records at these positions, and how many each answer looked at. */
const withRecords = (t: TestContext, positions: Iterable<number>) => {
  const db = new DatabaseSync(':memory:')
  t.after(() => db.close())
  db.exec('CREATE TABLE rec (id INTEGER PRIMARY KEY)')
  const insert = db.prepare('INSERT INTO rec (id) VALUES (?)')
  db.exec('BEGIN')
  for (const position of positions) insert.run(BASE + position)
  db.exec('COMMIT')
  let looked = 0
  const watched = {
    prepare: (sql: string) => {
      const statement = db.prepare(sql)
      return {
        get: (from: number, to: number) => {
          const found = statement.get(from, to) as { records?: number } | undefined
          looked += found?.records ?? 0
          return found
        },
      }
    },
  } as unknown as DatabaseSync
  const count = createCount(watched)
  const state = partition()
  return (from: number, to: number) => {
    looked = 0
    return { records: count(state, from, to), looked }
  }
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index)

test('a long backlog is counted a little at a time, and exact in the end', t => {
  const count = withRecords(t, [...range(0, 20_000).filter(position => position % 3 !== 0), ...range(20_000, 30_000)])
  const exact = range(100, 30_000).filter(position => position >= 20_000 || position % 3 !== 0).length
  let last = Number.POSITIVE_INFINITY
  for (let answers = 0; last !== exact; answers += 1) {
    assert.ok(answers < 50, `${last} after ${answers} answers, wanted ${exact}`)
    const { records, looked } = count(100, 30_000)
    assert.ok(records >= exact && records <= last)
    assert.ok(looked <= 4_000, `${looked} records were looked at in one answer`)
    last = records
  }
})

test('a short one is exact at once, wherever it begins and ends', t => {
  const count = withRecords(
    t,
    range(0, 3_000).filter(position => position % 7 !== 0),
  )
  for (const [from, to] of [
    [0, 0],
    [5, 5],
    [0, 512],
    [511, 513],
    [1, 1_025],
    [600, 700],
    [2_999, 3_000],
    [1_000, 2_500],
  ] as const)
    assert.equal(count(from, to).records, range(from, to).filter(position => position % 7 !== 0).length, `${from} to ${to}`)
})

test('a hole of a billion positions is no backlog, and is passed over at once', t => {
  const count = withRecords(t, [...range(0, 700), ...range(2 ** 30, 2 ** 30 + 700), 2 ** 31])
  const before = performance.now()
  for (let answers = 0; answers < 3; answers += 1) assert.equal(count(0, 2 ** 31 + 1_000_000).records, 1_401)
  assert.ok(performance.now() - before < 500)
})

test('what time removes is no longer counted', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-count-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const clock = { nowMs: Date.parse('2026-01-01T00:00:00Z') }
  const specs = [spec({ name: 'work', partitions: 1, cleanup: 'compact', retentionMs: 1_000 })]
  const log = await createEmbeddedLog({ file: join(folder, 'log.db'), fsync: 'normal', specs, now: () => clock.nowMs, retentionEveryMs: 5 })
  t.after(() => log.close({ drainMs: 0 }))
  const endless = (signal: AbortSignal) => new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
  await log.subscribe({ topic: 'work', group: 'g', handle: (_, { signal }) => endless(signal) })
  await log.publish(Array.from({ length: 2_000 }, (_, n) => ({ topic: 'work', key: `k${n % 10}`, value: new Uint8Array(1) })))
  const behind = async () => (await log.lag('g')).reduce((sum, one) => sum + one.records, 0)
  assert.equal(await behind(), 2_000)
  clock.nowMs += 10_000
  await log.publish([{ topic: 'work', key: 'new', value: new Uint8Array(1) }])
  await eventually(
    () => 'eleven are left',
    async () => (await behind()) === 11,
  )
})
