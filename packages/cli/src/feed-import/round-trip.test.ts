/** What our own feeds say comes back as it was, from each of their formats. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeGolden } from '@newswire/feeds/golden'
import { readFeed } from './read-feed.ts'
import { type Into, toArticle } from './to-article.ts'

const golden = makeGolden()
const into: Into = {
  host: 'news.example',
  siteId: 'news.example,2026',
  publisher: 'baoqk',
  categories: new Map([
    ['thoi-su', { name: 'Thời sự' }],
    ['quoc-phong', { name: 'Quốc phòng & an ninh', parent: 'thoi-su' }],
    ['doi-song', { name: 'Đời sống – đất và người' }],
  ]),
  everyCategory: [],
}

const importAll = (file: string, where: Into = into) => {
  const read = readFeed(Buffer.from(golden.get(`standard/${file}`) ?? ''), '')
  assert.ok(read.ok, JSON.stringify(read))
  const made = read.feed.entries.filter(one => !one.isRetracted).map(one => toArticle(one, where))
  return new Map(
    made.map(one => {
      assert.ok(one.ok, JSON.stringify(one))
      return [one.localId, one.article]
    }),
  )
}

/** Where a picture is cut, and whether it belongs to a gallery, is said in JSON alone. */
const inXml = (article: Record<string, unknown> | undefined) => ({
  ...article,
  images: (article?.['images'] as Record<string, unknown>[] | undefined)?.map(({ focus: _, role: __, ...rest }) => rest),
})

test('RSS, Atom and JSON Feed of one feed come back as the same articles', () => {
  const [rss, atom, json] = ['rss.xml', 'atom.xml', 'feed.json'].map(file => importAll(file))
  assert.ok(rss && atom && json && rss.size > 1)
  assert.deepEqual([...rss.keys()].sort(), [...json.keys()].sort())
  for (const [localId, article] of json) {
    assert.deepEqual(inXml(rss.get(localId)), inXml(article))
    assert.deepEqual(inXml(atom.get(localId)), inXml(article))
  }
})

test('everything that an article says and a feed carries comes back letter for letter', () => {
  const article = importAll('feed.json').get('hoi-nghi-1')
  const url = (hash: string, width: number) => `https://news.example/renditions/${hash.repeat(64)}/w${width}-r1.jpg`
  const { body, images, ...rest } = article ?? {}
  assert.deepEqual(rest, {
    title: 'Hội nghị tổng kết R&D <năm 2026>: “Đường sắt” Đà Nẵng giảm 5% & những việc còn lại',
    summary: 'Hội nghị đánh giá 5 < 6 nhiệm vụ & đề ra phương hướng;\nđường sắt, đò ngang, chữ “đ” và “ế” đều còn nguyên.',
    byline: 'Trần Văn Đức & Lê Thị Hường',
    dateline: 'Đà Nẵng, ngày 2 tháng 3',
    source: 'TTXVN',
    language: 'vi',
    categories: ['quoc-phong', 'doi-song'],
    tags: ['tổng kết', 'R&D', 'Đà Nẵng'],
    type: 'article',
    urgency: 2,
    publishedAt: '2026-03-02T01:00:00.000Z',
    updatedAt: '2026-03-02T06:00:00.000Z',
    expiresAt: '2026-12-31T17:00:00.000Z',
    canonicalUrl: 'https://baoqk.example/hoi-nghi?id=1&utm_source=rss&utm_medium=feed',
    change: 'correction',
    correction: { note: 'Số đại biểu là 312, không phải 300 như đã đưa.' },
    rights: { copyright: '© Báo Quân khu 2026', usageTerms: 'Đăng lại phải ghi rõ nguồn.' },
    storyId: 'hoi-nghi-tong-ket-2026',
    translationOf: 'baoqk.conference-1',
    related: ['baoqk.hoi-nghi-0', 'baoqk.da-nang-5'],
    aiUse: 'none',
  })
  const { html } = body as { html: string }
  assert.ok(html.startsWith('<p>Sáng nay, tại Đà Nẵng') && html.endsWith('bài trước</a>.</p>'), html)
  assert.deepEqual(
    (images as { url: string; caption: string }[]).map(one => [one.url, one.caption]),
    [
      [url('a', 1280), 'Đại biểu dự hội nghị <sáng 2-3>'],
      [url('b', 320), 'Đò ngang trên sông'],
    ],
  )
})

test('in another site it says where it came through, and files only under what is configured there', () => {
  const article = importAll('atom.xml', { ...into, siteId: 'other.example,2026', categories: new Map() }).get('baoqk.hoi-nghi-1') ?? {}
  assert.deepEqual(article['via'], ['news.example,2026'])
  assert.deepEqual(article['categories'], [])
  assert.ok((article['tags'] as string[]).includes('Quốc phòng & an ninh'))
  assert.equal(importAll('atom.xml', { ...into, siteId: null }).get('baoqk.hoi-nghi-1')?.['via'], undefined)
})
