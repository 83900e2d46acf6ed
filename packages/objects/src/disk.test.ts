import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type FileHandle, mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { RejectError, UnavailableError } from '@newswire/events/errors'
import { createDiskObjects } from './disk.ts'
import { objectsContract } from './objects.contract.ts'

const freshFolder = async (t: TestContext): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'newswire-objects-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

for (const fsync of ['full', 'normal'] as const) {
  objectsContract(`the disk, fsync ${fsync}`, async t => {
    const root = join(await freshFolder(t), 'store')
    const openBroken = async () => {
      const objects = await createDiskObjects({ root, fsync })
      await objects.put('a', Buffer.from('x'))
      await rm(root, { recursive: true })
      return objects
    }
    return { settings: { kind: 'disk', root, fsync }, openBroken }
  })
}

test('a folder has one owner: a second store is refused by name until the first is closed', async t => {
  const root = await freshFolder(t)
  const first = await createDiskObjects({ root, fsync: 'full' })
  const inUse = (error: unknown) =>
    error instanceof RejectError && error.code === 'NEWSWIRE_OBJECTS_IN_USE' && error.message.includes(`process ${process.pid}`)
  await assert.rejects(createDiskObjects({ root, fsync: 'full' }), inUse)
  await first.close()
  await first.close()
  const second = await createDiskObjects({ root, fsync: 'full' })
  await second.close()
})

