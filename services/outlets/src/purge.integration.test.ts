/** Caches on loopback that do as they are told. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { feedConfig, outletConfig } from '@newswire/events/config'
import type { Fact } from '@newswire/events/fact'
import type { Milestone } from '@newswire/events/milestone'
import { keys } from '@newswire/objects/keys'
import { type Partner, startPartner, startWorld, status, until, type World } from './partner.ts'
import { killFact, liveFact } from './samples.ts'

const SHA = 'd'.repeat(64)
const image = {
  url: 'https://p.example/1.jpg',
  role: 'lead' as const,
  caption: '',
  alt: '',
  credit: '',
  state: 'ready' as const,
  sha256: SHA,
  renditions: [{ preset: 'w1280', key: `renditions/${SHA}/w1280-r1.jpg`, type: 'image/jpeg', width: 1280, height: 720, bytes: 5 }],
}
const FIRST = '2026-11-24T03:00:00.000Z'
const live = (version: number, article: object = {}) =>
  liveFact({ articleId: 'press.a', version, releasedAt: new Date().toISOString(), article: { images: [image], ...article } })
const kill = (version: number) => ({
  ...killFact({ articleId: 'press.a', version, releasedAt: new Date().toISOString() }),
  aliases: ['old-slug'],
})
const feeds = () =>
  new Map(
    [
      { id: 'all', title: 'All' },
      { id: 'sport', title: 'Sport', match: { categories: ['sport'] } },
      { id: 'closed', title: 'Closed', access: { tokens: [{ id: 't', sha256: 'a'.repeat(64) }] } },
    ].map(one => [one.id, feedConfig.parse(one)] as const),
  )
const cacheAt = (partner: Pick<Partner, 'url'>, deliver: object = {}, fields: object = {}) =>
  outletConfig.parse({
    id: 'cdn',
    deliver: { kind: 'purge', dialect: 'generic', url: partner.url, tokenEnv: 'CDN_TOKEN', ...deliver },
    ...fields,
  })
const secrets = { CDN_TOKEN: 'a token' }
const bodies = ({ got }: Partner) => got.map(one => JSON.parse(one.body))
const sinks = (milestones: readonly Milestone[]) =>
  milestones.flatMap(one => (one.kind === 'sink' ? [`${one.sink.id} v${one.version} ${one.state}`] : []))
const isDone = (world: World, version: number) =>
  until('the end', async () => sinks(await world.milestones()).includes(`cdn v${version} done`))

/** As the archive would: what earlier versions had is read from there. */
const archive = async (world: World, fact: Fact) => {
  const document = { schema: 'newswire.archive.version/1', eventId: 'e', time: fact.releasedAt, previousSha256: null, fact }
  await world.objects.put(keys.archive(fact.firstReleasedAt, fact.articleId, fact.version), Buffer.from(JSON.stringify(document)))
}

test('a retraction is forgotten by its keys, at once and once more, and a publication is no business of the cache', async t => {
  const cache = await startPartner(t)
  const world = await startWorld(t, [cacheAt(cache)], { secrets, feeds: feeds() })
  await archive(world, live(1))
  await world.release(live(1))
  await world.release(kill(2))
  await isDone(world, 2)
  const expected = { type: 'cache.purge', keys: ['article-press.a', 'feed-all', `picture-${SHA}`, 'lists'] }
  assert.deepEqual(bodies(cache), [expected, expected])
  assert.equal(cache.got[0]?.headers['authorization'], 'Bearer a token')
  assert.ok((cache.got[1]?.at ?? 0) - (cache.got[0]?.at ?? 0) >= 100, 'the second round waits for our own pages')
  assert.ok(!sinks(await world.milestones()).some(one => one.startsWith('cdn v1')))
})

test('by addresses everything public that showed it is named, with its pages and its old slugs', async t => {
  const cache = await startPartner(t)
  const world = await startWorld(t, [cacheAt(cache, { by: 'urls' })], { secrets, feeds: feeds() })
  await archive(world, live(1))
  for (const file of ['2026-11-24.rss.xml', '2026-11-24-2.json', '2026-11-25.rss.xml'])
    await world.objects.put(`${keys.feedPagePrefix('all')}${file}`, Buffer.from('x'))
  await world.release(kill(2))
  await isDone(world, 2)
  const [{ urls }] = bodies(cache) as [{ urls: string[] }]
  const at = 'http://127.0.0.1:8080'
  for (const path of [
    '/articles/press.a',
    '/articles/press.a/print',
    '/articles/press.a/article.json',
    '/articles/press.a/ninjs.json',
    '/articles/press.old-slug',
    '/feeds/all/rss.xml',
    '/feeds/all/atom.xml',
    '/feeds/all/feed.json',
    '/feeds/all/news-sitemap.xml',
    '/feeds/all/pages/2026-11-24.rss.xml',
    '/feeds/all/pages/2026-11-24-2.json',
    `/renditions/${SHA}/w1280-r1.jpg`,
    '/',
  ])
    assert.ok(urls.includes(`${at}${path}`), path)
  assert.ok(!urls.some(url => /sport|closed|2026-11-25/.test(url)))
  assert.equal(new Set(urls).size, urls.length)
  assert.equal(FIRST.slice(0, 10), '2026-11-24')
})

