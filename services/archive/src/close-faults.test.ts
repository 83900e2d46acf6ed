/** Closing while everything goes wrong. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { UnavailableError } from '@newswire/events/errors'
import { topics } from '@newswire/events/topics'
import { parseIndex } from '@newswire/objects/archive-pack'
import { readWanted } from '@newswire/objects/archive-wanted'
import { readArchived } from '@newswire/objects/archived'
import { keys } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import { createSealing, makeSealingKey, parseSealingKey } from '@newswire/objects/sealed'
import { type CloseNeeds, closeOnce } from './close.ts'
import { createCloser, isDue } from './closer.ts'
import { copyArchive, inPlace, newestPacked } from './copy.ts'
import { listStaged, newestManifest, readManifest } from './finish.ts'
import { openSampleArchive, SAMPLE_DAY_MS, type SampleArchive } from './sample-archive.ts'
import { openSigner, readKeys, rotateKey } from './signing.ts'
import { openFolder, verifyCopy } from './verify-copy.ts'

const open = async (t: TestContext): Promise<SampleArchive> => {
  const archive = await openSampleArchive()
  t.after(() => archive.close())
  return archive
}

/** A store that dies at its `at`-th write, before or after that is done: from then on nothing answers. */
const dying = (objects: Objects, at: number, when: 'before' | 'after'): { objects: Objects; died: () => boolean } => {
  let writes = 0
  let isDead = false
  const away = () => new UnavailableError('NEWSWIRE_OBJECTS_UNAVAILABLE', 'The object store gave no answer')
  const check = () => {
    if (isDead) throw away()
  }
  const write = async <T>(work: () => Promise<T>): Promise<T> => {
    check()
    const isLast = writes++ === at
    if (isLast && when === 'before') isDead = true
    check()
    const result = await work()
    if (isLast) isDead = true
    check()
    return result
  }
  const read = <T>(work: () => Promise<T>): Promise<T> => (isDead ? Promise.reject(away()) : work())
  return {
    died: () => isDead,
    objects: {
      ...objects,
      get: (...given) => read(() => objects.get(...given)),
      head: (...given) => read(() => objects.head(...given)),
      list: (...given) => read(() => objects.list(...given)),
      put: (...given) => write(() => objects.put(...given)),
      delete: (...given) => write(() => objects.delete(...given)),
    },
  }
}

/** A store whose disk is full from its `at`-th put on: what is there can be read, and deleted. */
const full = (objects: Objects, at: number): { objects: Objects; died: () => boolean } => {
  let puts = 0
  const put: Objects['put'] = async (...given) => {
    if (puts++ < at) return objects.put(...given)
    throw new UnavailableError('NEWSWIRE_OBJECTS_UNAVAILABLE', 'The object store gave no answer: ENOSPC: no space left on device, write')
  }
  return { died: () => puts > at, objects: { ...objects, put } }
}

const on = (needs: CloseNeeds, objects: Objects): CloseNeeds => ({ ...needs, objects })

