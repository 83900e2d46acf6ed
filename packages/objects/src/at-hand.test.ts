import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256Hex } from '@newswire/events/ids'
import { keepAtHand } from './at-hand.ts'
import type { Objects } from './objects.ts'

const key = 'feeds/a/rss.xml'

/** A store whose reads are counted. */
const countedStore = () => {
  const held = new Map<string, Uint8Array>()
  const reads: string[] = []
  const objects = {
    get: async (name: string) => {
      reads.push(name)
      const bytes = held.get(name)
      return bytes === undefined ? null : { bytes, etag: sha256Hex(bytes), contentType: '', lastModified: new Date(0) }
    },
    put: async (name: string, bytes: Uint8Array, { ifNoneMatch }: { ifNoneMatch?: '*' } = {}) => {
      if (ifNoneMatch !== undefined && held.has(name)) return { ok: false, reason: 'exists' }
      held.set(name, bytes)
      return { ok: true, etag: sha256Hex(bytes) }
    },
    delete: async (name: string) => void held.delete(name),
  } as unknown as Objects
  return { objects, reads, held }
}

const textOf = async (objects: Objects, name: string, sha256?: string) => {
  const found = await objects.get(name, sha256 === undefined ? {} : { sha256 })
  return found === null ? null : Buffer.from(found.bytes).toString()
}
const put = (
  objects: Objects,
  name: string,
  text: string,
  { isAtHand = true, ...options }: { ifNoneMatch?: '*'; isAtHand?: boolean } = {},
) =>
  objects.put(name, Buffer.from(text), {
    ...(isAtHand
      ? { atHand: [{ key: name, contentType: '', bytes: () => Buffer.from(text), size: Buffer.byteLength(text), sha256: sha256Hex(text) }] }
      : {}),
    ...options,
  })

test('what was just put is read without the store by who names its hash, under a tag that is the hash', async () => {
  const { objects, reads } = countedStore()
  const near = keepAtHand(objects)
  await put(near, key, 'one')
  const found = await near.get(key, { sha256: sha256Hex('one') })
  assert.deepEqual([Buffer.from(found?.bytes ?? []).toString(), found?.etag], ['one', `"${sha256Hex('one')}"`])
  assert.deepEqual(reads, [])
})

test('who wants other bytes, or whatever is there, reads the store', async () => {
  const { objects, reads, held } = countedStore()
  const near = keepAtHand(objects)
  await put(near, key, 'one')
  held.set(key, Buffer.from('written elsewhere'))
  assert.equal(await textOf(near, key), 'written elsewhere')
  assert.equal(await textOf(near, key, sha256Hex('written elsewhere')), 'written elsewhere')
  assert.equal(reads.length, 2)
})

test('a put that lost, one that nobody waits for and a deletion leave nothing at hand', async () => {
  const { objects, reads } = countedStore()
  const near = keepAtHand(objects)
  await put(near, 'a', 'first', { isAtHand: false })
  await put(near, 'a', 'second', { ifNoneMatch: '*' })
  await put(near, 'b', 'gone')
  await near.delete('b')
  assert.equal(await textOf(near, 'a', sha256Hex('second')), 'first')
  assert.equal(await textOf(near, 'a', sha256Hex('first')), 'first')
  assert.equal(await textOf(near, 'b', sha256Hex('gone')), null)
  assert.equal(reads.length, 3)
})

test('above its bytes the longest kept goes first', async () => {
  const { objects, reads } = countedStore()
  const near = keepAtHand(objects, { maxBytes: 8 })
  for (const text of ['1111', '2222', '3333']) await put(near, text, text)
  for (const text of ['1111', '2222', '3333']) assert.equal(await textOf(near, text, sha256Hex(text)), text)
  assert.deepEqual(reads, ['1111'])
})
