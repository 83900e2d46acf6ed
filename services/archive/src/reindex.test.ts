/** The index of the archive made again: from packs without one, from what lies loose, and never with what was purged. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { changeWanted, readWanted } from '@newswire/objects/archive-wanted'
import { getArchived, listArchived, readArchived } from '@newswire/objects/archived'
import { keys } from '@newswire/objects/keys'
import { listKeys } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import { closeOnce } from './close.ts'
import { createCloser } from './closer.ts'
import { newestManifest, readManifest } from './finish.ts'
import { addReindexed, NOTHING_REINDEXED, reindexManifest } from './reindex.ts'
import { openSampleArchive, SAMPLE_DAY_MS, type SampleArchive } from './sample-archive.ts'
import { ID, purgeOf, verifyLive } from './sample-purge.ts'

const reindexAll = async ({ objects, needs }: SampleArchive) => {
  let all = NOTHING_REINDEXED
  const newest = await newestManifest(objects)
  for (let number = 1; number <= newest; number++) all = addReindexed(all, await reindexManifest(needs, number))
  return all
}

/** Everything that is packed, byte for byte. */
const readPacks = async (objects: Objects) => {
  const found = new Map<string, string>()
  for (const key of await listKeys(objects, keys.archivePackPrefix))
    found.set(key, Buffer.from((await objects.get(key))?.bytes ?? []).toString('base64'))
  return found
}

/** Two closed days with texts that need many gzip members, some of them without any order that would help. */
const open = async (t: TestContext) => {
  const archive = await openSampleArchive()
  t.after(() => archive.close())
  const { objects, needs, clock, add } = archive
  const fact = await add(ID, 1, 'Đã ký')
  for (let at = 0; at < 6; at++) await add(`press.n${at}`, 1, `Bản tin ${at} `.repeat(6_000))
  await closeOnce(needs)
  clock.nowMs += SAMPLE_DAY_MS
  await add('press.later', 1, 'Hôm sau')
  await closeOnce(needs)
  await objects.put(keys.current(ID), Buffer.from(JSON.stringify({ released: { fact } })))
  const indexes = async () => (await listKeys(objects, keys.archivePackPrefix)).filter(key => key.endsWith('.index.jsonl'))
  const packs = async () => (await listKeys(objects, keys.archivePackPrefix)).filter(key => key.endsWith('.gz'))
  return { ...archive, fact, indexes, packs }
}

test('an index that is as it should be is left as it is', async t => {
  const archive = await open(t)
  const before = await readPacks(archive.objects)
  const { packs, ...rest } = await reindexAll(archive)
  assert.deepEqual(rest, { made: 0, packed: 0, lost: 0 })
  assert.equal(packs, (await archive.indexes()).length)
  assert.deepEqual(await readPacks(archive.objects), before)
})

test('indexes that are lost, or are none, are made again from the packs byte for byte, and everything is read and proved as before', async t => {
  const archive = await open(t)
  const { objects } = archive
  const before = await readPacks(objects)
  const version = await getArchived(objects, ID, 1)
  const all = await archive.indexes()
  for (const [at, key] of all.entries())
    if (at % 3 === 2) await objects.put(key, Buffer.from('{"half'))
    else await objects.delete(key)
  assert.deepEqual(await reindexAll(archive), { packs: all.length, made: all.length, packed: 0, lost: 0 })
  assert.deepEqual(await readPacks(objects), before)
  assert.deepEqual(await getArchived(objects, ID, 1), version)
  assert.deepEqual(await listArchived(objects, ID), [1])
  assert.equal((await verifyLive(archive)).ok, true)
  assert.equal((await reindexAll(archive)).made, 0, 'again it finds nothing to do')
})

