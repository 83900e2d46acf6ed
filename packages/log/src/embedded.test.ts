import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { topicSpecs, topics } from '@newswire/events/topics'
import { createEmbeddedLog, type EmbeddedLogOptions } from './embedded.ts'
import { logContract, type MakeSubject } from './log.contract.ts'
import type { Log } from './log.ts'

const newFolder = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-log-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const opener = (options: EmbeddedLogOptions) => {
  const open: Log[] = []
  return {
    open: async () => {
      const log = await createEmbeddedLog(options)
      open.push(log)
      return log
    },
    closeAll: () => Promise.all(open.map(log => log.close({ drainMs: 100 }))),
  }
}

const make =
  (fsync: 'full' | 'normal'): MakeSubject =>
  async (t, options) => {
    const folder = mkdtempSync(join(tmpdir(), 'newswire-log-'))
    const file = join(folder, 'log.db')
    const { open, closeAll } = opener({ ...options, file, fsync, retryScale: 0.02 })
    t.after(async () => {
      await closeAll()
      rmSync(folder, { recursive: true, force: true })
    })
    const log = await open()
    return { log, target: { kind: 'embedded', file, fsync }, reopen: open, another: async () => log }
  }

logContract('embedded', make('full'), ['clock', 'single-owner', 'small-queue'])
logContract('embedded, fsync normal,', make('normal'), ['clock', 'single-owner', 'small-queue'])

const value = new TextEncoder().encode('x')

test('a topic of the embedded log has a third of the partitions, at least one', async t => {
  const folder = newFolder(t)
  const log = await createEmbeddedLog({ file: join(folder, 'log.db'), fsync: 'full' })
  for (const { name, partitions } of topicSpecs) assert.equal((await log.ends(name)).length, Math.max(1, Math.ceil(partitions / 3)), name)
  assert.deepEqual(new Set((await log.topics(topicSpecs)).map(one => one.state)), new Set(['as-wanted']))
  await log.close()
})

test('after an unclean end every partition goes on far above all that may have been lost; after a clean one it does not skip', async t => {
  const folder = newFolder(t)
  const file = join(folder, 'log.db')
  const topic = topics.configChanges.name
  const publish = async () => {
    const log = await createEmbeddedLog({ file, fsync: 'full' })
    const [published] = await log.publish([{ topic, key: 'k', value }])
    await log.close()
    return published?.position
  }
  assert.equal(await publish(), 0)
  assert.equal(await publish(), 1)
  // What a kill leaves: the mark that the file is open.
  const db = new DatabaseSync(file)
  db.exec("UPDATE meta SET value = 'open' WHERE name = 'state'")
  db.close()
  assert.equal(await publish(), 2 + 2 ** 20)
  assert.equal(await publish(), 3 + 2 ** 20)
  const log = await createEmbeddedLog({ file, fsync: 'full' })
  const read = await log.read({ topic, partition: 0, from: 'start', limit: 100 })
  assert.deepEqual(
    read.records.map(one => one.position),
    [0, 1, 2 + 2 ** 20, 3 + 2 ** 20],
  )
  assert.equal(read.next, read.end)
  await log.close()
})

test('the files of the log are for their owner and his group alone', { skip: process.platform === 'win32' }, async t => {
  const folder = newFolder(t)
  const log = await createEmbeddedLog({ file: join(folder, 'log.db'), fsync: 'normal' })
  t.after(() => log.close())
  await log.publish([{ topic: topics.submissions.name, key: 'press.a', value }])
  for (const name of ['log.db', 'log.db-wal', 'log.db-shm']) assert.equal(statSync(join(folder, name)).mode & 0o007, 0, name)
})

test('whoever reads the same past gets the same records, so that each is decoded once', async t => {
  const file = join(newFolder(t), 'log.db')
  const topic = topics.configChanges.name
  const before = await createEmbeddedLog({ file, fsync: 'normal' })
  await before.publish(['a', 'b', 'c'].map(key => ({ topic, key, value })))
  await before.close()
  const log = await createEmbeddedLog({ file, fsync: 'normal' })
  const read = async (from: 'start' | { positions: Record<number, number> }) =>
    (await log.read({ topic, partition: 0, from, limit: 10 })).records
  const [all, later] = await Promise.all([read('start'), read({ positions: { 0: 1 } })])
  assert.deepEqual([all.length, later.length], [3, 2])
  assert.ok(later.every((record, index) => record === all[index + 1]))
  await log.close()
})

test('a log file that is damaged is named, with what to do', async t => {
  const file = join(newFolder(t), 'log.db')
  const log = await createEmbeddedLog({ file, fsync: 'full' })
  await log.publish([{ topic: topics.configChanges.name, key: 'k', value }])
  await log.close()
  const bytes = readFileSync(file)
  writeFileSync(file, bytes.fill('x', 4096))
  await assert.rejects(createEmbeddedLog({ file, fsync: 'full' }), {
    code: 'NEWSWIRE_LOG_UNAVAILABLE',
    message: /log\.db cannot be (used|opened): .*malformed.*/,
  })
})

test('a folder that cannot be, and a file that is no log, are refused with what to do', async t => {
  const folder = newFolder(t)
  writeFileSync(join(folder, 'file'), 'not a folder')
  const isUnavailable = (error: unknown) =>
    (error as { code?: unknown }).code === 'NEWSWIRE_LOG_UNAVAILABLE' && /cannot be/.test(String(error))
  await assert.rejects(createEmbeddedLog({ file: join(folder, 'file', 'log.db'), fsync: 'full' }), isUnavailable)
  writeFileSync(join(folder, 'other.db'), 'this is not a database at all, but it is long enough to be looked at'.repeat(100))
  await assert.rejects(createEmbeddedLog({ file: join(folder, 'other.db'), fsync: 'full' }), isUnavailable)
  mkdirSync(join(folder, 'deep'), { recursive: true })
  const log = await createEmbeddedLog({ file: join(folder, 'deep', 'er', 'log.db'), fsync: 'normal' })
  await log.close()
})

test('a log far larger than what the WAL may hold is written and read back whole while it is moved into the file', async t => {
  const folder = newFolder(t)
  const errors: Error[] = []
  const log = await createEmbeddedLog({ file: join(folder, 'log.db'), fsync: 'full', onError: error => errors.push(error) })
  const topic = topics.milestones.name
  const large = new Uint8Array(100_000).fill(65)
  for (let i = 0; i < 100; i += 1)
    await log.publish(Array.from({ length: 10 }, (_, k) => ({ topic, key: `${k}`, value: large, headers: { n: `${i}` } })))
  let seen = 0
  const following = await log.follow({
    topic,
    from: 'start',
    onRecords: records => {
      seen += records.length
    },
  })
  await following.ready
  assert.equal(seen, 1000)
  await log.close()
  assert.deepEqual(errors, [])
})

test('closing ends although whoever follows is not done, as one that waits for room on a full disk', async t => {
  const log = await createEmbeddedLog({ file: join(newFolder(t), 'log.db'), fsync: 'normal' })
  const given = Promise.withResolvers<void>()
  await log.follow({
    topic: topics.milestones.name,
    from: 'start',
    onRecords: () => {
      given.resolve()
      return new Promise<void>(() => undefined)
    },
  })
  await log.publish([{ topic: topics.milestones.name, key: 'a', value, headers: {} }])
  await given.promise
  await log.close({ drainMs: 50 })
})
