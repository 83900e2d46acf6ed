/** A purge beside others at work, and in an archive that is damaged. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Fact } from '@newswire/events/fact'
import { keys } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import { readOpenPurges } from '@newswire/objects/open-purges'
import { markGiven } from '@newswire/objects/picture-mark'
import { takePicture } from '@newswire/objects/picture-use'
import { closeOnce } from './close.ts'
import { createCloser, isDue } from './closer.ts'
import { inPlace, newestPacked } from './copy.ts'
import { erase } from './erase.ts'
import { newestManifest, readManifest } from './finish.ts'
import { purge, settlePurges } from './purge.ts'
import { archivedFact, openSampleArchive, type SampleArchive } from './sample-archive.ts'
import { readKeys } from './signing.ts'
import { type Verdict, verifyCopy } from './verify-copy.ts'

const ID = 'press.case'
const OTHER = 'press.other'
const PICTURE = 'ab'.repeat(32)
const RENDITION = keys.rendition(PICTURE, 'w320', 'r', 'jpg')

const open = async (t: TestContext): Promise<SampleArchive> => {
  const archive = await openSampleArchive()
  t.after(() => archive.close())
  return archive
}

const showing = (articleId: string, atMs: number, sha256 = PICTURE): Partial<Fact> => {
  const fact = archivedFact(articleId, 1, { text: articleId, atMs })
  assert.ok(fact.state === 'live')
  const image = { url: `newswire:${sha256}` as const, role: 'inline' as const, state: 'ready' as const, sha256, renditions: [] }
  return { article: { ...fact.article, images: [{ ...image, caption: '', alt: '', credit: '' }] } } as Partial<Fact>
}

const purgedFact = (articleId: string, atMs: number): Extract<Fact, { state: 'purged' }> => {
  const { article: _article, ...common } = archivedFact(articleId, 2, { text: '', atMs })
  return { ...common, state: 'purged', action: 'purged', reason: 'court order 12/2026', by: 'An' }
}

const putPicture = async (objects: Objects, sha256 = PICTURE): Promise<void> => {
  await objects.put(keys.original(sha256), Buffer.from('picture'))
  await objects.put(keys.rendition(sha256, 'w320', 'r', 'jpg'), Buffer.from('rendition'))
  await objects.put(keys.rendition(sha256, 'set', 'r', 'json'), Buffer.from('[]'))
}

/** An article with a picture, closed, and one without. */
const build = async (t: TestContext): Promise<SampleArchive & { fact: Extract<Fact, { state: 'purged' }> }> => {
  const archive = await open(t)
  const { add, needs, clock, objects } = archive
  await add(ID, 1, 'Bí mật', showing(ID, clock.nowMs))
  await add(OTHER, 1, 'Ở lại')
  await closeOnce(needs)
  await putPicture(objects)
  return { ...archive, fact: purgedFact(ID, clock.nowMs) }
}

const filesOf = async (objects: Objects, prefix: string): Promise<string[]> => {
  const found: string[] = []
  for await (const page of listPages(objects, prefix)) found.push(...page.map(one => one.key))
  return found
}

/** Does `work` once, before the first call that `when` says. */
const hooked = (objects: Objects, when: (call: string, key: string) => boolean, work: () => Promise<unknown>): Objects => {
  let isDone = false
  const before =
    <A extends [string, ...unknown[]], R>(call: string, does: (...given: A) => Promise<R>) =>
    async (...given: A): Promise<R> => {
      if (!isDone && when(call, given[0])) {
        isDone = true
        await work()
      }
      return does(...given)
    }
  const { get, put, list } = objects
  return {
    ...objects,
    get: before('get', get),
    put: before('put', put),
    list: before('list', list),
    delete: before('delete', objects.delete),
  }
}

test('a picture that another article takes into use while the archive is searched is not removed', async t => {
  const { objects, needs, fact } = await build(t)
  const takes = async () => {
    assert.equal(await takePicture(objects, PICTURE, needs.now()), true)
    await objects.put(keys.pictureUse(PICTURE, OTHER), Buffer.from('{}'))
  }
  let isAsked = false
  const when = (call: string, key: string) => {
    isAsked ||= call === 'list' && key === keys.pictureUsePrefix(PICTURE)
    return isAsked && call === 'get' && key.endsWith('.index.jsonl')
  }
  await purge({ ...needs, objects: hooked(objects, when, takes) }, fact)
  assert.ok(await objects.get(keys.original(PICTURE)))
  assert.ok(await objects.get(RENDITION))
  assert.deepEqual(await filesOf(objects, keys.pictureUsePrefix(PICTURE)), [keys.pictureUse(PICTURE, OTHER)])
})

