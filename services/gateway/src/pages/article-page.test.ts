import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SiteConfig } from '@newswire/events/config'
import { categories, makeLive, makePicture, makeRetracted, site } from '../sample-facts.ts'
import { toArticlePage, toGonePage, toJsonLd, toPrintView } from './article-page.ts'
import { toFeedsPage, toFrontPage, toOpml } from './lists.ts'

const A = 'a'.repeat(64)
const NOW = '2026-03-02T00:00:00.000Z'

/** What strangers write where text goes. */
const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</title></script><script>alert(1)</script>',
  '<!--',
  '&lt;script&gt;',
  ']]>',
  '\u2028</script>',
]

/** Tags as a reader of HTML finds them: everything that begins with `<` and a letter. */
const tagsOf = (html: string): string[] =>
  [...html.replaceAll(/<script type="application\/ld\+json">[^<]*<\/script>/g, '').matchAll(/<\/?([a-z][a-z0-9]*)/gi)].map(([, name]) =>
    String(name).toLowerCase(),
  )
const pages = (text: string) => {
  const fact = makeLive({
    article: {
      title: text,
      summary: text,
      byline: text,
      dateline: text,
      source: text,
      correction: { note: text },
      rights: { copyright: text, usageTerms: text },
      categories: [text, 'culture'],
      canonicalUrl: `https://news.example/${text}`,
      images: [makePicture(A, { caption: text, alt: text, credit: text }), makePicture(A, { role: 'inline', caption: text, credit: text })],
    },
  })
  const named: SiteConfig = { ...site, title: text }
  const feeds = [{ id: 'all', title: text, description: text, match: {}, limit: 5, content: 'full' as const, profile: 'standard' as const }]
  return {
    article: toArticlePage(fact, named, categories),
    print: toPrintView(fact, named, categories, NOW),
    gone: toGonePage(makeRetracted({}, { notice: text }), named),
    front: toFrontPage([fact], feeds, named),
    feeds: toFeedsPage(feeds, named),
    opml: toOpml(feeds, named),
  }
}

test('whatever stands in a text, a page has the same elements as with plain words', () => {
  const plain = pages('words')
  for (const text of HOSTILE)
    for (const [name, html] of Object.entries(pages(text))) {
      assert.deepEqual(tagsOf(html), tagsOf(plain[name as keyof typeof plain]), `${name} with ${text}`)
      assert.doesNotMatch(html.replaceAll(/"[^"]*"/g, '""'), /<[^>]*\son[a-z]+=/i, `${name} with ${text}`)
    }
})

test('the JSON-LD holds the texts letter for letter and nothing in it can end its element', () => {
  for (const text of HOSTILE) {
    const json = toJsonLd(makeLive({ article: { title: text } }), site, categories)
    assert.doesNotMatch(json, /</)
    assert.equal(JSON.parse(json).headline, text)
  }
})

test('the page names its language, its canonical address and its sections with their parents', () => {
  const own = toArticlePage(makeLive({ article: { language: 'en', categories: ['culture'] } }), site, categories)
  assert.match(own, /<html lang="en">/)
  assert.match(own, /<link rel="canonical" href="https:\/\/news\.example\/articles\/press\.a">/)
  assert.match(own, /Văn hóa &lt;&amp;&gt;/)
  const given = makeLive({ article: { canonicalUrl: 'https://press.example/a?x=1&y=2', categories: ['culture'] } })
  assert.match(toArticlePage(given, site, categories), /<link rel="canonical" href="https:\/\/press\.example\/a\?x=1&amp;y=2">/)
  assert.deepEqual(JSON.parse(toJsonLd(given, site, categories)).articleSection, ['Văn hóa <&>', 'Tin tức'])
})

test('every picture has an alternative text, its caption when it has no other, and its size', () => {
  const images = [makePicture(A, { caption: 'Bến phà', credit: 'An' }), makePicture(A, { role: 'inline', alt: 'Thuyền', caption: 'Chiều' })]
  const html = toArticlePage(makeLive({ article: { images } }), site, categories)
  assert.match(html, /alt="Bến phà" width="1280" height="720"/)
  assert.match(html, /alt="Thuyền"/)
  assert.match(html, /<figcaption>Bến phà — An<\/figcaption>/)
  for (const [image] of html.matchAll(/<img [^>]*>/g)) assert.match(image, / alt="/)
})

test('a picture that is not ready is nowhere', () => {
  const images = [
    makePicture(A, { state: 'waiting', renditions: [], caption: 'Chưa có' }),
    makePicture(A, { state: 'refused', renditions: [] }),
  ]
  assert.doesNotMatch(toArticlePage(makeLive({ article: { images } }), site, categories), /<img|Chưa có/)
})

test('a language that the engine has no dates for still has a page', () => {
  for (const language of ['zh-yue', 'en-US-US', 'xx', 'tlh']) {
    const html = toArticlePage(makeLive({ article: { language } }), site, categories)
    assert.match(html, /<time datetime="2026-03-01T08:00:00\.000Z">[^<]+<\/time>/, language)
  }
})

test('times are of the zone of the site', () => {
  assert.match(toArticlePage(makeLive(), site, categories), /15:00/)
  assert.match(toArticlePage(makeLive(), { ...site, timeZone: 'UTC' }, categories), /08:00/)
})

test('the print view says where it is from and when, and is kept out of search engines', () => {
  const html = toPrintView(makeLive(), site, categories, NOW)
  assert.match(html, /noindex/)
  assert.match(html, /https:\/\/news\.example\/articles\/press\.a/)
  assert.match(html, /<time datetime="2026-03-02T00:00:00\.000Z">/)
})

test('the page of a retracted article has its notice and nothing else of it', () => {
  const html = toGonePage(makeRetracted({}, { reason: 'Lý do riêng' }), site)
  assert.match(html, /Bài viết này đã được gỡ bỏ/)
  assert.doesNotMatch(html, /Lý do riêng|press\.a/)
})

test('OPML with control characters in a title is still XML', () => {
  const feeds = [
    { id: 'all', title: 'A\u0000\u0008B', description: '', match: {}, limit: 5, content: 'full' as const, profile: 'standard' as const },
  ]
  assert.doesNotMatch(toOpml(feeds, site), /[\u0000-\u0008]/)
})
