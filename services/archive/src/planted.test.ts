/** Against whoever can write to the store: what is put beside what is signed is shown to nobody, and found. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { LiveFact } from '@newswire/events/fact'
import { sha256Hex } from '@newswire/events/ids'
import { getArchived, readArchived } from '@newswire/objects/archived'
import { keys } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import { closeOnce } from './close.ts'
import { createCloser } from './closer.ts'
import { inPlace } from './copy.ts'
import { erase } from './erase.ts'
import { keepVersion } from './keep.ts'
import { signedLines } from './manifest.ts'
import { createPackedHashes } from './packed-hashes.ts'
import { purge } from './purge.ts'
import type { PurgeRecord } from './purged.ts'
import { newestOfDay } from './read-days.ts'
import { openSampleArchive, type SampleArchive, sampleFact } from './sample-archive.ts'
import { openSigner, readKeys, rotateKey, type Signer } from './signing.ts'
import { verifyCopy } from './verify-copy.ts'

const DAY = '2026/03/01'
const ID = 'press.a'

const open = async (t: TestContext): Promise<SampleArchive> => {
  const archive = await openSampleArchive()
  t.after(() => archive.close())
  return archive
}

const verifyLive = async ({ objects }: SampleArchive) => {
  const found = await readKeys(objects)
  assert.ok(found)
  return verifyCopy(inPlace(objects), found.value, { isLive: true })
}

/** One version of two articles, packed; what the first one is packed as. */
const closed = async (t: TestContext) => {
  const archive = await open(t)
  const fact = await archive.add(ID, 1, 'Đã ký')
  await archive.add('press.b', 1)
  await closeOnce(archive.needs)
  await archive.objects.put(keys.current(ID), Buffer.from(JSON.stringify({ released: { fact } })))
  const key = keys.archive(fact.firstReleasedAt, ID, 1)
  const native = keys.native(fact.publisher, fact.releasedAt, fact.submissionId)
  const signed = Buffer.from((await readArchived(archive.objects, key)) ?? [])
  const forged = Buffer.from(signed.toString().replaceAll('Đã ký', 'Giả mạo'))
  assert.notDeepEqual(signed, forged)
  return { archive, key, native, signed, forged }
}

const purgeOf = (archive: SampleArchive) => {
  const { article: _, ...common } = sampleFact(ID, 2, { text: '', atMs: archive.clock.nowMs }) as LiveFact
  const fact = { ...common, state: 'purged' as const, action: 'purged' as const, reason: 'court order', by: 'An' }
  const { objects } = archive
  return {
    keepPurged: async () => {
      const needs = { objects, packed: createPackedHashes(objects, Date.now), isPurged: () => false }
      await keepVersion(needs, { eventId: 'purge-event', time: fact.releasedAt, fact })
      await purge(archive.needs, fact)
    },
    settle: async () => {
      const closer = createCloser({ ...archive.needs, owns: () => true })
      await closer.close()
      await closer.stop()
    },
  }
}

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

/** A record that says that the first version was purged, with a signature by `signer`; and the version is gone. */
const forgePurge = async ({ archive, key, signed }: Awaited<ReturnType<typeof closed>>, signer: Signer) => {
  const { objects } = archive
  const found = await readArchived(objects, key)
  assert.deepEqual(Buffer.from(found ?? []), signed)
  const said: Omit<PurgeRecord, 'keyId'> = {
    schema: 'newswire.archive.purge/1',
    articleId: ID,
    part: 1,
    at: '2026-03-01T09:00:00.000Z',
    by: 'nobody',
    reason: 'none',
    keeps: keys.archive('2026-03-01T08:00:00.000Z', ID, 2),
    removed: [{ key, sha256: sha256Hex(signed), bytes: signed.byteLength, manifest: 1 }],
    milestones: [],
    pictures: [],
    renditions: [],
  }
  await objects.put(keys.archivePurged(ID, 1), Buffer.from(`${signedLines(said, signer).join('\n')}\n`))
  await erase(objects, [{ key }])
}

test('a record of a purge that a retired key signed hides no deletion', async t => {
  const world = await closed(t)
  const { archive } = world
  const old = await openSigner(archive.needs)
  await rotateKey(archive.needs, 1)
  for (const id of ['press.c', 'press.d']) {
    await archive.add(id, 1)
    await closeOnce(archive.needs)
  }
  assert.equal((await verifyLive(archive)).wrong, undefined)
  await forgePurge(world, old)
  const { ok, wrong } = await verifyLive(archive)
  assert.deepEqual([ok, wrong?.path, /no longer in use/.test(wrong?.what ?? '')], [false, keys.archivePurged(ID, 1), true])
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

test('a record of a purge that goes on to be listed is valid also when the key was rotated in between, before and after', async t => {
  for (const when of ['before', 'between', 'after'] as const) {
    const { archive } = await closed(t)
    const { keepPurged, settle } = purgeOf(archive)
    if (when === 'before') await rotateKey(archive.needs, 1)
    await keepPurged()
    if (when === 'between') await rotateKey(archive.needs, 1)
    assert.equal((await verifyLive(archive)).wrong, undefined, when)
    await settle()
    if (when === 'after') await rotateKey(archive.needs, 2)
    await archive.add('press.c', 1)
    await closeOnce(archive.needs)
    await closeOnce(archive.needs)
    assert.equal((await verifyLive(archive)).wrong, undefined, when)
  }
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
