/** The part of the contract about bodies: what is read is what was written, whole. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { RejectError, UnavailableError } from '@newswire/events/errors'
import { bytesOf, type Make, opened, openStore, textAt } from './contract-store.ts'
import type { Objects } from './objects.ts'
import { getUnpacked } from './packed.ts'

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

const SIZES = [100_000, 400_000, 10] as const

/** The body of one write, told by its first four bytes. */
const numbered = (write: number): Buffer => {
  const body = Buffer.alloc(SIZES[write % SIZES.length] ?? 0, 'x')
  body.writeUInt32BE(write)
  return body
}

type Seen = Readonly<{ write: number; etag: string }>

/**
 * Reads until `stop`, and checks that every body is that of one write as a whole. Tells when it has seen every size: how many reads fit beside
 * so many writes is the scheduler's affair.
 */
const readWhileWritten = async (objects: Objects, stop: () => boolean, onAllSeen: () => void): Promise<readonly Seen[]> => {
  const seen: Seen[] = []
  const sizes = new Set<number>()
  while (!stop()) {
    const found = await objects.get('a')
    assert.ok(found)
    const body = Buffer.from(found.bytes)
    const write = body.readUInt32BE()
    assert.ok(body.equals(numbered(write)), 'a torn body was read')
    seen.push({ write, etag: found.etag })
    if (!sizes.has(write % SIZES.length) && sizes.size === SIZES.length - 1) onAllSeen()
    sizes.add(write % SIZES.length)
    await nextTurn() // lets the writer on
  }
  return seen
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

  test('a body that is gzip comes back as it was put, and unpacked for who asks so', async t => {
    const objects = await opened(t, make)
    const bytes = gzipSync('Bến đò')
    assert.ok((await objects.put('a.xml', bytes, { contentType: 'application/xml' })).ok)
    assert.deepEqual(Buffer.from((await objects.get('a.xml'))?.bytes ?? []), bytes)
    assert.equal(Buffer.from((await getUnpacked(objects, 'a.xml'))?.bytes ?? []).toString(), 'Bến đò')
  })

  test('a view into a larger buffer is stored as the view', async t => {
    const objects = await opened(t, make)
    await objects.put('a', bytesOf('before, wanted, after').subarray(8, 14))
    assert.equal(await textAt(objects, 'a'), 'wanted')
  })

  test('readers during overwrites never see a torn body, nor a tag that is newer than the body', async t => {
    const objects = await opened(t, make)
    const writeOf = new Map<string, number>()
    const write = async (number: number) => {
      const put = await objects.put('a', numbered(number))
      assert.ok(put.ok)
      writeOf.set(put.etag, number)
    }
    await write(0)
    let reading = 4
    let isOver = false
    const reader = () =>
      readWhileWritten(
        objects,
        () => isOver,
        () => reading--,
      )
    const readers = Promise.all(Array.from({ length: reading }, reader)).finally(() => {
      isOver = true
    })
    readers.catch(() => undefined)
    const deadline = Date.now() + 60_000
    let written = 1
    for (; !isOver && (written < 60 || reading > 0) && Date.now() < deadline; written++) await write(written)
    isOver = true
    for (const seen of (await readers).flat()) {
      const tagged = writeOf.get(seen.etag)
      assert.ok(tagged !== undefined && tagged <= seen.write, `body ${seen.write} was read under the tag of ${tagged}`)
    }
    assert.equal(reading, 0, 'readers did not see all bodies')
    assert.equal(writeOf.get((await objects.get('a'))?.etag ?? ''), written - 1, 'the tag at rest')
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
