/** What a search index does beside following the log, on a disk that is full for a while: SQLite refuses as it would (https://sqlite.org/pragma.html#pragma_max_page_count). */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { makeLive } from './sample-facts.ts'
import { createIndexWriter, searchSchema } from './search-index.ts'
import { createMerging } from './search-merging.ts'
import { createSeeding } from './search-seeding.ts'
import { createPreparing } from './search-text.ts'

const until = async (holds: () => boolean): Promise<void> => {
  for (const deadline = Date.now() + 60_000; !holds(); await setTimeout(1))
    if (Date.now() > deadline) throw new Error('it did not come about')
}

const open = (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-search-'))
  const db = new DatabaseSync(join(folder, 'index.db'))
  t.after(() => {
    db.close()
    rmSync(folder, { recursive: true, force: true })
  })
  db.exec(searchSchema)
  const index = createIndexWriter(db, { mostSegments: 64 })
  const preparing = createPreparing({ isNumbered: false })
  const prepare = (ids: readonly string[]) => {
    const versions = ids.map(id => preparing.prepare(makeLive({ articleId: `press.${id}`, article: { title: `Tin ${id}` } })))
    const counts = preparing.takeCounts()
    return () => index.write(versions, counts)
  }
  const write = (ids: readonly string[]) => {
    db.exec('BEGIN')
    prepare(ids)()
    db.exec('COMMIT')
  }
  const numberOf = (sql: string): number => Object.values(db.prepare(sql).get() as Record<string, number>)[0] as number
  return {
    db,
    index,
    prepare,
    write,
    numberOf,
    fill: () => db.exec(`PRAGMA max_page_count = ${numberOf('PRAGMA page_count')}`),
    empty: () => db.exec('PRAGMA max_page_count = 1000000'),
  }
}
const many = (name: string) => Array.from({ length: 300 }, (_, number) => `${name}-${number}`)

test('merging that a full disk refuses is no failure, and goes on once there is room', async t => {
  const { db, index, write, numberOf, fill, empty } = open(t)
  db.exec("INSERT INTO everywhere (everywhere, rank) VALUES ('automerge', 0)")
  for (const name of ['a', 'b', 'c', 'd', 'e']) write(many(name))
  const segments = () => numberOf('SELECT count(DISTINCT segid) FROM everywhere_idx')
  const before = segments()
  assert.ok(before > 1)
  fill()
  let asked = 0
  const onAsk = () => {
    asked += 1
    index.touched()
  }
  const merging = createMerging({ db, onAsk, onFailed: error => assert.fail(error as Error), afterMs: 5 })
  t.after(merging.stop)
  merging.live()
  await until(() => asked > 10)
  assert.equal(segments(), before)
  empty()
  await until(() => segments() === 1)
  db.exec("INSERT INTO everywhere (everywhere) VALUES ('integrity-check')")
})

test('merging that fails for good is told, and begins nothing once it is stopped', async t => {
  const { db } = open(t)
  db.exec('DROP TABLE everywhere')
  const failures: unknown[] = []
  const merging = createMerging({ db, onAsk: () => undefined, onFailed: error => failures.push(error), afterMs: 1 })
  merging.live()
  await until(() => failures.length === 2)
  merging.stop()
  merging.live()
  assert.equal(failures.length, 2)
})

test('facts that a full disk refuses are written once there is room, in their order, with their words, and nobody may give more meanwhile', async t => {
  const { db, prepare, numberOf, fill, empty } = open(t)
  const turns: number[] = []
  const written: number[] = []
  let attempts = 0
  const seeding = createSeeding({
    db,
    prepare: ids => {
      const write = prepare(ids)
      return () => {
        attempts += 1
        write()
      }
    },
    onTurn: () => turns.push(attempts),
    onWritten: facts => written.push(facts),
    againMs: 1,
  })
  t.after(seeding.stop)
  fill()
  const puts = [seeding.put(many('first')), seeding.put(['second'])]
  await until(() => attempts > 3)
  assert.deepEqual([turns.length, written], [1, []])
  empty()
  await Promise.all(puts)
  await seeding.written()
  assert.deepEqual(written, [300, 1])
  assert.equal(numberOf('SELECT count(*) FROM article'), 301)
  assert.equal(numberOf("SELECT times FROM word WHERE word = 'tin'"), 301)
})

test('facts that cannot be written for good are told, and those behind them are tried all the same', async t => {
  const { db, numberOf, prepare } = open(t)
  const seeding = createSeeding({
    db,
    prepare: ids => (ids[0] === 'bad' ? () => db.exec('INSERT INTO nowhere VALUES (1)') : prepare(ids)),
    onTurn: () => undefined,
    onWritten: () => undefined,
  })
  const good = [seeding.put(['bad']), seeding.put(['good'])]
  await assert.rejects(good[0] as Promise<void>, /nowhere/)
  await good[1]
  assert.equal(numberOf('SELECT count(*) FROM article'), 1)
  seeding.stop()
  await seeding.put(['late'])
  assert.equal(numberOf('SELECT count(*) FROM article'), 1)
})
