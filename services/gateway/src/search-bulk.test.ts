import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { Fact } from '@newswire/events/fact'
import fc from 'fast-check'
import { makeLive, makeRetracted } from './sample-facts.ts'
import { type BulkRow, createBulkWriter, forgetSegments } from './search-bulk.ts'
import { createIndexWriter, searchSchema } from './search-index.ts'
import { createTerms } from './search-terms.ts'
import { createPreparing } from './search-text.ts'
import { createVocabulary, type Vocabulary } from './search-vocabulary.ts'

const open = (): DatabaseSync => {
  const db = new DatabaseSync(':memory:')
  db.exec(searchSchema)
  db.exec("INSERT INTO everywhere (everywhere, rank) VALUES ('automerge', 0)")
  return db
}

type Text = Readonly<{ place: number; text: string }>
const FILED = ['.all', 'p.press']

/** Texts by numbers, some transactions of them, as a rebuild writes them. */
const writeBulk = (db: DatabaseSync, batches: readonly (readonly Text[])[]): Vocabulary => {
  const bulk = createBulkWriter(db, 'everywhere')
  const terms = createTerms()
  const vocabulary = createVocabulary()
  for (const batch of batches) {
    forgetSegments(db)
    const rows = batch.map(({ place, text }): BulkRow => ({ place, terms: terms.number([text], FILED, false) }))
    vocabulary.learn(terms.takeWords())
    db.exec('BEGIN')
    bulk.write(rows, vocabulary)
    db.exec('COMMIT')
  }
  forgetSegments(db)
  return vocabulary
}
const writeUsual = (db: DatabaseSync, batches: readonly (readonly Text[])[]): void => {
  const index = db.prepare('INSERT INTO everywhere (rowid, terms) VALUES (?, CAST(? AS TEXT))')
  const terms = createTerms()
  for (const batch of batches) {
    db.exec('BEGIN')
    for (const { place, text } of batch) index.run(BigInt(place), terms.write([text], FILED, false))
    db.exec('COMMIT')
  }
}

const check = (db: DatabaseSync) => db.exec("INSERT INTO everywhere (everywhere) VALUES ('integrity-check')")
const mergeAll = (db: DatabaseSync) => db.exec("INSERT INTO everywhere (everywhere) VALUES ('optimize')")
const rowsOf = (db: DatabaseSync, sql: string): unknown => db.prepare(sql).all()
const pagesOf = (db: DatabaseSync) =>
  (rowsOf(db, 'SELECT id, block FROM everywhere_data ORDER BY id') as { id: number; block: Uint8Array }[]).map(
    ({ id, block }) => `${id} ${Buffer.from(block).toString('hex')}`,
  )
const find = (db: DatabaseSync, term: string): unknown =>
  db.prepare('SELECT rowid FROM everywhere WHERE everywhere MATCH ?').all(`"${term}"`)

/** Everything that FTS5 keeps of the table. */
const assertSame = (one: DatabaseSync, other: DatabaseSync): void => {
  assert.deepEqual(pagesOf(one), pagesOf(other))
  for (const behind of ['SELECT segid, hex(term), pgno FROM everywhere_idx', 'SELECT id, hex(sz), origin FROM everywhere_docsize'])
    assert.deepEqual(rowsOf(one, `${behind} ORDER BY 1, 2`), rowsOf(other, `${behind} ORDER BY 1, 2`))
}

const word = fc.constantFrom('hoà', 'Học', 'sinh', 'đường', 'a', 'ab', 'b', '中文', 'ไทย', '😀', 'x1', '1', 'từ'.repeat(20), 'ﷺ')
const text = fc.array(fc.oneof(word, fc.string({ unit: 'grapheme', maxLength: 6 })), { maxLength: 25 }).map(parts => parts.join(' '))
const batches = fc.array(fc.array(fc.record({ gap: fc.integer({ min: 1, max: 2 ** 33 }), text }), { minLength: 1, maxLength: 20 }), {
  minLength: 1,
  maxLength: 4,
})
/** Places fall with time, so that a later batch may lie before an earlier one. */
const placed = (given: readonly (readonly Readonly<{ gap: number; text: string }>[])[]): Text[][] => {
  let place = 2 ** 45
  return given.map(batch => {
    place -= 2 ** 40
    let at = place
    return batch.map(({ gap, text: one }) => {
      at += gap
      return { place: at, text: one }
    })
  })
}

test('an index whose segments were written from sorted terms is what FTS5 makes of the same texts, byte for byte once it has merged both', () => {
  fc.assert(
    fc.property(batches, given => {
      const [direct, usual] = [open(), open()]
      const all = placed(given)
      writeBulk(direct, all)
      writeUsual(usual, all)
      check(direct)
      for (const db of [direct, usual]) mergeAll(db)
      check(direct)
      // One segment is not merged with itself, and pages of it may break elsewhere.
      if (all.length > 1) assertSame(direct, usual)
      for (const term of ['.all', 'hoc', 'học', 'a_b', 'sinh_duong', '中', 'x1'])
        assert.deepEqual(find(direct, term), find(usual, term), term)
      direct.close()
      usual.close()
    }),
    { numRuns: 40 },
  )
})

