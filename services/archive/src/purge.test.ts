/** Purge by law: not a byte is left, and what is left is still proved. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { UnavailableError } from '@newswire/events/errors'
import type { Fact } from '@newswire/events/fact'
import { readArchived } from '@newswire/objects/archived'
import { keys } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import { markGiven } from '@newswire/objects/picture-mark'
import { closeOnce } from './close.ts'
import { createCloser } from './closer.ts'
import { copyArchive } from './copy.ts'
import { keepVersion } from './keep.ts'
import { createPackedHashes } from './packed-hashes.ts'
import { purge } from './purge.ts'
import { recordsOf } from './purged.ts'
import { archivedFact, openSampleArchive, type SampleArchive } from './sample-archive.ts'
import { readKeys } from './signing.ts'
import { openFolder, type Verdict, verifyCopy } from './verify-copy.ts'

const SECRET = 'Nguyễn Văn Bí Mật'
const ID = 'press.Case-7'
const PICTURES = { own: 'ab'.repeat(32), shared: 'cd'.repeat(32) }

const open = async (t: TestContext): Promise<SampleArchive> => {
  const archive = await openSampleArchive()
  t.after(() => archive.close())
  return archive
}

const withPictures = (
  articleId: string,
  version: number,
  text: string,
  pictures: readonly string[],
  atMs: number,
  renditions: readonly string[] = [],
): Partial<Fact> => {
  const fact = archivedFact(articleId, version, { text, atMs })
  if (fact.state !== 'live') return {}
  const images = pictures.map(sha256 => ({
    url: `newswire:${sha256}` as const,
    role: 'inline' as const,
    state: 'ready' as const,
    sha256,
    caption: '',
    alt: '',
    credit: '',
    renditions: renditions
      .filter(key => key.includes(sha256))
      .map(key => ({ preset: 'w320', key, type: 'image/jpeg' as const, width: 320, height: 200, bytes: 9 })),
  }))
  return { article: { ...fact.article, images } } as Partial<Fact>
}

const purgedFact = (version: number, atMs: number): Extract<Fact, { state: 'purged' }> => {
  const { article: _article, ...common } = archivedFact(ID, version, { text: '', atMs })
  return { ...common, state: 'purged', action: 'purged', reason: 'court order 12/2026', by: 'An' }
}

/** Every object that holds the text, in whatever way it is written. */
const holding = async (objects: Objects, text: string): Promise<string[]> => {
  const needles = [text, JSON.stringify(text).slice(1, -1)].map(one => Buffer.from(one))
  const found: string[] = []
  for await (const page of listPages(objects, ''))
    for (const { key } of page) {
      const bytes = Buffer.from((await objects.get(key))?.bytes ?? [])
      const plain = key.endsWith('.gz') ? gunzipSync(bytes) : bytes
      if (needles.some(needle => plain.includes(needle))) found.push(key)
    }
  return found
}

/** Two versions closed, one still loose, pictures, one of them shared; and an article that stays. */
const build = async (archive: SampleArchive): Promise<void> => {
  const { add, needs, clock, objects } = archive
  await add(ID, 1, SECRET, withPictures(ID, 1, SECRET, [PICTURES.own], clock.nowMs))
  await add('press.stays', 1, 'Ở lại', withPictures('press.stays', 1, 'Ở lại', [PICTURES.shared], clock.nowMs))
  await closeOnce(needs)
  await add(ID, 2, `${SECRET} hai`, withPictures(ID, 2, SECRET, [PICTURES.own, PICTURES.shared], clock.nowMs))
  await closeOnce(needs)
  await add(ID, 3, `${SECRET} ba`)
  await objects.put(keys.parked(ID, 'parked-1'), Buffer.from(SECRET))
  for (const sha256 of Object.values(PICTURES)) {
    await objects.put(keys.original(sha256), Buffer.from(`picture ${sha256}`))
    await objects.put(keys.rendition(sha256, 'w320', 'r', 'jpg'), Buffer.from(`rendition ${sha256}`))
  }
  assert.ok((await holding(objects, SECRET)).length >= 5)
}

const keepPurge = async ({ objects, clock }: SampleArchive, isPurged = false): Promise<Extract<Fact, { state: 'purged' }>> => {
  const fact = purgedFact(4, clock.nowMs)
  await keepVersion(
    { objects, packed: createPackedHashes(objects, Date.now), isPurged: () => isPurged },
    { eventId: 'purge-event', time: fact.releasedAt, fact },
  )
  return fact
}

const closeAll = async (archive: SampleArchive): Promise<void> => {
  const closer = createCloser({ ...archive.needs, owns: () => true })
  await closer.close()
  await closer.stop()
}

const verify = async (t: TestContext, { objects }: SampleArchive): Promise<Verdict> => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-copy-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  await copyArchive(objects, folder)
  const found = await readKeys(objects)
  assert.ok(found)
  return verifyCopy(openFolder(folder), found.value)
}

