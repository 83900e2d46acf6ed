import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brotliDecompressSync, gunzipSync, gzipSync, zstdDecompressSync } from 'node:zlib'
import type { FeedOutput } from '@newswire/events/feed'
import fc from 'fast-check'
import { createDelta, takesDelta } from './delta.ts'
import { createFeedState, type FeedState, type Variant } from './feed-state.ts'
import { sampleFeed } from './sample-feeds.ts'
import { splitFeed } from './split.ts'

const AT = new Date('2026-03-01T08:00:00Z')
let made = 0
const stateOf = (text: string, output: FeedOutput = 'rss', before: FeedState | null = null): FeedState =>
  createFeedState({ feedId: 'all', output, bytes: Buffer.from(text), content: `c${made++}`, lastModified: AT, before })

test('every coding gives back the very bytes, whatever was compressed before', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.string({ unit: 'grapheme', maxLength: 400 }), { maxLength: 12 }), { minLength: 1, maxLength: 5 }),
      fc.constantFrom<FeedOutput>('rss', 'atom', 'json', 'sitemap'),
      async (versions, output) => {
        let before: FeedState | null = null
        for (const texts of versions) {
          const text = sampleFeed(output, texts)
          const state: FeedState = stateOf(text, output, before)
          assert.equal(gunzipSync((await state.variant('gzip')).bytes).toString(), text)
          assert.equal(brotliDecompressSync((await state.variant('br')).bytes).toString(), text)
          assert.equal(zstdDecompressSync((await state.variant('zstd')).bytes).toString(), text)
          before = state
        }
      },
    ),
    { numRuns: 30 },
  )
})

/** About 2 KiB of words that compress as prose does, the same for the same number. */
const long = (index: number) => {
  let seed = index * 2_654_435_761
  const word = () => {
    seed = (Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0
    return `từ${Math.floor((seed >>> 0) ** 0.5 / 16)}`
  }
  return Array.from({ length: 300 }, word).join(' ')
}
const items = (from: number, count: number) => Array.from({ length: count }, (_, index) => long(from - index))

test('gzip made of pieces is the same whatever was there before, and little larger than made whole', async () => {
  const first = stateOf(sampleFeed('rss', items(100, 50)))
  await first.variant('gzip')
  const text = sampleFeed('rss', items(101, 50))
  const next = await stateOf(text, 'rss', first).variant('gzip')
  const alone = await stateOf(text).variant('gzip')
  assert.ok(next.bytes.equals(alone.bytes))
  assert.equal(gunzipSync(next.bytes).toString(), text)
  assert.ok(next.bytes.length < gzipSync(text).length * 1.15, `${next.bytes.length} of ${gzipSync(text).length}`)
})

test('a tag changes whenever the bytes of its coding do, and every tag of the content is known', async () => {
  const state = stateOf(sampleFeed('rss', items(100, 50)))
  const codings = ['br', 'gzip', 'zstd'] as const
  const soon = await Promise.all(codings.map(state.variant))
  await state.refine()
  const quiet = await Promise.all(codings.map(state.variant))
  for (const [index, before] of soon.entries()) {
    assert.notEqual(before.tag, quiet[index]?.tag)
    assert.ok((quiet[index]?.bytes.length ?? 0) < before.bytes.length, before.coding)
  }
  for (const { tag } of [...soon, ...quiet, await state.variant('identity')]) assert.equal(state.isNamed(tag), true)
  assert.equal(state.isNamed('"other"'), false)
})

test('a tag that a proxy has put its own coding behind still names the content, and any other ending does not', () => {
  const state = stateOf(sampleFeed('rss', items(3, 50)))
  const { tag } = state.find('identity') as Variant
  const ending = (text: string) => `${tag.slice(0, -1)}${text}"`
  for (const ours of [ending('-gzip'), ending('-br'), ending('-gz.abc1-gzip')]) assert.equal(state.isNamed(ours), true, ours)
  for (const other of [ending('-gzip-gzip'), ending('-xyz'), ending('gzip')]) assert.equal(state.isNamed(other), false, other)
})

test('codings are offered the smallest first', async () => {
  const state = stateOf(sampleFeed('rss', items(100, 50)))
  await Promise.all([state.variant('gzip'), state.variant('br'), state.variant('zstd')])
  const sizes = state.ready().map(coding => state.find(coding)?.bytes.length ?? 0)
  assert.deepEqual(
    sizes,
    [...sizes].sort((a, b) => a - b),
  )
})

test('a delta has what is new or changed since, and nothing that the reader has', () => {
  for (const output of ['rss', 'atom', 'json'] as const) {
    const one = stateOf(sampleFeed(output, ['c', 'b', 'a'].map(long3)), output)
    const two = stateOf(sampleFeed(output, ['d', 'c', 'b'].map(long3)), output, one)
    const three = stateOf(sampleFeed(output, ['e', 'd', 'c', 'b'].map(long3)), output, two)
    const since = (sequence: number) => createDelta(three, sequence)?.plain.toString()
    assert.equal(since(two.sequence), sampleFeed(output, ['e'].map(long3)))
    assert.equal(since(one.sequence), sampleFeed(output, ['e', 'd'].map(long3)))
    assert.equal(createDelta(three, 0), null, 'all of it is no delta')
    const same = stateOf(sampleFeed(output, ['e', 'd', 'c', 'b'].map(long3)), output, three)
    const none = createDelta(same, three.sequence)?.plain.toString() ?? ''
    if (output === 'json') assert.deepEqual(JSON.parse(none), JSON.parse(sampleFeed(output, [])))
    else assert.equal(none, sampleFeed(output, []))
  }
})
const long3 = (name: string) => `${name} `.repeat(300)

test('an item that left and came back is new to whoever saw the feed without it', () => {
  const one = stateOf(sampleFeed('rss', ['b', 'a'].map(long3)))
  const two = stateOf(sampleFeed('rss', ['b', 'x', 'y'].map(long3)), 'rss', one)
  const three = stateOf(sampleFeed('rss', ['b', 'a', 'x', 'y'].map(long3)), 'rss', two)
  assert.equal(createDelta(three, two.sequence)?.items, 1)
  assert.equal(createDelta(three, one.sequence)?.items, 3)
})

test('only a feed that can be cut where its items begin has deltas', () => {
  assert.equal(splitFeed(Buffer.from('nothing of the kind'), 'rss').items, 0)
  assert.equal(createDelta(stateOf('nothing of the kind'), 0), null)
  assert.equal(createDelta(stateOf(sampleFeed('sitemap', ['a', 'b']), 'sitemap'), 1), null)
})

test('A-IM takes a delta when it lists feed with a weight', () => {
  for (const header of ['feed', 'FEED', 'vcdiff, feed;q=0.5', 'feed; q=1.0']) assert.equal(takesDelta(header), true, header)
  for (const header of [undefined, '', 'vcdiff', 'feed;q=0', 'feed;q=0.000', 'feeds']) assert.equal(takesDelta(header), false, header)
})
