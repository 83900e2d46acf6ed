/** Against whoever can write to the store: what is put beside what is signed is shown to nobody, and found. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256Hex } from '@newswire/events/ids'
import { getArchived, readArchived } from '@newswire/objects/archived'
import { keys } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import { closeOnce } from './close.ts'
import { erase } from './erase.ts'
import { signedLines } from './manifest.ts'
import type { PurgeRecord } from './purged.ts'
import { newestOfDay } from './read-days.ts'
import { closed, ID, purgeOf, verifyLive } from './sample-purge.ts'
import { openSigner } from './signing.ts'

const DAY = '2026/03/01'

test('a text that is planted loose beside its pack is shown to nobody, and is a conflict to the verifier', async t => {
  const { archive, key, signed, forged } = await closed(t)
  const { objects } = archive
  await objects.put(key, forged)
  assert.deepEqual(Buffer.from((await readArchived(objects, key)) ?? []), signed)
  const version = await getArchived(objects, ID, 1)
  assert.equal(version?.fact.state === 'live' && version.fact.article.title, 'Đã ký')
  const read = (await newestOfDay(objects, DAY)).find(one => one.newest.fact.articleId === ID)
  assert.equal(read?.live?.fact.state === 'live' && read.live.fact.article.title, 'Đã ký', 'nor exported or rebuilt from')
  const { ok, wrong } = await verifyLive(archive)
  assert.deepEqual([ok, wrong?.path, wrong?.what.startsWith('conflict')], [false, key, true])
})

test('a native payload that is planted beside its pack is read by nobody, and is a conflict to the verifier', async t => {
  const { archive, native } = await closed(t)
  await archive.objects.put(native, Buffer.from('{"headline": "Giả mạo"}'))
  assert.doesNotMatch(Buffer.from((await readArchived(archive.objects, native)) ?? []).toString(), /Giả mạo/)
  const { ok, wrong } = await verifyLive(archive)
  assert.deepEqual([ok, wrong?.path, wrong?.what.startsWith('conflict')], [false, native, true])
})

test('the next version is chained to what is packed, and not to what was planted beside it', async t => {
  const { archive, key, forged } = await closed(t)
  await archive.objects.put(key, forged)
  await archive.add(ID, 2, 'Tiếp theo')
  await archive.objects.delete(key)
  await closeOnce(archive.needs)
  assert.equal((await verifyLive(archive)).wrong, undefined)
})

test('the same bytes once more beside their pack are a repeat: no conflict, and gone with the next closing', async t => {
  const { archive, key, signed } = await closed(t)
  await archive.objects.put(key, signed)
  const verdict = await verifyLive(archive)
  assert.deepEqual([verdict.wrong, verdict.open], [undefined, 0])
  await closeOnce(archive.needs)
  assert.equal(await archive.objects.get(key), null)
  assert.deepEqual(Buffer.from((await readArchived(archive.objects, key)) ?? []), signed)
})

const packOf = async (objects: Objects): Promise<string> => {
  for await (const page of listPages(objects, keys.archivePacksOf(DAY))) for (const { key } of page) if (key.endsWith('.gz')) return key
  throw new Error('no pack')
}

test('a repeat is the only good copy when its pack is damaged: it stays, and is what readers get', async t => {
  const { archive, key, signed } = await closed(t)
  const { objects } = archive
  const pack = await packOf(objects)
  const bytes = Uint8Array.from((await objects.get(pack))?.bytes ?? [])
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 0xff
  for (const damaged of [bytes, null]) {
    if (damaged === null) await objects.delete(pack)
    else await objects.put(pack, damaged)
    await objects.put(key, signed)
    await closeOnce(archive.needs)
    assert.deepEqual(Buffer.from((await objects.get(key))?.bytes ?? []), signed, 'it stays')
    assert.deepEqual(Buffer.from((await readArchived(objects, key)) ?? []), signed)
  }
})

test('what was purged and comes back loose is found once the purge is done', async t => {
  const { archive, key, signed } = await closed(t)
  const { objects, needs } = archive
  const { keepPurged, settle } = purgeOf(archive)
  await keepPurged()
  await settle()
  assert.equal((await verifyLive(archive)).wrong, undefined)
  await objects.put(key, signed)
  const { ok, wrong } = await verifyLive(archive)
  assert.deepEqual([ok, wrong?.path, wrong?.what], [false, key, 'it was purged by law, and is still there'])
  await closeOnce(needs)
  assert.equal((await verifyLive(archive)).wrong, undefined, 'the closer removes it')
})

test('a record of a purge that is put in once more under another name is found', async t => {
  const { archive } = await closed(t)
  const { objects } = archive
  const { keepPurged, settle } = purgeOf(archive)
  await keepPurged()
  await settle()
  const record = (await objects.get(keys.archivePurged(ID, 1)))?.bytes ?? new Uint8Array()
  for (const name of [keys.archivePurged(ID, 2), `${keys.archivePurgedOf(ID)}00001.jsonl`, `${keys.archivePurgedOf(ID)}more/0001.jsonl`]) {
    await objects.put(name, record)
    const { ok, wrong } = await verifyLive(archive)
    assert.deepEqual([ok, wrong], [false, { path: name, what: `it is record 1 of ${ID}, and lies elsewhere` }])
    await objects.delete(name)
  }
  assert.equal((await verifyLive(archive)).wrong, undefined)
})

test('a record of a purge is shown as pending until a manifest lists it, and then no more', async t => {
  const { archive } = await closed(t)
  const { keepPurged, settle } = purgeOf(archive)
  await keepPurged()
  const before = await verifyLive(archive)
  assert.deepEqual([before.wrong, before.pending], [undefined, 1])
  await settle()
  const after = await verifyLive(archive)
  assert.deepEqual([after.wrong, after.pending], [undefined, 0])
})

test('a record excuses what its own article lost, and nothing of another', async t => {
  const world = await closed(t)
  const { archive } = world
  const { objects } = archive
  const signer = await openSigner(archive.needs)
  const { keepPurged } = purgeOf(archive)
  await keepPurged()
  // The key that is in use, and a record of another article: only whoever holds that key can do this, so it is the record's own words that must fit.
  const held = Buffer.from((await objects.get(keys.archivePurged(ID, 1)))?.bytes ?? []).toString()
  const record = JSON.parse(held.split('\n')[0] ?? '') as PurgeRecord
  const other = keys.archive('2026-03-01T08:00:00.000Z', 'press.b', 1)
  const bytes = (await readArchived(objects, other)) ?? new Uint8Array()
  const { keyId: _, ...said } = { ...record, removed: [...record.removed, { key: other, sha256: sha256Hex(bytes), bytes: 1, manifest: 1 }] }
  await objects.put(keys.archivePurged(ID, 1), Buffer.from(`${signedLines(said, signer).join('\n')}\n`))
  await erase(objects, [{ key: other }])
  const { ok, wrong } = await verifyLive(archive)
  assert.deepEqual([ok, wrong?.path], [false, other])
})

test('an article is not said to be purged while the manifest that lists it is gone', async t => {
  const { archive, key, signed } = await closed(t)
  const { objects } = archive
  await archive.add('press.c', 1)
  await closeOnce(archive.needs)
  const manifest = keys.archiveManifest(1)
  const held = (await objects.get(manifest))?.bytes ?? new Uint8Array()
  const { keepPurged, settle } = purgeOf(archive)
  await assert.rejects(
    keepPurged(() => objects.delete(manifest)),
    { code: 'NEWSWIRE_ARCHIVE_GONE' },
  )
  assert.deepEqual(Buffer.from((await readArchived(objects, key)) ?? []), signed)
  await objects.put(manifest, held)
  await settle()
  assert.equal(await readArchived(objects, key), null)
  assert.equal((await verifyLive(archive)).wrong, undefined)
})
