import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeContext, makeLive, makePicture, makeRetracted, site } from '../sample-facts.ts'
import { toArticlePage, toGonePage, toPrintView } from './article-page.ts'
import { toJsonLd } from './json-ld.ts'

const A = 'a'.repeat(64)
const NOW = '2026-03-02T00:00:00.000Z'
const frame = { site, sections: [] }

test('the page names its language, its canonical address and its section', () => {
  const own = toArticlePage(makeContext(makeLive({ article: { language: 'en', categories: ['culture'] } })))
  assert.match(own, /<html lang="en">/)
  assert.match(own, /<link rel="canonical" href="https:\/\/news\.example\/articles\/press\.a">/)
  assert.match(own, /<a href="\/\?category=culture" lang="vi">Văn hóa &lt;&amp;&gt;<\/a>/)
})

test('the publisher’s contract says which address is canonical and whether search engines may keep the page', () => {
  const fact = makeLive({ article: { canonicalUrl: 'https://press.example/a?x=1&y=2' } })
  const page = (rules?: Parameters<typeof makeContext>[1]) => toArticlePage(makeContext(fact, rules))
  assert.match(page(), /<link rel="canonical" href="https:\/\/press\.example\/a\?x=1&amp;y=2">/)
  assert.match(page(), /<meta name="robots" content="max-image-preview:large">/)
  const contract = { rules: { canonical: 'self', index: false } } as const
  assert.match(page(contract), /<link rel="canonical" href="https:\/\/news\.example\/articles\/press\.a">/)
  assert.match(page(contract), /<meta name="robots" content="noindex">/)
  const crooked = makeLive({ article: { canonicalUrl: 'javascript:alert(1)' } })
  assert.doesNotMatch(toArticlePage(makeContext(crooked)), /javascript:/)
})

test('the JSON-LD has what search engines ask of a news article', () => {
  const fact = makeLive({
    updatedAt: '2026-03-01T10:00:00.000Z',
    article: {
      title: 'Tiêu đề',
      summary: 'Tóm tắt',
      byline: 'An',
      categories: ['culture'],
      tags: ['một', 'hai'],
      images: [makePicture(A, { caption: 'Bến phà', credit: 'Bình' }), makePicture(A, { state: 'refused', renditions: [] })],
      change: 'correction',
      correction: { note: 'Sai ngày' },
    },
  })
  const data = JSON.parse(toJsonLd(makeContext(fact)))
  assert.equal(data['@type'], 'NewsArticle')
  assert.deepEqual(data.articleSection, ['Văn hóa <&>', 'Tin tức'])
  assert.deepEqual(data.author, [{ '@type': 'Person', name: 'An' }])
  assert.deepEqual(data.publisher, { '@type': 'Organization', name: site.title, url: 'https://news.example/' })
  assert.deepEqual(data.image, [
    {
      '@type': 'ImageObject',
      url: `https://news.example/renditions/${A}/w1280-r1.jpg`,
      width: 1280,
      height: 720,
      caption: 'Bến phà',
      creditText: 'Bình',
    },
  ])
  assert.deepEqual(data.correction, { '@type': 'CorrectionComment', text: 'Sai ngày', datePublished: '2026-03-01T10:00:00.000Z' })
  assert.deepEqual(
    [data.datePublished, data.dateModified, data.inLanguage, data.isAccessibleForFree],
    ['2026-03-01T08:00:00.000Z', '2026-03-01T10:00:00.000Z', 'vi', true],
  )
  const minor = { ...fact, article: { ...fact.article, change: 'minor' as const } }
  assert.equal(JSON.parse(toJsonLd(makeContext(minor))).correction.datePublished, undefined, 'an old note has no new date')
})

test('search engines are told the lead picture first, and whose each is', () => {
  const images = [
    makePicture('b'.repeat(64), { role: 'gallery' }),
    makePicture(A, { role: 'lead', copyright: '© Bình' }),
    makePicture('c'.repeat(64), { state: 'waiting', renditions: [] }),
  ]
  const { image } = JSON.parse(toJsonLd(makeContext(makeLive({ article: { images } })))) as {
    image: { url: string; copyrightNotice?: string }[]
  }
  assert.deepEqual(
    image.map(({ url, copyrightNotice }) => [/renditions\/(.)/.exec(url)?.[1], copyrightNotice]),
    [
      [A[0], '© Bình'],
      ['b', undefined],
    ],
  )
})

