import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { PublisherConfig } from '@newswire/events/config'
import type { Fact } from '@newswire/events/fact'
import { createHttpServer } from '@newswire/http/server'
import { createEmbeddedLog } from '@newswire/log/embedded'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { createLogger } from '@newswire/runtime/logger'
import { SaxesParser } from 'saxes'
import { createFindLeftOut } from './left-out.ts'
import { createPageMaker } from './page-maker.ts'
import { usualRules } from './pages/article-context.ts'
import { categories, makeLive, makeRetracted, site, toFactRecord } from './sample-facts.ts'
import { openSearch } from './search.ts'
import { addSearchRoutes } from './search-routes.ts'
import { openView } from './view.ts'

const publishers = new Map<string, PublisherConfig>(
  [
    { id: 'press', name: 'Báo <P>', tokens: [], pages: usualRules },
    { id: 'other', name: 'Khác', tokens: [], pages: usualRules },
  ].map(one => [one.id, one as PublisherConfig]),
)
const config: ConfigSnapshot = {
  site,
  network: { allow: [], allowHttp: false },
  publishers,
  categories,
  feeds: new Map(),
  outlets: new Map(),
}

const HOSTILE_TITLE = 'Lũ <script>alert(1)</script> ]]> & "x" \u0000\u0008\ud800 \u202e'

const facts: readonly Fact[] = [
  ...Array.from({ length: 45 }, (_, index) =>
    makeLive({
      articleId: `press.a${index}`,
      firstReleasedAt: new Date(Date.UTC(2026, 1, 1, 0, index)).toISOString(),
      article: { title: `Lúa mùa ${index}`, categories: ['culture'] },
    }),
  ),
  makeLive({ articleId: 'press.late', firstReleasedAt: '2026-02-09T17:30:00.000Z', article: { title: 'Lúa muộn', categories: ['news'] } }),
  makeLive({ articleId: 'other.en', publisher: 'other', article: { title: 'Rice & lúa', language: 'en' } }),
  makeLive({ articleId: 'press.evil', article: { title: HOSTILE_TITLE, body: { html: '<p>Bản tin lũ</p>' } } }),
  makeRetracted({ articleId: 'press.gone', version: 2 }),
]

