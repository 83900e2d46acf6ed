import assert from 'node:assert/strict'
import { test } from 'node:test'
import { feedConfig } from '@newswire/events/config'
import type { LiveFact } from '@newswire/events/fact'
import { sampleFact } from '@newswire/events/sample-fact'
import { articleExits, feedExits, isRenditionKey, judge, pageExits, shownBy, toEarlier } from './proof-exits.ts'

const WANTED = { articleId: 'press.a', tag: 'tag:news.example,2026:press.a', articleUrl: 'https://news.example/articles/press.a' }
const OTHER = 'tag:news.example,2026:press.a2'
const seen = (reading: Parameters<typeof judge>[0], body: string, status = 200) => judge(reading, { status, body, link: '' }, WANTED).state
const live = (article: Partial<LiveFact['article']> = {}): LiveFact => {
  const made = sampleFact({ at: '2026-03-01T23:30:00.000Z', article: { language: 'en', ...article } })
  return { ...made, facetsEver: { ...made.facetsEver, categories: ['city'] } }
}

test('a feed shows an article that is an item of it, and not one that is a notice, in every format', () => {
  const guid = (tag: string) => `<item><guid isPermaLink="false">${tag}</guid><title>T</title>`
  assert.equal(seen('rss', `<rss>${guid(WANTED.tag)}</item></rss>`), 'visible')
  assert.equal(seen('rss', `<rss>${guid(WANTED.tag)}<nw:status>retracted</nw:status></item>${guid(OTHER)}</item></rss>`), 'gone')
  assert.equal(seen('rss', `<rss>${guid(OTHER)}<nw:status>retracted</nw:status></item>${guid(WANTED.tag)}</item></rss>`), 'visible')
  assert.equal(seen('atom', `<feed><entry><id>${WANTED.tag}</id></entry></feed>`), 'visible')
  assert.equal(seen('atom', `<feed><at:deleted-entry ref="${WANTED.tag}"/><entry><id>${OTHER}</id></entry></feed>`), 'gone')
  const json = (status?: string) =>
    JSON.stringify({ items: [{ id: OTHER }, { id: WANTED.tag, ...(status ? { _newswire: { status } } : {}) }] })
  assert.equal(seen('json', json()), 'visible')
  assert.equal(seen('json', json('retracted')), 'gone')
})

test('a link to the article is no link to one whose id only begins like it', () => {
  for (const body of [`<loc>${WANTED.articleUrl}</loc>`, 'href="/articles/press.a"', `${WANTED.articleUrl}?x`, WANTED.articleUrl])
    assert.equal(seen('links', body), 'visible', body)
  for (const body of [`<loc>${WANTED.articleUrl}2</loc>`, 'href="/articles/press.a-b"', '/articles/press.a.b', ''])
    assert.equal(seen('links', body), 'gone', body)
})

test('a search shows an article that is a hit of it', () => {
  assert.equal(seen('hits', JSON.stringify({ hits: [{ id: 'press.a' }] })), 'visible')
  assert.equal(seen('hits', JSON.stringify({ hits: [{ id: 'press.a2' }] })), 'gone')
})

test('a page that is gone, leads elsewhere or was never there is gone; no answer and nonsense prove nothing', () => {
  for (const status of [301, 302, 404, 410]) assert.equal(seen('status', '', status), 'gone')
  assert.equal(seen('status', ''), 'visible')
  for (const status of [304, 401, 429, 500, 503]) assert.equal(seen('status', '', status), 'unknown')
  for (const reading of ['json', 'hits'] as const) assert.equal(seen(reading, '<html>'), 'unknown')
  assert.equal(seen('hits', '{}'), 'unknown')
})

test('every feed is looked at in every form; one of token holders as it is stored', () => {
  const feeds = [
    feedConfig.parse({ id: 'all', title: 'All' }),
    feedConfig.parse({
      id: 'closed',
      title: 'Closed',
      match: { categories: ['city'] },
      access: { tokens: [{ id: 'a', sha256: 'a'.repeat(64) }] },
    }),
    feedConfig.parse({ id: 'sport', title: 'Sport', match: { categories: ['sport'] } }),
  ]
  assert.deepEqual(
    feedExits(feeds).map(one => `${one.from} ${one.address}`),
    ['rss.xml', 'atom.xml', 'feed.json', 'news-sitemap.xml'].flatMap((_, index, all) =>
      index > 0
        ? []
        : [
            ...all.map(file => `gateway /feeds/all/${file}`),
            ...all.map(file => `store feeds/closed/${file}`),
            ...all.map(file => `gateway /feeds/sport/${file}`),
          ],
    ),
  )
  const pages = pageExits(live(), { feeds, categories: new Map() })
  assert.deepEqual(
    pages.map(one => one.address),
    ['rss.xml', 'atom.xml', 'json'].flatMap((_, index, all) =>
      index > 0 ? [] : [...all.map(end => `/feeds/all/pages/2026-03-01.${end}`), ...all.map(end => `feeds/closed/pages/2026-03-01.${end}`)],
    ),
    'the day of its first release, in the feeds that it was ever in',
  )
  assert.equal(pages[0]?.next?.().address, '/feeds/all/pages/2026-03-01-2.rss.xml')
  assert.equal(pages[0]?.next?.().next?.().address, '/feeds/all/pages/2026-03-01-3.rss.xml')
})

test('every title and rendition that any version had is looked for, once', () => {
  const key = `renditions/${'a'.repeat(64)}/w640-0a1b.jpg`
  const image = {
    url: 'https://p.example/1',
    role: 'lead' as const,
    caption: '',
    alt: '',
    credit: '',
    state: 'ready' as const,
    sha256: 'a'.repeat(64),
    renditions: [{ preset: 'w640', key, type: 'image/jpeg', width: 640, height: 480, bytes: 1 }],
  }
  const earlier = toEarlier([
    live({ title: 'Hội chợ & sách', images: [image] }),
    live({ title: 'Two', images: [image] }),
    live({ title: 'Two' }),
  ])
  assert.deepEqual(earlier, { titles: ['Hội chợ & sách', 'Two'], renditions: [key] })
  const addresses = articleExits('press.a', earlier).map(one => one.address)
  for (const address of [
    '/articles/press.a',
    '/articles/press.a/print',
    '/articles/press.a/article.json',
    '/articles/press.a/ninjs.json',
    '/',
    `/${key}`,
  ])
    assert.ok(addresses.includes(address), address)
  assert.ok(addresses.includes(`/v1/search?q=${encodeURIComponent('Hội chợ & sách').replaceAll('%20', '+')}`))
  assert.equal(new Set(addresses).size, addresses.length)
})

test('a key that no rendition could have becomes no address', () => {
  assert.ok(isRenditionKey(`renditions/${'a'.repeat(64)}/w640-0a1b.jpg`))
  for (const key of ['renditions/../x', `renditions/${'a'.repeat(64)}/x?y`, `//evil.example/renditions/${'a'.repeat(64)}/x.jpg`, '/'])
    assert.ok(!isRenditionKey(key), key)
})

test('who shows a picture is read from the answer, and nothing else is', () => {
  assert.equal(shownBy('</articles/press.b>; rel="describedby"'), 'press.b')
  assert.equal(shownBy('<https://news.example/articles/press.b>; rel="describedby"'), 'press.b')
  for (const link of ['', '</articles/press.b>; rel="next"', '</articles/a/b>; rel="describedby"']) assert.equal(shownBy(link), null)
})