/** Everything added is listed once, reads back, and the copy proves it; nothing is left lying about. */
const assertWhole = async ({ objects }: Pick<SampleArchive, 'objects'>, wanted: readonly string[]): Promise<void> => {
  const newest = await newestManifest(objects)
  const listed: string[] = []
  for (let number = 1; number <= newest; number++)
    listed.push(...((await readManifest(objects, number))?.entries ?? []).map(entry => entry.key))
  for (const key of wanted) {
    assert.equal(listed.filter(one => one === key).length, 1, `${key} is listed once`)
    assert.ok(await readArchived(objects, key), `${key} can be read`)
    assert.equal(await objects.get(key), null, `${key} is packed`)
  }
  for (const prefix of [keys.archiveStagedPrefix, 'archive/2026/', 'native/'])
    for await (const page of listPages(objects, prefix))
      assert.deepEqual(
        page.map(one => one.key),
        [],
      )
  const folder = mkdtempSync(join(tmpdir(), 'newswire-copy-'))
  try {
    await copyArchive(objects, folder)
    const found = await readKeys(objects)
    assert.ok(found)
    const verdict = await verifyCopy(openFolder(folder), found.value)
    assert.deepEqual([verdict.wrong, verdict.ok], [undefined, true])
    const inStore = []
    for await (const page of listPages(objects, keys.archivePackPrefix)) inStore.push(...page.map(one => one.key))
    assert.equal((await openFolder(folder).list()).filter(path => path.startsWith('archive/packs/')).length, inStore.length, 'no orphan')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const addSome = async (archive: SampleArchive): Promise<string[]> => {
  const facts = [await archive.add('press.a', 1), await archive.add('press.a', 2), await archive.add('press.b', 1)]
  return facts.flatMap(fact => [
    keys.archive(fact.firstReleasedAt, fact.articleId, fact.version),
    keys.native(fact.publisher, fact.releasedAt, fact.submissionId),
  ])
}

for (const when of ['gone before', 'gone after', 'full from'] as const)
  test(`a store that is ${when} any one write of a closing costs nothing: the next try lists and packs everything once`, async t => {
    for (let at = 0; ; at++) {
      const archive = await openSampleArchive()
      t.after(() => archive.close())
      const wanted = await addSome(archive)
      const store =
        when === 'full from' ? full(archive.objects, at) : dying(archive.objects, at, when === 'gone before' ? 'before' : 'after')
      const tried = await closeOnce(on(archive.needs, store.objects)).then(
        () => null,
        error => error,
      )
      if (!store.died()) {
        assert.ok(at > (when === 'full from' ? 4 : 8), 'every write was tried')
        return
      }
      assert.equal((tried as UnavailableError).code, 'NEWSWIRE_OBJECTS_UNAVAILABLE', `died at write ${at}`)
      for (const key of wanted) assert.ok(await readArchived(archive.objects, key), `${key} can be read after death at write ${at}`)
      for await (const { key } of listStaged(archive.objects))
        assert.ok(await isDue(archive.needs), `${key}, whose packs were not made at write ${at}, is taken up the same day`)
      await closeOnce(archive.needs)
      await assertWhole(archive, wanted)
    }
  })

/** Lets others in at every call. */
const slow = (objects: Objects, seed: number): Objects => {
  let state = seed
  const wait = async () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    for (let turns = (state >>> 16) % 12; turns > 0; turns--) await nextTurn()
  }
  const after =
    <A extends unknown[], R>(work: (...given: A) => Promise<R>) =>
    async (...given: A): Promise<R> => {
      await wait()
      return work(...given)
    }
  return {
    ...objects,
    get: after(objects.get),
    head: after(objects.head),
    list: after(objects.list),
    put: after(objects.put),
    delete: after(objects.delete),
  }
}

test('of several who close the same day exactly one wins, and the others spoil nothing', async t => {
  for (let seed = 1; seed <= 12; seed++) {
    const archive = await openSampleArchive()
    t.after(() => archive.close())
    const wanted = await addSome(archive)
    const tried = await Promise.all(
      [1, 2, 3].map(who =>
        closeOnce({ ...on(archive.needs, slow(archive.objects, seed * 100 + who)), now: () => archive.clock.nowMs + who }),
      ),
    )
    const winners = new Map<number, number>()
    for (const { outcome, manifest } of tried)
      if (outcome === 'closed') winners.set(manifest.head.number, (winners.get(manifest.head.number) ?? 0) + 1)
    assert.deepEqual(
      [...winners.values()].filter(count => count !== 1),
      [],
      `seed ${seed}`,
    )
    await closeOnce(archive.needs)
    await assertWhole(archive, wanted)
  }
})

test('a hostile record among the milestones keeps nothing from being closed, and takes only itself out of the ledger', async t => {
  const archive = await open(t)
  const wanted = await addSome(archive)
  const headers = { ce_type: 'milestone.reached', ce_id: 'x', ce_time: 'x', ce_source: 'x' }
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
  for (const more of [`"far":1e999`, `"deep":${deep}`, `"half":"\\ud800"`, `"__proto__":{"articleId":"press.a"}`]) {
    const value = Buffer.from(`{"articleId":"press.hostile","kind":"released",${more}}`)
    await archive.log.publish([{ topic: topics.milestones.name, key: 'press.hostile', value, headers }])
  }
  const { log } = archive.needs
  // A broker takes the time of a record from whoever wrote it.
  const times = [8.64e15 + 1, Date.parse('+012000-01-01T00:00:00Z'), -1, Number.NaN]
  const read: typeof log.read = async options => {
    const found = await log.read(options)
    const isHostile = (key: string | null) => key === 'press.hostile'
    return { ...found, records: found.records.map((one, at) => (isHostile(one.key) ? { ...one, timestamp: times[at % 4] ?? 0 } : one)) }
  }
  const { manifest } = await closeOnce({ ...archive.needs, log: { ...log, read } })
  assert.ok(manifest.entries.some(entry => entry.article === 'press.hostile'))
  await assertWhole(archive, wanted)
})

test('with a wrong key nothing is closed, the error says which key is wanted, and versions are kept all the same', async t => {
  const archive = await open(t)
  await archive.add('press.a', 1)
  await closeOnce(archive.needs)
  const wrong = createSealing(archive.objects, parseSealingKey(makeSealingKey()) ?? new Uint8Array(32))
  await archive.add('press.b', 1)
  await assert.rejects(closeOnce({ ...archive.needs, sealing: wrong }), { code: 'NEWSWIRE_SECRET_KEY', message: /NEWSWIRE_SECRET_KEY/ })
  await assert.rejects(closeOnce({ ...archive.needs, sealing: null }), { code: 'NEWSWIRE_ARCHIVE_KEY', message: /openssl rand/ })
  assert.equal(await newestManifest(archive.objects), 1)
  const { manifest } = await closeOnce(archive.needs)
  assert.ok(manifest.entries.some(entry => entry.article === 'press.b'))
})

test('a day is closed once it has ended; a clock that goes back one day closes once more than it must, and breaks nothing', async t => {
  const archive = await open(t)
  const { needs, clock, objects } = archive
  const closer = createCloser({ ...needs, owns: () => true })
  t.after(() => closer.stop())
  assert.equal(await isDue(needs), true, 'the chain begins')
  const wanted = await addSome(archive)
  await closer.close()
  assert.equal(await isDue(needs), false)
  clock.nowMs += SAMPLE_DAY_MS
  assert.equal(await isDue(needs), true)
  await closer.close()
  clock.nowMs -= SAMPLE_DAY_MS
  assert.equal(await isDue(needs), true)
  const late = await archive.add('press.late', 1)
  await closer.close()
  assert.equal(await isDue(needs), false)
  clock.nowMs += SAMPLE_DAY_MS
  await closer.close()
  assert.equal(await newestManifest(objects), 4)
  await assertWhole(archive, [...wanted, keys.archive(late.firstReleasedAt, 'press.late', 1)])
})

test('the service says why days are not closed, and stops saying so when they are', async t => {
  const archive = await open(t)
  const needs = { ...archive.needs, sealing: null as CloseNeeds['sealing'], owns: () => true }
  const closer = createCloser(needs)
  t.after(() => closer.stop())
  await assert.rejects(closer.close())
  assert.equal(closer.trouble()?.code, 'NEWSWIRE_ARCHIVE_KEY')
  const said = async () => (await readWanted(archive.needs.objects))?.value.trouble
  assert.deepEqual(await said(), closer.trouble(), 'where the console finds it')
  needs.sealing = archive.needs.sealing
  const again = createCloser(needs)
  t.after(() => again.stop())
  await again.close()
  assert.equal(again.trouble(), null)
  assert.equal(await said(), null, 'also what a process said that is gone')
})

test('what failed after its manifest was put is tried again on the same day, and told until it is done', async t => {
  const archive = await open(t)
  await archive.add('press.a', 1)
  let fails = true
  const objects: Objects = {
    ...archive.needs.objects,
    put: async (key, ...rest) => {
      if (!fails || !key.includes('archive/packs/')) return archive.needs.objects.put(key, ...rest)
      fails = false
      throw new UnavailableError('NEWSWIRE_OBJECTS_UNAVAILABLE', 'the store gave no answer')
    },
  }
  const closer = createCloser({ ...archive.needs, objects, owns: () => true })
  t.after(() => closer.stop())
  await assert.rejects(closer.close(), UnavailableError)
  const said = async () => (await readWanted(objects))?.value.trouble?.code
  assert.deepEqual([await said(), await isDue({ ...archive.needs, objects })], ['NEWSWIRE_OBJECTS_UNAVAILABLE', true])
  await closer.close()
  assert.deepEqual([await said(), await isDue({ ...archive.needs, objects })], [undefined, false])
  assert.ok((await objects.list('archive/packs/', { limit: 1 })).length > 0)
})

test('a closing that is stopped says nothing of whether days can be closed', async t => {
  const archive = await open(t)
  await archive.add('press.a', 1)
  const closer = createCloser({ ...archive.needs, sealing: null, owns: () => true })
  await assert.rejects(closer.close())
  const said = closer.trouble()
  await closer.stop()
  await closer.close()
  assert.deepEqual((await readWanted(archive.needs.objects))?.value.trouble, said)
  const another = createCloser({ ...archive.needs, owns: () => true })
  const closing = another.close()
  await another.stop()
  await assert.rejects(closing, /the archive stops/)
  assert.deepEqual((await readWanted(archive.needs.objects))?.value.trouble, said, 'nor does one that was ended half way')
})

/** Four manifests and a copy of them; `without` takes an object away, and puts it back afterwards. */
const openCopied = async (t: TestContext) => {
  const archive = await open(t)
  const { objects, needs } = archive
  for (let n = 1; n <= 4; n++) {
    await archive.add(`press.bai-${n}`, 1)
    await closeOnce(needs)
  }
  const folder = mkdtempSync(join(tmpdir(), 'newswire-copy-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  await copyArchive(objects, folder)
  const published = (await readKeys(objects))?.value
  assert.ok(published)
  return {
    archive,
    folder,
    verifyStore: async () =>
      verifyCopy(inPlace(objects), published, { isLive: true, newestPacked: await newestPacked(objects) }).then(({ wrong }) => wrong?.path),
    verifyFolder: async () => (await verifyCopy(openFolder(folder), published)).wrong,
    without: async (key: string, work: () => Promise<void>) => {
      const held = await objects.get(key)
      assert.ok(held)
      await objects.delete(key)
      await work()
      await objects.put(key, held.bytes)
    },
  }
}

test('a manifest that is gone from the store is named, whichever it is, and a copy of it stays', async t => {
  const { archive, folder, verifyStore, verifyFolder, without } = await openCopied(t)
  for (let number = 1; number <= 4; number++)
    await without(keys.archiveManifest(number), async () => {
      assert.equal(await verifyStore(), keys.archiveManifest(number))
      await assert.rejects(copyArchive(archive.objects, folder), new RegExp(`${keys.archiveManifest(number)} is missing`))
      assert.equal(await verifyFolder(), undefined)
    })
  assert.equal(await verifyStore(), undefined)
})

test('nothing is closed on from a manifest or keys that are gone: no number is given twice, and no key begins anew', async t => {
  const { archive, verifyStore, without } = await openCopied(t)
  const { objects, needs, add } = archive
  await add('press.bai-5', 1)
  for (const key of [keys.archiveManifest(4), keys.archiveKeys()])
    await without(key, async () => {
      await assert.rejects(closeOnce(needs), { code: 'NEWSWIRE_ARCHIVE_GONE', message: new RegExp(`^${key} is gone`) })
      // A record of a purge is signed too.
      if (key === keys.archiveKeys())
        for (const work of [openSigner(needs), rotateKey(needs, () => newestManifest(objects))])
          await assert.rejects(work, { code: 'NEWSWIRE_ARCHIVE_GONE' })
      assert.equal(await objects.get(key), null)
    })
  await without(keys.archiveManifest(1), async () => assert.equal((await closeOnce(needs)).manifest.head.number, 5))
  assert.equal(await verifyStore(), undefined)
})

test('a copy keeps what only it still has: an index that the archive lost', async t => {
  const { archive, folder, verifyFolder, without } = await openCopied(t)
  const index = keys.archivePackIndex('2026/03/01', 2, 1)
  await without(index, async () => {
    await assert.rejects(copyArchive(archive.objects, folder), new RegExp(`${index} is in .* and no more in the archive`))
    assert.equal(await verifyFolder(), undefined)
  })
  assert.equal((await copyArchive(archive.objects, folder)).removed, 0)
})

test('a pack that is damaged in the store does not come into a copy', async t => {
  const { archive, folder, verifyFolder } = await openCopied(t)
  const { objects } = archive
  const index = keys.archivePackIndex('2026/03/01', 2, 1)
  const { pack } = await parseIndex((await objects.get(index))?.bytes ?? new Uint8Array(), index)
  assert.ok(pack !== null)
  await objects.put(pack, Buffer.from('damaged'))
  await copyArchive(objects, folder)
  assert.equal(await verifyFolder(), undefined, 'what it has stays')
  rmSync(join(folder, pack))
  await assert.rejects(copyArchive(objects, folder), new RegExp(`${pack} is damaged in the archive`))
})
