/** Manifests, packs, and the verifier that a partner runs. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { getArchived, listArchived, readArchived } from '@newswire/objects/archived'
import { keys } from '@newswire/objects/keys'
import { listKeys } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import { closeOnce } from './close.ts'
import { copyArchive } from './copy.ts'
import { newestManifest, readManifest } from './finish.ts'
import { openSampleArchive, SAMPLE_DAY_MS, type SampleArchive } from './sample-archive.ts'
import { readKeys, rotateKey } from './signing.ts'
import { openFolder, verifyCopy } from './verify-copy.ts'

const open = async (t: TestContext): Promise<SampleArchive> => {
  const archive = await openSampleArchive()
  t.after(() => archive.close())
  return archive
}
const folderOf = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-copy-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
const keysOf = async (objects: Objects) => {
  const found = await readKeys(objects)
  assert.ok(found)
  return found.value
}
const verifyFolder = async (folder: string, objects: Objects) => verifyCopy(openFolder(folder), await keysOf(objects))
const released = (objects: Objects, fact: unknown, articleId: string) =>
  objects.put(keys.current(articleId), Buffer.from(JSON.stringify({ released: { fact } })))

test('a closed day is one pack and its index, nothing of it lies loose, and every version reads as before', async t => {
  const { objects, needs, add } = await open(t)
  const facts = [await add('press.a', 1), await add('press.a', 2), await add('press.Ab', 1)]
  await released(objects, facts[1], 'press.a')
  const before = await getArchived(objects, 'press.a', 1)
  const { outcome, manifest } = await closeOnce(needs)
  assert.equal(outcome, 'closed')
  assert.deepEqual(
    manifest.entries.map(one => one.key).filter(key => /\/v\d+\.json$/.test(key)),
    ['archive/2026/03/01/press.a/v0001.json', 'archive/2026/03/01/press.a/v0002.json', 'archive/2026/03/01/press.ab~1s/v0001.json'].map(
      key => key.replace('press.ab~1s', keys.current('press.Ab').slice('current/'.length, -'.json'.length)),
    ),
  )
  assert.deepEqual(await listKeys(objects, 'archive/2026/'), [])
  assert.deepEqual(await listKeys(objects, 'native/'), [])
  assert.deepEqual(await listKeys(objects, keys.archiveStagedPrefix), [])
  const days = new Set((await listKeys(objects, keys.archivePackPrefix)).map(key => key.slice(0, 'archive/packs/2026/03/01'.length)))
  assert.ok(days.has('archive/packs/2026/03/01'))
  assert.deepEqual(await getArchived(objects, 'press.a', 1), before)
  assert.deepEqual(await listArchived(objects, 'press.a'), [1, 2])
  const native = keys.native('press', facts[0]?.releasedAt ?? '', facts[0]?.submissionId ?? '')
  assert.match(Buffer.from((await readArchived(objects, native)) ?? []).toString(), /\n {2}"headline": "Bản tin số 1/)
})

test('a native payload that no milestone tells of any more, because the log was lost, is listed by its version', async t => {
  const { objects, needs, add, clock } = await open(t)
  const told = await add('press.a', 1, undefined, { receivedAt: new Date(clock.nowMs).toISOString() })
  clock.nowMs = Date.now() // its id alone has the time, as of whoever waited for an embargo
  const waited = await add('press.b', 1)
  const ends: typeof needs.log.ends = async topic => (topic === 'milestones' ? [] : needs.log.ends(topic))
  const { manifest } = await closeOnce({ ...needs, log: { ...needs.log, ends } })
  const natives = [told, waited].map(fact => keys.native('press', fact.releasedAt, fact.submissionId))
  assert.deepEqual(
    manifest.entries.filter(one => one.key.startsWith(keys.nativePrefix)).map(one => [one.article, one.key]),
    [
      ['press.a', natives[0]],
      ['press.b', natives[1]],
    ],
  )
  assert.deepEqual(await listKeys(objects, keys.nativePrefix), [])
  assert.equal((await closeOnce(needs)).manifest.entries.filter(one => one.key.startsWith(keys.nativePrefix)).length, 0, 'once')
})

test('a manifest lists what was archived since the one before it, wherever its date puts it, and the copy proves it', async t => {
  const { objects, needs, add, clock } = await open(t)
  await add('press.a', 1)
  await closeOnce(needs)
  clock.nowMs += SAMPLE_DAY_MS
  await add('press.a', 2)
  await add('press.old', 1, 'Từ năm 2019', { firstReleasedAt: '2019-05-05T00:00:00.000Z' })
  const { manifest } = await closeOnce(needs)
  assert.deepEqual(
    manifest.entries.map(one => one.key).filter(key => /\/v\d+\.json$/.test(key)),
    ['archive/2019/05/05/press.old/v0001.json', 'archive/2026/03/01/press.a/v0002.json'],
  )
  assert.equal(manifest.head.previousSha256, (await readManifest(objects, 1))?.sha256)
  const folder = folderOf(t)
  const copied = await copyArchive(objects, folder)
  assert.equal(copied.manifests, 2)
  const verdict = await verifyFolder(folder, objects)
  assert.deepEqual([verdict.ok, verdict.wrong, verdict.versions, verdict.natives], [true, undefined, 3, 3])
  assert.ok(verdict.ledger >= 3)
})

test('the verifier is one file that proves a copy with plain Node and nothing installed', async t => {
  const { objects, needs, add } = await open(t)
  await add('press.a', 1)
  await closeOnce(needs)
  const folder = folderOf(t)
  await copyArchive(objects, folder)
  writeFileSync(join(folder, 'newswire-keys.json'), JSON.stringify(await keysOf(objects)))
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, ['verify-copy.ts', '.', 'newswire-keys.json'], { cwd: folder })
  assert.equal(JSON.parse(stdout).ok, true)
  assert.deepEqual(
    (await readFile(join(folder, 'verify-copy.ts'), 'utf8')).match(/from '(?!node:)[^']*'/g),
    null,
    'it imports nothing but what Node has',
  )
})

test('a copy made again fetches only what is new', async t => {
  const { objects, needs, add } = await open(t)
  await add('press.a', 1)
  await closeOnce(needs)
  const folder = folderOf(t)
  const first = await copyArchive(objects, folder)
  const again = await copyArchive(objects, folder)
  assert.ok(first.fetched > 2)
  assert.equal(again.fetched, 1, 'the keys')
  await add('press.b', 1)
  await closeOnce(needs)
  assert.ok((await copyArchive(objects, folder)).fetched < first.fetched + 2)
  assert.equal((await verifyFolder(folder, objects)).ok, true)
})

test('a copy that was made before there was a manifest is gone on with', async t => {
  const { objects, needs, add } = await open(t)
  await add('press.a', 1)
  // As a copy finds it while the packs of the first manifest are being made.
  const held = { get: objects.get, head: objects.head, list: objects.list }
  await closeOnce(needs)
  const list: typeof objects.list = async (prefix, ...rest) =>
    prefix === keys.archiveStagedPrefix
      ? [{ key: keys.archiveStaged(1, 'a'.repeat(64)), size: 1, etag: '', lastModified: new Date(0) }]
      : objects.list(prefix, ...rest)
  const folder = folderOf(t)
  assert.equal((await copyArchive({ ...held, list }, folder)).manifests, 0)
  assert.equal((await copyArchive(objects, folder)).manifests, 1)
  assert.equal((await verifyFolder(folder, objects)).ok, true)
})

test('what is told once more after it was packed is archived once', async t => {
  const { objects, needs, add } = await open(t)
  const fact = await add('press.a', 1)
  const key = keys.archive(fact.firstReleasedAt, 'press.a', 1)
  const bytes = await readArchived(objects, key)
  await closeOnce(needs)
  await objects.put(key, bytes ?? new Uint8Array())
  const { manifest } = await closeOnce(needs)
  assert.deepEqual(manifest.entries, [])
  assert.equal(await objects.get(key), null)
})

test('a rewritten version beside a packed one is listed nowhere, and the signed one is what is read', async t => {
  const { objects, needs, add } = await open(t)
  const fact = await add('press.a', 1)
  await closeOnce(needs)
  await assert.rejects(add('press.a', 1, 'History, rewritten'), { code: 'NEWSWIRE_ARCHIVE_CONFLICT' })
  const key = keys.archive(fact.firstReleasedAt, 'press.a', 1)
  await objects.put(key, Buffer.from('{}'))
  const { manifest } = await closeOnce(needs)
  assert.equal(
    manifest.entries.some(one => one.key === key),
    false,
  )
})

test('keys are rotated: what the old one signed still holds, and it is good for nothing new', async t => {
  const { objects, needs, add } = await open(t)
  await add('press.a', 1)
  await closeOnce(needs)
  const old = (await keysOf(objects)).keys[0]
  const kid = await rotateKey(needs, () => newestManifest(objects))
  await add('press.b', 1)
  const { manifest } = await closeOnce(needs)
  await closeOnce(needs)
  assert.equal(manifest.head.keyId, kid)
  assert.notEqual(kid, old?.kid)
  const folder = folderOf(t)
  await copyArchive(objects, folder)
  assert.equal((await verifyFolder(folder, objects)).ok, true)
  const all = await keysOf(objects)
  const stolen = { ...all, keys: all.keys.map(key => (key.kid === kid ? { ...key, untilManifest: 2 } : key)) }
  const verdict = await verifyCopy(openFolder(folder), stolen)
  assert.match(`${verdict.wrong?.path} ${verdict.wrong?.what}`, /00000003\.jsonl key .* was not in use for manifest 3/)
  const withoutOld = { ...all, keys: all.keys.filter(key => key.kid === kid) }
  assert.match((await verifyCopy(openFolder(folder), withoutOld)).wrong?.what ?? '', /not among the published ones/)
})

test('one day is verified alone, and a fault of another day is not looked for', async t => {
  const { objects, needs, add } = await open(t)
  await add('press.a', 1)
  await add('press.old', 1, 'Từ năm 2019', { firstReleasedAt: '2019-05-05T00:00:00.000Z' })
  await closeOnce(needs)
  const folder = folderOf(t)
  await copyArchive(objects, folder)
  const [pack = ''] = (await listKeys(objects, 'archive/packs/2019/')).filter(key => key.endsWith('.gz'))
  await cp(join(folder, 'README.txt'), join(folder, pack))
  const all = await keysOf(objects)
  assert.equal((await verifyCopy(openFolder(folder), all, { days: ['2026-03-01'] })).versions, 1)
  const verdict = await verifyCopy(openFolder(folder), all, { days: ['2019-05-05'] })
  assert.deepEqual([verdict.ok, verdict.wrong?.path], [false, pack])
})

test('a running system is verified in place: what is not closed yet is counted and no offence', async t => {
  const { objects, needs, add } = await open(t)
  await add('press.a', 1)
  await closeOnce(needs)
  await add('press.b', 1)
  const live = { list: () => listKeys(objects, keys.archivePrefix), read: async (path: string) => (await objects.get(path))?.bytes ?? null }
  const verdict = await verifyCopy(live, await keysOf(objects), { isLive: true })
  assert.deepEqual([verdict.ok, verdict.open], [true, 1])
})