test('of what is purged no byte is left in any object, the record says who, when and why, and the archive is still proved', async t => {
  const archive = await open(t)
  await build(archive)
  const { objects, needs } = archive
  const fact = await keepPurge(archive)
  assert.equal(await purge(needs, fact), 'purged')
  assert.deepEqual(await holding(objects, SECRET), [])
  await closeAll(archive)
  assert.deepEqual(await holding(objects, SECRET), [], 'nor after a closing, whose ledger is made from the log')
  assert.deepEqual(await holding(objects, 'Bản tin'), [])
  const verdict = await verify(t, archive)
  assert.deepEqual([verdict.wrong, verdict.ok], [undefined, true])
  // Two versions, two payloads and two lines of the ledger had been listed.
  assert.deepEqual([verdict.purged, verdict.versions], [6, 2])
  const [first] = await recordsOf(objects, ID)
  assert.deepEqual([first?.record.by, first?.record.reason, first?.record.at], ['An', 'court order 12/2026', fact.releasedAt])
  assert.ok(first?.record.removed.some(one => one.key.endsWith('/v0003.json') && one.manifest === null))
  assert.ok((first?.record.milestones.length ?? 0) > 0, 'who got what stays known')
  assert.equal((await objects.list(keys.archivePurgingPrefix)).length, 0, 'done for good')
  assert.ok(await readArchived(objects, keys.archive(fact.firstReleasedAt, ID, 4)))
  assert.equal(await readArchived(objects, keys.archive(fact.firstReleasedAt, ID, 1)), null)
})

test('pictures that no other article shows go with it, shared ones stay', async t => {
  const archive = await open(t)
  await build(archive)
  const { objects, needs } = archive
  await purge(needs, await keepPurge(archive))
  assert.equal(await objects.get(keys.original(PICTURES.own)), null)
  assert.equal(await objects.get(keys.rendition(PICTURES.own, 'w320', 'r', 'jpg')), null)
  assert.ok(await objects.get(keys.original(PICTURES.shared)))
  assert.ok(await objects.get(keys.rendition(PICTURES.shared, 'w320', 'r', 'jpg')))
})

/** What was made of the shared picture: for the purged article alone, with its caption in it, for the other one, and for a third that is still held. */
const makeRenditions = async (objects: Objects) => {
  const made = { purged: 'aa', both: 'bb', other: 'cc', held: 'dd' }
  const keyOf = (recipe: string) => keys.rendition(PICTURES.shared, 'w320', recipe, 'jpg')
  for (const recipe of Object.values(made)) {
    await objects.put(keyOf(recipe), Buffer.from(recipe === made.purged ? SECRET : recipe))
    await objects.put(keys.rendition(PICTURES.shared, 'set', recipe, 'json'), Buffer.from(JSON.stringify([{ key: keyOf(recipe) }])))
  }
  const held = 'press.held'
  await objects.put(keys.pictureUse(PICTURES.shared, held), Buffer.from('{}'))
  await objects.put(keys.pictureUse(PICTURES.shared, ID), Buffer.from('{}'))
  await objects.put(keys.current(held), Buffer.from(JSON.stringify({ held: { images: [{ key: keyOf(made.held) }] } })))
  return { purged: keyOf(made.purged), both: keyOf(made.both), other: keyOf(made.other), held: keyOf(made.held) }
}

test('of a picture that others show, what was made for the purged article goes, with its words, and nothing that others name', async t => {
  for (const isPacked of [true, false]) {
    const archive = await open(t)
    const { objects, needs, add, clock } = archive
    const made = await makeRenditions(objects)
    const show = (id: string, text: string, renditions: string[]) => withPictures(id, 1, text, [PICTURES.shared], clock.nowMs, renditions)
    await objects.put(keys.original(PICTURES.shared), Buffer.from('picture'))
    await add(ID, 1, SECRET, show(ID, SECRET, [made.purged, made.both, made.held]))
    for (const version of [2, 3]) await add(ID, version, SECRET)
    await add('press.other', 1, 'Khác', show('press.other', 'Khác', [made.both, made.other]))
    if (isPacked) await closeOnce(needs)
    const fact = await keepPurge(archive)
    await purge(needs, fact)
    await closeAll(archive)
    assert.deepEqual(await holding(objects, SECRET), [])
    assert.equal(await objects.get(made.purged), null)
    assert.equal(await objects.get(keys.rendition(PICTURES.shared, 'set', 'aa', 'json')), null, 'nobody takes it for made')
    for (const key of [made.both, made.other, made.held]) assert.ok(await objects.get(key), key)
    assert.equal((await objects.list(keys.renditionPrefix(PICTURES.shared))).length, 6)
    assert.ok(await objects.get(keys.original(PICTURES.shared)))
  }
})

