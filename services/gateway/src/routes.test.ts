/** The public's addresses over the embedded log and the disk. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import type { FeedConfig, PublisherConfig } from '@newswire/events/config'
import { toRecord } from '@newswire/events/events'
import type { Fact } from '@newswire/events/fact'
import { deriveId } from '@newswire/events/ids'
import { createHttpServer } from '@newswire/http/server'
import { createEmbeddedLog } from '@newswire/log/embedded'
import { createDiskObjects } from '@newswire/objects/disk'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { createLogger } from '@newswire/runtime/logger'
import { openFeedCache } from './feed-cache.ts'
import { LIST_ARTICLES } from './list-routes.ts'
import { createRefusalPage } from './refusal-page.ts'
import { addRoutes } from './routes.ts'
import { categories, makeLive, makePicture, makeRetracted, site, toFactRecord } from './sample-facts.ts'
import { openView, type View } from './view.ts'

const feed = { id: 'all', title: 'Tất cả', description: '', match: {}, limit: 50, content: 'full', profile: 'standard' } as const
const snapshot: ConfigSnapshot = {
  site,
  network: { allow: [], allowHttp: false },
  publishers: new Map(),
  categories,
  feeds: new Map([['all', feed]]),
  outlets: new Map(),
}
const A = 'a'.repeat(64)
const UPDATED = '2026-03-01T08:00:00.500Z'

const open = async (t: TestContext, { isReady, config = snapshot }: { isReady?: () => boolean; config?: ConfigSnapshot } = {}) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'newswire-gateway-'))
  const log = await createEmbeddedLog({ file: join(dataDir, 'log.db'), fsync: 'normal' })
  const objects = await createDiskObjects({ root: join(dataDir, 'objects'), fsync: 'normal' })
  const opened = await openView({ log, dataDir, onPoison: () => undefined })
  const view: View = isReady ? { ...opened, isReady, isRead: isReady } : opened
  const feeds = await openFeedCache({ log, objects, dataDir, onPoison: () => undefined })
  const configuration = { current: () => config, onChange: () => () => undefined, close: async () => undefined }
  const { app, close } = createHttpServer({
    name: 'gateway',
    logger: createLogger({ service: 'gateway', level: 'silent' }),
    host: '127.0.0.1',
    port: 0,
    refusalPage: createRefusalPage({ view, configuration }),
  })
  addRoutes(app, { view, feeds, objects, configuration, now: () => Date.parse(UPDATED) })
  t.after(async () => {
    await close()
    await opened.stop()
    await feeds.stop()
    await log.close()
    await objects.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
  const ask = (url: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') => app.inject({ method, url, headers })
  const release = async (...facts: Fact[]) => {
    await log.publish(facts.map(toFactRecord))
    await opened.caughtUp(AbortSignal.timeout(60_000))
  }
  const build = async (text: string, counter = 1) => {
    await objects.put('feeds/all/rss.xml', Buffer.from(text))
    const output = { key: 'feeds/all/rss.xml', sha256: 'a'.repeat(64), bytes: 1 }
    const data = { feedId: 'all', counter, updatedAt: UPDATED, items: 1, outputs: { rss: output, atom: output, json: output } }
    const id = deriveId('built', counter)
    await log.publish([toRecord({ id, type: 'feed.built', source: '/services/feeds', subject: 'all', time: UPDATED, data })])
    const deadline = Date.now() + 60_000
    while (feeds.built('all')?.counter !== counter) {
      assert.ok(Date.now() < deadline)
      await setTimeout(5)
    }
  }
  return { ask, release, build, objects, log }
}

const RSS = '/feeds/all/rss.xml'
const BODY = '<rss>tin</rss>'.repeat(50)

test('a feed is served with its type, and unchanged it is a 304 with the same headers', async t => {
  const { ask, build } = await open(t)
  await build(BODY)
  const whole = await ask(RSS)
  assert.equal(whole.statusCode, 200)
  assert.equal(whole.body, BODY)
  assert.equal(whole.headers['content-type'], 'application/rss+xml; charset=utf-8')
  assert.equal(whole.headers['access-control-allow-origin'], '*')
  assert.match(String(whole.headers['link']), /rel="self"/)
  const etag = String(whole.headers['etag'])
  assert.match(etag, /^"[^"]+"$/)
  for (const condition of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const unchanged = await ask(RSS, { 'if-none-match': condition })
    assert.equal(unchanged.statusCode, 304, condition)
    assert.equal(unchanged.body, '')
    for (const name of ['etag', 'last-modified', 'cache-control', 'vary', 'link', 'access-control-allow-origin'])
      assert.equal(unchanged.headers[name], whole.headers[name], name)
  }
  for (const condition of ['"other"', etag.replaceAll('"', '')])
    assert.equal((await ask(RSS, { 'if-none-match': condition })).statusCode, 200, condition)
})

test('If-Modified-Since counts in whole seconds, and only when there is no If-None-Match', async t => {
  const { ask, build } = await open(t)
  await build(BODY)
  const since = (date: string, more = {}) => ask(RSS, { 'if-modified-since': date, ...more }).then(answer => answer.statusCode)
  assert.equal(await since('Sun, 01 Mar 2026 08:00:00 GMT'), 304)
  assert.equal(await since('Sun, 01 Mar 2026 07:59:59 GMT'), 200)
  assert.equal(await since('yesterday'), 200)
  assert.equal(await since('Sun, 01 Mar 2026 08:00:00 GMT', { 'if-none-match': '"other"' }), 200)
})

test('gzip goes to those who take it, with a tag of its own', async t => {
  const { ask, build } = await open(t)
  await build(BODY)
  const plain = await ask(RSS)
  for (const accepted of ['gzip', 'br;q=0.7, gzip;q=0.8', '*', 'GZIP;Q=1']) {
    const zipped = await ask(RSS, { 'accept-encoding': accepted })
    assert.equal(zipped.headers['content-encoding'], 'gzip', accepted)
    assert.equal(gunzipSync(zipped.rawPayload).toString(), BODY)
    assert.notEqual(zipped.headers['etag'], plain.headers['etag'])
  }
  for (const refused of ['gzip;q=0', 'identity', 'gzip;q=0.1, identity', 'deflate'])
    assert.equal((await ask(RSS, { 'accept-encoding': refused })).headers['content-encoding'], undefined, refused)
  assert.equal(plain.headers['vary'], 'accept-encoding')
})

test('HEAD answers as GET does, without the body', async t => {
  const { ask, build, release } = await open(t)
  await build(BODY)
  await release(makeLive())
  for (const url of [RSS, '/', '/articles/press.a', '/feeds', '/opml.xml']) {
    const [got, headed] = [await ask(url), await ask(url, {}, 'HEAD')]
    assert.equal(headed.statusCode, 200, url)
    assert.equal(headed.body, '')
    assert.equal(headed.headers['content-length'], got.headers['content-length'], url)
    assert.equal(headed.headers['content-type'], got.headers['content-type'], url)
  }
})

test('a feed that is not configured is not found, and one that was never built is not ready', async t => {
  const { ask } = await open(t)
  for (const url of ['/feeds/other/rss.xml', '/feeds/all/window.json', '/feeds/all/rss', '/feeds/..%2fconfig/rss.xml'])
    assert.equal((await ask(url)).statusCode, 404, url)
  const waiting = await ask(RSS)
  assert.equal(waiting.statusCode, 503)
  assert.equal(waiting.headers['retry-after'], '1')
})

test('an article is there as page, print view, JSON and ninjs, and after its retraction all four say 410 and nothing of its content', async t => {
  const { ask, release } = await open(t)
  await release(makeLive({ article: { title: 'Chuyện cũ', byline: 'An' } }))
  const urls = ['/articles/press.a', '/articles/press.a/print', '/articles/press.a/article.json', '/articles/press.a/ninjs.json']
  for (const url of urls) {
    const answer = await ask(url)
    assert.equal(answer.statusCode, 200, url)
    assert.match(answer.body, /Chuyện cũ/)
  }
  await release(makeRetracted({ version: 2 }, { notice: 'Đã gỡ theo yêu cầu <b>' }))
  for (const url of urls) {
    const answer = await ask(url)
    assert.equal(answer.statusCode, 410, url)
    assert.doesNotMatch(answer.body, /Chuyện cũ|wrong names/)
    assert.match(answer.body, /Đã gỡ theo yêu cầu/)
    assert.equal(answer.headers['cache-control'], 'no-cache')
  }
  assert.doesNotMatch((await ask('/articles/press.a')).body, /yêu cầu <b>/)
})

test('a picture for certain outlets is in no public form, and at an address that only they are told; one whose right is withdrawn is a 410', async t => {
  const { ask, release, objects } = await open(t)
  const [free, outlet, ended] = ['b', 'c', 'd'].map(letter => letter.repeat(64)) as [string, string, string]
  const rendition = (sha256: string) => `/renditions/${sha256}/w640-r1.jpg`
  for (const sha256 of [free, outlet, ended]) await objects.put(rendition(sha256).slice(1), Buffer.from('jpeg'))
  const status = async (sha256: string) => (await ask(rendition(sha256))).statusCode
  const closed = [
    makePicture(outlet, { caption: 'Chỉ cho a', rights: { outlets: ['a'] } }),
    makePicture(ended, { caption: 'Đã hết hạn', rights: { outlets: ['*'], until: '2026-02-28T00:00:00.000Z' } }),
  ]
  const article = { title: 'Có ảnh', summary: 'x' }
  const urls = ['/', ...['', '/print', '/article.json', '/ninjs.json'].map(end => `/articles/press.a${end}`)]
  const agree = async (isShown: boolean) => {
    for (const url of urls) {
      const { statusCode, body } = await ask(url)
      assert.equal(statusCode, 200, url)
      assert.equal(body.includes(free), isShown, url)
      assert.ok(![outlet, ended, 'Chỉ cho a', 'Đã hết hạn'].some(part => body.includes(part)), url)
    }
  }
  await release(makeLive({ article: { ...article, images: [...closed, makePicture(free)] } }))
  await agree(true)
  assert.deepEqual([await status(free), await status(outlet), await status(ended)], [200, 200, 404])
  assert.match(String((await ask(rendition(outlet))).headers['cache-control']), /^private/)
  await release(makeLive({ version: 2, article: { ...article, images: [...closed, makePicture(free, { rights: { outlets: ['a'] } })] } }))
  await agree(false)
  assert.deepEqual([await status(free), await status(outlet), await status(ended)], [410, 200, 404])
})

test('a picture says which public article shows it now, so that who proves a retraction can ask that one', async t => {
  const { ask, release, objects } = await open(t)
  const shared = 'b'.repeat(64)
  await objects.put(`renditions/${shared}/w640-r1.jpg`, Buffer.from('jpeg'))
  const article = { images: [makePicture(shared)] }
  await release(makeLive({ article }), makeLive({ articleId: 'press.b', article }))
  const shownBy = async () => (await ask(`/renditions/${shared}/w640-r1.jpg`)).headers['link']
  assert.match(String(await shownBy()), /^<\/articles\/press\.[ab]>; rel="describedby"$/)
  await release(makeRetracted({ version: 2 }))
  assert.equal(await shownBy(), '</articles/press.b>; rel="describedby"')
})

test('an article for editors, one that never was, and an id that cannot be are all the same 404', async t => {
  const { ask, release } = await open(t)
  await release(makeLive({ article: { audience: 'editorial', title: 'Kín' } }))
  for (const id of ['press.a', 'press.nothing', 'nodot', 'press.a..b', '%2e%2e%2fpress.a']) {
    const answer = await ask(`/articles/${id}`)
    assert.equal(answer.statusCode, 404, id)
    assert.doesNotMatch(answer.body, /Kín/)
  }
  assert.doesNotMatch((await ask('/')).body, /Kín/)
})

test('a retraction by redirect leads elsewhere, also to an address with letters that no header can carry', async t => {
  const { ask, release } = await open(t)
  await release(makeLive(), makeRetracted({ version: 2 }, { mode: 'redirect', redirectTo: 'https://news.example/tin/đính-chính' }))
  const answer = await ask('/articles/press.a')
  assert.equal(answer.statusCode, 301)
  assert.equal(answer.headers['location'], 'https://news.example/tin/%C4%91%C3%ADnh-ch%C3%ADnh')
  await release(
    makeLive({ articleId: 'press.b' }),
    makeRetracted({ articleId: 'press.b', version: 2 }, { mode: 'redirect', redirectTo: 'javascript:alert(1)' }),
  )
  assert.equal((await ask('/articles/press.b')).statusCode, 410)
})

test('a retraction by redirect to the very article is gone, and no circle', async t => {
  const { ask, release } = await open(t)
  await release(
    makeLive(),
    makeRetracted({ version: 2 }, { mode: 'redirect', redirectTo: 'http://news.example/articles/press.a/?from=old' }),
  )
  assert.equal((await ask('/articles/press.a')).statusCode, 410)
})

test('a retraction by replacement leads to the substitute while that is public, and is gone when it is not', async t => {
  const { ask, release } = await open(t)
  await release(makeLive(), makeRetracted({ version: 2 }, { mode: 'replace', redirectTo: 'v1.2' }))
  assert.equal((await ask('/articles/press.a')).statusCode, 410)
  await release(makeLive({ articleId: 'v1.2', publisher: 'v1' }), makeLive({ articleId: 'press.v1.2' }))
  assert.equal((await ask('/articles/press.a')).headers['location'], 'https://news.example/articles/press.v1.2')
  await release(makeRetracted({ articleId: 'press.v1.2', version: 2 }))
  assert.equal((await ask('/articles/press.a')).headers['location'], 'https://news.example/articles/v1.2')
  await release(makeRetracted({ articleId: 'v1.2', publisher: 'v1', version: 2 }))
  assert.equal((await ask('/articles/press.a')).statusCode, 410)
})

test('a rendition is there only while a public article shows its picture: not before, and gone after', async t => {
  const { ask, release, objects } = await open(t)
  const url = `/renditions/${A}/w640-r1.jpg`
  await objects.put(url.slice(1), Buffer.from('jpeg'), { contentType: 'image/jpeg' })
  const before = await ask(url)
  assert.equal(before.statusCode, 404)
  assert.equal(before.headers['cache-control'], 'no-store')
  await release(makeLive({ articleId: 'press.e', article: { audience: 'editorial', images: [makePicture(A)] } }))
  assert.equal((await ask(url)).statusCode, 404)
  await release(makeLive({ article: { images: [makePicture(A)] } }))
  const shown = await ask(url)
  assert.equal(shown.statusCode, 200)
  assert.equal(shown.body, 'jpeg')
  assert.match(String(shown.headers['cache-control']), /max-age=86400/)
  const unchanged = await ask(url, { 'if-none-match': String(shown.headers['etag']) })
  assert.equal(unchanged.statusCode, 304)
  for (const other of ['w640-r2.jpg', 'set-r1.json', '..%2f..%2fconfig', 'w640-r1.jpg%00'])
    assert.equal((await ask(`/renditions/${A}/${other}`)).statusCode, 404, other)
  await release(makeRetracted({ version: 2 }))
  const gone = await ask(url)
  assert.equal(gone.statusCode, 410)
  assert.equal(gone.headers['cache-control'], 'no-store')
})

test('every public answer says the keys that a shared cache is to forget it by, and what a stranger asks for is no key', async t => {
  const { ask, release, build, objects } = await open(t)
  await objects.put(`renditions/${A}/w640-r1.jpg`, Buffer.from('jpeg'))
  await objects.put('feeds/all/pages/2026-03-01.rss.xml', Buffer.from('<rss/>'))
  await build(BODY)
  await release(makeLive({ article: { images: [makePicture(A)] } }))
  const keysOf = async (url: string) => {
    const { headers } = await ask(url)
    assert.equal(
      headers['cache-tag'],
      typeof headers['surrogate-key'] === 'string' ? headers['surrogate-key'].replaceAll(' ', ',') : undefined,
    )
    return headers['surrogate-key']
  }
  for (const end of ['', '/print', '/article.json', '/ninjs.json']) assert.equal(await keysOf(`/articles/press.a${end}`), 'article-press.a')
  assert.equal(await keysOf(`/renditions/${A}/w640-r1.jpg`), `picture-${A} article-press.a`)
  assert.equal(await keysOf(RSS), 'feed-all')
  assert.equal(await keysOf('/feeds/all/pages/2026-03-01.rss.xml'), 'feed-all')
  for (const url of ['/', '/feeds', '/opml.xml']) assert.equal(await keysOf(url), 'lists', url)
  for (const url of ['/articles/a%0d%0ax', '/articles/x,y', '/feeds/none/pages/2026-03-01.rss.xml', '/robots.txt', '/hub'])
    assert.equal(await keysOf(url), undefined, url)
  await release(makeRetracted({ version: 2 }))
  assert.equal(await keysOf('/articles/press.a'), 'article-press.a', 'what stands in its place, too')
})

test('a rendition asked for a moment after its release is found: the view is let reach the end of the log first', async t => {
  const { ask, objects, log } = await open(t)
  await objects.put(`renditions/${A}/w640-r1.jpg`, Buffer.from('jpeg'))
  await log.publish([toFactRecord(makeLive({ article: { images: [makePicture(A)] } }))])
  assert.equal((await ask(`/renditions/${A}/w640-r1.jpg`)).statusCode, 200)
})

test('until the view has reached the end of the log, articles and renditions that the store does not vouch for are 503: an old kill might not be known yet', async t => {
  let ready = false
  const { ask, release } = await open(t, { isReady: () => ready })
  await release(makeLive({ article: { images: [makePicture(A)] } }))
  for (const url of ['/', '/articles/press.a', '/articles/press.a/article.json', `/renditions/${A}/w640-r1.jpg`]) {
    const answer = await ask(url)
    assert.equal(answer.statusCode, 503, url)
    assert.ok(Number(answer.headers['retry-after']) > 0, url)
  }
  ready = true
  assert.equal((await ask('/articles/press.a')).statusCode, 200)
})

test('pages run no scripts but the one of the list of feeds, and lists name every feed', async t => {
  const { ask, release } = await open(t)
  await release(makeLive())
  for (const url of ['/', '/feeds', '/articles/press.a', '/articles/press.a/print']) {
    const page = await ask(url)
    const policy = String(page.headers['content-security-policy'])
    assert.match(policy, /default-src 'none'/, url)
    assert.doesNotMatch(policy, /unsafe|data:|\*/, url)
    assert.equal(/script-src ([^;]*)/.exec(policy)?.[1], url === '/feeds' ? "'self'" : undefined, url)
    assert.match(page.body, /^<!doctype html>\n<html lang="vi">/)
  }
  assert.match((await ask('/feeds')).body, /href="https:\/\/news\.example\/feeds\/all\/atom\.xml"/)
  assert.match((await ask('/opml.xml')).body, /xmlUrl="https:\/\/news\.example\/feeds\/all\/rss\.xml"/)
})