test('terms of thousands of articles have an index of their rows, as FTS5 gives them one', () => {
  const [direct, usual] = [open(), open()]
  const all = [0, 1].map(batch =>
    Array.from({ length: 5_000 }, (_, at) => ({ place: 2 ** 45 - batch * 2 ** 42 + at * 300_000_000, text: `tin ${at % 97} ${at % 3}` })),
  )
  writeBulk(direct, all)
  writeUsual(usual, all)
  check(direct)
  const indexed = (db: DatabaseSync) => rowsOf(db, 'SELECT count(*) AS n FROM everywhere_idx WHERE pgno % 2 = 1')
  assert.notDeepEqual(indexed(direct), [{ n: 0 }])
  assert.deepEqual(indexed(direct), indexed(usual))
  const [{ place = 0 } = {}] = all[1]?.slice(3_000) ?? []
  for (const db of [direct, usual])
    assert.deepEqual(
      db
        .prepare('SELECT rowid FROM everywhere WHERE everywhere MATCH ? AND rowid >= CAST(? AS INTEGER) LIMIT 2')
        .all('"tin" AND ".all"', place)
        .map(row => row['rowid']),
      [place, place + 300_000_000],
    )
  for (const db of [direct, usual]) mergeAll(db)
  check(direct)
  assertSame(direct, usual)
})

test('what was written as a segment is changed, taken out and merged by FTS5 like its own', () => {
  const [direct, usual] = [open(), open()]
  const all = placed([
    [1, 2, 3].map(gap => ({ gap, text: 'học sinh đến trường' })),
    [1, 2, 3].map(gap => ({ gap, text: 'mưa lớn ở miền trung' })),
  ])
  writeBulk(direct, all)
  writeUsual(usual, all)
  for (const db of [direct, usual]) {
    const place = all[0]?.[1]?.place ?? 0
    db.prepare('DELETE FROM everywhere WHERE rowid = ?').run(place)
    assert.equal((find(db, 'hoc') as unknown[]).length, 2)
    db.prepare('INSERT INTO everywhere (rowid, terms) VALUES (?, ?)').run(BigInt(place), 'hoc nang')
    assert.equal((find(db, 'hoc') as unknown[]).length, 3)
    db.prepare('DELETE FROM everywhere WHERE rowid = ?').run(all[1]?.[0]?.place ?? 0)
    check(db)
    mergeAll(db)
    check(db)
  }
  assertSame(direct, usual)
})

test('another segment beside those that FTS5 has merged and made meanwhile has a number and an origin of its own', () => {
  const [direct, usual] = [open(), open()]
  const all = placed([1, 2, 3].map(batch => [1, 2].map(gap => ({ gap, text: `tin số ${batch} ${gap}` }))))
  for (const batch of all) {
    writeBulk(direct, [batch])
    writeUsual(usual, [batch])
    for (const db of [direct, usual]) mergeAll(db)
  }
  check(direct)
  assert.equal((find(direct, 'tin_so') as unknown[]).length, 6)
  // On which level a segment stands is FTS5's own affair.
  const isKept = (page: string) => !page.startsWith('10 ')
  assert.deepEqual(pagesOf(direct).filter(isKept), pagesOf(usual).filter(isKept))
})

const story = (n: number, version: number): Fact =>
  makeLive({
    articleId: `press.n${n}`,
    version,
    firstReleasedAt: new Date(Date.parse('2026-03-01T08:00:00.000Z') + (n % 70) * 1_000).toISOString(),
    article: { title: `Tin ${n} bản ${version}`, body: { html: `<p>học sinh ${n % 13} đường ${n % 7}</p>` } },
  })

/** Some of each batch are new, some take the place of what came before, some are taken back. */
const batchesOfVersions = (): Fact[][] => {
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at)
  const fresh = (from: number, to: number) => range(from, to).map(n => story(n, 1))
  return [
    fresh(0, 300),
    [
      ...fresh(300, 600),
      ...range(0, 50).map(n => story(n, 2)),
      ...range(60, 80).map(n => makeRetracted({ articleId: `press.n${n}`, version: 2 })),
    ],
    range(300, 400).map(n => story(n, 2)),
    [...fresh(600, 900), ...range(0, 50).map(n => story(n, 3)), ...range(850, 900).map(n => story(n, 2))],
  ]
}

const writeVersions = (db: DatabaseSync, isNumbered: boolean): void => {
  const index = createIndexWriter(db, { mostSegments: 64 })
  const preparing = createPreparing({ isNumbered })
  const vocabulary = createVocabulary()
  for (const batch of batchesOfVersions()) {
    if (isNumbered) index.forget()
    const versions = batch.map(preparing.prepare)
    vocabulary.learn(isNumbered ? preparing.takeWords() : { generation: 0, from: 0, texts: [] })
    db.exec('BEGIN')
    index.write(versions, preparing.takeCounts(), vocabulary)
    db.exec('COMMIT')
  }
}

test('an index has every article as its newest version is, whether FTS5 took it or it came in a segment', () => {
  const [direct, usual] = [open(), open()]
  writeVersions(direct, true)
  writeVersions(usual, false)
  const found = (db: DatabaseSync, term: string) =>
    db
      .prepare('SELECT id FROM shown WHERE place IN (SELECT rowid FROM everywhere WHERE everywhere MATCH ?) ORDER BY id')
      .all(`"${term}"`)
      .map(row => row['id'])
  const all = (db: DatabaseSync, term: string) => (find(db, term) as unknown[]).length
  for (const db of [direct, usual]) check(db)
  for (const term of ['.all', 'ban_1', 'ban_2', 'ban_3', 'học', 'sinh_4', 'duong_6', '17', 'p.press']) {
    assert.deepEqual(found(direct, term), found(usual, term), term)
    assert.equal(all(direct, term), found(direct, term).length, term)
  }
  assert.deepEqual([all(direct, '.all'), all(direct, 'ban_3'), all(direct, 'ban_2')], [880, 50, 150])
  for (const db of [direct, usual]) mergeAll(db)
  check(direct)
  assert.equal(all(direct, '.all'), 880)
})
