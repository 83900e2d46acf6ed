import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { topicSpecs, topics } from '@newswire/events/topics'
import { createEmbeddedLog } from './embedded.ts'
import { lookAtEmbeddedLog, peekAtEmbeddedLog } from './embedded-look.ts'

const newFile = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-look-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'log.db')
}
const look = (file: string) => lookAtEmbeddedLog(file, topicSpecs, [topics.deliveries.name]) ?? assert.fail('nothing is there')
const record = (key: string) => ({ topic: topics.deliveries.name, key, value: Buffer.from('x') })

test('a look beside the owner sees topics, ends and what groups have not read, and takes nothing from the owner', async t => {
  const file = newFile(t)
  assert.equal(lookAtEmbeddedLog(file, topicSpecs), null)
  const log = await createEmbeddedLog({ file, fsync: 'full' })
  t.after(() => log.close({ drainMs: 0 }))
  await log.topics(topicSpecs, { apply: true })
  await log.replay('outlets', topics.deliveries.name, 'end')
  await log.publish(['a', 'b', 'c'].map(record), { synced: true })
  const beside = look(file)
  assert.ok(beside.topics.every(one => one.state === 'as-wanted'))
  assert.deepEqual([beside.wasClosed, beside.damage, beside.kept], [false, null, { deliveries: 3 }])
  assert.ok((beside.newestMs ?? 0) > 0)
  await log.publish([record('d')])
  await log.close()

  const closed = look(file)
  assert.deepEqual([closed.wasClosed, closed.kept], [true, { deliveries: 4 }])
  const newest = await closed.newest(topics.deliveries.name, 1)
  assert.deepEqual(
    newest.map(one => [one.key, one.value === null ? null : Buffer.from(one.value).toString()]),
    newest.map(one => [one.key, 'x']),
  )
  assert.equal(new Set(newest.map(one => one.partition)).size, newest.length, 'one of each partition that has any')
  assert.equal((await closed.newest(topics.deliveries.name, 4)).length, 4)
  assert.deepEqual(closed.lag, [{ group: 'outlets', topic: topics.deliveries.name, records: 4 }])
  const again = await createEmbeddedLog({ file, fsync: 'full' })
  t.after(() => again.close({ drainMs: 0 }))
  assert.deepEqual(await closed.ends(topics.deliveries.name), await again.ends(topics.deliveries.name))
})

test('a file that is no log is an error that names it', t => {
  const file = newFile(t)
  writeFileSync(file, 'not a database, by far not one'.repeat(200))
  assert.throws(() => lookAtEmbeddedLog(file, topicSpecs), { code: 'NEWSWIRE_LOG_UNAVAILABLE', message: /log\.db cannot be read/ })
})

test('a file whose maker was killed in its first moment has no log yet, and is no error', async t => {
  const file = newFile(t)
  const made = new DatabaseSync(`${file}.made`)
  t.after(() => made.close())
  made.exec('CREATE TABLE half (v BLOB); PRAGMA cache_size = 1; BEGIN')
  for (let row = 0; row < 50; row++) made.exec('INSERT INTO half VALUES (randomblob(3000))')
  // As a kill leaves it: what was written must be undone, and who only looks cannot.
  for (const end of ['', '-journal']) copyFileSync(`${file}.made${end}`, `${file}${end}`)
  assert.equal(peekAtEmbeddedLog(file), null)
  assert.equal(lookAtEmbeddedLog(file, topicSpecs), null)
})

test('its bytes are those on the disk, also what waits beside the file', async t => {
  const file = newFile(t)
  const log = await createEmbeddedLog({ file, fsync: 'full' })
  t.after(() => log.close({ drainMs: 0 }))
  await log.topics(topicSpecs, { apply: true })
  await log.publish([{ ...record('a'), value: Buffer.alloc(1_048_576) }], { synced: true })
  assert.ok(look(file).bytes > 1_048_576)
})
