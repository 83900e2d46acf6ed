/**
 * What readers' libraries make of our feeds, held against what went in. feedsmith and feed-parser are lenient: that they read a feed proves
 * nothing about its form (saxes and expat do that), only that its words come out. Python's feedparser is strict (expat) and wants a Python
 * that has it: NEWSWIRE_TEST_PYTHON, else `python3`.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { articleInput, toArticle } from '@newswire/events/article'
import type { FeedConfig } from '@newswire/events/config'
import type { Fact, LiveFact } from '@newswire/events/fact'
import { feedFormats } from '@newswire/events/feed'
import { samplePicture } from '@newswire/events/sample-fact'
import { parseFeed } from '@rowanmanning/feed-parser'
import fc from 'fast-check'
import { parseAtomFeed, parseJsonFeed, parseRssFeed } from 'feedsmith'
import type { FeedItem } from './feed-item.ts'
import { type Fragments, renderFragments } from './fragments.ts'
import { makeGolden } from './golden.ts'
import { toFeedItem } from './item.ts'
import { joinFeed, toCheckedShell } from './outputs.ts'
import { makeFact, makeProfile, makeRetraction, site } from './sample-facts.ts'
import { toShell } from './shell.ts'
import { findXmlFault } from './xml.ts'

const profile = makeProfile()
const feed: FeedConfig = {
  id: 'all',
  title: 'Tất cả',
  description: '',
  match: {},
  limit: 50,
  content: 'full',
  profile: 'standard',
}
const shell = toShell(feed, site, '2026-03-01T08:00:00.000Z')

const itemOf = (fact: LiveFact): FeedItem => {
  const item = toFeedItem(fact, profile)
  assert.equal(item.kind, 'item')
  return item as FeedItem
}
const fragmentsOf = (fact: Fact): Fragments => {
  const rendered = renderFragments(fact, profile)
  assert.ok(rendered.ok, rendered.ok ? '' : rendered.reason)
  return rendered
}
const feedOf = (facts: readonly Fact[], format: (typeof feedFormats)[number]): string =>
  Buffer.from(joinFeed(toCheckedShell(shell, format), facts.map(fragmentsOf), format)).toString()

// --- articles that strangers write ---------------------------------------------------------------------------------------------------

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.string({
    unit: fc.constantFrom(
      ...['&', '<', '>', '"', "'", ']]>', '<![CDATA[', '&amp;', '&lt;', '&#65;', '&nbsp;', '-->', '<?', '</item>', '</entry></feed>'],
      ...['\0', '\b', '\u000b', '\ufffe', '\ud800', '\udfff', '\r\n', '\t', '\u2028', '\u202e', '\u200d', '\u{e0041}', '\ue000', '😀'],
      ...['đ', 'Đ', 'ế', 'e\u0302\u0301', 'ự', 'u\u031b\u0323', 'Quốc phòng ', 'an ninh '],
    ),
    maxLength: 20,
  }),
)
const html = fc
  .array(
    fc.oneof(text, fc.constantFrom('<p>', '</p>', '<b>', '<img src=x onerror=alert(1)>', '<script>alert(1)</script>', '<a href="//x">')),
  )
  .map(parts => parts.join(''))
const words = text.filter(one => /\p{L}/u.test(one))

/** As the front door would take them: cleaned, or refused. */
const article = fc
  .record({
    title: words,
    summary: text,
    body: fc.oneof(
      html.map(value => ({ html: value })),
      text.map(value => ({ text: value })),
    ),
    byline: text,
    dateline: text,
    source: text,
    tags: fc.array(text, { maxLength: 4 }),
    correction: fc.record({ note: text }),
    rights: fc.record({ copyright: text, usageTerms: text }),
    aiUse: text,
    images: fc.array(fc.record({ url: fc.constant('https://x.example/a.jpg'), caption: text, alt: text, credit: text }), { maxLength: 2 }),
  })
  .map(input => articleInput.safeParse(input))
  .filter(parsed => parsed.success)
  .map(parsed => toArticle(parsed.data, site))

