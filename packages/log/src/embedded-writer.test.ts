import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { bytes, record, spec } from './contract-kit.ts'
import { openLogFile } from './embedded-file.ts'
import type { WalSync } from './embedded-sync.ts'
import { createEmbeddedWriter, type WriterOptions } from './embedded-writer.ts'
import type { NewRecord } from './log.ts'

const one = spec({ partitions: 1 })
const derived = spec({ partitions: 1, synced: false })

/** A disk whose syncs the test answers. */
const createDisk = () => {
  const waiting: Array<(error: Error | null) => void> = []
  const sync: WalSync = { request: done => void waiting.push(done), close: () => undefined }
  return { sync, waiting }
}

const openWriter = (t: TestContext, over: Partial<WriterOptions> = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-writer-'))
  const file = openLogFile(join(folder, 'log.db'), false)
  t.after(() => {
    file.close()
    rmSync(folder, { recursive: true, force: true })
  })
  file.setUp([one, derived], true)
  const committed: string[][] = []
  const writer = createEmbeddedWriter({
    file,
    sync: null,
    now: Date.now,
    alsoWrite: () => () => undefined,
    onCommitted: topics => committed.push([...topics]),
    ...over,
  })
  const count = () => (file.db.prepare('SELECT count(*) AS n FROM rec').get() as { n: number }).n
  return { writer, committed, count, db: file.db }
}

const hasCode = (code: string) => (error: unknown) => (error as { code?: unknown }).code === code

/** Settled already? */
const isSettled = async (promise: Promise<unknown>): Promise<boolean> => {
  const pending = Symbol('pending')
  return (await Promise.race([promise.catch(() => null), new Promise(resolve => setImmediate(resolve, pending))])) !== pending
}

test('calls of one turn are one commit', async t => {
  const { writer, committed } = openWriter(t)
  await Promise.all(Array.from({ length: 10 }, (_, i) => writer.publish([record(one.name, `${i}`, 'x')])))
  assert.deepEqual(committed, [[one.name]])
})

test('what needs the disk waits for the sync that began after its commit, and what does not need it does not wait', async t => {
  const { sync, waiting } = createDisk()
  const { writer, count } = openWriter(t, { sync })
  const synced = writer.publish([record(one.name, 'k', 'x')])
  await writer.publish([record(derived.name, 'k', 'x')])
  const asked = writer.publish([record(derived.name, 'k', 'x')], { synced: true })
  assert.equal(await isSettled(synced), false)
  assert.equal(await isSettled(asked), false)
  assert.equal(count(), 3)
  for (const done of waiting.splice(0)) done(null)
  await Promise.all([synced, asked])
  await writer.flush()
})

test('a sync that failed is final: whoever waited and whoever comes later is refused', async t => {
  const { sync, waiting } = createDisk()
  const { writer } = openWriter(t, { sync })
  const published = writer.publish([record(one.name, 'k', 'x')])
  await writer.publish([record(derived.name, 'k', 'x')])
  for (const done of waiting.splice(0)) done(new Error('EIO'))
  await assert.rejects(published, hasCode('NEWSWIRE_LOG_UNAVAILABLE'))
  await assert.rejects(writer.publish([record(derived.name, 'k', 'x')]), /EIO/)
  assert.match(writer.failure()?.message ?? '', /EIO/)
})

test('a disk that does not answer costs a publisher no more than its time', async t => {
  const { sync } = createDisk()
  const { writer } = openWriter(t, { sync })
  await assert.rejects(writer.publish([record(one.name, 'k', 'x')], { timeoutMs: 20 }), hasCode('NEWSWIRE_LOG_UNAVAILABLE'))
  await writer.flush()
})

test('one call that cannot be written costs its neighbours of the turn nothing, and leaves no hole', async t => {
  const { writer, count } = openWriter(t)
  const bad = { topic: one.name, key: 'k', value: bytes('x'), headers: { n: 1n } } as unknown as NewRecord
  const [first, broken, last] = await Promise.allSettled([
    writer.publish([record(one.name, 'k', '1')]),
    writer.publish([record(one.name, 'k', '2'), bad]),
    writer.publish([record(one.name, 'k', '3')]),
  ])
  assert.equal(broken?.status, 'rejected')
  assert.deepEqual(
    [first, last].map(result => result?.status === 'fulfilled' && result.value[0]?.position),
    [0, 1],
  )
  assert.equal(count(), 2)
  assert.equal(writer.failure(), null)
})

test('a file that refuses writes is said so, and the next write that succeeds is said so too', async t => {
  const { writer, db } = openWriter(t)
  db.exec('PRAGMA query_only = 1')
  await assert.rejects(writer.publish([record(one.name, 'k', 'x')]), hasCode('NEWSWIRE_LOG_UNAVAILABLE'))
  assert.ok(writer.failure())
  db.exec('PRAGMA query_only = 0')
  const [published] = await writer.publish([record(one.name, 'k', 'x')])
  assert.equal(published?.position, 0)
  assert.equal(writer.failure(), null)
})

test('while a checkpoint holds the file nothing is written, and everything after it', async t => {
  const { writer, count } = openWriter(t)
  writer.hold()
  const published = writer.publish([record(one.name, 'k', 'x')])
  assert.equal(await isSettled(published), false)
  assert.equal(count(), 0)
  writer.release()
  await published
})

test('a call given up while it waits is not written', async t => {
  const { writer, count } = openWriter(t)
  const giveUp = new AbortController()
  writer.hold()
  const published = writer.publish([record(one.name, 'k', 'x')], { signal: giveUp.signal })
  giveUp.abort(new Error('the client is gone'))
  await assert.rejects(published, /the client is gone/)
  writer.release()
  await writer.publish([record(one.name, 'k', 'y')])
  assert.equal(count(), 1)
})