test('a submission of the purged article that is parked meanwhile keeps none of its pictures', async t => {
  const { objects, needs, fact } = await build(t)
  const parks = () => objects.put(keys.parked(ID, 'parked-late'), Buffer.from(JSON.stringify({ pictures: [{ sha256: PICTURE }] })))
  const isSearched = (call: string, key: string) => call === 'list' && key === keys.parkedPrefix
  await purge({ ...needs, objects: hooked(objects, isSearched, parks) }, fact)
  assert.equal(await objects.get(keys.original(PICTURE)), null)
  assert.deepEqual(await filesOf(objects, keys.renditionPrefix(PICTURE)), [])
})

test('a submission of another article that is parked keeps its pictures', async t => {
  const { objects, needs, fact } = await build(t)
  await objects.put(keys.parked(`${ID}-2`, 'parked'), Buffer.from(JSON.stringify({ pictures: [{ sha256: PICTURE }] })))
  await purge(needs, fact)
  assert.ok(await objects.get(keys.original(PICTURE)))
})

test('nobody takes a picture into use while a purge removes it, and everybody may afterwards', async t => {
  const { objects, needs, fact } = await build(t)
  const taken: boolean[] = []
  const when = (call: string, key: string) => call === 'delete' && key === keys.original(PICTURE)
  await purge({ ...needs, objects: hooked(objects, when, async () => taken.push(await takePicture(objects, PICTURE, needs.now()))) }, fact)
  assert.deepEqual(taken, [false])
  assert.equal(await objects.get(keys.original(PICTURE)), null)
  assert.equal(await takePicture(objects, PICTURE, needs.now()), true)
})

test('a picture whose files the sweep is removing is looked at again', async t => {
  const { objects, needs, fact } = await build(t)
  const at = new Date(needs.now()).toISOString()
  await objects.put(keys.pictureUnused(PICTURE), Buffer.from(JSON.stringify({ n: 3, phase: 'removing', since: at, lookedAt: at })))
  await assert.rejects(purge(needs, fact), /being removed by another/)
  await objects.delete(keys.pictureUnused(PICTURE))
  await purge(needs, fact)
  assert.equal(await objects.get(keys.original(PICTURE)), null)
})

test('a pack that is made anew while it is searched is searched all the same', async t => {
  const archive = await open(t)
  const { add, needs, objects, clock } = archive
  await add(ID, 1, 'Bí mật', showing(ID, clock.nowMs))
  await closeOnce(needs)
  await add(OTHER, 1, 'Ở lại', showing(OTHER, clock.nowMs))
  const gone = await add('press.gone', 1)
  await closeOnce(needs)
  await putPicture(objects)
  let isErased = false
  const when = (call: string, key: string) => {
    isErased ||= call === 'delete' && key.endsWith('.gz')
    return isErased && call === 'get' && /00000002-001-.*\.gz$/.test(key)
  }
  const remake = () => erase(objects, [{ key: keys.archive(gone.firstReleasedAt, 'press.gone', 1) }])
  await purge({ ...needs, objects: hooked(objects, when, remake) }, purgedFact(ID, clock.nowMs))
  assert.ok(await objects.get(keys.original(PICTURE)))
})

test('pictures that it was given and never showed go with it', async t => {
  const { objects, needs, fact } = await build(t)
  const held = 'ef'.repeat(32)
  await putPicture(objects, held)
  await objects.put(keys.pictureUse(held, ID), Buffer.from('{}'))
  await purge(needs, fact)
  assert.equal(await objects.get(keys.original(held)), null)
  assert.deepEqual(await filesOf(objects, keys.renditionPrefix(held)), [])
  assert.deepEqual(await filesOf(objects, keys.pictureUsePrefix(held)), [])
})

/** As `images` makes something of a picture for an article: the mark, the note, the files, and the set that names them. */
const make = async ({ objects, clock }: SampleArchive, articleId: string, recipe: string): Promise<string> => {
  const key = keys.rendition(PICTURE, 'w320', recipe, 'jpg')
  await markGiven(objects, { sha256: PICTURE, articleId }, recipe, clock.nowMs)
  assert.equal(await takePicture(objects, PICTURE, clock.nowMs), true)
  await objects.put(key, Buffer.from(recipe))
  const set = { renditions: [{ preset: 'w320', key }] }
  await objects.put(keys.rendition(PICTURE, 'set', recipe, 'json'), Buffer.from(JSON.stringify(set)))
  return key
}

/** What the closer does of itself, until the purge is done for good. */
const settleAll = async (t: TestContext, { needs, objects, clock }: SampleArchive) => {
  const closer = createCloser({ ...needs, owns: () => true })
  t.after(() => closer.stop())
  clock.nowMs += 700_000
  await closer.close()
  await closer.close()
  assert.deepEqual(await filesOf(objects, keys.archivePurgingPrefix), [], 'done for good')
}

