/** The part of the contract about bodies: what is read is what was written, whole. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { RejectError, UnavailableError } from '@newswire/events/errors'
import { bytesOf, type Make, opened, openStore, textAt } from './contract-store.ts'
import type { Objects } from './objects.ts'

const MIB = 1024 * 1024

const everyRead = (objects: Objects, key: string): readonly Promise<unknown>[] => [
  objects.get(key),
  objects.head(key),
  objects.put(key, bytesOf('x')),
  objects.delete(key),
]

const HOSTILE = [
  '',
  '/',
  '/a',
  'a/',
  'a//b',
  '.',
  '..',
  '../a',
  'a/../b',
  'a/./b',
  'a/..',
  'a\\b',
  'a\0b',
  'a\nb',
  'a\x7fb',
  '\ud800',
  'e\u0301',
  'x'.repeat(256),
  'x/'.repeat(512).concat('x'),
]

/**
 * Reads until `stop`, and checks that every body is one of `bodies` as a whole, under the tag that goes with it. Tells when it has seen all:
 * how many reads fit beside so many writes is the scheduler's affair.
 */
const readWhileWritten = async (objects: Objects, bodies: readonly Buffer[], stop: () => boolean, onAllSeen: () => void) => {
  const tags = new Map<Buffer, string>()
  while (!stop()) {
    const found = await objects.get('a')
    assert.ok(found)
    const body = bodies.find(({ byteLength }) => byteLength === found.bytes.byteLength)
    assert.ok(body, `a body of ${found.bytes.byteLength} bytes was never written`)
    assert.ok(body.equals(found.bytes), 'a torn body was read')
    assert.equal(tags.get(body) ?? found.etag, found.etag)
    if (!tags.has(body) && tags.size === bodies.length - 1) onAllSeen()
    tags.set(body, found.etag)
    await nextTurn() // lets the writer on
  }
}

