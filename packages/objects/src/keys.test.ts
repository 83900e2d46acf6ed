import assert from 'node:assert/strict'
import { resolve, sep } from 'node:path'
import { test } from 'node:test'
import { RejectError } from '@newswire/events/errors'
import { toPageFile } from '@newswire/events/feed-page'
import fc from 'fast-check'
import { archiveDayOf, checkKey, keys, parseArchiveKey, parsePictureKey, parsePurgeKey } from './keys.ts'

const from = (alphabet: string, minLength: number, maxLength: number) =>
  fc.array(fc.constantFrom(...alphabet), { minLength, maxLength }).map(letters => letters.join(''))

// Small alphabets, so that ids often differ in case only, or are each other's beginning.
const slug = fc.tuple(from('ab1', 1, 1), from('ab1-', 0, 3)).map(parts => parts.join(''))
const local = fc
  .tuple(from('aAbB1', 1, 1), from('aAbB1._-', 0, 6))
  .map(parts => parts.join(''))
  .filter(id => !id.includes('..'))
const articleId = fc.tuple(slug, local).map(parts => parts.join('.'))
const sha256 = from('0f', 64, 64)
const instant = fc
  .date({ min: new Date('0000-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
  .map(date => date.toISOString())
const day = instant.map(at => `${at.slice(0, 10)}T00:00:00.000Z`)
const whole = fc.nat({ max: 20_000 })
const plain = from('ab1', 1, 3)
const pageFile = fc
  .tuple(
    fc.date({ min: new Date('0000-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }),
    fc.integer({ min: 1, max: 200 }),
    fc.constantFrom('rss' as const, 'atom' as const, 'json' as const),
  )
  .map(([at, part, format]) => toPageFile({ day: at.toISOString().slice(0, 10), part }, format))
const folder = day.map(at => at.slice(0, 10).replaceAll('-', '/'))
const feedFile = fc.constantFrom('rss.xml', 'atom.xml', 'feed.json', 'news-sitemap.xml', 'window.json')

/** A key, and all that it was made from. */
const one = <T extends readonly unknown[]>(
  name: keyof typeof keys,
  parts: { [K in keyof T]: fc.Arbitrary<T[K]> },
  make: (...parts: T) => string,
) => fc.tuple(...parts).map(values => ({ key: make(...(values as unknown as T)), cause: JSON.stringify([name, ...values]) }))

const anyKey = fc.oneof(
  one('native', [slug, day, slug], keys.native),
  one('original', [sha256], keys.original),
  one('current', [articleId], keys.current),
  one('hold', [whole, articleId], keys.hold),
  one('parked', [articleId, slug], keys.parked),
  one('pictureUse', [sha256, articleId], keys.pictureUse),
  one('pictureUnused', [sha256], keys.pictureUnused),
  one('pictureMarks', [whole], keys.pictureMarks),
  one('rendition', [sha256, slug, plain, plain], keys.rendition),
  one('feed', [slug, feedFile], keys.feed),
  one('feedPage', [slug, pageFile], keys.feedPage),
  one('archive', [day, articleId, whole], keys.archive),
  one('archiveLedger', [day, articleId, whole], keys.archiveLedger),
  one('archiveManifest', [whole], keys.archiveManifest),
  one('archivePackIndex', [folder, whole, whole], keys.archivePackIndex),
  one('archivePurged', [articleId, whole], keys.archivePurged),
  one('archivePurging', [articleId], keys.archivePurging),
  one('routes', [articleId], keys.routes),
  one('pending', [slug, articleId], keys.pending),
  one('pendingKill', [slug, articleId], keys.pendingKill),
  one('outletState', [slug], keys.outletState),
  one('handover', [whole], keys.handover),
  one('hookDelivery', [slug, slug, sha256], keys.hookDelivery),
  one('idempotency', [slug, sha256], keys.idempotency),
  one('config', [slug, slug], keys.config),
  one('configHistory', [slug, slug, whole], keys.configHistory),
  one('deadLetter', [slug], keys.deadLetter),
  one('deadLetterBytes', [slug], keys.deadLetterBytes),
)

test('every key is one that all stores take, and stays under the folder it is put in', () => {
  fc.assert(
    fc.property(anyKey, ({ key }) => {
      checkKey(key)
      const root = resolve('/store')
      assert.equal(resolve(root, key), root + sep + key.split('/').join(sep))
    }),
  )
})

test('two things never share a key, not even where A and a are the same', () => {
  fc.assert(
    fc.property(fc.array(anyKey, { maxLength: 60 }), made => {
      const causes = new Map<string, string>()
      for (const { key, cause } of made) {
        const folded = key.toLowerCase()
        assert.equal(causes.get(folded) ?? cause, cause, folded)
        causes.set(folded, cause)
      }
    }),
    { numRuns: 500 },
  )
})

test('no key is a folder of another', () => {
  fc.assert(
    fc.property(fc.array(anyKey, { maxLength: 60 }), made => {
      const all = new Set(made.map(({ key }) => key.toLowerCase()))
      for (const key of all) {
        const segments = key.split('/')
        for (let length = 1; length < segments.length; length++) assert.ok(!all.has(segments.slice(0, length).join('/')), key)
      }
    }),
    { numRuns: 500 },
  )
})

test('what is no id never becomes part of a key', () => {
  const makers: readonly ((text: string) => string)[] = [
    text => keys.native(text, '2026-11-24T00:00:00Z', 'a'),
    text => keys.native('a', text, 'a'),
    text => keys.native('a', '2026-11-24T00:00:00Z', text),
    keys.original,
    keys.current,
    text => keys.parked('a.b', text),
    text => keys.rendition('0'.repeat(64), text, 'r', 'jpg'),
    text => keys.rendition('0'.repeat(64), 'w', text, 'jpg'),
    text => keys.rendition('0'.repeat(64), 'w', 'r', text),
    text => keys.feed(text, 'rss.xml'),
    text => keys.feedPage(text, '2026-03-01.json'),
    text => keys.feedPage('a', text),
    text => keys.feedPage('a', `${text}.json`),
    text => keys.pending(text, 'a.b'),
    keys.pendingPrefix,
    text => keys.pendingKill(text, 'a.b'),
    keys.pendingKillPrefix,
    keys.renditionPrefix,
    text => keys.hookDelivery('a', text, '0'.repeat(64)),
    text => keys.hookDelivery('a', 'a', text),
    text => keys.idempotency('a', text),
    text => keys.config(text, 'a'),
    text => keys.config('a', text),
    keys.deadLetter,
    text => keys.subscription(text, '0'.repeat(64)),
    text => keys.subscription('0'.repeat(64), text),
    keys.subscriptionsOf,
    text => keys.hubPending('a', text),
    keys.hubPendingPrefix,
    keys.secret,
    text => keys.archiveLedger(text, 'a.b', 1),
    text => keys.archiveLedger('2026-11-24T00:00:00Z', text, 1),
    text => keys.archivePackIndex(text, 1, 1),
    text => keys.archivePack(text, 1, 1, '0'.repeat(64)),
    text => keys.archivePack('2026/11/24', 1, 1, text),
    text => keys.archiveStaged(1, text),
    text => keys.archivePurged(text, 1),
    keys.archivePurging,
  ]
  const hostile = ['', '.', '..', '../a', 'a/b', 'a\\b', 'a\0', 'a.b/../c', ' ', 'é', 'a'.repeat(300), 'a\n', '%2e%2e', '+123456-01-01']
  for (const make of makers)
    for (const text of hostile)
      assert.throws(
        () => make(text),
        (error: unknown) => error instanceof RejectError && error.code === 'NEWSWIRE_OBJECTS_KEY',
        `${make} ${text}`,
      )
})

test('a number that would not sort is refused', () => {
  for (const value of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    assert.throws(() => keys.hold(value, 'a.b'), RejectError)
    assert.throws(() => keys.handover(value), RejectError)
    assert.throws(() => keys.hubHandover(value), RejectError)
    assert.throws(() => keys.archive('2026-11-24T00:00:00Z', 'a.b', value), RejectError)
  }
})

test('holds sort by the second they are due', () => {
  fc.assert(fc.property(fc.nat(), fc.nat(), (a, b) => a < b === keys.hold(a, 'a.b') < keys.hold(b, 'a.b')))
})

test('the article of a version and of a purge is read back from its key, and from no other', () => {
  fc.assert(
    fc.property(day, articleId, whole, (at, id, version) => {
      const key = keys.archive(at, id, version)
      assert.deepEqual(parseArchiveKey(key), { folder: at.slice(0, 10).replaceAll('-', '/'), articleId: id, version })
      assert.equal(archiveDayOf(key), at.slice(0, 10).replaceAll('-', '/'))
      assert.equal(archiveDayOf(keys.native('a', at, 'b')), at.slice(0, 10).replaceAll('-', '/'))
      assert.equal(parsePurgeKey(keys.archivePurging(id)), id)
      assert.equal(parsePurgeKey(keys.archivePurged(id, version)), id)
      for (const other of [keys.archiveManifest(version), keys.archiveKeys(), keys.current(id), keys.archiveLedger(at, id, version)])
        assert.deepEqual([parseArchiveKey(other), parsePurgeKey(other)], [null, null])
    }),
  )
})

test('keys look as the documentation says', () => {
  assert.equal(keys.current('vnx.Story-1'), 'current/vnx.story-1~g.json')
  assert.equal(keys.current('vnx.story-1'), 'current/vnx.story-1.json')
  assert.equal(keys.archive('2026-11-24T23:59:59+00:00', 'vnx.s', 3), 'archive/2026/11/24/vnx.s/v0003.json')
  assert.equal(keys.hold(1_700_000_000, 'vnx.s'), 'holds/001700000000/vnx.s')
})

test('keys of a picture are found by the first byte of its hash, and say which picture and whose mark they are', () => {
  fc.assert(
    fc.property(sha256, articleId, (hash, article) => {
      const all = [keys.original(hash), keys.pictureUse(hash, article), keys.pictureUnused(hash)]
      assert.deepEqual(
        all.map(parsePictureKey),
        [hash, hash, hash].map((one, index) => ({ sha256: one, articleId: index === 1 ? article : null })),
      )
      for (const [index, prefix] of keys.picturesFrom(hash.slice(0, 2)).entries()) assert.ok(all[index]?.startsWith(prefix))
    }),
  )
  for (const key of ['originals/abc', `images/uses/${'0'.repeat(64)}/No.json`, 'images/rerender/0.json'])
    assert.equal(parsePictureKey(key), null, key)
})
