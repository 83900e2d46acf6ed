import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { FeedConfig } from '@newswire/events/config'
import type { Fact } from '@newswire/events/fact'
import { feedFormats } from '@newswire/events/feed'
import { createDiskObjects } from '@newswire/objects/disk'
import { type BundledName, getBundled, partsOf, toBundle } from '@newswire/objects/feed-bundle'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { getUnpacked } from '@newswire/objects/packed'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { type Built, createBuilder } from './build.ts'
import { createFragmentCache, renderFragments } from './fragments.ts'
import { cutFeed, withoutArticles } from './last-good.ts'
import { joinFeed, toCheckedShell } from './outputs.ts'
import { createProfiles } from './profile.ts'
import { categories, makeFact, makeProfile, makeRetraction, site } from './sample-facts.ts'
import { toShell } from './shell.ts'
import { createStates } from './states.ts'
import { findXmlFault } from './xml.ts'

const feed: FeedConfig = {
  id: 'all',
  title: 'All',
  description: '',
  match: {},
  limit: 50,
  content: 'full',
  profile: 'smartnews',
}
const snapshotOf = (changes: Partial<FeedConfig> = {}): ConfigSnapshot => ({
  site,
  network: { allow: [], allowHttp: false },
  publishers: new Map(),
  categories,
  feeds: new Map([['all', { ...feed, ...changes }]]),
  outlets: new Map(),
})
const idOf = (articleId: string) => `tag:news.example,2026:${articleId}`
const named = (articleId: string, changes: Parameters<typeof makeFact>[0] = {}) => makeFact({ articleId, ...changes })

test('a file is cut into the items it was joined from, in every format, with nothing lost', () => {
  const facts = [named('baoqk.a'), named('baoqk.b'), makeRetraction({ articleId: 'baoqk.c', version: 2 })]
  const fragments = facts.map(fact => renderFragments(fact, makeProfile())).filter(one => one.ok)
  const shell = toShell(feed, site, '2026-03-01T08:00:00.000Z')
  for (const format of feedFormats)
    for (const some of [fragments, fragments.slice(0, 1), []]) {
      const text = Buffer.from(joinFeed(toCheckedShell(shell, format), some, format)).toString()
      const { head, fragments: cut, foot } = cutFeed(text, format)
      assert.equal(cut.length, some.length)
      assert.equal(head + cut.join(format === 'json' ? ',\n' : '') + foot, text)
      assert.equal(Buffer.from(withoutArticles(Buffer.from(text), format, new Map([[idOf('baoqk.none'), null]]))).toString(), text)
    }
})

test('an article whose identity begins like that of another leaves alone', () => {
  const fragments = ['baoqk.a', 'baoqk.a-1'].map(id => renderFragments(named(id), makeProfile())).filter(one => one.ok)
  const shell = toShell(feed, site, '2026-03-01T08:00:00.000Z')
  for (const format of feedFormats) {
    const whole = joinFeed(toCheckedShell(shell, format), fragments, format)
    const left = Buffer.from(withoutArticles(whole, format, new Map([[idOf('baoqk.a'), null]]))).toString()
    assert.equal(cutFeed(left, format).fragments.length, 1)
    assert.match(left, /baoqk\.a-1/)
  }
})

const open = async (t: TestContext) => {
  const root = await mkdtemp(join(tmpdir(), 'newswire-feeds-'))
  const objects = await createDiskObjects({ root, fsync: 'normal' })
  t.after(async () => {
    await objects.close()
    await rm(root, { recursive: true, force: true })
  })
  return objects
}
const read = async (objects: Objects, file: 'rss.xml' | 'atom.xml' | 'feed.json') =>
  Buffer.from((await getUnpacked({ get: getBundled(objects) }, keys.feed('all', file)))?.bytes ?? []).toString()

/** What the desk does, then one build by a process that just started. */
const release = async (objects: Objects, facts: readonly Fact[], { snapshot = snapshotOf(), position = 0 } = {}): Promise<Built> => {
  for (const fact of facts) await objects.put(keys.current(fact.articleId), Buffer.from(JSON.stringify({ released: { fact } })))
  const builder = createBuilder({
    objects,
    states: createStates({ objects }),
    fragments: createFragmentCache(),
    profileOf: createProfiles(),
  })
  const articles = new Map(facts.map(fact => [fact.articleId, fact.version]))
  const built = await builder.build({ feedId: 'all', articles, lookedAt: null, position }, snapshot, new AbortController().signal)
  assert.ok(built)
  return built
}
const huge = (id: string) => named(id, { article: { body: { html: `<p>${'x'.repeat(400_000)}</p>` } } })

