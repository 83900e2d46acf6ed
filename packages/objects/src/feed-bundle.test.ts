import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256Hex } from '@newswire/events/ids'
import fc from 'fast-check'
import { type BundledName, bundled, type NewPart, partsOf, readFromBundles, toBundle } from './feed-bundle.ts'
import type { Objects } from './objects.ts'

const BUNDLE = 'feeds/all/feed.bundle'
const partOf = (name: BundledName, text: string): NewPart => ({ name, pieces: [Buffer.from(text)], sha256: sha256Hex(text) })

const openStore = (meanwhile: (held: Map<string, Uint8Array>, read: string) => void = () => undefined) => {
  const held = new Map<string, Uint8Array>()
  const look = async (key: string) => {
    const bytes = held.get(key)
    meanwhile(held, key)
    return bytes === undefined
      ? null
      : { bytes, size: bytes.byteLength, etag: sha256Hex(bytes), contentType: 'text/plain', lastModified: new Date(7) }
  }
  const objects = readFromBundles({ get: look, head: look } as unknown as Objects)
  const read = async (key: string) => {
    const found = await objects.get(key)
    return found === null ? null : Buffer.from(found.bytes).toString()
  }
  return { held, objects, read }
}

test('whatever the parts and their pieces, they come out of the bundle as they went in', () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 })
  fc.assert(
    fc.property(fc.array(pieces, { minLength: bundled.length, maxLength: bundled.length }), given => {
      const parts = bundled.map((name, index) => ({ name, pieces: given[index] ?? [], sha256: sha256Hex(name) }))
      const bytes = toBundle(parts)
      // Stores give views of larger buffers.
      const found = partsOf(Buffer.concat([Buffer.from('x'), bytes]).subarray(1))
      assert.deepEqual(
        [...(found ?? [])].map(([name, one]) => [name, Buffer.from(one.bytes), one.sha256]),
        parts.map(one => [one.name, Buffer.concat(one.pieces), one.sha256]),
      )
    }),
  )
})

test('what is no bundle, or not whole, has no parts', () => {
  const whole = Buffer.from(toBundle([partOf('window.json', '{}'), partOf('rss.xml', '<rss/>')]))
  for (let end = 0; end < whole.length; end += 1) assert.equal(partsOf(whole.subarray(0, end)), null)
  assert.equal(partsOf(Buffer.concat([whole, Buffer.from(' ')])), null)
  assert.equal(partsOf(Buffer.from(whole.toString().replace('"bytes":6', '"bytes":-6'))), null)
  assert.equal(partsOf(Buffer.from(whole.toString().replace('"parts"', '"ports"'))), null)
  assert.equal(partsOf(whole)?.size, 2)
})

test('a file is read from its bundle under the hash of its content, whatever else changes in there', async () => {
  const { held, objects, read } = openStore()
  held.set(BUNDLE, toBundle([partOf('window.json', '{"n":1}'), partOf('rss.xml', '<rss/>')]))
  held.set('feeds/all/rss.xml', Buffer.from('of before there were bundles'))
  const first = await objects.head('feeds/all/rss.xml')
  assert.deepEqual(await objects.head('feeds/all/rss.xml'), {
    ...first,
    size: 6,
    etag: `"${sha256Hex('<rss/>')}"`,
    contentType: 'application/rss+xml; charset=utf-8',
    lastModified: new Date(7),
  })
  assert.equal(await read('feeds/all/rss.xml'), '<rss/>')
  held.set(BUNDLE, toBundle([partOf('window.json', '{"n":2}'), partOf('rss.xml', '<rss/>')]))
  assert.equal((await objects.head('feeds/all/rss.xml'))?.etag, first?.etag)
  assert.equal(await read('feeds/all/window.json'), '{"n":2}')
})

test('a bundle without a file says that there is none, also where one is left of before', async () => {
  const { held, read } = openStore()
  held.set('feeds/all/rss.xml', Buffer.from('of before there were bundles'))
  assert.equal(await read('feeds/all/rss.xml'), 'of before there were bundles')
  held.set(BUNDLE, toBundle([partOf('window.json', '{}')]))
  assert.equal(await read('feeds/all/rss.xml'), null)
})

test('a feed whose first bundle takes the place of its files while it is read is never seen without both', async () => {
  const { held, read } = openStore((held, key) => {
    if (key !== BUNDLE) return
    held.set(BUNDLE, toBundle([partOf('rss.xml', 'new')]))
    held.delete('feeds/all/rss.xml')
  })
  held.set('feeds/all/rss.xml', Buffer.from('old'))
  assert.equal(await read('feeds/all/rss.xml'), 'new')
})

test('nothing else is looked for in a bundle', async () => {
  const { held, objects, read } = openStore()
  held.set(BUNDLE, Buffer.from('damaged'))
  for (const key of ['feeds/all/readers.json', 'feeds/all/pages/rss.xml', 'current/rss.xml', 'feeds/rss.xml', 'rss.xml']) {
    held.set(key, Buffer.from(key))
    assert.equal(await read(key), key)
    assert.equal((await objects.head(key))?.contentType, 'text/plain')
  }
  await assert.rejects(read('feeds/all/rss.xml'), { code: 'NEWSWIRE_OBJECTS_DAMAGED' })
})