const SECRET: FeedConfig = { ...feed, id: 'secret', title: 'Kín đáo', access: { tokens: [{ id: 'reader', sha256: A }] } }

test('robots are told where the news sitemaps of public feeds are', async t => {
  const feeds = new Map<string, FeedConfig>([
    ['all', feed],
    ['secret', SECRET],
  ])
  const { ask } = await open(t, { config: { ...snapshot, feeds } })
  const { body, headers } = await ask('/robots.txt')
  assert.equal(headers['content-type'], 'text/plain; charset=utf-8')
  assert.equal(body, 'User-agent: *\nDisallow:\n\nSitemap: https://news.example/feeds/all/news-sitemap.xml\n')
})

test('the list of feeds is there before the view is ready, without previews: an old kill might not be known yet', async t => {
  let ready = false
  const { ask, release } = await open(t, { isReady: () => ready })
  await release(makeLive({ article: { title: 'Chuyện cũ' } }))
  const before = await ask('/feeds')
  assert.equal(before.statusCode, 200)
  assert.doesNotMatch(before.body, /Chuyện cũ/)
  ready = true
  assert.match((await ask('/feeds')).body, /Chuyện cũ/)
})

test('a private feed is in no list, no OPML and no link that leads readers to feeds', async t => {
  const feeds = new Map<string, FeedConfig>([
    ['all', feed],
    ['secret', SECRET],
  ])
  const { ask, release } = await open(t, { config: { ...snapshot, feeds } })
  await release(makeLive())
  for (const url of ['/', '/feeds', '/opml.xml', '/articles/press.a']) {
    const { statusCode, body } = await ask(url)
    assert.equal(statusCode, 200, url)
    assert.doesNotMatch(body, /secret|Kín đáo/, url)
  }
})