const hostileFact = article.map(({ images, ...rest }) =>
  makeFact({
    articleId: 'baoqk.hostile-1',
    article: {
      ...rest,
      categories: ['quoc-phong'],
      images: images.map(({ caption, alt, credit }, index) => samplePicture({ sha256: String(index).repeat(64), caption, alt, credit })),
    },
  }),
)

// --- fields that come back -----------------------------------------------------------------------------------------------------------

type Read = Readonly<{
  id: string | undefined
  title: string | undefined
  summary: string
  content: string | undefined
  author: string | undefined
  tags: readonly (string | undefined)[]
  published: string
  captions: readonly string[]
  enclosure: number | undefined
}>

/** The item as a reader should see it. Readers trim; a description in RSS is HTML, so it comes escaped once. */
const expected = (item: FeedItem, format: 'rss' | 'atom' | 'json'): Read => ({
  id: item.id,
  title: item.title.trim(),
  summary: (format === 'rss' ? item.summary.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;') : item.summary).trim(),
  content: item.html?.replaceAll(']]>', format === 'json' ? ']]>' : ']]&gt;').trim(),
  author: item.author.trim(),
  tags: [...item.categories.map(one => one.name), ...item.tags].map(one => one.trim()),
  published: item.published.toISOString(),
  captions: item.media.map(one => one.caption.trim()).filter(one => one !== ''),
  enclosure: item.lead?.bytes,
})

/** By feedsmith. What it reads nothing for is empty. */
const byFeedsmith = (document: string, format: 'rss' | 'atom' | 'json', index = 0): Read => {
  if (format === 'rss') {
    const item = parseRssFeed(document).items?.[index]
    const media = [...(item?.media?.groups ?? []), ...(item?.media?.contents ?? [])]
    return {
      id: item?.guid?.value,
      title: item?.title,
      summary: item?.description ?? '',
      content: item?.content?.encoded,
      author: item?.dc?.creators?.[0],
      tags: item?.categories?.map(one => one.name) ?? [],
      published: new Date(item?.pubDate ?? '').toISOString(),
      captions: media.flatMap(one => one.description?.value ?? []),
      enclosure: item?.enclosures?.[0]?.length,
    }
  }
  if (format === 'atom') {
    const entry = parseAtomFeed(document).entries?.[index]
    const media = [...(entry?.media?.groups ?? []), ...(entry?.media?.contents ?? [])]
    return {
      id: entry?.id,
      title: entry?.title?.value,
      summary: entry?.summary?.value ?? '',
      content: entry?.content?.value,
      author: entry?.authors?.[0]?.name,
      tags: entry?.categories?.map(one => one.label) ?? [],
      published: new Date(entry?.published ?? '').toISOString(),
      captions: media.flatMap(one => one.description?.value ?? []),
      enclosure: entry?.links?.find(link => link.rel === 'enclosure')?.length,
    }
  }
  const item = parseJsonFeed(document).items?.[index]
  return {
    id: item?.id,
    title: item?.title,
    summary: item?.summary ?? '',
    content: item?.content_html,
    author: item?.authors?.[0]?.name,
    tags: item?.tags ?? [],
    published: new Date(item?.date_published ?? '').toISOString(),
    captions: item?.attachments?.flatMap(one => one.title ?? []) ?? [],
    enclosure: item?.attachments?.[0]?.size_in_bytes,
  }
}

const before = makeFact({ articleId: 'baoqk.before-1', article: { title: 'Bài trước' } })
const after = makeFact({ articleId: 'baoqk.after-1', article: { title: 'Bài sau' } })

test('whatever an article contains, the feed is well-formed, its fields come out letter for letter, and its neighbours stay as they were', () => {
  fc.assert(
    fc.property(hostileFact, fact => {
      const item = itemOf(fact)
      for (const format of feedFormats) {
        const document = feedOf([before, fact, after], format)
        if (format !== 'json') assert.equal(findXmlFault(document, 'document'), null)
        assert.equal(document, document.toWellFormed())
        assert.deepEqual(byFeedsmith(document, format, 1), expected(item, format))
        const around = feedOf([before, after], format)
        assert.deepEqual(byFeedsmith(document, format, 0), byFeedsmith(around, format, 0))
        assert.deepEqual(byFeedsmith(document, format, 2), byFeedsmith(around, format, 1))
      }
    }),
    { numRuns: 200, seed: 7 },
  )
})

test('a second library reads the same fields of the golden feed, in RSS and Atom', () => {
  const golden = makeGolden()
  for (const file of ['rss.xml', 'atom.xml'] as const) {
    const { items, language } = parseWithFeedParser(golden.get(`standard/${file}`) ?? '')
    assert.equal(language, 'vi')
    const whole = items.find(one => one.id === 'tag:news.example,2026:baoqk.hoi-nghi-1')
    assert.deepEqual(whole, {
      id: 'tag:news.example,2026:baoqk.hoi-nghi-1',
      title: 'Hội nghị tổng kết R&D <năm 2026>: “Đường sắt” Đà Nẵng giảm 5% & những việc còn lại',
      author: 'Trần Văn Đức & Lê Thị Hường',
      published: '2026-03-02T01:00:00.000Z',
      // It knows of no update in RSS.
      updated: file === 'rss.xml' ? '2026-03-02T01:00:00.000Z' : '2026-03-02T06:00:00.000Z',
      categories: ['Quốc phòng & an ninh', 'Thời sự', 'Đời sống – đất và người', 'tổng kết', 'R&D', 'Đà Nẵng'],
      pictures: 3,
    })
  }
})

test('a reader finds the hub and the address of the feed in it, and of a private feed no hub', () => {
  const linksOf = (links: readonly { rel?: string | undefined; href?: string | undefined }[] | undefined) =>
    Object.fromEntries((links ?? []).flatMap(({ rel, href }) => (rel === 'hub' || rel === 'self' ? [[rel, href]] : [])))
  const read = (changes: Partial<FeedConfig>) => {
    const made = toShell({ ...feed, ...changes }, site, '2026-03-01T08:00:00.000Z')
    const empty = (format: (typeof feedFormats)[number]) => Buffer.from(joinFeed(toCheckedShell(made, format), [], format)).toString()
    const json = parseJsonFeed(empty('json'))
    return {
      rss: linksOf(parseRssFeed(empty('rss')).atom?.links),
      atom: linksOf(parseAtomFeed(empty('atom')).links),
      json: { self: json.feed_url, hubs: json.hubs },
    }
  }
  const hub = 'https://news.example/hub'
  const at = (file: string) => `https://news.example/feeds/all/${file}`
  assert.deepEqual(read({}), {
    rss: { self: at('rss.xml'), hub },
    atom: { self: at('atom.xml'), hub },
    json: { self: at('feed.json'), hubs: [{ type: 'WebSub', url: hub }] },
  })
  assert.deepEqual(read({ access: { tokens: [{ id: 'a', sha256: 'a'.repeat(64) }] } }), {
    rss: { self: at('rss.xml') },
    atom: { self: at('atom.xml') },
    json: { self: at('feed.json'), hubs: undefined },
  })
})

const parseWithFeedParser = (document: string) => {
  const read = parseFeed(document)
  return {
    language: read.language,
    items: read.items.map(one => ({
      id: one.id,
      title: one.title,
      author: one.authors[0]?.name,
      published: one.published?.toISOString(),
      updated: one.updated?.toISOString(),
      categories: one.categories.map(category => category.label),
      pictures: one.media.filter(media => media.type === 'image').length,
    })),
  }
}

// --- Python --------------------------------------------------------------------------------------------------------------------------

const PYTHON = process.env['NEWSWIRE_TEST_PYTHON'] ?? 'python3'
/** Documents in, a list of what feedparser reads of each out. Without its cleaning: what is asked is what it reads. */
const SCRIPT = `
import json, sys
import feedparser
def read(document):
    f = feedparser.parse(document.encode(), sanitize_html=False, resolve_relative_uris=False)
    return {'bozo': bool(f.bozo), 'why': str(f.get('bozo_exception', '')), 'language': f.feed.get('language'), 'entries': [
        {'id': e.get('id'), 'title': e.get('title'), 'author': e.get('author'), 'tags': [t.get('label') or t.get('term') for t in e.get('tags', [])],
         'published': list(e.published_parsed)[:6], 'updated': list(e.updated_parsed)[:6], 'media': len(e.get('media_content', [])),
         'content': e.content[0].value if e.get('content') else None} for e in f.entries]}
json.dump([read(d) for d in json.load(sys.stdin)], sys.stdout)
`

type PythonRead = Readonly<{
  bozo: boolean
  why: string
  language: string
  entries: readonly Readonly<{
    id: string
    title: string
    author: string
    tags: readonly string[]
    published: readonly number[]
    updated: readonly number[]
    media: number
    content: string | null
  }>[]
}>

const runPython = (script: string, input: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = execFile(PYTHON, ['-c', script], { maxBuffer: 1 << 27, timeout: 50_000 }, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    )
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })

