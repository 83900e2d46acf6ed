import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FeedConfig } from '@newswire/events/config'
import { ProblemError } from '@newswire/http/problem'
import { SaxesParser } from 'saxes'
import { categories, makeLive, makePicture, site } from '../sample-facts.ts'
import { toFeedsPage } from './feeds-page.ts'
import { type List, toListPage } from './lists.ts'
import { toRefusalPage } from './notice-page.ts'
import { toOpml } from './opml.ts'

const frame = { site, sections: [{ id: 'news', name: 'Tin tức' }] }
const top = { category: null, before: null, after: null }
const cursor = { at: '2026-03-01T08:00:00.000Z', articleId: 'press.a' }
const feed = (changes: Partial<FeedConfig> = {}): FeedConfig => ({
  id: 'all',
  title: 'Tất cả',
  description: '',
  match: {},
  limit: 5,
  content: 'full',
  profile: 'standard',
  ...changes,
})
const list = (changes: Partial<List> = {}): string =>
  toListPage({ frame, section: [], place: top, facts: [makeLive()], newer: null, older: null, feeds: [], isWhole: true, ...changes })

test('the front page leads to older articles and can be kept; the pages after it cannot', () => {
  const first = list({ older: { ...top, before: cursor } })
  assert.match(first, /<link rel="canonical" href="https:\/\/news\.example\/">/)
  assert.match(first, /<link rel="next" href="\/\?before=2026-03-01T08:00:00\.000Z,press\.a">/)
  assert.match(first, /<a rel="next" href="\/\?before=[^"]+">Bài cũ hơn →<\/a>/)
  assert.doesNotMatch(first, /noindex|rel="prev"/)
  const second = list({ place: { ...top, before: cursor }, newer: { ...top, after: cursor } })
  assert.match(second, /<meta name="robots" content="noindex, follow">/)
  assert.match(second, /<link rel="prev" href="\/\?after=/)
})

test('a list with nothing in it says so', () => {
  assert.match(list({ facts: [] }), /<p class="summary">Chưa có bài viết nào\.<\/p>/)
})

test('a section has its name for a title and leads to its parents', () => {
  const html = list({ section: [...categories.values()].reverse(), place: { ...top, category: 'culture' } })
  assert.match(html, /<p class="kicker"><a href="\/\?category=news">Tin tức<\/a><\/p><h1>Văn hóa &lt;&amp;&gt;<\/h1>/)
  assert.equal(html.match(/<h1/g)?.length, 1)
})

test('the first picture is fetched at once, the others when they are near, and none says again what the title says', () => {
  const fact = makeLive({ article: { images: [makePicture('a'.repeat(64), { alt: 'Bến phà' })] } })
  const images = [...list({ facts: [fact, fact] }).matchAll(/<img [^>]*>/g)].map(String)
  assert.match(images[0] ?? '', /alt="" [^>]*fetchpriority="high"/)
  assert.match(images[1] ?? '', /alt="" [^>]*loading="lazy"/)
})

test('an article in another language than the site’s says so', () => {
  assert.match(list({ facts: [makeLive({ article: { language: 'en' } })] }), /<li class="first plain" lang="en">/)
})

test('readers find the feeds from the page, in every format', () => {
  const html = list({ feeds: [feed()] })
  for (const type of ['application/rss+xml', 'application/atom+xml', 'application/feed+json'])
    assert.match(html, new RegExp(`<link rel="alternate" type="${type.replace('+', '\\+')}" title="Tất cả \\([^"]+\\)" href="/feeds/all/`))
})

test('the list of feeds has every address whole, also without scripts, and a button that says what it copies', () => {
  const html = toFeedsPage({ frame, feeds: [{ feed: feed({ description: 'Mọi bài' }), newest: [makeLive()] }], categories }).replaceAll(
    '<wbr>',
    '',
  )
  for (const file of ['rss.xml', 'atom.xml', 'feed.json', 'news-sitemap.xml'])
    assert.match(html, new RegExp(`<a id="[^"]+" href="https://news.example/feeds/all/${file}">https://news.example/feeds/all/${file}</a>`))
  assert.match(html, />https:\/\/news\.example\/hub<\/a>/)
  for (const [button] of html.matchAll(/<button [^>]*>/g)) {
    assert.match(button, / hidden /)
    assert.match(button, /aria-label="Chép địa chỉ: [^"]+, Tất cả"/)
    assert.ok(html.includes(` id="${/data-copies="([^"]+)"/.exec(button)?.[1]}"`), 'what it copies is there')
  }
  assert.match(html, /<details class="preview">[\s\S]*<a href="\/articles\/press\.a">Tin mới<\/a>/)
  assert.doesNotMatch(toFeedsPage({ frame, feeds: [{ feed: feed(), newest: null }], categories }), /<details/)
})

type Outline = Readonly<Record<string, string>>
const outlinesOf = (opml: string): Outline[] => {
  const outlines: Outline[] = []
  const parser = new SaxesParser()
  parser.on('error', error => assert.fail(error.message))
  parser.on('opentag', tag => {
    if (tag.name === 'outline') outlines.push({ ...(tag.attributes as Outline) })
  })
  parser.write(opml).close()
  return outlines
}

test('OPML names every feed with its address, language, description and sections with their parents', () => {
  const feeds = [
    feed(),
    feed({ id: 'culture', title: 'Văn hóa', description: 'Sách, phim', language: 'en', match: { categories: ['culture'] } }),
  ]
  const [all, culture] = outlinesOf(toOpml(feeds, site, categories))
  assert.deepEqual(all, {
    type: 'rss',
    version: 'RSS',
    text: 'Tất cả',
    title: 'Tất cả',
    language: 'vi',
    xmlUrl: 'https://news.example/feeds/all/rss.xml',
    htmlUrl: 'https://news.example/',
  })
  assert.equal(culture?.['category'], '/Tin tức/Văn hóa <&>')
  assert.equal(culture?.['htmlUrl'], 'https://news.example/?category=culture')
  assert.deepEqual([culture?.['language'], culture?.['description']], ['en', 'Sách, phim'])
})

test('OPML with control characters in a title is still XML', () => {
  assert.equal(outlinesOf(toOpml([feed({ title: 'A\u0000\u0008B' })], site, categories))[0]?.['text'], 'AB')
})

test('a refusal for people is in the site’s language and carries the id that our log has', () => {
  const refusal = (status: number) =>
    toRefusalPage(new ProblemError({ status, code: 'NEWSWIRE_X', title: 'T', detail: 'not for people' }), 'c-1', frame)
  assert.match(refusal(404), /<html lang="vi">[\s\S]*<h1>Không có gì ở đây<\/h1>[\s\S]*404 NEWSWIRE_X · c-1/)
  for (const status of [400, 405, 429, 500, 503, 599]) {
    assert.match(refusal(status), /<h1>[^<]+<\/h1>/)
    assert.match(refusal(status), /noindex/)
    assert.doesNotMatch(refusal(status), /not for people/)
  }
})
