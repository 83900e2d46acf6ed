import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256Hex } from '@newswire/events/ids'
import { readFromBundles } from './bundle-reader.ts'
import { type BundledName, type NewPart, toBundle } from './feed-bundle.ts'
import type { Objects } from './objects.ts'

const BUNDLE = 'feeds/all/feed.bundle'
const partOf = (name: BundledName, text: string): NewPart => ({ name, pieces: [Buffer.from(text)], sha256: sha256Hex(text) })

const openStore = (
  meanwhile: (held: Map<string, Uint8Array>, read: string) => void = () => undefined,
  options: Parameters<typeof readFromBundles>[1] = {},
) => {
  const held = new Map<string, Uint8Array>()
  const asked: string[] = []
  const look = async (what: 'get' | 'head', key: string) => {
    asked.push(`${what} ${key}`)
    const bytes = held.get(key)
    meanwhile(held, key)
    return bytes === undefined
      ? null
      : { bytes, size: bytes.byteLength, etag: sha256Hex(bytes), contentType: 'text/plain', lastModified: new Date(7) }
  }
  const objects = readFromBundles(
    { get: (key: string) => look('get', key), head: (key: string) => look('head', key) } as unknown as Objects,
    options,
  )
  const read = async (key: string, sha256?: string) => {
    const found = await objects.get(key, sha256 === undefined ? {} : { sha256 })
    return found === null ? null : Buffer.from(found.bytes).toString()
  }
  return { held, asked, objects, read }
}

test('a file is read from its bundle under the hash of its content, whatever else changes in there', async () => {
  const { held, objects, read } = openStore()
  held.set(BUNDLE, toBundle([partOf('window.json', '{"n":1}'), partOf('rss.xml', '<rss/>')]))
  held.set('feeds/all/rss.xml', Buffer.from('of before there were bundles'))
  const first = await objects.head('feeds/all/rss.xml')
  assert.deepEqual(first, {
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

test('the files of a build that are asked for at once cost one request, and those that are asked for later none', async () => {
  const { held, asked, read } = openStore()
  held.set(BUNDLE, toBundle([partOf('rss.xml', 'r'), partOf('atom.xml', 'a'), partOf('feed.json', 'j'), partOf('news-sitemap.xml', 's')]))
  const wanted = [
    ['rss.xml', 'r'],
    ['atom.xml', 'a'],
    ['feed.json', 'j'],
  ] as const
  const found = await Promise.all(wanted.map(([name, text]) => read(`feeds/all/${name}`, sha256Hex(text))))
  assert.deepEqual(found, ['r', 'a', 'j'])
  assert.equal(await read('feeds/all/news-sitemap.xml', sha256Hex('s')), 's')
  assert.deepEqual(asked, [`get ${BUNDLE}`])
})

test('whoever names another hash, or none, is given what is there now', async () => {
  const { held, asked, read } = openStore()
  held.set(BUNDLE, toBundle([partOf('rss.xml', 'one'), partOf('atom.xml', 'a1')]))
  assert.equal(await read('feeds/all/rss.xml', sha256Hex('one')), 'one')
  held.set(BUNDLE, toBundle([partOf('rss.xml', 'two'), partOf('atom.xml', 'a1')]))
  assert.equal(await read('feeds/all/rss.xml'), 'two')
  assert.equal(await read('feeds/all/rss.xml', sha256Hex('two')), 'two')
  assert.equal(await read('feeds/all/rss.xml', sha256Hex('two')), 'two')
  assert.equal(asked.length, 3)
  held.delete(BUNDLE)
  assert.equal(await read('feeds/all/rss.xml', sha256Hex('three')), null)
})

test('a read that was under way before a build was told of serves none of it to whoever was told', async () => {
  const first = Promise.withResolvers<void>()
  const bundles = ['one', 'two'].map(text => toBundle([partOf('rss.xml', text), partOf('atom.xml', text)]))
  let reads = 0
  const get = async () => {
    const bytes = bundles[Math.min(reads++, 1)] ?? Buffer.alloc(0)
    if (reads === 1) await first.promise
    return { bytes, etag: sha256Hex(bytes), contentType: '', lastModified: new Date(7) }
  }
  const objects = readFromBundles({ get } as unknown as Objects)
  const textOf = async (name: BundledName, text: string) =>
    Buffer.from((await objects.get(`feeds/all/${name}`, { sha256: sha256Hex(text) }))?.bytes ?? []).toString()
  const before = textOf('rss.xml', 'one')
  const after = [textOf('rss.xml', 'two'), textOf('atom.xml', 'two')]
  first.resolve()
  assert.deepEqual(await Promise.all([before, ...after]), ['one', 'two', 'two'])
  assert.equal(reads, 2)
})

test('a read that fails keeps nobody from the next', async () => {
  let isAway = true
  const { held, read } = openStore(() => {
    if (isAway) throw new Error('away')
  })
  held.set(BUNDLE, toBundle([partOf('rss.xml', 'r')]))
  await assert.rejects(Promise.all([read('feeds/all/rss.xml', sha256Hex('r')), read('feeds/all/rss.xml', sha256Hex('r'))]), /away/)
  isAway = false
  assert.equal(await read('feeds/all/rss.xml', sha256Hex('r')), 'r')
})

test('whether a file changed is told without its bundle; of one that did, the bundle is read once for that and for the file', async () => {
  const { held, asked, objects, read } = openStore()
  const put = (text: string) => held.set(BUNDLE, toBundle([partOf('rss.xml', text), partOf('feed.json', text)]))
  put('one')
  const there = await objects.head('feeds/all/feed.json')
  assert.deepEqual([there?.size, there?.etag], [3, `"${sha256Hex('one')}"`])
  assert.equal(await read('feeds/all/feed.json', sha256Hex('one')), 'one')
  assert.deepEqual(asked.splice(0), [`head ${BUNDLE}`, `get ${BUNDLE}`])
  assert.deepEqual(await objects.head('feeds/all/feed.json'), there)
  assert.equal(await objects.head('feeds/all/atom.xml'), null)
  assert.deepEqual(asked.splice(0), [`head ${BUNDLE}`, `head ${BUNDLE}`])
  put('two')
  assert.equal((await objects.head('feeds/all/feed.json'))?.etag, `"${sha256Hex('two')}"`)
  assert.equal(await read('feeds/all/feed.json', sha256Hex('two')), 'two')
  assert.deepEqual(asked.splice(0), [`head ${BUNDLE}`, `get ${BUNDLE}`])
})

test('bundles above the bytes that are kept are read again, and their heads are not', async () => {
  const { held, asked, objects, read } = openStore(undefined, { maxBytes: 100 })
  held.set(BUNDLE, toBundle([partOf('rss.xml', 'r'.repeat(200))]))
  for (let again = 0; again < 2; again += 1) await read('feeds/all/rss.xml', sha256Hex('r'.repeat(200)))
  await objects.head('feeds/all/rss.xml')
  assert.deepEqual(asked, [`get ${BUNDLE}`, `get ${BUNDLE}`, `head ${BUNDLE}`])
})

test('a file that is kept plain holds memory of its own size, and not the bundle', async () => {
  const { held, objects } = openStore()
  held.set(BUNDLE, toBundle([partOf('rss.xml', 'r'.repeat(1_000_000)), partOf('news-sitemap.xml', 's'.repeat(10_000))]))
  for (const options of [{}, { sha256: sha256Hex('s'.repeat(10_000)) }]) {
    const found = await objects.get('feeds/all/news-sitemap.xml', options)
    assert.deepEqual([found?.bytes.byteLength, found?.bytes.buffer.byteLength], [10_000, 10_000])
  }
})