const open = async (t: TestContext) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'newswire-search-'))
  const log = await createEmbeddedLog({ file: join(dataDir, 'log.db'), fsync: 'normal' })
  await log.publish(facts.map(toFactRecord))
  const view = await openView({ log, dataDir, onPoison: () => undefined })
  const search = openSearch({ log, dataDir, onTrouble: error => assert.fail(error) })
  const logger = createLogger({ service: 'gateway', level: 'silent' })
  const { app, close } = createHttpServer({ name: 'gateway', logger, host: '127.0.0.1', port: 0 })
  const cut = { isOff: false, taken: new Set<string>() }
  const stored = { askFor: async () => ({ takenBack: cut.taken, unread: new Set<string>() }) }
  const findLeftOut = createFindLeftOut({ isTold: () => !cut.isOff, stored, view })
  addSearchRoutes(app, { search, view, maker: createPageMaker(view, { current: () => config }), findLeftOut })
  t.after(async () => {
    await close()
    await search.stop()
    await view.stop()
    await log.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
  const get = (url: string, headers: Record<string, string> = {}) => app.inject({ url, headers })
  const early = await get('/search?q=x')
  for (const deadline = Date.now() + 60_000; !(search.isReady() && view.isReady()); await setTimeout(5))
    if (Date.now() > deadline) throw new Error('not ready')
  const json = async (url: string) => {
    const answer = await get(url)
    assert.equal(answer.statusCode, 200, answer.body)
    return answer.json()
  }
  return { get, json, early, log, search, cut }
}

test('before the index has reached where the log ended nobody is told what it has', async t => {
  const { early } = await open(t)
  assert.equal(early.statusCode, 503)
  assert.equal(early.headers['retry-after'], '1')
  assert.equal(early.json().code, 'NEWSWIRE_GATEWAY_NOT_READY')
})

test('cut off from the log, what the store no longer has for all is found in no form, and everything else is', async t => {
  const { get, cut } = await open(t)
  const forms = ['/search?q=rice', '/v1/search?q=rice', '/search/rss.xml?q=rice']
  const bodies = () => Promise.all(forms.map(async form => (await get(form)).body))
  for (const body of await bodies()) assert.match(body, /other\.en/)
  cut.isOff = true
  for (const body of await bodies()) assert.match(body, /other\.en/)
  cut.taken.add('other.en')
  for (const body of await bodies()) assert.doesNotMatch(body, /other\.en/)
  cut.isOff = false
  for (const body of await bodies()) assert.match(body, /other\.en/)
})

test('JSON: hits with marks, counts by category with those above it, and the address of the next page', async t => {
  const { json } = await open(t)
  const first = await json('/v1/search?q=lua')
  assert.deepEqual([first.total, first.totalIsExact, first.hits.length, first.page, first.reach], [47, true, 20, 1, 'all'])
  assert.deepEqual(first.facets.categories, [
    { id: 'news', articles: 46, name: 'Tin tức' },
    { id: 'culture', articles: 45, name: 'Văn hóa <&>' },
  ])
  assert.deepEqual(
    first.facets.publishers.map((one: { id: string; articles: number }) => [one.id, one.articles]),
    [
      ['press', 46],
      ['other', 1],
    ],
  )
  assert.equal(first.hits[0].url, 'https://news.example/articles/press.late'.replace('press.late', first.hits[0].id))
  const seen = new Set<string>()
  let url: string | null = '/v1/search?q=lua'
  for (let page = 1; url !== null; page += 1) {
    const answer = await json(url)
    assert.equal(answer.page, page)
    for (const { id } of answer.hits) seen.add(id)
    url = answer.next === null ? null : answer.next.replace(site.publicUrl, '')
  }
  assert.equal(seen.size, 47)
  assert.deepEqual((await json('/v1/search?q=lua&page=3')).hits.length, 7, 'a page by its number alone')
})

test('in a category with those below it, by publisher, language and days of the site’s zone', async t => {
  const { json } = await open(t)
  const total = async (query: string) => (await json(`/v1/search?q=lua&${query}`)).total
  assert.equal(await total('category=news'), 46)
  assert.equal(await total('category=culture'), 45)
  assert.equal(await total('publisher=other'), 1)
  assert.equal(await total('language=en'), 1)
  assert.equal(await total('from=2026-02-10'), 2, '17:30 UTC is the next day in Hanoi')
  assert.equal(await total('from=2026-02-10&to=2026-02-10'), 1)
  assert.equal(await total('to=2026-02-09'), 45)
  assert.equal((await json('/v1/search?category=culture')).total, 45, 'without words: all of it, newest first')
})

test('what no page of ours would ask for is refused in words; an unknown category is 404', async t => {
  const { get } = await open(t)
  for (const query of [
    'q=a&q=b',
    'page=0',
    'page=51',
    'page=x',
    'page=2.z1.5',
    'sort=best',
    'from=yesterday',
    'to=2026-02-30',
    'language=%3C',
    'publisher=../x',
    'category=%00',
  ])
    assert.equal((await get(`/search?${query}`)).statusCode, 400, query)
  assert.equal((await get('/search?category=nothing')).statusCode, 404)
  assert.equal((await get('/search?q=&category=&from=&to=&page=')).statusCode, 200, 'what a form leaves empty')
  for (const q of ['"', '%00', '%ED%A0%80', 'a'.repeat(10_000), '%22%20AND%20', '*'.repeat(300), 'NEAR(a%2Cb)'])
    assert.equal((await get(`/search?q=${q}`)).statusCode, 200, q)
  assert.equal((await get('/v1/search?q=lua&page=9999.p99.1')).statusCode, 200, 'a place that no link leads to')
})

test('the page says what was found, escaped, and is for no search engine; unchanged it is 304', async t => {
  const { get, log, search } = await open(t)
  const answer = await get(`/search?q=${encodeURIComponent('lũ "><img src=x>')}`)
  assert.equal(answer.statusCode, 200)
  assert.doesNotMatch(answer.body, /<img|<script>/)
  assert.match(answer.body, /value="lũ &quot;&gt;&lt;img src=x&gt;"/)
  const found = await get('/search?q=lu')
  assert.match(found.body, /<mark>Lũ<\/mark> &lt;script&gt;/)
  assert.match(String(found.headers['content-security-policy']), /form-action 'self'/)
  assert.equal(found.headers['x-robots-tag'], 'noindex, follow')
  assert.match(found.body, /<meta name="robots" content="noindex, follow">/)
  const tag = String(found.headers.etag)
  assert.equal((await get('/search?q=lu', { 'if-none-match': tag })).statusCode, 304)
  const before = search.revision()
  await log.publish([toFactRecord(makeRetracted({ articleId: 'press.evil', version: 2 }))])
  for (const deadline = Date.now() + 60_000; search.revision() === before; await setTimeout(5)) assert.ok(Date.now() < deadline)
  const after = await get('/search?q=lu', { 'if-none-match': tag })
  assert.equal(after.statusCode, 200)
  assert.doesNotMatch(after.body, /Bản tin/)
})

const assertWellFormed = (xml: string): void => {
  const parser = new SaxesParser({ xmlns: true })
  parser.on('error', error => {
    throw error
  })
  parser.write(xml).close()
}

test('a search as RSS is well-formed whatever titles and questions hold, and has the identity of every feed', async t => {
  const { get } = await open(t)
  for (const q of ['lu', '%5D%5D%3E%26%3C', '%00%08', '%EF%BF%BE', '%F0%9F%99%82', '']) {
    const answer = await get(`/search/rss.xml?q=${q}&sort=relevance&page=2`)
    assert.equal(answer.statusCode, 200)
    assert.equal(answer.headers['content-type'], 'application/rss+xml; charset=utf-8')
    assertWellFormed(answer.body)
  }
  const { body } = await get('/search/rss.xml?q=lu')
  assert.match(body, /<guid isPermaLink="false">tag:news\.example,2026:press\.evil<\/guid>/)
  assert.match(body, /<title>Lũ &lt;script&gt;/)
  assert.match(body, /<description>.*&lt;mark&gt;lũ&lt;\/mark&gt;<\/description>/)
})

test('browsers are told how to search here', async t => {
  const { get } = await open(t)
  const answer = await get('/opensearch.xml')
  assertWellFormed(answer.body)
  assert.match(answer.body, /<Url type="text\/html" template="https:\/\/news\.example\/search\?q=\{searchTerms\}"\/>/)
  assert.match(answer.body, /<ShortName>Tin &amp; bài<\/ShortName>/)
})