test('a feed that breaks a rule of its own keeps its last good bytes, says why, and recovers by itself', async t => {
  const objects = await open(t)
  const good = await release(objects, [named('baoqk.a'), named('baoqk.b')])
  assert.equal(good.window.fault, null)
  const before = await read(objects, 'rss.xml')
  const broken = await release(objects, [huge('baoqk.x'), huge('baoqk.y'), huge('baoqk.z')], { position: 10 })
  assert.equal(broken.window.fault?.code, 'NEWSWIRE_FEEDS_FEED_RULE')
  assert.match(broken.window.fault?.reason ?? '', /file-size of profile smartnews/)
  assert.equal(await read(objects, 'rss.xml'), before)
  assert.deepEqual(broken.outputs.rss, good.outputs.rss)
  assert.equal(broken.updatedAt, good.updatedAt)
  assert.equal(broken.items, 2)
  assert.ok(broken.window.counter > good.window.counter)
  const again = await release(objects, [huge('baoqk.x')], { position: 10 })
  assert.equal(again.written, false)
  assert.equal(again.window.counter, broken.window.counter)
  const mended = await release(objects, [named('baoqk.x', { version: 2 })], { position: 20 })
  assert.equal(mended.window.fault, null)
  assert.equal(mended.items, 5)
  assert.deepEqual([...mended.recovered.keys()].sort(), ['baoqk.a', 'baoqk.b', 'baoqk.x', 'baoqk.y', 'baoqk.z'])
  assert.match(await read(objects, 'rss.xml'), /baoqk\.z/)
})

test('what is taken back leaves the last good files too, and everything else in them stays as it is', async t => {
  const objects = await open(t)
  await release(objects, [named('baoqk.a'), named('baoqk.b'), named('baoqk.c')])
  const before = cutFeed(await read(objects, 'rss.xml'), 'rss').fragments
  await release(objects, [huge('baoqk.x'), huge('baoqk.y'), huge('baoqk.z')], { position: 10 })
  const gone = makeRetraction({ articleId: 'baoqk.b', version: 2, releasedAt: '2026-03-05T00:00:00.000Z' })
  const editorial = named('baoqk.c', { version: 2, article: { audience: 'editorial' } })
  const killed = await release(objects, [gone, editorial], { position: 20 })
  assert.equal(killed.window.fault?.code, 'NEWSWIRE_FEEDS_FEED_RULE')
  assert.equal(killed.items, 1)
  assert.equal(killed.updatedAt, '2026-03-05T00:00:00.000Z')
  for (const file of ['rss.xml', 'atom.xml'] as const) assert.equal(findXmlFault(await read(objects, file), 'document'), null)
  const [first, second, ...others] = cutFeed(await read(objects, 'rss.xml'), 'rss').fragments
  assert.equal(first, before[0])
  assert.match(second ?? '', /dcterms:valid/)
  assert.deepEqual(others, [])
  assert.match(await read(objects, 'atom.xml'), /<at:deleted-entry ref="tag:news\.example,2026:baoqk\.b"/)
  const { items } = JSON.parse(await read(objects, 'feed.json'))
  assert.deepEqual(
    items.map((item: { id: string; _newswire: { status: string } }) => [item.id, item._newswire.status]),
    [
      [idOf('baoqk.a'), 'published'],
      [idOf('baoqk.b'), 'retracted'],
    ],
  )
})

test('a feed that never was good is shown empty, with its fault', async t => {
  const objects = await open(t)
  const built = await release(objects, [named('baoqk.a')], { snapshot: snapshotOf({ content: 'summary' }) })
  assert.match(built.window.fault?.reason ?? '', /full-text of profile smartnews/)
  assert.equal(built.items, 0)
  assert.deepEqual(JSON.parse(await read(objects, 'feed.json')).items, [])
  assert.equal(findXmlFault(await read(objects, 'rss.xml'), 'document'), null)
})

test('a last good file that is damaged holds no kill up: nothing of it is shown any more', async t => {
  const objects = await open(t)
  await release(objects, [named('baoqk.a'), named('baoqk.b')])
  await release(objects, [huge('baoqk.x'), huge('baoqk.y'), huge('baoqk.z')], { position: 10 })
  const bundle = keys.feed('all', 'feed.bundle')
  const parts = [...(partsOf((await objects.get(bundle))?.bytes ?? Buffer.alloc(0)) ?? [])]
  const packed = gzipSync('<rss>').subarray(0, -1)
  const damaged = parts.map(([name, { bytes, sha256 }]) => ({
    name: name as BundledName,
    pieces: [name === 'rss.xml' ? packed : bytes],
    sha256,
  }))
  await objects.put(bundle, toBundle(damaged))
  const gone = makeRetraction({ articleId: 'baoqk.b', version: 2, releasedAt: '2026-03-05T00:00:00.000Z' })
  const killed = await release(objects, [gone], { position: 20 })
  assert.equal(killed.window.fault?.code, 'NEWSWIRE_FEEDS_FEED_RULE')
  for (const file of ['rss.xml', 'atom.xml', 'feed.json'] as const) assert.doesNotMatch(await read(objects, file), /baoqk\.b-1/)
})