test('a page has a strong tag for each coding, and unchanged it is a 304 with the same headers', async t => {
  const { ask, release } = await open(t)
  await release(makeLive())
  for (const url of ['/', '/feeds', '/opml.xml', '/articles/press.a', '/articles/press.a/article.json', '/style.css']) {
    const [plain, zipped, browser] = [
      await ask(url),
      await ask(url, { 'accept-encoding': 'gzip' }),
      await ask(url, { 'accept-encoding': 'gzip, deflate, br, zstd' }),
    ]
    assert.equal(gunzipSync(zipped.rawPayload).toString(), plain.body, url)
    assert.equal(brotliDecompressSync(browser.rawPayload).toString(), plain.body, url)
    assert.equal(new Set([plain, zipped, browser].map(({ headers }) => headers['etag'])).size, 3)
    for (const { headers } of [plain, zipped, browser]) {
      const unchanged = await ask(url, { 'if-none-match': String(headers['etag']) })
      assert.equal(unchanged.statusCode, 304, url)
      for (const name of ['cache-control', 'vary', 'content-security-policy', 'x-robots-tag', 'last-modified'])
        assert.equal(unchanged.headers[name], plain.headers[name], `${url} ${name}`)
    }
  }
})

test('a page or picture of which the client holds another state is not sent to whoever says so', async t => {
  const { ask, release, objects } = await open(t)
  await release(makeLive({ article: { images: [makePicture(A)] } }))
  const picture = `/renditions/${A}/w640-r1.jpg`
  await objects.put(picture.slice(1), Buffer.from('jpeg'), { contentType: 'image/jpeg' })
  for (const path of ['/', '/articles/press.a', '/articles/press.a/article.json', picture]) {
    const tag = String((await ask(path)).headers['etag'])
    assert.equal((await ask(path, { 'if-match': tag })).statusCode, 200, path)
    for (const other of ['"other"', `W/${tag}`]) {
      const { statusCode, body, headers } = await ask(path, { 'if-match': other })
      assert.equal(statusCode, 412, path)
      assert.equal(body, '')
      assert.equal(headers['etag'], tag)
    }
  }
})

