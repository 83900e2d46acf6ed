import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import type { LiveFact } from '@newswire/events/fact'
import { samplePicture } from '@newswire/events/sample-fact'
import { ErrorLevel, type SitemapItemLoose, validateSMIOptions, XMLToSitemapItemStream } from 'sitemap'
import { renderFragments } from './fragments.ts'
import { join } from './packing.ts'
import { makeFact, makeProfile, makeRetraction } from './sample-facts.ts'
import { toNewsLanguage, toSitemapParts } from './sitemap.ts'
import { findXmlFault } from './xml.ts'

const AS_OF = '2026-03-03T00:00:00.000Z'

const textOf = (...[fragments, asOf]: Parameters<typeof toSitemapParts>) => Buffer.from(join(toSitemapParts(fragments, asOf))).toString()
const sitemapOf = (facts: readonly LiveFact[], { asOf = AS_OF, profile = makeProfile() } = {}): string => {
  const fragments = facts.map(fact => renderFragments(fact, profile)).filter(result => result.ok)
  assert.equal(fragments.length, facts.length)
  const xml = textOf(fragments, asOf)
  assert.equal(findXmlFault(xml, 'document'), null)
  return xml
}
const addresses = (xml: string): string[] => [...xml.matchAll(/<loc>([^<]*)<\/loc>/g)].map(match => match[1] ?? '')
const releasedAt = (at: string, articleId = 'baoqk.a-1'): LiveFact => makeFact({ articleId, firstReleasedAt: at, releasedAt: at })

test('the sitemap names what Google asks for, and the pictures', () => {
  const xml = sitemapOf([
    makeFact({
      firstReleasedAt: '2026-03-02T08:00:00.000Z',
      releasedAt: '2026-03-02T09:00:00.000Z',
      article: { title: 'Đường <mới> & đò', images: [samplePicture()] },
    }),
  ])
  assert.match(xml, /<loc>https:\/\/news\.example\/articles\/baoqk\.a-1<\/loc>/)
  assert.match(xml, /<lastmod>2026-03-02T09:00:00\.000Z<\/lastmod>/)
  assert.match(xml, /<news:name>Báo mới<\/news:name>\s*<news:language>vi<\/news:language>/)
  assert.match(xml, /<news:publication_date>2026-03-02T08:00:00\.000Z<\/news:publication_date>/)
  assert.match(xml, /<news:title>Đường &lt;mới&gt; &amp; đò<\/news:title>/)
  assert.match(xml, /<image:loc>https:\/\/news\.example\/renditions\/a{64}\/w1280-r1\.jpg<\/image:loc>/)
})

test('an article leaves after two days by the time of the window, not by a clock, and an update does not bring it back', () => {
  const facts = [releasedAt('2026-03-01T00:00:00.000Z', 'baoqk.in'), releasedAt('2026-02-28T23:59:59.999Z', 'baoqk.out')]
  assert.deepEqual(addresses(sitemapOf(facts)), ['https://news.example/articles/baoqk.in'])
  assert.deepEqual(addresses(sitemapOf(facts, { asOf: '2026-03-03T00:00:00.001Z' })), [])
  const updated = makeFact({ firstReleasedAt: '2026-02-01T00:00:00.000Z', releasedAt: AS_OF, version: 2 })
  assert.deepEqual(addresses(sitemapOf([updated])), [])
})

test('within an hour the same articles give the same bytes', () => {
  const facts = [releasedAt('2026-03-01T09:00:00.000Z')]
  assert.equal(sitemapOf(facts, { asOf: '2026-03-03T08:00:00.001Z' }), sitemapOf(facts, { asOf: '2026-03-03T09:00:00.000Z' }))
})

test('only canonical addresses of this site are listed, and only where the publisher lets search engines in', () => {
  const from = (canonicalUrl: string | undefined, pages: { canonical: 'source' | 'self'; index: boolean }) =>
    addresses(
      sitemapOf([makeFact({ firstReleasedAt: AS_OF, article: canonicalUrl === undefined ? {} : { canonicalUrl } })], {
        profile: makeProfile({ publishers: new Map([['baoqk', { name: 'Báo Quân khu', pages }]]) }),
      }),
    )
  const page = 'https://news.example/articles/baoqk.a-1'
  assert.deepEqual(from(undefined, { canonical: 'source', index: true }), [page])
  assert.deepEqual(from('https://baoqk.example/a', { canonical: 'source', index: true }), [])
  assert.deepEqual(from('https://baoqk.example/a', { canonical: 'self', index: true }), [page])
  assert.deepEqual(from('https://news.example/a?x=1&y=2', { canonical: 'source', index: true }), ['https://news.example/a?x=1&amp;y=2'])
  assert.deepEqual(from('javascript:alert(1)', { canonical: 'source', index: true }), [])
  assert.deepEqual(from(undefined, { canonical: 'self', index: false }), [])
})

test('what was taken back is in no sitemap, and never more than a thousand articles are', () => {
  const notice = renderFragments(makeRetraction({ version: 2 }), makeProfile())
  assert.ok(notice.ok)
  assert.deepEqual(addresses(textOf([notice], AS_OF)), [])
  const many = Array.from({ length: 1001 }, (_, index) => releasedAt(AS_OF, `baoqk.n-${index}`))
  assert.equal(addresses(sitemapOf(many)).length, 1000)
})

test('a language is said as Google wants it', () => {
  assert.deepEqual(['vi', 'vi-VN', 'en-GB', 'zh', 'zh-Hans', 'zh-Hant-HK', 'zh-TW'].map(toNewsLanguage), [
    'vi',
    'vi',
    'en',
    'zh-cn',
    'zh-cn',
    'zh-tw',
    'zh-tw',
  ])
})

test('an independent reader of sitemaps, told to throw at every fault, reads back what was written', async () => {
  const facts = [
    makeFact({
      articleId: 'baoqk.a-1',
      firstReleasedAt: AS_OF,
      article: { title: 'Đò <ngang> & “cầu” ]]> &amp; 5%', images: [samplePicture(), samplePicture({ sha256: 'b'.repeat(64) })] },
    }),
    makeFact({ articleId: 'baoqk.b-1', firstReleasedAt: AS_OF, article: { language: 'zh-Hant-TW', title: '標題 "x"' } }),
  ]
  const items: SitemapItemLoose[] = []
  const reader = Readable.from([sitemapOf(facts)]).pipe(new XMLToSitemapItemStream({ level: ErrorLevel.THROW }))
  for await (const item of reader) items.push(validateSMIOptions(item, ErrorLevel.THROW))
  assert.deepEqual(
    items.map(({ url, lastmod, news, img }) => ({
      url,
      lastmod,
      news,
      pictures: (img as { url: string }[]).map(one => one.url.slice(-12)),
    })),
    [
      {
        url: 'https://news.example/articles/baoqk.a-1',
        lastmod: '2026-03-01T08:00:00.000Z',
        news: {
          publication: { name: 'Báo mới', language: 'vi' },
          publication_date: AS_OF,
          title: 'Đò <ngang> & “cầu” ]]> &amp; 5%',
        },
        pictures: ['w1280-r1.jpg', 'w1280-r1.jpg'],
      },
      {
        url: 'https://news.example/articles/baoqk.b-1',
        lastmod: '2026-03-01T08:00:00.000Z',
        news: { publication: { name: 'Báo mới', language: 'zh-tw' }, publication_date: AS_OF, title: '標題 "x"' },
        pictures: [],
      },
    ],
  )
})