test('after a purge by law the pictures are still named, though the versions that told of them are gone', async t => {
  const caches = { urls: await startPartner(t), keys: await startPartner(t) }
  const outlets = Object.entries(caches).map(([by, cache]) => ({ ...cacheAt(cache, { by }), id: `cdn-${by}` }))
  const world = await startWorld(t, outlets, { secrets, feeds: feeds() })
  await world.release(live(1))
  await world.release(live(2, { images: [] }))
  const { article: _gone, ...common } = live(3)
  await world.release({ ...common, state: 'purged', action: 'purged', reason: 'court order' } as Fact)
  for (const by of Object.keys(caches)) await until('the end', async () => sinks(await world.milestones()).includes(`cdn-${by} v3 done`))
  const [[byUrls], [byKeys]] = [bodies(caches.urls), bodies(caches.keys)] as [[{ urls: string[] }], [{ keys: string[] }]]
  assert.ok(byUrls.urls.includes(`http://127.0.0.1:8080/renditions/${SHA}/w1280-r1.jpg`))
  assert.ok(byKeys.keys.includes(`picture-${SHA}`))
})

test('a retraction reaches the cache of an article that no cache was ever told of: imported, or from before the cache was configured', async t => {
  const cache = await startPartner(t)
  const world = await startWorld(t, [], { secrets, feeds: feeds() })
  await world.release(live(1))
  await until('the route', async () => (await world.count('articles')) === 1)
  world.outlets.set('cdn', cacheAt(cache))
  world.changed()
  await world.release(kill(2))
  await isDone(world, 2)
  assert.equal(cache.got.length, 2)
})

test('an article narrowed to editors is forgotten, updates are where asked, and an article that was never public is not named', async t => {
  const cache = await startPartner(t)
  const world = await startWorld(t, [cacheAt(cache, { on: 'all' })], { secrets, feeds: feeds() })
  await world.release(live(1))
  await isDone(world, 1)
  assert.equal(cache.got.length, 2)
  await world.release(live(2, { audience: 'editorial' }))
  await isDone(world, 2)
  assert.equal(cache.got.length, 4)
  const hidden = {
    ...liveFact({ articleId: 'press.b', version: 1, releasedAt: new Date().toISOString(), article: { audience: 'editorial' } }),
  }
  await world.release({ ...hidden, facetsEver: { ...hidden.facetsEver, public: false } })
  await world.release(live(3))
  await isDone(world, 3)
  assert.ok(!JSON.stringify(bodies(cache)).includes('press.b'))
})

test('a cache that fails is asked again until it has forgotten, and says nothing of its token', async t => {
  const cache = await startPartner(t)
  cache.answer = (got, response, count) =>
    count <= 3 ? status(count === 1 ? 429 : 503)(got, response, count) : status(200)(got, response, count)
  const world = await startWorld(t, [cacheAt(cache)], { secrets, feeds: feeds() })
  await world.release(kill(2))
  await isDone(world, 2)
  assert.equal(cache.got.length, 5)
  assert.ok(!JSON.stringify(await world.milestones()).includes('a token'))
})

test('200 with success false is no success at Cloudflare, and 404 is one at Varnish', async t => {
  const cloudflare = await startPartner(t)
  cloudflare.answer = (_got, response, count) => void response.writeHead(200).end(`{"success": ${count > 1}}`)
  const varnish = await startPartner(t)
  varnish.answer = status(404)
  const world = await startWorld(
    t,
    [cacheAt(cloudflare, { dialect: 'cloudflare' }), { ...cacheAt(varnish, { dialect: 'varnish', by: 'urls' }), id: 'varnish' }],
    { secrets, feeds: feeds() },
  )
  await world.release(kill(2))
  await isDone(world, 2)
  await until('varnish', async () => sinks(await world.milestones()).includes('varnish v2 done'))
  assert.equal(cloudflare.got.length, 3)
  assert.ok(varnish.got.length > 10)
  assert.equal(varnish.got[0]?.headers['host'], '127.0.0.1:8080', 'under our own name')
})

test('a cache that left the configuration is asked nothing', async t => {
  const [gone, here] = [await startPartner(t), await startPartner(t)]
  const world = await startWorld(t, [cacheAt(gone, {}, { retired: true }), { ...cacheAt(here), id: 'here' }], { secrets, feeds: feeds() })
  await world.release(kill(2))
  await until('the other', async () => sinks(await world.milestones()).includes('here v2 done'))
  assert.equal(gone.got.length, 0)
})