test('that there is no icon is said without a length, to HEAD as to GET', async t => {
  const { ask } = await open(t)
  for (const method of ['GET', 'HEAD'] as const) {
    const { statusCode, headers } = await ask('/favicon.ico', {}, method)
    assert.equal(statusCode, 204)
    assert.equal(headers['content-length'], undefined)
  }
})

test('no date stands for a page: what is beside an article changes it too', async t => {
  const { ask, release } = await open(t)
  await release(makeLive({ article: { related: ['b'] } }), makeLive({ articleId: 'press.b', article: { title: 'Bài kia' } }))
  const { headers } = await ask('/articles/press.a')
  assert.equal(headers['last-modified'], undefined)
  await release(makeRetracted({ articleId: 'press.b', version: 2 }))
  const later = await ask('/articles/press.a', { 'if-modified-since': new Date().toUTCString() })
  assert.equal(later.statusCode, 200)
  assert.doesNotMatch(later.body, /Bài kia/)
})

test('a page changes with what it shows and not before', async t => {
  const { ask, release } = await open(t)
  await release(makeLive({ article: { related: ['b'] } }), makeLive({ articleId: 'press.b', article: { title: 'Bài kia' } }))
  const tag = async () => String((await ask('/articles/press.a')).headers['etag'])
  const before = await tag()
  await release(makeLive({ articleId: 'press.c', firstReleasedAt: '2020-01-01T00:00:00.000Z' }))
  assert.equal(await tag(), before)
  await release(makeRetracted({ articleId: 'press.b', version: 2 }))
  assert.notEqual(await tag(), before)
  assert.doesNotMatch((await ask('/articles/press.a')).body, /Bài kia/)
})

