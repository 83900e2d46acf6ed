/** Walks through all articles, on a real store, and what is removed on their word. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import { markPictures, walkedFromMs } from './mark-pictures.ts'
import { sweepByte } from './sweep.ts'

const DAY = 86_400_000
const WEEK = 7 * DAY
const KEEP_DAYS = 30
const never = new AbortController().signal
const sha256 = 'ab'.repeat(32)
const images = [
  { url: 'https://press.example/a.jpg', role: 'lead', caption: '', alt: '', credit: '', state: 'ready', sha256, renditions: [] },
]

const open = async (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-marks-'))
  const objects = await createDiskObjects({ root: folder, fsync: 'normal' })
  t.after(async () => {
    await objects.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const clock = { nowMs: Math.ceil(Date.now() / WEEK) * WEEK + DAY }
  const skipped: string[] = []
  const needs = {
    objects,
    now: () => clock.nowMs,
    partitions: (): readonly number[] => [0, 1],
    partitionOf: (id: string) => (id === 'press.b' ? 1 : 0),
    onSkipped: (articleId: string) => void skipped.push(articleId),
  }
  const write = (articleId: string, state: object) =>
    objects.put(keys.current(articleId), Buffer.from(JSON.stringify({ released: null, ...state })))
  const kept = { submissionId: 's', article: { images } }
  const live = { released: { fact: kept } }
  const walk = () => markPictures(needs, never)
  const walked = () => walkedFromMs(objects, [0, 1])
  const marks = async () => (await objects.list('images/uses/')).map(one => one.key)
  /** So many days pass, each with a round. */
  const pass = async (days: number) => {
    const sweepNeeds = { ...needs, keepMs: () => KEEP_DAYS * DAY, walkedFromMs: walked, onRemoved: () => undefined }
    for (let day = 0; day < days; day++) {
      clock.nowMs += DAY
      await walk()
      await sweepByte(sweepNeeds, sha256.slice(0, 2), never)
    }
  }
  const hasOriginal = async () => (await objects.head(keys.original(sha256))) !== null
  return { objects, clock, skipped, needs, write, kept, live, walk, walked, marks, pass, hasOriginal }
}

test('articles that nobody marked are marked, what waits and what was taken back too, when every partition was gone through', async t => {
  const { objects, clock, needs, write, kept, live, walk, walked, marks } = await open(t)
  await write('press.a', live)
  await write('press.b', { held: kept })
  await write('press.c', { withdrawn: kept })
  assert.equal(await walked(), null)
  await markPictures({ ...needs, partitions: () => [0] }, never)
  assert.equal(await walked(), null)
  await walk()
  assert.equal(await walked(), clock.nowMs - DAY)
  assert.deepEqual(
    await marks(),
    ['press.a', 'press.b', 'press.c'].map(id => keys.pictureUse(sha256, id)),
  )
  assert.equal(await walkedFromMs(objects, []), null)
})

test('every week they are gone through again, and a mark that is there keeps its age', async t => {
  const { objects, clock, write, live, walk, walked, marks } = await open(t)
  await write('press.a', live)
  await walk()
  const [mark = ''] = await marks()
  const before = await objects.get(mark)
  await write('press.b', live)
  await walk()
  assert.equal((await marks()).length, 1, 'once a week')
  clock.nowMs += WEEK
  await walk()
  assert.equal((await marks()).length, 2)
  assert.equal(await walked(), clock.nowMs - DAY)
  assert.equal((await objects.get(mark))?.etag, before?.etag)
})

test('the walk of a build that went through the articles once, and knew of no weeks, counts for nothing', async t => {
  const { objects, walk, walked } = await open(t)
  for (const partition of [0, 1])
    await objects.put(
      keys.pictureMarks(partition),
      Buffer.from(JSON.stringify({ n: 1, table: 'marks of pictures, 1', after: '', done: true })),
    )
  assert.equal(await walked(), null)
  await walk()
  assert.notEqual(await walked(), null)
})

test('pictures of articles that came back after a walk over an empty store are kept', async t => {
  const { objects, write, live, pass, hasOriginal } = await open(t)
  await objects.put(keys.original(sha256), Buffer.from('picture'))
  await pass(20)
  await write('press.a', live)
  await pass(3 * KEEP_DAYS)
  assert.ok(await hasOriginal())
})

test('an upload that no article has goes all the same', async t => {
  const { objects, pass, hasOriginal } = await open(t)
  await objects.put(keys.original(sha256), Buffer.from('picture'))
  await pass(KEEP_DAYS)
  assert.ok(await hasOriginal())
  await pass(1)
  assert.equal(await hasOriginal(), false)
})

test('an article that cannot be read is named and left out, others are marked, and nothing is removed until a walk could read all', async t => {
  const { objects, skipped, write, live, marks, walked, pass, hasOriginal } = await open(t)
  await objects.put(keys.original(sha256), Buffer.from('picture'))
  await objects.put(keys.current('press.a'), Buffer.from('{"released":'))
  await write('press.b', { released: { fact: { submissionId: 's', article: { images: [{ ...images[0], sha256: 'cd'.repeat(32) }] } } } })
  await pass(3 * KEEP_DAYS)
  assert.deepEqual([...new Set(skipped)], ['press.a'])
  assert.deepEqual(await marks(), [keys.pictureUse('cd'.repeat(32), 'press.b')])
  assert.equal(await walked(), null)
  await write('press.a', live)
  await pass(3 * KEEP_DAYS)
  assert.notEqual(await walked(), null)
  assert.ok(await hasOriginal())
})

test('while current/ is made again no walk begins, and one that is under way ends without counting', async t => {
  const { objects, needs, write, live, walk, walked, marks } = await open(t)
  await write('press.a', live)
  await objects.put(keys.rebuildMark(), Buffer.from('{}'))
  await walk()
  assert.deepEqual(await marks(), [])
  await objects.delete(keys.rebuildMark())
  const put: typeof objects.put = async (...args) => {
    await objects.put(keys.rebuildMark(), Buffer.from('{}'))
    return objects.put(...args)
  }
  await markPictures({ ...needs, objects: { ...objects, put } }, never)
  assert.equal(await walked(), null)
  await objects.delete(keys.rebuildMark())
  await walk()
  assert.notEqual(await walked(), null)
})