export const bodiesContract = (make: Make): void => {
  for (const [name, size] of [
    ['empty', 0],
    ['small', 4_000],
    ['just under 256 KiB', MIB / 4],
    ['just over 256 KiB', MIB / 4 + 1],
    ['3 MiB', 3 * MIB],
  ] as const) {
    test(`a body is read back byte for byte: ${name}`, async t => {
      const objects = await opened(t, make)
      const bytes = randomBytes(size)
      const put = await objects.put('a/b.bin', bytes, { ifNoneMatch: '*' })
      assert.ok(put.ok)
      const found = await objects.get('a/b.bin')
      assert.ok(found)
      assert.equal(Buffer.compare(found.bytes, bytes), 0)
      assert.equal(found.etag, put.etag)
      assert.deepEqual(await objects.put('a/b.bin', randomBytes(size + 1), { ifNoneMatch: '*' }), { ok: false, reason: 'exists' })
      assert.deepEqual(await objects.put('a/b.bin', bytes, { ifNoneMatch: '*' }), put)
    })
  }

  test('a view into a larger buffer is stored as the view', async t => {
    const objects = await opened(t, make)
    await objects.put('a', bytesOf('before, wanted, after').subarray(8, 14))
    assert.equal(await textAt(objects, 'a'), 'wanted')
  })

  test('readers during overwrites never see a torn body', async t => {
    const objects = await opened(t, make)
    const bodies = [Buffer.alloc(100_000, 'a'), Buffer.alloc(400_000, 'b'), Buffer.alloc(10, 'c')]
    await objects.put('a', Buffer.alloc(10, 'c'))
    let reading = 4
    let isOver = false
    const reader = () =>
      readWhileWritten(
        objects,
        bodies,
        () => isOver,
        () => reading--,
      )
    const readers = Promise.all(Array.from({ length: reading }, reader)).finally(() => {
      isOver = true
    })
    readers.catch(() => undefined)
    const deadline = Date.now() + 60_000
    for (let written = 0; !isOver && (written < 60 || reading > 0) && Date.now() < deadline; written++)
      await objects.put('a', bodies[written % 3] ?? Buffer.alloc(0))
    isOver = true
    await readers
    assert.equal(reading, 0, 'readers did not see all bodies')
  })

  test('what was written, overwritten and deleted is read, headed and listed so at once', async t => {
    const objects = await opened(t, make)
    const listed = async () => (await objects.list('')).map(({ key, size, etag }) => ({ key, size, etag }))
    for (const text of ['one', 'longer']) {
      const put = await objects.put('dir/a.json', bytesOf(text))
      assert.ok(put.ok)
      const { lastModified, ...head } = (await objects.head('dir/a.json')) ?? { lastModified: new Date(0) }
      assert.deepEqual(head, { size: text.length, etag: put.etag, contentType: 'application/json' })
      assert.ok(Math.abs(lastModified.getTime() - Date.now()) < 60_000)
      assert.equal(await textAt(objects, 'dir/a.json'), text)
      assert.deepEqual(await listed(), [{ key: 'dir/a.json', size: text.length, etag: put.etag }])
    }
    await objects.delete('dir/a.json')
    assert.equal(await objects.get('dir/a.json'), null)
    assert.equal(await objects.head('dir/a.json'), null)
    assert.deepEqual(await listed(), [])
  })

  test('deleting what is not there succeeds', async t => {
    const objects = await opened(t, make)
    await objects.put('a', bytesOf('x'))
    await objects.delete('a')
    await objects.delete('a')
    await objects.delete('never/was')
    assert.equal(await objects.get('a'), null)
  })

  test('the content type comes from the ending unless it is given', async t => {
    const objects = await opened(t, make)
    const typeOf = async (key: string, contentType?: string) => {
      await objects.put(key, bytesOf('x'), contentType === undefined ? {} : { contentType, cacheControl: 'no-store' })
      assert.equal((await objects.get(key))?.contentType, (await objects.head(key))?.contentType)
      return (await objects.head(key))?.contentType
    }
    assert.equal(await typeOf('a.json'), 'application/json')
    assert.equal(await typeOf('a.jpg'), 'image/jpeg')
    assert.equal(await typeOf('a.b/plain'), 'application/octet-stream')
    assert.equal(await typeOf('a.constructor'), 'application/octet-stream')
    assert.equal(await typeOf('feed.xml', 'application/atom+xml'), 'application/atom+xml')
    assert.equal(await typeOf('feed.xml'), 'application/xml')
  })

  test('a key that could leave the store or mean two things is refused', async t => {
    const objects = await opened(t, make)
    for (const key of HOSTILE)
      for (const tried of everyRead(objects, key))
        await assert.rejects(
          tried,
          (error: unknown) => error instanceof RejectError && error.code === 'NEWSWIRE_OBJECTS_KEY',
          JSON.stringify(key),
        )
    assert.deepEqual(await objects.list(''), [])
  })

  test('a get that is called off rejects', async t => {
    const objects = await opened(t, make)
    await objects.put('a', bytesOf('x'))
    await assert.rejects(objects.get('a', { signal: AbortSignal.abort() }), { name: 'AbortError' })
  })

  test('a store that is away is told as unavailable, never as an empty one', async t => {
    const objects = await (await make(t)).openBroken()
    t.after(() => objects.close())
    const tried = [
      ...everyRead(objects, 'a'),
      objects.put('large', Buffer.alloc(MIB)),
      objects.put('a', bytesOf('x'), { ifNoneMatch: '*' }),
      objects.put('a', bytesOf('x'), { ifMatch: '"x"' }),
      objects.list(''),
    ]
    for (const outcome of await Promise.allSettled(tried)) {
      assert.equal(outcome.status, 'rejected')
      assert.ok(outcome.reason instanceof UnavailableError)
      assert.equal(outcome.reason.code, 'NEWSWIRE_OBJECTS_UNAVAILABLE')
    }
  })

  test('what was put before a clean end is there after it', async t => {
    const { settings } = await make(t)
    const first = await openStore(settings)
    await first.put('small', bytesOf('x'))
    await first.put('large', Buffer.alloc(MIB, 'y'))
    await first.close()
    const second = await openStore(settings)
    t.after(() => second.close())
    assert.equal(await textAt(second, 'small'), 'x')
    assert.equal((await second.get('large'))?.bytes.byteLength, MIB)
  })
}
