import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

test('an idle store keeps no process alive', { timeout: 20_000 }, async t => {
  const root = await freshFolder(t)
  const source = `const { createDiskObjects } = await import(${JSON.stringify(new URL('./disk.ts', import.meta.url).href)})
    const objects = await createDiskObjects({ root: ${JSON.stringify(root)}, fsync: 'full' })
    await objects.put('a', Buffer.from('x'))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: 'inherit' })
  assert.deepEqual(await once(child, 'exit'), [0, null])
})
