/** A signing key that is rotated: what it signed holds, whoever stood still meanwhile; and who came by it can do nothing more with it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeWanted } from '@newswire/objects/archive-wanted'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { closeOnce } from './close.ts'
import { createCloser } from './closer.ts'
import { newestManifest, readManifest } from './finish.ts'
import type { SampleArchive } from './sample-archive.ts'
import { closed, forgePurge, ID, purgeOf, verifyLive } from './sample-purge.ts'
import { isRetiring, openSigner, rotateKey } from './signing.ts'

test('a record of a purge that a retired key signed hides no deletion', async t => {
  const world = await closed(t)
  const { archive } = world
  const old = await openSigner(archive.needs)
  await rotateKey(archive.needs, () => newestManifest(archive.objects))
  for (const id of ['press.c', 'press.d']) {
    await archive.add(id, 1)
    await closeOnce(archive.needs)
  }
  assert.equal((await verifyLive(archive)).wrong, undefined)
  await forgePurge(world, old)
  const { ok, wrong } = await verifyLive(archive)
  assert.deepEqual([ok, wrong?.path, /no longer in use/.test(wrong?.what ?? '')], [false, keys.archivePurged(ID, 1), true])
})

test('a record of a purge that goes on to be listed is valid also when the key was rotated in between, before and after', async t => {
  for (const when of ['before', 'between', 'after'] as const) {
    const { archive } = await closed(t)
    const { keepPurged, settle } = purgeOf(archive)
    if (when === 'before') await rotateKey(archive.needs, () => newestManifest(archive.objects))
    await keepPurged()
    if (when === 'between') await rotateKey(archive.needs, () => newestManifest(archive.objects))
    assert.equal((await verifyLive(archive)).wrong, undefined, when)
    await settle()
    if (when === 'after') await rotateKey(archive.needs, () => newestManifest(archive.objects))
    await archive.add('press.c', 1)
    await closeOnce(archive.needs)
    await closeOnce(archive.needs)
    assert.equal((await verifyLive(archive)).wrong, undefined, when)
  }
})

/** Puts under `archive/purged/` stand still until the key was rotated, and `manifests` were closed. */
const frozen = ({ needs, objects }: SampleArchive, manifests: number, dies: boolean): Objects => {
  let isFrozen = true
  const put: Objects['put'] = async (key, bytes, options) => {
    if (!key.startsWith('archive/purged/') || !isFrozen) return objects.put(key, bytes, options)
    isFrozen = false
    await rotateKey(needs, () => newestManifest(objects))
    for (let closed = 0; closed < manifests; closed++) await closeOnce(needs)
    const result = await objects.put(key, bytes, options)
    if (dies) throw new Error('killed')
    return result
  }
  return { ...objects, put }
}

for (const dies of [false, true])
  for (const manifests of [0, 1, 2, 3])
    test(`a record that was signed before a rotation and written when ${manifests} manifests had followed ${dies ? 'by a process that dies then ' : ''}leaves the archive proved`, async t => {
      const { archive } = await closed(t)
      const { keepPurged } = purgeOf({ ...archive, needs: { ...archive.needs, objects: frozen(archive, manifests, dies) } })
      if (dies) await assert.rejects(keepPurged(), /killed/)
      else await keepPurged()
      await purgeOf(archive).settle()
      for (const id of ['press.c', 'press.d', 'press.e']) {
        await archive.add(id, 1)
        await closeOnce(archive.needs)
      }
      const { wrong, purged, pending } = await verifyLive(archive)
      assert.deepEqual([wrong, pending], [undefined, 0])
      assert.ok(purged >= 3, 'and it was purged')
      assert.equal((await archive.objects.list(keys.archivePurgingPrefix)).length, 0, 'for good')
    })

test('a record that a retired key signed is not listed, and excuses nothing when a purge of the article replaces it', async t => {
  const world = await closed(t)
  const { archive, key } = world
  const { objects, needs } = archive
  const old = await openSigner(needs)
  await rotateKey(needs, () => newestManifest(objects))
  for (let closed = 0; closed < 2; closed++) await closeOnce(needs)
  await forgePurge(world, old)
  const wish = { n: 1, articleId: ID, at: '2026-03-01T09:00:00.000Z', by: 'nobody', reason: 'none', listed: 0 }
  // As if the version that is gone were the one that stays: of the purge that follows it is none of those that went.
  await objects.put(keys.archivePurging(ID), Buffer.from(JSON.stringify({ ...wish, keeps: key })))
  const { settle } = purgeOf(archive)
  await settle()
  const listed = (await Promise.all([3, 4, 5, 6].map(number => readManifest(objects, number)))).flatMap(one => one?.entries ?? [])
  assert.deepEqual(
    listed.map(one => one.key).filter(one => one.startsWith('archive/purged/')),
    [keys.archivePurged(ID, 2)],
  )
  const { ok, wrong } = await verifyLive(archive)
  assert.deepEqual([ok, wrong?.path], [false, key])
})

test('after a rotation that an operator asked for the old key is of no use within seconds, though nothing was archived meanwhile', async t => {
  const world = await closed(t)
  const { archive } = world
  const { objects, needs } = archive
  const old = await openSigner(needs)
  const closer = createCloser({ ...needs, owns: () => true, wishesEveryMs: 20 })
  t.after(() => closer.stop())
  await changeWanted(objects, wanted => ({ ...wanted, rotateKey: 1 }))
  await t.waitFor(async () => assert.equal(await newestManifest(objects), 3), { timeout: 60_000 })
  await closer.stop()
  assert.equal(await isRetiring(objects, 3), false)
  assert.equal((await verifyLive(archive)).wrong, undefined)
  await forgePurge(world, old)
  assert.match((await verifyLive(archive)).wrong?.what ?? '', /no longer in use/)
})

for (const dies of [false, true])
  test(`a key that is rotated while manifests are closed ${dies ? 'by processes that die before they say so ' : ''}was good for all that it signed`, async t => {
    const { archive } = await closed(t)
    const { objects, needs } = archive
    const dying: Objects['put'] = async (key, ...rest) => {
      if (key !== keys.archiveKeys()) return objects.put(key, ...rest)
      throw new Error('killed')
    }
    const closeTwice = async () => {
      for (let one = 0; one < 2; one++)
        if (dies) await assert.rejects(closeOnce({ ...needs, objects: { ...objects, put: dying } }), /killed/)
        else await closeOnce(needs)
    }
    let isFirst = true
    const put: Objects['put'] = async (key, ...rest) => {
      if (isFirst && key === keys.archiveKeys()) {
        isFirst = false
        await closeTwice()
      }
      return objects.put(key, ...rest)
    }
    await rotateKey({ ...needs, objects: { ...objects, put } }, () => newestManifest(objects))
    for (let one = 0; one < 2; one++) await closeOnce(needs)
    assert.equal((await verifyLive(archive)).wrong, undefined)
  })

test('who stands still over a rotation with the old key in hand closes nothing with it', async t => {
  const { archive } = await closed(t)
  const { objects, needs } = archive
  const rotates = async () => {
    await rotateKey(needs, () => newestManifest(objects))
    await closeOnce(needs)
  }
  const { sealing } = needs
  assert.ok(sealing)
  let isDone = false
  const get: typeof sealing.get = async id => {
    if (!isDone) {
      isDone = true
      await rotates()
    }
    return sealing.get(id)
  }
  assert.equal((await closeOnce({ ...needs, sealing: { ...sealing, get } })).outcome, 'lost')
  assert.equal((await verifyLive(archive)).wrong, undefined)
})
