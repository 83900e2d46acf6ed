import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createDiskObjects } from './disk.ts'
import { keys } from './keys.ts'
import { markFound, markGiven, setsMadeFor } from './picture-mark.ts'

const given = { sha256: 'ab'.repeat(32), articleId: 'press.a' }
const setKey = (recipe: string) => keys.rendition(given.sha256, 'set', recipe, 'json')

const open = async (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-mark-'))
  const objects = await createDiskObjects({ root: folder, fsync: 'normal' })
  t.after(async () => {
    await objects.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return objects
}

test('a mark names everything that was made of a picture for an article, also by many at once', async t => {
  const objects = await open(t)
  const recipes = Array.from({ length: 12 }, (_, index) => `r${index % 6}`)
  await Promise.all(recipes.map(recipe => markGiven(objects, given, recipe, 1_000)))
  assert.deepEqual([...(await setsMadeFor(objects, given))].sort(), [...new Set(recipes)].map(setKey).sort())
  assert.deepEqual(await setsMadeFor(objects, { ...given, articleId: 'press.b' }), [])
})

test('a mark is as new as the last time that the picture was given, and a walk that finds it changes nothing of it', async t => {
  const objects = await open(t)
  const tag = async () => (await objects.head(keys.pictureUse(given.sha256, given.articleId)))?.etag
  await markFound(objects, given, 1_000)
  await markGiven(objects, given, 'r1', 2_000)
  const first = await tag()
  await markGiven(objects, given, 'r1', 2_000)
  const second = await tag()
  assert.notEqual(second, first, 'written anew, so that its age in the store is that of this time')
  await markFound(objects, given, 3_000)
  assert.equal(await tag(), second)
  assert.deepEqual(await setsMadeFor(objects, given), [setKey('r1')])
})

test('a mark of an older build, or one that somebody else wrote, names nothing and is gone on from', async t => {
  const objects = await open(t)
  for (const bytes of ['{"at":"2026-01-01T00:00:00.000Z"}', '{}', 'no JSON', '{"n":1,"at":"","sets":["../../current/press.b"]}']) {
    await objects.put(keys.pictureUse(given.sha256, given.articleId), Buffer.from(bytes))
    assert.deepEqual(await setsMadeFor(objects, given), [])
    await markGiven(objects, given, 'r1', 1_000)
    assert.deepEqual(await setsMadeFor(objects, given), [setKey('r1')])
  }
})