test('an index that names another pack, or another place in it, is made again', async t => {
  const archive = await open(t)
  const { objects } = archive
  const before = await readPacks(objects)
  const [first = '', second = ''] = await archive.indexes()
  const text = async (key: string) => Buffer.from((await objects.get(key))?.bytes ?? []).toString()
  await objects.put(first, Buffer.from((await text(first)).replace(/"offset":0,/, '"offset":1,')))
  await objects.put(second, Buffer.from((await text(second)).replace(/-([0-9a-f]{16})\.gz/, '-0123456789abcdef.gz')))
  assert.equal((await reindexAll(archive)).made, 2)
  assert.deepEqual(await readPacks(objects), before)
})

test('a pack that is gone is made again from what lies loose, and a damaged one from what is left of it and that', async t => {
  const archive = await open(t)
  const { objects } = archive
  const wanted = new Map<string, Uint8Array>()
  for (let number = 1; number <= (await newestManifest(objects)); number++)
    for (const { key } of (await readManifest(objects, number))?.entries ?? []) {
      const bytes = await readArchived(objects, key)
      if (bytes !== null) wanted.set(key, Uint8Array.from(bytes))
    }
  const [pack = ''] = [...(await archive.packs())].sort(
    (a, b) => Number(b.includes('2026/03/01')) - Number(a.includes('2026/03/01')) || (a < b ? -1 : 1),
  )
  const held = Buffer.from((await objects.get(pack))?.bytes ?? [])
  const damaged = Buffer.from(held)
  damaged.fill(0, damaged.length - 40)
  await objects.put(pack, damaged)
  const lost = await reindexAll(archive)
  assert.ok(lost.lost > 0, 'its end is gone')
  assert.ok((await archive.packs()).includes(pack), 'what is left of it is for people to save')
  for (const [key, bytes] of wanted) if ((await readArchived(objects, key)) === null) await objects.put(key, bytes)
  const mended = await reindexAll(archive)
  assert.deepEqual([mended.lost, mended.packed], [0, 1])
  for (const [key, bytes] of wanted) assert.deepEqual(Buffer.from((await readArchived(objects, key)) ?? []), Buffer.from(bytes), key)
  assert.equal((await verifyLive(archive)).ok, true)
})

test('what nothing holds any more is counted as lost, and no index says that it was purged', async t => {
  const archive = await open(t)
  const { objects } = archive
  const [index = ''] = await archive.indexes()
  for (const pack of await archive.packs()) if (pack.startsWith(index.slice(0, -'.index.jsonl'.length))) await objects.delete(pack)
  await objects.delete(index)
  const { lost, made } = await reindexAll(archive)
  assert.ok(lost > 0)
  assert.equal(made, 0)
  assert.equal(await objects.get(index), null)
  assert.equal((await verifyLive(archive)).ok, false)
})

test('what was purged while its index was lost does not come back with it', async t => {
  const archive = await open(t)
  const { objects, fact } = archive
  const native = keys.native(fact.publisher, fact.releasedAt, fact.submissionId)
  await purgeOf(archive).keepPurged()
  await purgeOf(archive).settle()
  for (const key of await archive.indexes()) await objects.delete(key)
  assert.equal((await reindexAll(archive)).lost, 0)
  for (const key of [native, keys.archive(fact.firstReleasedAt, ID, 1)]) assert.equal(await readArchived(objects, key), null)
  for (const [key, packed] of await readPacks(objects))
    if (key.endsWith('.gz')) assert.equal(gunzipSync(Buffer.from(packed, 'base64')).includes('Đã ký'), false, key)
  assert.equal((await verifyLive(archive)).ok, true)
})