test('what is made for the purged article while the archive is searched goes too, and nothing of who shows the same picture', async t => {
  const archive = await build(t)
  const { objects, needs, fact } = archive
  const first = await make(archive, ID, 'first')
  const others = await make(archive, OTHER, 'others')
  let late = ''
  const isSearched = (call: string, key: string) => call === 'list' && key === keys.parkedPrefix
  const makes = async () => {
    late = await make(archive, ID, 'late')
  }
  await purge({ ...needs, objects: hooked(objects, isSearched, makes) }, fact)
  await settleAll(t, archive)
  assert.equal(await objects.get(first), null)
  assert.ok(late !== '' && (await objects.get(late)) === null, 'its words are in it')
  assert.deepEqual(await filesOf(objects, keys.pictureUsePrefix(PICTURE)), [keys.pictureUse(PICTURE, OTHER)])
  assert.ok(await objects.get(others))
  assert.ok(await objects.get(keys.original(PICTURE)))
})

test('who marked a picture for the article and wrote the files when the purge had looked has them removed by a later look', async t => {
  const archive = await build(t)
  const { objects, needs, fact } = archive
  await make(archive, OTHER, 'others')
  await markGiven(objects, { sha256: PICTURE, articleId: ID }, 'late', archive.clock.nowMs)
  await purge(needs, fact)
  const closer = createCloser({ ...needs, owns: () => true })
  t.after(() => closer.stop())
  await closer.close()
  const late = await make(archive, ID, 'late')
  await settleAll(t, archive)
  assert.equal(await objects.get(late), null)
  assert.deepEqual(await filesOf(objects, keys.pictureUsePrefix(PICTURE)), [keys.pictureUse(PICTURE, OTHER)])
})

test('a purge that is killed between the set and the files of what was made late removes the files when it is looked at again', async t => {
  const archive = await build(t)
  const { objects, needs, fact, clock } = archive
  await make(archive, OTHER, 'others')
  await markGiven(objects, { sha256: PICTURE, articleId: ID }, 'late', clock.nowMs)
  await purge(needs, fact)
  const late = await make(archive, ID, 'late')
  const dies = () => Promise.reject(new Error('killed'))
  const isAtFile = (call: string, key: string) => call === 'delete' && key === late
  await assert.rejects(purge({ ...needs, objects: hooked(objects, isAtFile, dies) }, fact), /killed/)
  assert.equal(await objects.get(keys.rendition(PICTURE, 'set', 'late', 'json')), null)
  assert.ok(await objects.get(late))
  await settleAll(t, archive)
  assert.equal(await objects.get(late), null)
})

test('a file that another article is just having made again, with the same words, is left until its set is there', async t => {
  const archive = await build(t)
  const { objects, needs, fact } = archive
  const file = await make(archive, ID, 'same')
  const set = keys.rendition(PICTURE, 'set', 'same', 'json')
  const bytes = (await objects.get(set))?.bytes ?? Buffer.alloc(0)
  const dies = () => Promise.reject(new Error('killed'))
  const isAtFile = (call: string, key: string) => call === 'delete' && key === file
  await assert.rejects(purge({ ...needs, objects: hooked(objects, isAtFile, dies) }, fact), /killed/)
  assert.equal(await objects.get(set), null)
  await markGiven(objects, { sha256: PICTURE, articleId: OTHER }, 'same', archive.clock.nowMs)
  await purge(needs, fact)
  assert.ok(await objects.get(file))
  await objects.put(set, bytes)
  await settleAll(t, archive)
  assert.ok(await objects.get(file))
  assert.ok(await objects.get(set))
})

test('a set that is no set does not keep a purge from its work', async t => {
  const archive = await build(t)
  const { objects, needs, fact } = archive
  const others = await make(archive, OTHER, 'others')
  const own = await make(archive, ID, 'own')
  for (const [at, bytes] of ['null', '{"renditions":5}', '{"renditions":[null,7,{"key":5}]}'].entries()) {
    await markGiven(objects, { sha256: PICTURE, articleId: ID }, `bad${at}`, archive.clock.nowMs)
    await objects.put(keys.rendition(PICTURE, 'set', `bad${at}`, 'json'), Buffer.from(bytes))
  }
  assert.equal(await purge(needs, fact), 'purged')
  assert.equal(await objects.get(own), null)
  assert.ok(await objects.get(others))
})

test('a loose version that is no version does not keep a purge from its work, and goes with the rest', async t => {
  const { objects, needs, fact } = await build(t)
  const planted = ['null', '{"fact":{"article":{"images":{}}}}', '{"fact":{"article":{"images":[null,{"sha256":7}]}}}']
  const keyOf = (at: number) => keys.archive(fact.firstReleasedAt, ID, 7 + at)
  for (const [at, bytes] of planted.entries()) await objects.put(keyOf(at), Buffer.from(bytes))
  assert.equal(await purge(needs, fact), 'purged')
  for (const at of planted.keys()) assert.equal(await objects.get(keyOf(at)), null)
  assert.equal(await objects.get(keys.original(PICTURE)), null)
})