test('a folder in use by another process is refused, and free once that process is killed', { timeout: 30_000 }, async t => {
  const root = await freshFolder(t)
  const settings = JSON.stringify({ kind: 'disk', root, fsync: 'normal' })
  const child = spawn(process.execPath, [fileURLToPath(new URL('./contract-child.ts', import.meta.url)), settings], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  await assert.rejects(createDiskObjects({ root, fsync: 'full' }), { code: 'NEWSWIRE_OBJECTS_IN_USE' })
  child.stdout.resume()
  child.kill('SIGKILL')
  await once(child, 'exit')
  await (await createDiskObjects({ root, fsync: 'full' })).close()
})

test('a folder that cannot be used is told as unavailable at the start', async t => {
  const folder = await freshFolder(t)
  await writeFile(join(folder, 'file'), 'x')
  await assert.rejects(createDiskObjects({ root: join(folder, 'file'), fsync: 'full' }), UnavailableError)
  await writeFile(join(folder, 'objects.db'), 'no database at all, but long enough to be taken for one'.repeat(40))
  await assert.rejects(createDiskObjects({ root: folder, fsync: 'full' }), UnavailableError)
})

test('a folder whose owner cannot be noted is told as unavailable, and free afterwards', async t => {
  const root = await freshFolder(t)
  await mkdir(join(root, 'owner'))
  await assert.rejects(createDiskObjects({ root, fsync: 'full' }), UnavailableError)
  await rm(join(root, 'owner'), { recursive: true })
  await (await createDiskObjects({ root, fsync: 'full' })).close()
})

test('what is made on the disk is for its owner and his group alone', { skip: process.platform === 'win32' }, async t => {
  const root = join(await freshFolder(t), 'data', 'objects')
  const objects = await createDiskObjects({ root, fsync: 'full' })
  t.after(() => objects.close())
  for (const folder of [root, dirname(root)]) assert.equal((await stat(folder)).mode & 0o007, 0, folder)
})

test('a closed store is unavailable', async t => {
  const objects = await createDiskObjects({ root: await freshFolder(t), fsync: 'full' })
  await objects.close()
  await assert.rejects(objects.get('a'), UnavailableError)
  await assert.rejects(objects.put('a', Buffer.from('x')), UnavailableError)
})

test('puts that were in hand at the close are committed', async t => {
  const root = await freshFolder(t)
  const first = await createDiskObjects({ root, fsync: 'full' })
  const puts = Array.from({ length: 50 }, (_, n) => first.put(`a/${n}`, Buffer.from('x')))
  await Promise.all([first.close(), ...puts])
  const second = await createDiskObjects({ root, fsync: 'full' })
  t.after(() => second.close())
  assert.equal((await second.list('a/')).length, 50)
})

test('files of large bodies go with their objects, and what a crash left goes at the next start', async t => {
  const root = await freshFolder(t)
  const large = Buffer.alloc(1024 * 1024)
  const files = () => readdir(join(root, 'large'))
  const first = await createDiskObjects({ root, fsync: 'full' })
  await first.put('a', large)
  await first.put('b', large)
  await first.put('a', Buffer.from('small now'))
  assert.equal((await first.put('b', Buffer.alloc(1024 * 1024, 1), { ifNoneMatch: '*' })).ok, false)
  assert.equal((await files()).length, 1)
  await first.delete('b')
  assert.deepEqual(await files(), [])
  await first.put('c', large)
  await first.close()
  await writeFile(join(root, 'large', 'left-over'), 'x')
  const second = await createDiskObjects({ root, fsync: 'full' })
  t.after(() => second.close())
  assert.equal((await files()).length, 1)
  assert.equal((await second.get('c'))?.bytes.byteLength, large.byteLength)
})

/** Names and sizes of what was synced from now on, folders as size 0. */
const watchSyncs = async (t: TestContext): Promise<readonly number[]> => {
  const any = await open(fileURLToPath(import.meta.url), 'r')
  const methods = Object.getPrototypeOf(any) as Pick<FileHandle, 'datasync' | 'sync'>
  await any.close()
  const sizes: number[] = []
  for (const name of ['datasync', 'sync'] as const) {
    const real = methods[name]
    t.mock.method(methods, name, async function (this: FileHandle) {
      await real.call(this)
      const stat = await this.stat()
      sizes.push(stat.isDirectory() ? 0 : stat.size)
    })
  }
  return sizes
}

for (const fsync of ['full', 'normal'] as const) {
  test(`fsync ${fsync}: a large body is on disk with its name before a row names it, also one that may be lost`, async t => {
    const root = await freshFolder(t)
    const objects = await createDiskObjects({ root, fsync })
    t.after(() => objects.close())
    const synced = await watchSyncs(t)
    const large = Buffer.alloc(1024 * 1024, 1)
    await objects.put('a', large, { durable: false })
    assert.deepEqual(synced, [large.byteLength, 0])
  })

  test(`fsync ${fsync}: a file stays until the commit that lets it go is on disk`, async t => {
    const root = await freshFolder(t)
    const files = () => readdir(join(root, 'large'))
    const objects = await createDiskObjects({ root, fsync })
    t.after(() => objects.close())
    const large = Buffer.alloc(300 * 1024, 1)
    await objects.put('a', large)
    const [first = ''] = await files()
    await objects.put('a', Buffer.from('small now'), { durable: false })
    assert.deepEqual(await readFile(join(root, 'large', first)), large)
    // Without a durable change it goes all the same, with those that came to lie there after it.
    for (let n = 0; n < 70; n++) await objects.put('b', Buffer.alloc(300 * 1024, n), { durable: false })
    assert.ok(!(await files()).includes(first))
    assert.ok((await files()).length < 70)
    if (fsync === 'normal') return
    await objects.put('c', Buffer.from('durable'))
    assert.equal((await files()).length, 1)
  })
}

test('what a store refuses because it cannot be written leaves no bodies behind, however often it is tried', async t => {
  const root = await freshFolder(t)
  const objects = await createDiskObjects({ root, fsync: 'full' })
  t.after(() => objects.close())
  await objects.put('a', Buffer.from('x'))
  const other = new DatabaseSync(join(root, 'objects.db'))
  t.after(() => other.close())
  // A full disk, as far as the writer can tell.
  other.exec("CREATE TRIGGER full BEFORE INSERT ON objects BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END")
  for (let n = 0; n < 3; n++) await assert.rejects(objects.put('b', Buffer.alloc(300 * 1024, n)), UnavailableError)
  other.exec('DROP TRIGGER full')
  await objects.put('c', Buffer.from('room again'))
  assert.deepEqual(await readdir(join(root, 'large')), [])
})

test('an idle store keeps no process alive', { timeout: 20_000 }, async t => {
  const root = await freshFolder(t)
  const source = `const { createDiskObjects } = await import(${JSON.stringify(new URL('./disk.ts', import.meta.url).href)})
    const objects = await createDiskObjects({ root: ${JSON.stringify(root)}, fsync: 'full' })
    await objects.put('a', Buffer.from('x'))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: 'inherit' })
  assert.deepEqual(await once(child, 'exit'), [0, null])
})