test('a correction stands above everything but the title', () => {
  const html = toArticlePage(makeContext(makeLive({ article: { summary: 'Tóm tắt', correction: { note: 'Sai ngày' } } })))
  const order = ['<h1>', 'Sai ngày', 'Tóm tắt', 'Nội dung'].map(text => html.indexOf(text, html.indexOf('<main')))
  assert.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
  )
})

test('every picture has its sizes to choose from, the room it needs, an alternative text and its credit', () => {
  const images = [makePicture(A, { caption: 'Bến phà', credit: 'An' }), makePicture(A, { role: 'inline', alt: 'Thuyền', caption: 'Chiều' })]
  const html = toArticlePage(makeContext(makeLive({ article: { images } })))
  assert.match(html, /<figcaption>Bến phà · <span class="credit">An<\/span><\/figcaption>/)
  const [lead = '', other = ''] = [...html.matchAll(/<img [^>]*>/g)].map(String)
  assert.match(
    lead,
    new RegExp(`srcset="/renditions/${A}/w640-r1.jpg 640w, /renditions/${A}/w1280-r1.jpg 1280w" sizes="[^"]+" alt="Bến phà"`),
  )
  assert.match(lead, /width="1280" height="720" fetchpriority="high"/)
  assert.match(other, /alt="Thuyền" width="1280" height="720" loading="lazy"/)
  const paper = toPrintView(makeContext(makeLive({ article: { images } })), NOW)
  assert.doesNotMatch(paper, /loading="lazy"/, 'a printer does not scroll')
})

test('a better coder is offered first when there are such renditions', () => {
  const picture = makePicture(A)
  const webp = picture.renditions.map(one => ({ ...one, key: one.key.replace('.jpg', '.webp'), type: 'image/webp' }))
  const html = toArticlePage(makeContext(makeLive({ article: { images: [{ ...picture, renditions: [...webp, ...picture.renditions] }] } })))
  assert.match(
    html,
    /<picture><source type="image\/webp" srcset="[^"]*w640-r1\.webp 640w[^"]*" sizes="[^"]+"><img src="[^"]*\.jpg" srcset="[^"]*\.jpg 640w/,
  )
})

test('a picture that is not ready is nowhere', () => {
  const images = [
    makePicture(A, { state: 'waiting', renditions: [], caption: 'Chưa có' }),
    makePicture(A, { state: 'refused', renditions: [] }),
  ]
  assert.doesNotMatch(toArticlePage(makeContext(makeLive({ article: { images } }))), /<img|Chưa có/)
})

test('a page in a language without words of ours has the site’s, marked as such; one that reads from the right says so', () => {
  const html = toArticlePage(makeContext(makeLive({ article: { language: 'ar', tags: ['x'] } })))
  assert.match(html, /<html lang="ar" dir="rtl">/)
  assert.match(html, /<header class="masthead" lang="vi" dir="ltr">/)
  assert.match(html, /<span lang="vi" dir="ltr">Từ khóa<\/span>/)
  const english = toArticlePage(makeContext(makeLive({ article: { language: 'en-GB', tags: ['x'] } })))
  assert.match(english, /Tags: x/)
})

test('a language that the engine has no dates for still has a page', () => {
  for (const language of ['zh-yue', 'en-US-US', 'xx', 'tlh']) {
    const html = toArticlePage(makeContext(makeLive({ article: { language } })))
    assert.match(html, /<time datetime="2026-03-01T08:00:00\.000Z"[^>]*>[^<]+<\/time>/, language)
  }
})