test('of a picture that others show, what was made for a version that never came out goes, and nothing that was made for others too', async t => {
  const archive = await open(t)
  await build(archive)
  const { objects, needs, clock } = archive
  const sha256 = PICTURES.shared
  const keyOf = (recipe: string) => keys.rendition(sha256, 'w320', recipe, 'jpg')
  const makeSet = async (name: string, recipes: readonly string[]) => {
    for (const recipe of recipes) await objects.put(keyOf(recipe), Buffer.from(recipe === 'held' ? SECRET : recipe))
    const set = { renditions: recipes.map(recipe => ({ preset: 'w320', key: keyOf(recipe) })) }
    await objects.put(keys.rendition(sha256, 'set', name, 'json'), Buffer.from(JSON.stringify(set)))
  }
  await makeSet('heldset', ['held', 'both'])
  await makeSet('onitsway', ['way', 'both'])
  // The other article is on its way to the desk: nothing but its mark says what it has.
  await markGiven(objects, { sha256, articleId: ID }, 'heldset', clock.nowMs)
  await markGiven(objects, { sha256, articleId: 'press.way' }, 'onitsway', clock.nowMs)
  await purge(needs, await keepPurge(archive))
  await closeAll(archive)
  assert.deepEqual(await holding(objects, SECRET), [])
  assert.equal(await objects.get(keyOf('held')), null)
  assert.equal(await objects.get(keys.rendition(sha256, 'set', 'heldset', 'json')), null, 'nobody takes it for made')
  for (const recipe of ['both', 'way']) assert.ok(await objects.get(keyOf(recipe)), recipe)
  assert.ok(await objects.get(keys.rendition(sha256, 'set', 'onitsway', 'json')))
  assert.ok(await objects.get(keys.original(sha256)))
})

test('what is delivered again after a purge does not come back, nor what is sent again', async t => {
  const archive = await open(t)
  await build(archive)
  const { objects, needs, add, clock } = archive
  const fact = await keepPurge(archive)
  await purge(needs, fact)
  await closeAll(archive)
  const old = { eventId: 'e', time: fact.releasedAt, fact: archivedFact(ID, 1, { text: SECRET, atMs: clock.nowMs }) }
  const again = { objects, packed: createPackedHashes(objects, Date.now), isPurged: () => true }
  assert.equal(await keepVersion(again, old), 'was-purged')
  await keepPurge(archive, true)
  assert.equal(await purge(needs, fact), 'was-purged')
  // The desk refuses it, and its payload and its milestones were there all the same.
  await add(ID, 5, SECRET, { supersedes: 4 } as Partial<Fact>).catch(() => undefined)
  await objects.delete(keys.archive(fact.firstReleasedAt, ID, 5))
  await closeAll(archive)
  assert.deepEqual(await holding(objects, SECRET), [])
  assert.equal((await verify(t, archive)).wrong, undefined)
})

for (const mends of ['told again', 'closing'] as const)
  test(`a purge that is killed at any of its writes is done to its end by ${mends === 'closing' ? 'the next closing' : 'being told again'}`, async t => {
    for (let at = 0; ; at++) {
      const archive = await open(t)
      await build(archive)
      const fact = await keepPurge(archive)
      let writes = 0
      const dead = () => new UnavailableError('NEWSWIRE_OBJECTS_UNAVAILABLE', 'gone')
      const write =
        <A extends unknown[], R>(work: (...given: A) => Promise<R>) =>
        async (...given: A): Promise<R> => {
          if (writes++ >= at) throw dead()
          return work(...given)
        }
      const { objects } = archive
      const dying: Objects = { ...objects, put: write(objects.put), delete: write(objects.delete) }
      const isDone = await purge({ ...archive.needs, objects: dying }, fact).then(
        () => true,
        () => false,
      )
      if (isDone) break
      // Killed before the wish: only being told again can bring it back.
      if (mends === 'told again' || at === 0) await purge(archive.needs, fact)
      await closeAll(archive)
      assert.deepEqual(await holding(objects, SECRET), [], `${mends}, killed at write ${at}`)
      const { wrong } = await verify(t, archive)
      assert.equal(wrong, undefined, `${mends}, killed at write ${at}`)
      assert.equal((await objects.list(keys.archivePurgingPrefix)).length, 0)
    }
  })

test('a forged record excuses no deletion: it must be signed', async t => {
  const archive = await open(t)
  await build(archive)
  await purge(archive.needs, await keepPurge(archive))
  await closeAll(archive)
  const folder = mkdtempSync(join(tmpdir(), 'newswire-copy-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  await copyArchive(archive.objects, folder)
  const copy = openFolder(folder)
  const path = keys.archivePurged(ID, 1)
  const forged = {
    ...copy,
    read: async (one: string) =>
      one === path
        ? Buffer.from(
            Buffer.from((await copy.read(one)) ?? [])
              .toString()
              .replace('"by":"An"', '"by":"Bi"'),
          )
        : copy.read(one),
  }
  const found = await readKeys(archive.objects)
  assert.ok(found)
  const { wrong } = await verifyCopy(forged, found.value)
  assert.deepEqual([wrong?.path, wrong?.what.startsWith('its signature does not fit')], [path, true])
})