const hasFeedparser = await runPython('import feedparser', '').then(
  () => true,
  () => false,
)
const skip = hasFeedparser ? false : `${PYTHON} has no feedparser; name a Python that has it in NEWSWIRE_TEST_PYTHON`
const byPython = async (documents: readonly string[]): Promise<readonly PythonRead[]> =>
  JSON.parse(await runPython(SCRIPT, JSON.stringify(documents)))

const toParts = (iso: string): number[] => {
  const at = new Date(iso)
  return [at.getUTCFullYear(), at.getUTCMonth() + 1, at.getUTCDate(), at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()]
}

test('Python feedparser finds nothing wrong with the golden feed of any profile, and reads its fields', { skip }, async () => {
  const golden = [...makeGolden()].filter(([path]) => /\/(rss|atom)\.xml$/.test(path))
  const read = await byPython(golden.map(([, document]) => document))
  for (const [index, [path]] of golden.entries()) {
    const { bozo, why, language, entries } = read[index] as PythonRead
    assert.equal(bozo, false, `${path}: ${why}`)
    assert.equal(language, 'vi')
    const whole = entries.find(one => one.id === 'tag:news.example,2026:baoqk.hoi-nghi-1')
    assert.equal(whole?.title, 'Hội nghị tổng kết R&D <năm 2026>: “Đường sắt” Đà Nẵng giảm 5% & những việc còn lại', path)
    assert.equal(whole.author, 'Trần Văn Đức & Lê Thị Hường')
    assert.deepEqual(whole.tags, ['Quốc phòng & an ninh', 'Thời sự', 'Đời sống – đất và người', 'tổng kết', 'R&D', 'Đà Nẵng'])
    assert.deepEqual(whole.updated, toParts('2026-03-02T06:00:00.000Z'))
    assert.deepEqual(whole.published, toParts(path === 'smartnews/rss.xml' ? '2026-03-02T06:00:00.000Z' : '2026-03-02T01:00:00.000Z'))
    assert.match(whole.content ?? '', /Số đại biểu là 312/)
  }
})

test('Python feedparser reads every field of hostile articles as it was written', { skip }, async () => {
  const facts = fc.sample(hostileFact, { numRuns: 150, seed: 11 })
  for (const format of ['rss', 'atom'] as const) {
    const read = await byPython(facts.map(fact => feedOf([fact, makeRetraction({ articleId: 'baoqk.gone-1', version: 2 })], format)))
    for (const [index, fact] of facts.entries()) {
      const item = itemOf(fact)
      const found = read[index] as PythonRead
      const [entry] = found.entries
      assert.equal(found.bozo, false, found.why)
      assert.deepEqual(
        { id: entry?.id, author: entry?.author, published: entry?.published, updated: entry?.updated },
        {
          id: item.id,
          author: item.author,
          published: toParts(item.published.toISOString()),
          updated: toParts(item.updated.toISOString()),
        },
      )
      assert.equal(entry?.title, item.title)
    }
  }
})
