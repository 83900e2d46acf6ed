import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import { UnavailableError } from '@newswire/events/errors'
import { toRecord } from '@newswire/events/events'
import { deriveId } from '@newswire/events/ids'
import { createEmbeddedLog } from '@newswire/log/embedded'
import { createDiskObjects } from '@newswire/objects/disk'
import type { Objects } from '@newswire/objects/objects'
import { type FeedCacheOptions, openFeedCache } from './feed-cache.ts'

const becomes = async (read: () => Promise<string | null>, wanted: string) => {
  const deadline = Date.now() + 30_000
  while ((await read()) !== wanted) {
    assert.ok(Date.now() < deadline, `it never became ${wanted}`)
    await setTimeout(20)
  }
}

const open = async (t: TestContext) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'newswire-feed-cache-'))
  const log = await createEmbeddedLog({ file: join(dataDir, 'log.db'), fsync: 'normal' })
  const disk = await createDiskObjects({ root: join(dataDir, 'objects'), fsync: 'normal' })
  const store = { isAway: false, reads: 0, heads: 0 }
  let held: Promise<void> = Promise.resolve()
  /** Reads that begin from now on wait for what this gives. */
  const hold = () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    held = promise
    return resolve
  }
  const wanted: (string | undefined)[] = []
  const objects: Objects = {
    ...disk,
    get: async (key, options) => {
      store.reads++
      wanted.push(options?.sha256)
      await held
      if (store.isAway) throw new UnavailableError('NEWSWIRE_OBJECTS_UNAVAILABLE', 'away')
      return disk.get(key, options)
    },
    head: key => {
      store.heads++
      return disk.head(key)
    },
  }
  const poison: string[] = []
  const openCache = (options: Partial<FeedCacheOptions> = {}) =>
    openFeedCache({ log, objects, dataDir, onPoison: ({ code }) => poison.push(code), ...options })
  const cache = await openCache()
  t.after(async () => {
    await cache.stop()
    await log.close()
    await disk.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
  const announce = (counter: number) => {
    const output = { key: 'feeds/all/rss.xml', sha256: 'a'.repeat(64), bytes: 1 }
    const data = {
      feedId: 'all',
      counter,
      updatedAt: '2026-03-01T08:00:00.000Z',
      items: 1,
      outputs: { rss: output, atom: output, json: output },
    }
    const id = deriveId('built', counter)
    return log.publish([toRecord({ id, type: 'feed.built', source: '/services/feeds', subject: 'all', time: data.updatedAt, data })])
  }
  const build = async (counter: number, text: string) => {
    await disk.put('feeds/all/rss.xml', Buffer.from(text))
    await announce(counter)
    await hasSeen(counter)
  }
  const hasSeen = async (counter: number) => {
    const deadline = Date.now() + 60_000
    while ((cache.built('all')?.counter ?? -1) < counter) {
      assert.ok(Date.now() < deadline, `counter ${counter} was not seen`)
      await setTimeout(5)
    }
  }
  const read = async () => {
    const served = await cache.get('all', 'rss')
    return served === null ? null : Buffer.from(served.bytes).toString()
  }
  return { cache, openCache, announce, hasSeen, build, read, store, hold, wanted, disk, log, poison }
}

test('a file that is kept as gzip is served as what it says, and a damaged one leaves the last good bytes', async t => {
  const { announce, hasSeen, read, disk } = await open(t)
  await disk.put('feeds/all/rss.xml', gzipSync('<rss>Bến đò</rss>'))
  await announce(1)
  await becomes(read, '<rss>Bến đò</rss>')
  await disk.put('feeds/all/rss.xml', gzipSync('<rss>mới</rss>').subarray(0, -1))
  await announce(2)
  await hasSeen(2)
  assert.equal(await read(), '<rss>Bến đò</rss>')
  await disk.put('feeds/all/rss.xml', gzipSync('<rss>mới</rss>'))
  await announce(3)
  await becomes(read, '<rss>mới</rss>')
})

test('readers share one read, and get the new bytes once a newer build is announced', async t => {
  const { build, read, store, cache } = await open(t)
  assert.equal(await read(), null)
  await build(1, 'one')
  const before = store.reads
  assert.deepEqual(await Promise.all([read(), read(), read()]), ['one', 'one', 'one'])
  assert.equal(store.reads - before, 1)
  await build(2, 'two')
  assert.equal(await read(), 'two')
  const served = await cache.get('all', 'rss')
  assert.equal(gunzipSync((await served?.variant('gzip'))?.bytes ?? Buffer.alloc(0)).toString(), 'two')
})

test('an announcement of a build that there never was keeps no later one from being seen, nor is its date told of their bytes', async t => {
  const { build, read, announce, hasSeen, cache, disk } = await open(t)
  await build(1, 'one')
  assert.equal(await read(), 'one')
  await announce(Number.MAX_SAFE_INTEGER)
  await hasSeen(Number.MAX_SAFE_INTEGER)
  assert.equal(await read(), 'one')
  for (const [counter, text] of [
    [2, 'two'],
    [3, 'three'],
    [4, 'four'],
  ] as const) {
    await disk.put('feeds/all/rss.xml', Buffer.from(text))
    await announce(counter)
    await becomes(read, text)
    if (counter === 2) assert.equal((await cache.get('all', 'rss'))?.lastModified, null)
  }
  assert.equal(cache.built('all')?.counter, 4)
})

test('two announcements that come late, one after the other, do not date bytes that are newer than both', async t => {
  const { build, announce, read, cache } = await open(t)
  const dateOf = async () => (await cache.get('all', 'rss'))?.lastModified
  await build(10, 'ten')
  assert.equal(await read(), 'ten')
  await announce(7)
  await announce(8)
  await becomes(async () => String(cache.built('all')?.counter), '8')
  assert.equal(await dateOf(), null, 'whoever has build 8 by this date would be told that nothing changed')
  await build(11, 'eleven')
  await becomes(read, 'eleven')
  assert.ok(await dateOf())
})

test('an announcement with a lower counter, come late, changes nothing, also after a restart', async t => {
  const { build, read, announce, cache, openCache, store, log } = await open(t)
  await build(5, 'five')
  assert.equal(await read(), 'five')
  await announce(4)
  await announce(6)
  const deadline = Date.now() + 60_000
  while (cache.built('all')?.counter !== 6) {
    assert.ok(Date.now() < deadline)
    await setTimeout(5)
  }
  await announce(3)
  const reads = store.reads
  await cache.stop()
  const again = await openCache()
  t.after(() => again.stop())
  const ends = await log.ends('feeds')
  assert.ok(ends.some(one => one.end > one.start))
  assert.equal(again.built('all')?.counter, 6)
  assert.equal(store.reads, reads)
})

test('while the store is away every reader gets the last good bytes, and the next one after it is back the new ones', async t => {
  const { build, read, store } = await open(t)
  await build(1, 'one')
  assert.equal(await read(), 'one')
  store.isAway = true
  await build(2, 'two')
  assert.deepEqual(await Promise.all([read(), read(), read()]), ['one', 'one', 'one'])
  store.isAway = false
  await becomes(read, 'two')
})

test('old bytes that are served because the store is away are told apart from those that are current, until it is back', async t => {
  const { read, build, store, cache } = await open(t)
  await build(1, 'one')
  assert.equal(await read(), 'one')
  assert.deepEqual(cache.standing(), { from: 'log', knownAgoMs: 0, behind: 0, behindForMs: 0 })
  store.isAway = true
  await build(2, 'two')
  assert.equal(await read(), 'one')
  const since = cache.standing()
  assert.equal(since.behind, 1)
  await becomes(async () => String(cache.standing().behindForMs > since.behindForMs), 'true')
  store.isAway = false
  // Nobody asks meanwhile.
  await becomes(async () => String(cache.standing().behind), '0')
  assert.equal(await read(), 'two')
})

test('cut off from the log, the cache says how long ago it knew what is current', async t => {
  const { openCache, build } = await open(t)
  await build(1, 'one')
  let isThere = true
  const cut = await openCache({ isLogThere: () => isThere, quietMs: 5 })
  t.after(cut.stop)
  const ageWithout = () => {
    isThere = false
    const { from, knownAgoMs } = cut.standing()
    assert.equal(from, 'store')
    return knownAgoMs
  }
  await becomes(async () => {
    isThere = true
    await setTimeout(5)
    return String(ageWithout() !== null)
  }, 'true')
  await becomes(async () => String((ageWithout() ?? 0) > 50), 'true')
  isThere = true
  assert.deepEqual(cut.standing(), { from: 'log', knownAgoMs: 0, behind: 0, behindForMs: 0 })
})

test('with nothing kept, a store that is away is an error that passes', async t => {
  const { build, read, store } = await open(t)
  store.isAway = true
  await build(1, 'one')
  await assert.rejects(read(), { code: 'NEWSWIRE_OBJECTS_UNAVAILABLE' })
  store.isAway = false
  assert.equal(await read(), 'one')
})

test('a file that is missing is looked for again, and the last good bytes stay meanwhile', async t => {
  const { build, read, disk, announce, cache } = await open(t)
  await build(1, 'one')
  assert.equal(await read(), 'one')
  await disk.delete('feeds/all/rss.xml')
  await announce(2)
  const deadline = Date.now() + 60_000
  while (cache.built('all')?.counter !== 2) {
    assert.ok(Date.now() < deadline)
    await setTimeout(5)
  }
  assert.equal(await read(), 'one')
  await disk.put('feeds/all/rss.xml', Buffer.from('back'))
  await becomes(read, 'back')
})

test('poison in the topic is passed over and told', async t => {
  const { build, read, log, poison } = await open(t)
  await log.publish([{ topic: 'feeds', key: 'all', value: Buffer.from('no event') }])
  await build(1, 'one')
  assert.equal(await read(), 'one')
  assert.equal(poison.length, 1)
})

test('a feed that the log has not told of is served from the store, and looked at again until the log tells', async t => {
  const { build, read, disk, cache } = await open(t)
  await disk.put('feeds/all/rss.xml', Buffer.from('of old'))
  assert.equal(await read(), 'of old')
  assert.equal((await cache.get('all', 'rss'))?.lastModified, null, 'when it was written is not when it was built')
  await build(1, 'new')
  assert.equal(await read(), 'new')
})

test('a new build is read at once when somebody has asked since the last one, with the codings that readers take', async t => {
  const { build, read, store, cache } = await open(t)
  await build(1, 'one')
  await read()
  const first = await cache.get('all', 'rss')
  assert.ok(first)
  cache.want(first, 'gzip')
  await build(2, 'two')
  await becomes(async () => String(cache.peek('all', 'rss')?.bytes), 'two')
  await becomes(async () => String(cache.peek('all', 'rss')?.ready()), 'gzip')
  assert.equal(store.reads, 2)
})

test('new bytes are there for readers before every coding of them is made, and the rest follows unasked', async t => {
  const { build, read, disk, announce, hold, cache } = await open(t)
  await build(1, 'one')
  await read()
  const first = await cache.get('all', 'rss')
  assert.ok(first)
  for (const coding of ['zstd', 'br', 'gzip'] as const) cache.want(first, coding)
  await becomes(async () => String(first.ready().length), '3')
  const letGo = hold()
  await disk.put('feeds/all/rss.xml', Buffer.from('two'))
  await announce(2)
  await becomes(async () => String(cache.built('all')?.counter), '2')
  const asked = cache.get('all', 'rss')
  letGo()
  const second = await asked
  assert.equal(String(second?.bytes), 'two')
  // A tiny file is deflated in one go; these two are made on another thread.
  assert.deepEqual([second?.find('br'), second?.find('zstd')], [undefined, undefined], 'nobody waited for them')
  await becomes(async () => String(second?.ready().length), '3')
})

test('a state that is no longer current is not compressed further', async t => {
  const { build, read, announce, disk, cache } = await open(t)
  await build(1, 'one')
  await read()
  const first = await cache.get('all', 'rss')
  assert.ok(first)
  for (const coding of ['br', 'gzip'] as const) cache.want(first, coding)
  await becomes(async () => String(first.ready().length), '2')
  await disk.put('feeds/all/rss.xml', Buffer.from('two'))
  await announce(2)
  await becomes(read, 'two')
  const second = await cache.get('all', 'rss')
  cache.want(first, 'zstd')
  await becomes(async () => String(second?.ready().length), '3')
  assert.equal(first.find('zstd'), undefined)
})

test('states of one feed are told apart in order, however fast they follow each other', async t => {
  const { build, read, announce, disk, cache } = await open(t)
  await build(1, 'one')
  await read()
  const tags = new Map<string, number>()
  for (let counter = 2; counter < 20; counter++) {
    await disk.put('feeds/all/rss.xml', Buffer.from(`state ${counter}`))
    await announce(counter)
    const state = await cache.get('all', 'rss')
    if (state !== null) tags.set(state.content, state.sequence)
  }
  const sequences = [...tags.values()]
  assert.deepEqual(
    sequences,
    [...new Set(sequences)].sort((a, b) => a - b),
  )
})

test('what was served before a feed was refused is no state to tell news from', async t => {
  const { openCache, build, announce, disk } = await open(t)
  let isThere = true
  const cut = await openCache({ isLogThere: () => isThere, mayShow: async () => false })
  t.after(cut.stop)
  const served = async (text: string) => becomes(async () => String((await cut.get('all', 'rss'))?.bytes), text)
  await build(1, 'one')
  await served('one')
  await build(2, 'two')
  await served('two')
  const held = `"${(await cut.get('all', 'rss'))?.content}"`
  await build(3, 'three')
  await served('three')
  assert.notEqual(cut.past('all', 'rss')?.find(held), null)
  isThere = false
  await disk.put('feeds/all/rss.xml', Buffer.from('four'))
  await announce(4)
  await becomes(async () => String(await cut.get('all', 'rss')), 'null')
  isThere = true
  await build(5, 'five')
  await served('five')
  assert.equal(cut.past('all', 'rss')?.find(held), null)
})

test('cut off from the log, the store is asked for what it has, not for the bytes that the log told of last, and not for those held already', async t => {
  const { openCache, build, announce, disk, wanted, store } = await open(t)
  let isThere = true
  const cut = await openCache({ isLogThere: () => isThere })
  t.after(cut.stop)
  await build(1, 'one')
  await becomes(async () => String((await cut.get('all', 'rss'))?.bytes), 'one')
  await becomes(async () => String(cut.built('all')?.counter), '1')
  isThere = false
  const before = store.reads
  const heads = store.heads
  await announce(2)
  await becomes(async () => String((await cut.get('all', 'rss')) !== null && store.heads > heads), 'true')
  assert.equal(store.reads, before)
  await disk.put('feeds/all/rss.xml', Buffer.from('two'))
  await announce(3)
  await becomes(async () => String((await cut.get('all', 'rss'))?.bytes), 'two')
  assert.equal(wanted.at(-1), undefined)
})

test('a feed that was refused is not looked through again for everybody who asks', async t => {
  const { openCache, disk } = await open(t)
  let looks = 0
  const mayShow = async () => {
    looks += 1
    return false
  }
  const cut = await openCache({ isLogThere: () => false, mayShow })
  t.after(cut.stop)
  await disk.put('feeds/all/rss.xml', Buffer.from('one'))
  const began = performance.now()
  for (let index = 0; index < 50; index += 1) assert.equal(await cut.get('all', 'rss'), null)
  assert.ok(looks <= 1 + Math.floor((performance.now() - began) / 1_000), `${looks} looks`)
})