test('times are of the zone of the site for people, in UTC for machines', () => {
  const html = toArticlePage(makeContext(makeLive({ article: { publishedAt: '2026-03-01T20:30:00+07:00' } })))
  assert.match(html, /<time datetime="2026-03-01T13:30:00\.000Z">Chủ Nhật, 1 tháng 3, 2026, 20:30 GMT\+7<\/time>/)
  const utc = { ...site, timeZone: 'UTC' }
  assert.match(toArticlePage(makeContext(makeLive(), { frame: { site: utc, sections: [] } })), /08:00/)
})

test('its translations are linked for people always, for search engines where the page is its own canonical', () => {
  const [vi, en] = [makeLive(), makeLive({ articleId: 'press.en', article: { language: 'en', title: 'News' } })]
  const html = toArticlePage(makeContext(vi, { versions: [en, vi] }))
  assert.match(html, /<link rel="alternate" hreflang="en" href="https:\/\/news\.example\/articles\/press\.en">/)
  assert.match(html, /<a href="\/articles\/press\.en" hreflang="en" lang="en">English<\/a>/)
  const elsewhere = makeLive({ article: { canonicalUrl: 'https://press.example/a' } })
  assert.doesNotMatch(toArticlePage(makeContext(elsewhere, { versions: [en, elsewhere] })), /<link rel="alternate" hreflang/)
  assert.match(
    toArticlePage(makeContext(en, { original: vi })),
    /Translated from: <a href="\/articles\/press\.a" hreflang="vi" lang="vi">Tin mới<\/a>/,
  )
})

test('the print view says where it is from and when, and is kept out of search engines', () => {
  const html = toPrintView(makeContext(makeLive()), NOW)
  assert.match(html, /<meta name="robots" content="noindex">/)
  assert.match(html, /https:\/\/news\.example\/articles\/press\.a/)
  assert.match(html, /<time datetime="2026-03-02T00:00:00\.000Z">/)
})

test('a gateway behind a path of its own links below it', () => {
  const prefixed = { ...site, publicUrl: 'https://news.example/wire' }
  const html = toArticlePage(makeContext(makeLive({ article: { images: [makePicture(A)] } }), { frame: { site: prefixed, sections: [] } }))
  for (const [, address = ''] of html.matchAll(/ (?:href|src)="(\/[^"]*)"/g)) assert.match(address, /^\/wire\//)
})

test('the page of a retracted article has its notice, in the article’s language, and nothing else of it', () => {
  const html = toGonePage(makeRetracted({}, { reason: 'Lý do riêng' }), frame)
  assert.match(html, /Bài viết này đã được gỡ bỏ/)
  assert.doesNotMatch(html, /Lý do riêng|press\.a/)
  const facetsEver = { categories: [], languages: ['en'], publishers: ['press'], types: ['article'], public: true }
  assert.match(toGonePage(makeRetracted({ facetsEver }), frame), /<html lang="en">[\s\S]*<h1>This article is gone<\/h1>/)
})

test('a text that cannot be shown says so, and the page stands', () => {
  const html = toArticlePage(makeContext(makeLive({ article: { body: { html: '<b>'.repeat(90_000) } } })))
  assert.match(html, /Không thể hiển thị nội dung/)
})

test('a picture that the publisher’s text shows stands there, once, in our sizes and with its credit', () => {
  const [lead, other] = [
    makePicture(A, { url: 'https://cms.example/1.jpg' }),
    makePicture('b'.repeat(64), { url: 'https://cms.example/2.jpg?w=1&h=2', role: 'inline', caption: 'Thuyền', credit: 'An' }),
  ]
  const html =
    '<p><img src="https://cms.example/1.jpg"></p><p>Một</p><figure><img src="https://cms.example/2.jpg?w=1&amp;h=2"><figcaption>Thuyền</figcaption></figure><p>Hai</p>'
  const page = toArticlePage(makeContext(makeLive({ article: { images: [lead, other], body: { html } } })))
  assert.doesNotMatch(page, /cms\.example/)
  assert.equal(page.match(/<img /g)?.length, 2)
  assert.match(page, /<p>Một<\/p>\n<figure><picture><img src="\/renditions\/b[^>]*><\/picture><figcaption>Thuyền · <span class="credit">An/)
})
