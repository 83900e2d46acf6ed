/** The part of the contract about listing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOf, type Make, opened } from './contract-store.ts'
import type { Objects } from './objects.ts'

const putAll = async (objects: Objects, keys: readonly string[]) => {
  for (let start = 0; start < keys.length; start += 50)
    await Promise.all(keys.slice(start, start + 50).map(key => objects.put(key, bytesOf(key))))
}
const listed = async (objects: Objects, prefix: string, options?: { startAfter?: string; limit?: number }) =>
  (await objects.list(prefix, options)).map(({ key }) => key)

/** In UTF-8 order. UTF-16 has the emoji before the full-width tilde; a walk over folders has `x/` before `x-` and `x.`. */
const SORTED = ['A', 'B/z', 'a', 'aa', 'x-y/1', 'x.y', 'x/1', 'x/2/3', 'x0', 'z~', 'é', 'ậ/n', '\uff5e', '😀', '😀😀']

export const listingContract = (make: Make): void => {
  test('keys come in the order of their UTF-8 bytes', async t => {
    const objects = await opened(t, make)
    await putAll(objects, SORTED.toReversed())
    assert.deepEqual(await listed(objects, ''), SORTED)
  })

  test('pages of any size follow on from each other', async t => {
    const objects = await opened(t, make)
    await putAll(objects, SORTED)
    for (const limit of [1, 2, 7]) {
      const pages: string[] = []
      for (let startAfter = ''; ; ) {
        const page = await listed(objects, '', { startAfter, limit })
        assert.ok(page.length <= limit)
        const last = page.at(-1)
        if (last === undefined) break
        pages.push(...page)
        startAfter = last
      }
      assert.deepEqual(pages, SORTED)
    }
  })

  test('a prefix need not end at a folder', async t => {
    const objects = await opened(t, make)
    await putAll(objects, SORTED)
    for (const prefix of ['x', 'x/', 'x-', 'x/2', 'a', '😀', 'é', 'nothing', 'B/z', 'B/zz'])
      assert.deepEqual(
        await listed(objects, prefix),
        SORTED.filter(key => key.startsWith(prefix)),
        prefix,
      )
  })

  test('a page may start after a key that is not there, before the prefix or behind it', async t => {
    const objects = await opened(t, make)
    await putAll(objects, SORTED)
    assert.deepEqual(await listed(objects, 'x', { startAfter: 'x/1/none' }), ['x/2/3', 'x0'])
    assert.deepEqual(await listed(objects, 'x/', { startAfter: 'a' }), ['x/1', 'x/2/3'])
    assert.deepEqual(await listed(objects, 'x/', { startAfter: 'y' }), [])
    assert.deepEqual(await listed(objects, '', { startAfter: '\uff5e' }), ['😀', '😀😀'])
  })

  test('a page has at most 1000 keys unless more are asked for', async t => {
    const objects = await opened(t, make)
    const keys = Array.from({ length: 1_010 }, (_, n) => `many/${String(n).padStart(5, '0')}`)
    await putAll(objects, keys)
    assert.deepEqual(await listed(objects, 'many/'), keys.slice(0, 1_000))
    assert.deepEqual(await listed(objects, 'many/', { limit: 5_000 }), keys)
  })

  test('folders that come and go under load trouble nobody', async t => {
    const objects = await opened(t, make)
    const lane = async (name: number) => {
      for (let round = 0; round < 20; round++) {
        const key = `come/and/go/${round % 2}/${name}`
        assert.ok((await objects.put(key, bytesOf('x'), { ifNoneMatch: '*' })).ok)
        assert.ok((await listed(objects, 'come/')).includes(key))
        await objects.delete(key)
      }
    }
    await Promise.all(Array.from({ length: 8 }, (_, name) => lane(name)))
    assert.deepEqual(await listed(objects, ''), [])
  })
}