test('what pages load is kept for good under its address, and another release’s address gets today’s for a moment', async t => {
  const { ask } = await open(t)
  const page = (await ask('/feeds')).body
  const addresses = [...page.matchAll(/ (?:href|src)="(\/(?:style\.css|feeds\.js)[^"]*)"/g)].map(([, address = '']) => address)
  assert.equal(addresses.length, 2)
  for (const address of addresses) {
    const [own, other] = [await ask(address), await ask(address.replace(/v=.*/, 'v=000000000000'))]
    assert.match(String(own.headers['cache-control']), /immutable/)
    assert.equal(other.body, own.body)
    assert.doesNotMatch(String(other.headers['cache-control']), /immutable/)
  }
})

test('the whole list is reached page by page, each article once, and the way back ends at the top', async t => {
  const { ask, release } = await open(t)
  const total = LIST_ARTICLES * 2 + 5
  const at = (index: number) => new Date(Date.UTC(2026, 0, 1, 0, index)).toISOString()
  await release(
    ...Array.from({ length: total }, (_, index) =>
      makeLive({ articleId: `press.a${index}`, firstReleasedAt: at(index), article: { categories: index % 2 === 0 ? ['culture'] : [] } }),
    ),
  )
  const walk = async (start: string, rel: 'next' | 'prev') => {
    const found: string[] = []
    let url: string | undefined = start
    for (let pages = 0; url !== undefined && pages < 9; pages += 1) {
      const { body, statusCode, headers } = await ask(url)
      if (statusCode === 302) return { found, end: String(headers['location']) }
      assert.equal(statusCode, 200)
      assert.equal(headers['x-robots-tag'], url === start && rel === 'next' ? undefined : 'noindex, follow')
      found.push(...[...body.matchAll(/<h2><a href="\/articles\/press\.a(\d+)"/g)].map(([, id = '']) => id))
      url = new RegExp(`<link rel="${rel}" href="([^"]+)">`).exec(body)?.[1]?.replaceAll('&amp;', '&')
      if (url === undefined) return { found, end: '' }
    }
    return { found, end: 'never' }
  }
  const all = await walk('/', 'next')
  assert.deepEqual(all, { found: Array.from({ length: total }, (_, index) => String(total - 1 - index)), end: '' })
  const section = await walk('/?category=news', 'next')
  assert.deepEqual(
    section.found,
    all.found.filter(id => Number(id) % 2 === 0),
  )
  const back = await walk(`/?before=${at(3)},press.a3`, 'prev')
  assert.equal(back.end, 'https://news.example/')
})

