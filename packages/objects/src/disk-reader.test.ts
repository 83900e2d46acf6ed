import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { createDiskObjects } from './disk.ts'
import { openDiskReader } from './disk-reader.ts'

const newRoot = (t: TestContext): string => {
  const root = mkdtempSync(join(tmpdir(), 'newswire-reader-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  return root
}

test('a store whose maker was killed before its table was there is none yet, for who looks, and is made by who opens it', async t => {
  const root = newRoot(t)
  const file = join(root, 'objects.db')
  writeFileSync(file, '')
  assert.throws(() => openDiskReader(root), { code: 'NEWSWIRE_OBJECTS_MISSING' })
  const made = new DatabaseSync(join(root, 'made'))
  t.after(() => made.close())
  made.exec('CREATE TABLE half (v BLOB); PRAGMA cache_size = 1; BEGIN')
  for (let row = 0; row < 50; row++) made.exec('INSERT INTO half VALUES (randomblob(3000))')
  // As a kill leaves it: what was written must be undone, and who only looks cannot.
  for (const end of ['', '-journal']) copyFileSync(`${join(root, 'made')}${end}`, `${file}${end}`)
  assert.throws(() => openDiskReader(root), { code: 'NEWSWIRE_OBJECTS_MISSING' })
  const objects = await createDiskObjects({ root, fsync: 'normal' })
  t.after(() => objects.close())
  const reader = openDiskReader(root)
  t.after(() => reader.close())
  assert.equal(await reader.get('a'), null)
})

test('a file that is no store is an error that says so', t => {
  const root = newRoot(t)
  writeFileSync(join(root, 'objects.db'), 'not a database, by far not one'.repeat(200))
  assert.throws(() => openDiskReader(root), { code: 'NEWSWIRE_OBJECTS_UNAVAILABLE' })
})
