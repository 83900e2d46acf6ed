/** A gateway that starts while the log cannot be reached: what it serves from the store, what it does not, and what follows once the log is there. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { FeedConfig } from '@newswire/events/config'
import { UnavailableError } from '@newswire/events/errors'
import type { Fact } from '@newswire/events/fact'
import { createHttpServer } from '@newswire/http/server'
import { createEmbeddedLog } from '@newswire/log/embedded'
import { createLateLog } from '@newswire/log/late-log'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { createLogger } from '@newswire/runtime/logger'
import { openFeedCache } from './feed-cache.ts'
import { createLearn } from './learn.ts'
import { createReaders } from './readers.ts'
import { addRoutes } from './routes.ts'
import { categories, makeLive, makePicture, makeRetracted, site, toFactRecord } from './sample-facts.ts'
import { openSearch } from './search.ts'
import { createStoreArticles } from './store-articles.ts'
import { createStoreFollower } from './store-follower.ts'
import { openView } from './view.ts'

const feed: FeedConfig = { id: 'all', title: 'Tất cả', description: '', match: {}, limit: 50, content: 'full', profile: 'standard' }
const config: ConfigSnapshot = {
  site,
  network: { allow: [], allowHttp: false },
  publishers: new Map(),
  categories,
  feeds: new Map(['all', 'second', 'third'].map(id => [id, { ...feed, id }])),
  outlets: new Map(),
}
const PICTURE = 'a'.repeat(64)

const rssOf = (...articleIds: readonly string[]) =>
  [
    '<rss>\n    <channel>',
    ...articleIds.map(id => `\n        <item>\n            <guid isPermaLink="false">tag:${site.id}:${id}</guid>\n        </item>`),
    '\n    </channel>\n</rss>',
  ].join('')

const jsonOf = (...items: readonly (Fact | { articleId: string; version: number; state: string })[]) =>
  [
    '{"version":"https://jsonfeed.org/version/1.1","items":[',
    items
      .map(({ articleId, version, state }) => {
        const status = state === 'live' ? 'published' : 'retracted'
        return `\n{"id":"tag:${site.id}:${articleId}","_newswire":{"articleId":"${articleId}","version":${version},"status":"${status}"}}`
      })
      .join(','),
    '\n]}',
  ].join('')

const sitemapOf = (...pages: readonly string[]) =>
  ['<urlset>', ...pages.map(page => `\n    <url>\n        <loc>${page}</loc>\n    </url>`), '\n</urlset>\n'].join('')

const becomesTrue = async (what: string, ask: () => Promise<boolean> | boolean) => {
  const deadline = performance.now() + 60_000
  while (!(await ask())) {
    assert.ok(performance.now() < deadline, what)
    await setTimeout(5)
  }
}

/** `before`: what a process before this one had seen in the log, and has left in its views. `isSearched`: whether it can be searched. */
const open = async (t: TestContext, before: readonly Fact[] = [], { isSearched = false } = {}) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'newswire-cold-'))
  const real = await createEmbeddedLog({ file: join(dataDir, 'log.db'), fsync: 'normal' })
  const disk = await createDiskObjects({ root: join(dataDir, 'objects'), fsync: 'normal' })
  /** What this gateway can reach, once it has the log. */
  const reach = { log: true, store: true, room: true }
  const isLogThere = () => reach.log
  const objects: Objects = {
    ...disk,
    get: async (key, options) => {
      if (!reach.store) throw new UnavailableError('NEWSWIRE_OBJECTS_UNAVAILABLE', 'away')
      return disk.get(key, options)
    },
  }
  if (before.length > 0) {
    await real.publish(before.map(toFactRecord))
    const earlier = await openView({ log: real, dataDir, onPoison: () => undefined })
    await becomesTrue('the earlier view', earlier.isReady)
    await earlier.stop()
  }
  let isThere = false
  const log = await createLateLog({
    kind: 'embedded',
    connect: async () => {
      if (!isThere) throw new UnavailableError('NEWSWIRE_LOG_UNAVAILABLE', 'nobody listens there')
      return real
    },
    onFailed: error => assert.fail(error),
    patienceMs: 0,
    againMs: 5,
  })
  const opened = await openView({ log, dataDir, onPoison: () => undefined })
  const notTaken: unknown[] = []
  const take = (fact: Fact): boolean => {
    if (!reach.room) throw Object.assign(new Error('database or disk is full'), { errcode: 13 })
    return opened.take(fact)
  }
  const view = { ...opened, take, isReady: () => reach.room && opened.isReady() }
  const search = isSearched ? openSearch({ log, dataDir, onTrouble: error => assert.fail(error) }) : undefined
  const learn = createLearn({ view, search: search ?? { take: () => undefined }, onNotTaken: error => void notTaken.push(error) })
  const stored = createStoreArticles(objects, () => site.publicUrl, { onRead: learn })
  const feeds = await openFeedCache({ log, objects, dataDir, onPoison: () => undefined, mayShow: stored.mayShow, isLogThere })
  const server = createHttpServer({
    name: 'gateway',
    logger: createLogger({ service: 'gateway', level: 'silent' }),
    host: '127.0.0.1',
    port: 0,
  })
  const configuration = { current: () => config, onChange: () => () => undefined, close: async () => undefined }
  const follower = createStoreFollower({ objects, configuration, stored, view, isLogThere, onWritten: feeds.learnWritten })
  addRoutes(server.app, {
    view,
    feeds,
    ...(search === undefined ? {} : { search }),
    objects,
    configuration,
    now: Date.now,
    readers: createReaders(),
    stored,
    isLogThere,
    hasLooked: follower.hasLooked,
  })
  t.after(async () => {
    await follower.stop()
    await server.close()
    await search?.stop()
    await view.stop()
    await feeds.stop()
    await log.close()
    await real.close()
    await objects.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
  /** As the desk keeps it; what is held or withdrawn is beside it, for the desk alone. */
  const keep = (fact: Fact) =>
    objects.put(
      keys.current(fact.articleId),
      Buffer.from(
        JSON.stringify({ released: { fact }, held: { article: { title: 'under embargo' } }, withdrawn: { title: 'withdrawn text' } }),
      ),
    )
  const put = (key: string, text: string) => objects.put(key, Buffer.from(text))
  const get = (url: string, headers: Record<string, string> = {}) => server.app.inject({ url, headers })
  const come = async () => {
    isThere = true
    await log.whenThere?.()
    await becomesTrue('the view to be ready', () => view.isReady() && feeds.isReady() && search?.isReady() !== false)
  }
  return {
    keep,
    put,
    get,
    come,
    objects,
    feeds,
    reach,
    notTaken,
    look: follower.look,
    publish: (fact: Fact) => real.publish([toFactRecord(fact)]),
  }
}

/** Whoever gets it may try again, and is told nothing else. */
const assertUnsure = ({ statusCode, headers, body }: { statusCode: number; headers: Record<string, unknown>; body: string }) => {
  assert.equal(statusCode, 503, body)
  assert.equal(headers['content-type'], 'application/problem+json')
  assert.ok(Number(headers['retry-after']) > 0)
  assert.equal(JSON.parse(body).code, 'NEWSWIRE_GATEWAY_NOT_READY')
}

test('the last good feed is served with its tag, unchanged for who has it, and its age is told; the tag is the same once the log is there', async t => {
  const { keep, put, get, come, feeds } = await open(t)
  await keep(makeLive())
  await put('feeds/all/rss.xml', rssOf('press.a'))
  assert.equal(feeds.standing().knownAgoMs, null)
  const first = await get('/feeds/all/rss.xml')
  assert.equal(first.statusCode, 200)
  assert.equal(first.body, rssOf('press.a'))
  const { from, knownAgoMs } = feeds.standing()
  assert.equal(from, 'store')
  assert.ok(knownAgoMs !== null && knownAgoMs >= 0 && knownAgoMs < 600_000)
  assert.equal(first.headers['last-modified'], undefined)
  const later = new Date(Date.now() + 60_000).toUTCString()
  assert.equal(
    (await get('/feeds/all/rss.xml', { 'if-modified-since': later })).statusCode,
    200,
    'no date is known that it could be told by',
  )
  const etag = String(first.headers['etag'])
  assert.equal((await get('/feeds/all/rss.xml', { 'if-none-match': etag })).statusCode, 304)
  const zipped = await get('/feeds/all/rss.xml', { 'accept-encoding': 'gzip' })
  assert.equal(zipped.headers['content-encoding'], 'gzip')
  assertUnsure(await get('/feeds/other/rss.xml'))
  await come()
  assert.equal((await get('/feeds/all/rss.xml', { 'if-none-match': etag })).statusCode, 304)
  assert.equal((await get('/feeds/other/rss.xml')).statusCode, 404)
})

test('a feed or page that shows what the store no longer has for all is not served, whatever took it back', async t => {
  const { keep, put, get } = await open(t)
  const taken: readonly Fact[] = [
    makeRetracted({ articleId: 'press.back-1', version: 2 }),
    { ...makeRetracted({ articleId: 'press.back-2', version: 2 }), state: 'purged', action: 'purged', reason: 'by law' } as Fact,
    makeLive({ articleId: 'press.back-3', version: 2, article: { audience: 'editorial' } }),
  ]
  await keep(makeLive())
  for (const [index, fact] of taken.entries()) {
    await keep(fact)
    await put(`feeds/all/pages/2026-03-0${index + 1}.rss.xml`, rssOf('press.a', fact.articleId))
    assertUnsure(await get(`/feeds/all/pages/2026-03-0${index + 1}.rss.xml`))
    const feedId = [...config.feeds.keys()][index]
    await put(`feeds/${feedId}/rss.xml`, rssOf('press.a', fact.articleId))
    assertUnsure(await get(`/feeds/${feedId}/rss.xml`))
  }
  await put('feeds/all/atom.xml', rssOf('press.a', 'press.unreleased'))
  assertUnsure(await get('/feeds/all/atom.xml'))
  await put('feeds/all/rss.xml', rssOf('press.a'))
  await becomesTrue('the feed to be served', async () => (await get('/feeds/all/rss.xml')).statusCode === 200)
  await put('feeds/all/pages/2026-03-09.rss.xml', rssOf('press.a'))
  assert.equal((await get('/feeds/all/pages/2026-03-09.rss.xml')).statusCode, 200)
})

test('an article is shown as the store has released it, in every form, with the related ones that are public', async t => {
  const { keep, get } = await open(t)
  await keep(makeLive({ article: { title: 'Bài chính', related: ['b', 'press.c'] } }))
  await keep(makeLive({ articleId: 'press.b', article: { title: 'Bài liên quan' } }))
  await keep(makeRetracted({ articleId: 'press.c' }))
  const page = await get('/articles/press.a')
  assert.equal(page.statusCode, 200)
  assert.match(page.body, /Bài chính[\s\S]*Bài liên quan/)
  assert.equal(page.body.includes('/articles/press.c'), false)
  assert.equal((await get('/articles/press.a', { 'if-none-match': String(page.headers['etag']) })).statusCode, 304)
  for (const form of ['print', 'article.json', 'ninjs.json']) {
    const { statusCode, body } = await get(`/articles/press.a/${form}`)
    assert.equal(statusCode, 200)
    assert.match(body, /Bài chính/)
    assert.equal(/under embargo|withdrawn text/.test(body), false)
  }
})

test('what was taken back is 410 or led elsewhere, and what nobody can know is 503', async t => {
  const { keep, get, come } = await open(t)
  await keep(makeRetracted())
  await keep(makeRetracted({ articleId: 'press.moved' }, { mode: 'replace', redirectTo: 'press.new' }))
  await keep(makeLive({ articleId: 'press.new' }))
  await keep(makeLive({ articleId: 'press.inside', article: { audience: 'editorial' } }))
  for (const form of ['', '/print', '/article.json', '/ninjs.json']) {
    const { statusCode, body } = await get(`/articles/press.a${form}`)
    assert.equal(statusCode, 410)
    assert.equal(body.includes('withdrawn text'), false)
  }
  const moved = await get('/articles/press.moved')
  assert.equal(moved.statusCode, 302)
  assert.equal(moved.headers['location'], 'https://news.example/articles/press.new')
  for (const path of ['/articles/press.inside', '/articles/press.perhaps-a-slug', '/']) assertUnsure(await get(path))
  await come()
  assert.equal((await get('/articles/press.perhaps-a-slug')).statusCode, 404)
  assert.equal((await get('/')).statusCode, 200)
})

test('a picture is shown while an article that was read here shows it to all, and nobody is sure of any other', async t => {
  const { keep, put, get, objects } = await open(t)
  const live = makeLive({ article: { images: [makePicture(PICTURE)] } })
  const address = `/renditions/${PICTURE}/w640-r1.jpg`
  await keep(live)
  await objects.put(`renditions/${PICTURE}/w640-r1.jpg`, Buffer.from('jpeg'), { contentType: 'image/jpeg' })
  assertUnsure(await get(address))
  await put('feeds/all/rss.xml', rssOf('press.a'))
  assert.equal((await get('/feeds/all/rss.xml')).statusCode, 200)
  const shown = await get(address)
  assert.equal(shown.statusCode, 200)
  assert.equal(shown.body, 'jpeg')
  assert.equal(shown.headers['link'], '</articles/press.a>; rel="describedby"')
  await keep(makeRetracted({ version: 2 }))
  assertUnsure(await get(address))
  await keep(makeLive({ version: 3, article: { images: [makePicture(PICTURE, { rights: { outlets: ['one'] } })] } }))
  assertUnsure(await get(address))
})

test('once the log is there, it is the log that counts, without a restart', async t => {
  const { keep, get, come, publish } = await open(t)
  await keep(makeLive({ article: { title: 'Bài cũ' } }))
  assert.match((await get('/articles/press.a')).body, /Bài cũ/)
  await publish(makeLive({ version: 1, article: { title: 'Bài cũ' } }))
  await publish(makeLive({ version: 2, article: { title: 'Bài mới' } }))
  await come()
  assert.match((await get('/articles/press.a')).body, /Bài mới/)
  await publish(makeRetracted({ version: 3 }))
  await becomesTrue('the retraction', async () => (await get('/articles/press.a')).statusCode === 410)
})

test('what a view from before this start still knows is never shown for itself', async t => {
  const picture = makePicture(PICTURE)
  const { keep, put, get, look, come, publish, objects } = await open(t, [
    makeLive({ article: { title: 'Đã rút', slug: 'ten-cu', images: [picture] } }),
    makeLive({ articleId: 'press.other', article: { title: 'Còn', images: [makePicture('b'.repeat(64))] } }),
  ])
  const taken = makeRetracted({ version: 2 })
  await keep(taken)
  await keep(makeLive({ articleId: 'press.other', article: { title: 'Còn', images: [makePicture('b'.repeat(64))] } }))
  for (const sha256 of [PICTURE, 'b'.repeat(64)])
    await objects.put(`renditions/${sha256}/w640-r1.jpg`, Buffer.from('jpeg'), { contentType: 'image/jpeg' })
  assert.equal((await get('/articles/press.a')).statusCode, 410)
  for (const path of ['/articles/press.ten-cu', `/renditions/${PICTURE}/w640-r1.jpg`]) assertUnsure(await get(path))
  assertUnsure(await get('/'))
  await put('feeds/all/feed.json', jsonOf(makeLive(), makeLive({ articleId: 'press.other' })))
  await look()
  const front = (await get('/')).body
  assert.equal(front.includes('Đã rút'), false)
  assert.equal(front.includes('Còn'), true)
  assert.equal((await get(`/renditions/${'b'.repeat(64)}/w640-r1.jpg`)).statusCode, 200, 'it says where to look')
  for (const path of ['/feeds', '/opml.xml']) assert.equal((await get(path)).body.includes('Đã rút'), false)
  await publish(taken)
  await come()
  assert.equal((await get('/')).body.includes('Đã rút'), false)
  assert.equal((await get(`/renditions/${PICTURE}/w640-r1.jpg`)).statusCode, 410)
})

test('cut off after its start, it asks the store: what was taken back since is gone, and all is as it was once the log is there', async t => {
  const { keep, put, get, come, publish, objects, reach } = await open(t)
  const picture = `/renditions/${PICTURE}/w640-r1.jpg`
  const killed = '/feeds/all/pages/2026-03-01.rss.xml'
  const unharmed = '/feeds/all/pages/2026-03-02.rss.xml'
  await objects.put(`renditions/${PICTURE}/w640-r1.jpg`, Buffer.from('jpeg'), { contentType: 'image/jpeg' })
  await put('feeds/all/pages/2026-03-01.rss.xml', rssOf('press.a', 'press.b'))
  await put('feeds/all/pages/2026-03-02.rss.xml', rssOf('press.b'))
  const first = makeLive({ article: { title: 'Bài bị rút', images: [makePicture(PICTURE)] } })
  for (const fact of [first, makeLive({ articleId: 'press.b', article: { title: 'Bài còn lại' } })]) {
    await keep(fact)
    await publish(fact)
  }
  await come()
  for (const path of ['/', '/feeds']) assert.match((await get(path)).body, /Bài bị rút/)
  for (const path of ['/articles/press.a', '/articles/press.b', picture, killed, unharmed])
    assert.equal((await get(path)).statusCode, 200, path)
  const taken = makeRetracted({ version: 2 })
  await keep(taken)
  reach.log = false
  for (const form of ['', '/print', '/article.json', '/ninjs.json'])
    assert.equal((await get(`/articles/press.a${form}`)).statusCode, 410, form)
  for (const path of [picture, killed, '/articles/press.perhaps-new']) assertUnsure(await get(path))
  for (const path of ['/articles/press.b', unharmed]) assert.equal((await get(path)).statusCode, 200, path)
  for (const path of ['/', '/feeds']) assert.doesNotMatch((await get(path)).body, /Bài bị rút/)
  assert.match((await get('/')).body, /Bài còn lại/)
  reach.log = true
  await publish(taken)
  await becomesTrue('the retraction', async () => (await get('/articles/press.a')).statusCode === 410)
  assert.equal((await get(picture)).statusCode, 410)
  assert.equal((await get('/articles/press.perhaps-new')).statusCode, 404)
})

test('cut off from log and store alike, articles are shown as they last were', async t => {
  const { keep, get, come, publish, reach } = await open(t)
  await keep(makeLive())
  await publish(makeLive())
  await come()
  Object.assign(reach, { log: false, store: false })
  assert.equal((await get('/articles/press.a')).statusCode, 200)
  assert.match((await get('/')).body, /articles\/press\.a/)
  assert.equal((await get('/articles/press.unknown')).statusCode, 503)
})

test('while its disk is full, front page, sections, search and articles are shown as the view and the store have them, without what was taken back', async t => {
  const { keep, get, come, publish, reach, notTaken } = await open(t, [], { isSearched: true })
  const taken = makeLive({ article: { title: 'Bài bị rút', categories: ['news'] } })
  for (const fact of [taken, makeLive({ articleId: 'press.b', article: { title: 'Bài còn lại', slug: 'ten-cu', categories: ['news'] } })]) {
    await keep(fact)
    await publish(fact)
  }
  await come()
  reach.room = false
  await keep(makeRetracted({ version: 2 }))
  const lists = ['/', '/?category=news', '/v1/search?q=b%C3%A0i']
  const assertShown = async (path: string) => {
    const { statusCode, body } = await get(path)
    assert.equal(statusCode, 200, path)
    assert.match(body, /press\.b/)
    assert.doesNotMatch(body, /press\.a/)
  }
  for (const path of lists) await assertShown(path)
  assert.ok(notTaken.length > 0, 'nothing could be written of it')
  assert.equal((await get('/articles/press.a')).statusCode, 410)
  assert.equal((await get('/articles/press.b')).statusCode, 200)
  const named = await get('/articles/press.ten-cu')
  assert.equal(named.statusCode, 301, 'an old address leads where it led')
  assert.equal(named.headers['location'], 'https://news.example/articles/press.b')
  reach.store = false
  for (const path of lists) await assertShown(path)
})

test('cut off, what comes to the feeds in the store comes to front page and sections, and what it takes back leaves them', async t => {
  const { keep, put, get, come, publish, reach, look } = await open(t)
  const old = makeLive({ article: { title: 'Bài đã có' } })
  await keep(old)
  await publish(old)
  await come()
  reach.log = false
  const fresh = makeLive({
    articleId: 'press.fresh',
    firstReleasedAt: '2026-03-02T08:00:00.000Z',
    article: { title: 'Bài vừa tới', categories: ['culture'] },
  })
  await keep(fresh)
  await put('feeds/second/feed.json', jsonOf(fresh, old))
  await look()
  const front = (await get('/')).body
  assert.ok(front.indexOf('Bài vừa tới') > 0 && front.indexOf('Bài vừa tới') < front.indexOf('Bài đã có'))
  assert.match((await get('/?category=news')).body, /Bài vừa tới/)
  const changed = { ...fresh, version: 2, article: { ...fresh.article, title: 'Bài đã sửa' } }
  await keep(changed)
  await put('feeds/second/feed.json', jsonOf(changed, old))
  await look()
  assert.match((await get('/')).body, /Bài đã sửa/)
  const taken = makeRetracted({ articleId: 'press.fresh', version: 3 })
  await keep(taken)
  await put('feeds/second/feed.json', jsonOf(taken, old))
  await look()
  assert.doesNotMatch((await get('/')).body, /Bài đã sửa|Bài vừa tới/)
  reach.log = true
  for (const fact of [fresh, changed, taken]) await publish(fact)
  await becomesTrue('all of it to be told', async () => (await get('/articles/press.fresh')).statusCode === 410)
  assert.doesNotMatch((await get('/')).body, /Bài đã sửa|Bài vừa tới/)
})

test('a version that the log tells late changes nothing that the store has told already, and its pictures are remembered', async t => {
  const { keep, put, get, come, publish, reach, look, objects } = await open(t)
  await come()
  reach.log = false
  const second = makeLive({ version: 2, article: { title: 'Bản hai' } })
  await keep(second)
  await put('feeds/all/feed.json', jsonOf(second))
  await look()
  assert.match((await get('/')).body, /Bản hai/)
  reach.log = true
  await objects.put(`renditions/${PICTURE}/w640-r1.jpg`, Buffer.from('jpeg'), { contentType: 'image/jpeg' })
  await publish(makeLive({ article: { title: 'Bản một', images: [makePicture(PICTURE)] } }))
  await publish(second)
  await becomesTrue('the first version', async () => (await get(`/renditions/${PICTURE}/w640-r1.jpg`)).statusCode === 410)
  assert.match((await get('/')).body, /Bản hai/)
})

test('cold, the front page has what the feeds in the store show, and nobody is told that this is all there is', async t => {
  const { keep, put, get, come, look, feeds } = await open(t)
  assertUnsure(await get('/'))
  const kept = makeLive({ article: { title: 'Bài còn đây', categories: ['culture'] } })
  const taken = makeLive({ articleId: 'press.taken', article: { title: 'Bài bị rút' } })
  await keep(kept)
  await keep(makeRetracted({ articleId: 'press.taken', version: 2 }))
  await put('feeds/all/feed.json', jsonOf(kept, taken))
  await look()
  assert.ok((feeds.standing().knownAgoMs ?? Number.POSITIVE_INFINITY) < 600_000)
  for (const path of ['/', '/?category=news']) {
    const { statusCode, body } = await get(path)
    assert.equal(statusCode, 200)
    assert.match(body, /Bài còn đây/)
    assert.doesNotMatch(body, /Bài bị rút/)
    assert.match(body, /Hiện chưa đọc được các bài cũ hơn/)
  }
  assertUnsure(await get('/?before=2020-01-01T00:00:00.000Z,press.a'))
  await come()
  assert.equal((await get('/?before=2020-01-01T00:00:00.000Z,press.a')).statusCode, 404)
  assert.doesNotMatch((await get('/')).body, /Hiện chưa đọc được các bài cũ hơn/)
})

test('cold, what the store does not answer for is not on the front page, whatever a view from before had', async t => {
  const { keep, put, get, look, reach } = await open(t, [makeLive({ article: { title: 'Bài cũ' } })])
  await keep(makeLive({ articleId: 'press.b' }))
  await put('feeds/all/feed.json', jsonOf(makeLive({ articleId: 'press.b' })))
  await look()
  reach.store = false
  assert.doesNotMatch((await get('/')).body, /Bài cũ/)
})

test('cold, a feed that is no feed hinders no other, and is looked at again', async t => {
  const { keep, put, get, look } = await open(t)
  await keep(makeLive({ article: { title: 'Bài còn đây' } }))
  for (const text of ['', 'null', '{"items":7}', '{"items":[null,{"_newswire":{"articleId":"../../x"}},{}]}']) {
    await put('feeds/all/feed.json', text)
    await look()
  }
  await put('feeds/second/feed.json', jsonOf(makeLive()))
  await look()
  assert.match((await get('/')).body, /Bài còn đây/)
})

test('cold, a sitemap that names the articles by other addresses of the site is served while all of them are public', async t => {
  const { keep, put, get } = await open(t)
  const page = 'https://news.example/2026/bai-mot?a=1&b=2'
  await keep(makeLive({ article: { canonicalUrl: page } }))
  await keep(makeLive({ articleId: 'press.b' }))
  await put('feeds/all/rss.xml', rssOf('press.a', 'press.b'))
  await put('feeds/all/news-sitemap.xml', sitemapOf(page.replaceAll('&', '&amp;'), 'https://news.example/articles/press.b'))
  assert.equal((await get('/feeds/all/news-sitemap.xml')).statusCode, 200)
  await put('feeds/second/rss.xml', rssOf('press.a'))
  await put('feeds/second/news-sitemap.xml', sitemapOf('https://news.example/nobody-knows'))
  assertUnsure(await get('/feeds/second/news-sitemap.xml'))
  // Another one that says the same address, and was taken back: nobody can tell whose entry it is.
  await keep(makeLive({ articleId: 'press.same', article: { canonicalUrl: page } }))
  await put('feeds/third/rss.xml', rssOf('press.a', 'press.same'))
  await put('feeds/third/news-sitemap.xml', sitemapOf(page.replaceAll('&', '&amp;')))
  assert.equal((await get('/feeds/third/news-sitemap.xml')).statusCode, 200)
  await keep(makeRetracted({ articleId: 'press.same', version: 2 }))
  await becomesTrue('it to be refused', async () => (await get('/feeds/third/news-sitemap.xml')).statusCode === 503)
})