const BROWSER = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }

test('a refusal is a page for browsers and a problem document for programs, whatever refuses', async t => {
  const { ask, release } = await open(t)
  await release(makeLive())
  for (const [url, status] of [
    ['/articles/press.none', 404],
    ['/nowhere', 404],
    ['/?before=yesterday', 400],
    ['/?category=none', 404],
    ['/?before=1990-01-01T00:00:00.000Z,press.a', 404],
    ['/articles/%zz', 400],
    [RSS, 503],
  ] as const) {
    const [page, problem] = [await ask(url, BROWSER), await ask(url, { accept: '*/*' })]
    assert.deepEqual([page.statusCode, problem.statusCode], [status, status], url)
    assert.match(String(page.headers['content-type']), /^text\/html/, url)
    assert.match(page.body, /<html lang="vi">/, url)
    assert.match(String(page.headers['content-security-policy']), /default-src 'none'/)
    assert.equal(page.headers['cache-control'], 'no-store')
    assert.equal(page.headers['x-robots-tag'], 'noindex')
    assert.equal(problem.headers['content-type'], 'application/problem+json', url)
    for (const { headers } of [page, problem]) assert.equal(headers['vary'], 'accept')
  }
})

test('that an article is gone is told to programs in their own form when they ask for it', async t => {
  const { ask, release } = await open(t)
  await release(makeLive(), makeRetracted({ version: 2 }, { notice: 'Đã gỡ' }))
  const problem = await ask('/articles/press.a', { accept: 'application/json' })
  assert.equal(problem.statusCode, 410)
  assert.equal(problem.headers['content-type'], 'application/problem+json')
  assert.equal(problem.json().detail, 'Đã gỡ')
  for (const accept of ['*/*', BROWSER.accept])
    assert.match((await ask('/articles/press.a', { accept })).body, /<p class="summary">Đã gỡ<\/p>/)
})