const packOf = async (objects: Objects): Promise<string> =>
  (await filesOf(objects, keys.archivePackPrefix)).find(key => /\/00000001-001-.*\.gz$/.test(key)) ?? ''

test('a missing pack does not keep a purge from its work', async t => {
  const { objects, needs, fact, add } = await build(t)
  await add(ID, 2, 'Bí mật hai')
  await objects.delete(await packOf(objects))
  assert.equal(await purge(needs, { ...fact, version: 3 }), 'purged')
  assert.deepEqual(
    (await filesOf(objects, 'archive/2026/')).filter(key => key.includes(ID)),
    [],
  )
  const closer = createCloser({ ...needs, owns: () => true })
  t.after(() => closer.stop())
  await closer.close()
  assert.deepEqual(await objects.list(keys.archivePurgingPrefix), [], 'done for good')
})

test('a damaged pack holds up one purge and no other, nothing is closed for it again and again, and it is done when the pack is gone', async t => {
  const archive = await build(t)
  const { objects, needs, fact, add, clock } = archive
  await add('press.zz', 1, 'Cũng bí mật')
  const pack = await packOf(objects)
  await objects.put(pack, Buffer.from('no gzip'))
  await assert.rejects(purge(needs, fact), { code: 'NEWSWIRE_ARCHIVE_PACK' })
  await purge(needs, purgedFact('press.zz', clock.nowMs))
  const closer = createCloser({ ...needs, owns: () => true })
  t.after(() => closer.stop())
  await closer.close()
  assert.deepEqual(await filesOf(objects, keys.archivePurgingPrefix), [keys.archivePurging(ID)])
  assert.equal(await isDue(needs), false)
  const last = await readManifest(objects, await newestManifest(objects))
  assert.ok(last)
  assert.deepEqual(await settlePurges(needs, last), { hasMore: false })
  const [said, ...others] = await readOpenPurges(objects)
  assert.deepEqual([others, said?.articleId, said?.trouble?.code], [[], ID, 'NEWSWIRE_ARCHIVE_PACK'])
  assert.match(said?.trouble?.message ?? '', new RegExp(`^pack ${pack} is damaged, .*restore it .*, or delete it`))
  const written = (await objects.head(keys.archivePurging(ID)))?.etag
  await settlePurges(needs, last)
  assert.equal((await objects.head(keys.archivePurging(ID)))?.etag, written, 'and it is written once')
  await objects.delete(pack)
  const looking = createCloser({ ...needs, owns: () => true, everyMs: 10 })
  t.after(() => looking.stop())
  const isDone = async () => assert.deepEqual(await filesOf(objects, keys.archivePurgingPrefix), [])
  await t.waitFor(isDone, { timeout: 30_000 })
  assert.equal(await newestManifest(objects), last.head.number)
})

const verifyLive = async (objects: Objects, copy = inPlace(objects)): Promise<Verdict> => {
  const found = await readKeys(objects)
  assert.ok(found)
  return verifyCopy(copy, found.value, { isLive: true, newestPacked: await newestPacked(objects) })
}

test('in a running system a manifest whose packs are not made yet is open, and not wrong', async t => {
  const { objects, needs, add } = await build(t)
  await add('press.new', 1)
  const when = (call: string, key: string) => call === 'put' && key.includes('/00000002-001')
  const dies = () => Promise.reject(new Error('killed'))
  await assert.rejects(closeOnce({ ...needs, objects: hooked(objects, when, dies) }), /killed/)
  assert.equal(await newestManifest(objects), 2)
  const verdict = await verifyLive(objects)
  assert.deepEqual([verdict.wrong, verdict.manifests, verdict.open], [undefined, 1, 1])
  // Half its packs made is no more wrong.
  await objects.put(keys.archivePack('2026/03/01', 2, 1, 'cd'.repeat(32)), Buffer.from('half'))
  assert.equal((await verifyLive(objects)).wrong, undefined)
  await closeOnce(needs)
  assert.equal((await verifyLive(objects)).wrong, undefined)
})

for (const at of ['.index.jsonl', '.gz'])
  test(`in a running system a purge that begins before ${at} of its pack is read makes nothing wrong`, async t => {
    const { objects, needs, fact } = await build(t)
    const { get } = hooked(
      objects,
      (_call, key) => key.endsWith(at),
      () => purge(needs, fact),
    )
    const copy = { ...inPlace(objects), read: async (path: string) => (await get(path))?.bytes ?? null }
    const verdict = await verifyLive(objects, copy)
    assert.deepEqual([verdict.wrong, verdict.pending], [undefined, 1])
    assert.ok(verdict.purged >= 2)
  })