test('a purge on a day whose index is lost takes its own out of the packs, and nothing of others', async t => {
  const archive = await open(t)
  const { objects, fact } = archive
  const others = ['press.n1', 'press.n4', 'press.later'].map(id => keys.archive(fact.firstReleasedAt, id, 1))
  const read = () => Promise.all(others.map(key => readArchived(objects, key)))
  const before = await read()
  const lost = (await archive.indexes()).filter(key => key.includes('/00000002-'))
  assert.ok(
    lost.some(key => key.includes('2026/03/01')),
    'of the day of the purged article',
  )
  for (const index of lost) await objects.delete(index)
  assert.equal((await read()).at(-1), null)
  await purgeOf(archive).keepPurged()
  await purgeOf(archive).settle()
  assert.deepEqual(await read(), before)
  assert.equal((await reindexAll(archive)).lost, 0)
  for (const [key, packed] of await readPacks(objects)) {
    const bytes = Buffer.from(packed, 'base64')
    if (key.endsWith('.gz')) assert.equal(gunzipSync(bytes).includes('Đã ký'), false, key)
  }
  assert.equal((await verifyLive(archive)).ok, true)
})

test('somebody who purges between the look at the packs and the index of them is obeyed', async t => {
  const archive = await open(t)
  const { objects, fact } = archive
  const key = keys.archive(fact.firstReleasedAt, ID, 1)
  for (const index of await archive.indexes()) await objects.delete(index)
  let purged = false
  const slow: Objects = {
    ...objects,
    put: async (name, ...rest) => {
      if (name.endsWith('.index.jsonl') && !purged) {
        purged = true
        await objects.put(
          keys.archivePurging(ID),
          Buffer.from(
            JSON.stringify({ n: 1, articleId: ID, at: fact.releasedAt, by: 'An', reason: 'court order', keeps: 'none', listed: 0 }),
          ),
        )
      }
      return objects.put(name, ...rest)
    },
  }
  const all = await reindexAll({ ...archive, needs: { ...archive.needs, objects: slow } })
  assert.ok(purged && all.packed > 0, 'the pack was made anew without it')
  assert.equal(await readArchived(objects, key), null)
})

test('of several who make it again at once each ends, and the index is whole', async t => {
  const archive = await open(t)
  const before = await readPacks(archive.objects)
  for (const index of await archive.indexes()) await archive.objects.delete(index)
  const all = await Promise.all([1, 2, 3, 4].map(() => reindexAll(archive)))
  assert.ok(all.every(one => one.lost === 0))
  assert.deepEqual(await readPacks(archive.objects), before)
})

/** Asks for it as an operator does; what is told of it in the end. */
const wish = async (t: TestContext, needs: SampleArchive['needs']) => {
  const { objects } = needs
  const { reindex } = await changeWanted(objects, is => ({ ...is, reindex: is.reindex + 1 }))
  const closer = createCloser({ ...needs, owns: () => true, everyMs: 3_600_000, wishesEveryMs: 5 })
  t.after(closer.stop)
  const wanted = async () => (await readWanted(objects))?.value
  const deadline = Date.now() + 60_000
  while (((await wanted())?.reindexed ?? 0) < reindex) {
    assert.ok(Date.now() < deadline, 'the wish was not done')
    await setTimeout(10)
  }
  const { at: _, ...told } = (await wanted())?.lastReindex ?? { at: '' }
  return told
}

test('an operator’s wish is done beside closings, and what came of it is told', async t => {
  const archive = await open(t)
  const { objects, needs } = archive
  const before = await readPacks(objects)
  const all = await archive.indexes()
  for (const index of all) await objects.delete(index)
  const told = await wish(t, needs)
  assert.deepEqual(told, { manifests: 2, packs: all.length, made: all.length, packed: 0, lost: 0, unreadable: 0 })
  assert.deepEqual(await readPacks(objects), before)
})

test('a manifest of which something cannot be had is told and passed over once, and not begun with again and again', async t => {
  const archive = await open(t)
  const { objects, needs } = archive
  const forbidden = (await archive.indexes()).find(key => key.includes('00000001')) ?? assert.fail('manifest 1 has an index')
  const guarded: Objects = {
    ...objects,
    get: async (key, ...rest) => {
      if (key === forbidden) throw new Error('access denied')
      return objects.get(key, ...rest)
    },
  }
  const { unreadable, manifests } = (await wish(t, { ...needs, objects: guarded })) as { unreadable: number; manifests: number }
  assert.deepEqual([manifests, unreadable], [2, 1])
})