test('a contract that keeps pages out of search engines says so in header and page alike', async t => {
  const contract: PublisherConfig = { id: 'press', name: 'Press', tokens: [], pages: { canonical: 'self', index: false } }
  const { ask, release } = await open(t, { config: { ...snapshot, publishers: new Map([['press', contract]]) } })
  await release(makeLive({ article: { canonicalUrl: 'https://press.example/a' } }))
  const page = await ask('/articles/press.a')
  assert.equal(page.headers['x-robots-tag'], 'noindex')
  assert.match(page.body, /<meta name="robots" content="noindex">/)
  assert.match(page.body, /<link rel="canonical" href="https:\/\/news\.example\/articles\/press\.a">/)
})

test('a body with a script in it, from a topic that says it was cleaned, is shown without', async t => {
  const { ask, release } = await open(t)
  await release(makeLive({ article: { body: { html: '<p>Một</p><script>alert(1)</script><p onclick="alert(2)">Hai</p>' } } }))
  for (const url of ['/articles/press.a', '/articles/press.a/print']) {
    const { body } = await ask(url)
    assert.match(body, /<p>Một<\/p>\s*<p>Hai<\/p>/)
    assert.doesNotMatch(body, /alert/)
  }
})

test('an old slug of an article leads to it for good, its slug of now comes first, and an article of that very id is itself', async t => {
  const { ask, release } = await open(t)
  const [id, other] = ['press.a-1', 'press.b-2']
  await release({ ...makeLive({ articleId: id, article: { slug: 'hai' } }), aliases: ['mot'] })
  const led = async (name: string) => {
    const { statusCode, headers } = await ask(`/articles/press.${name}`)
    return [statusCode, headers['location']?.toString().split('/articles/')[1]]
  }
  assert.deepEqual(await led('mot'), [301, id])
  assert.deepEqual(await led('hai'), [301, id])
  assert.deepEqual(await led('ba'), [404, undefined])
  assert.deepEqual((await ask('/articles/khac.mot')).statusCode, 404, 'slugs are a publisher’s own')
  await release(makeLive({ articleId: other, article: { slug: 'mot' } }))
  assert.deepEqual(await led('mot'), [301, other], 'who has it now')
  await release(makeRetracted({ articleId: id, version: 2 }))
  assert.deepEqual(await led('hai'), [301, id], 'which answers 410 there')
  await release(makeLive({ articleId: 'press.mot' }))
  assert.equal((await led('mot'))[0], 200)
})
