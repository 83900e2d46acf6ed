import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FeedConfig } from '@newswire/events/config'
import type { LiveFact } from '@newswire/events/fact'
import { feedOutputs } from '@newswire/events/feed'
import { samplePicture } from '@newswire/events/sample-fact'
import { cleanLine } from '@newswire/events/text'
import fc from 'fast-check'
import { SaxesParser } from 'saxes'
import { renderItem, renderShell, renderWhole, type XmlFormat } from './feed.ts'
import type { FeedItem, FeedNotice } from './feed-item.ts'
import { renderFragments } from './fragments.ts'
import { toFeedShell, withLinks } from './history-links.ts'
import { MAX_CONTENT, toFeedItem } from './item.ts'
import { renderJsonItem, renderJsonShell } from './json-feed.ts'
import { joinFeed, toCheckedShell, toFiles } from './outputs.ts'
import { makeFact, makeProfile, makeRetraction, site } from './sample-facts.ts'
import { toShell } from './shell.ts'
import { findXmlFault } from './xml.ts'

const feed: FeedConfig = {
  id: 'all',
  title: 'All & <everything>',
  description: 'News ]]> of "us"',
  match: {},
  limit: 50,
  content: 'full',
  profile: 'standard',
}
const shell = toShell(feed, site, '2026-03-01T08:00:00.000Z')
const profile = makeProfile()
const formats: readonly XmlFormat[] = ['rss', 'atom']

type Element = { name: string; attributes: Record<string, string>; text: string; children: Element[] }

/** A strict reading of a document, by a parser that is not the one that wrote it. */
const parse = (xml: string): Element => {
  const root: Element = { name: '', attributes: {}, text: '', children: [] }
  const stack = [root]
  const parser = new SaxesParser({ xmlns: true })
  parser.on('error', error => {
    throw error
  })
  parser.on('opentag', tag => {
    const attributes = Object.fromEntries(Object.entries(tag.attributes).map(([name, one]) => [name, one.value]))
    const element: Element = { name: tag.name, attributes, text: '', children: [] }
    stack.at(-1)?.children.push(element)
    stack.push(element)
  })
  parser.on('closetag', () => void stack.pop())
  const add = (text: string) => {
    const top = stack.at(-1)
    if (top) top.text += text
  }
  parser.on('text', add)
  parser.on('cdata', add)
  parser.write(xml).close()
  const [first] = root.children
  assert.ok(first)
  return first
}
const all = (element: Element, name: string): Element[] =>
  element.children.flatMap(child => [...(child.name === name ? [child] : []), ...all(child, name)])
const one = (element: Element, name: string): Element => {
  const found = element.children.filter(child => child.name === name)
  assert.equal(found.length, 1, `one <${name}>`)
  return found[0] as Element
}
const documentOf = (items: readonly (FeedItem | FeedNotice)[], format: XmlFormat): string => {
  const { head, foot } = renderShell(shell, format)
  return head + items.map(item => renderItem(item, format)).join('') + foot
}

const rich = (): LiveFact =>
  makeFact({
    articleId: 'baoqk.hoi-nghi-1',
    version: 3,
    action: 'corrected',
    article: {
      title: 'Hội nghị <tổng kết> R&D &amp; "2026"',
      summary: 'Tóm tắt: 5 < 6 & 7',
      body: { html: '<p>Nội dung &amp; chữ</p>' },
      byline: 'Trần Văn A & B',
      categories: ['quoc-phong'],
      tags: ['x & y', 'z'],
      images: [samplePicture({ caption: 'Ảnh <1>', credit: 'TTXVN & co' }), samplePicture({ role: 'inline', sha256: 'b'.repeat(64) })],
      correction: { note: 'Tên đúng là <B>' },
      rights: { copyright: '© Báo & co', usageTerms: '' },
    },
  })

test('an RSS item carries all that the format can say, in an order that validators accept', () => {
  const item = one(one(parse(documentOf([toFeedItem(rich(), profile)], 'rss')), 'channel'), 'item')
  assert.equal(one(item, 'title').text, 'Hội nghị <tổng kết> R&D &amp; "2026"')
  assert.equal(one(item, 'guid').text, 'tag:news.example,2026:baoqk.hoi-nghi-1')
  assert.equal(one(item, 'guid').attributes['isPermaLink'], 'false')
  assert.equal(one(item, 'link').text, 'https://news.example/articles/baoqk.hoi-nghi-1')
  assert.equal(one(item, 'pubDate').text, 'Sun, 01 Mar 2026 08:00:00 GMT')
  assert.equal(one(item, 'dc:creator').text, 'Trần Văn A & B')
  assert.equal(one(item, 'description').text, 'Tóm tắt: 5 &lt; 6 &amp; 7')
  assert.match(one(item, 'content:encoded').text, /<p>Nội dung &amp; chữ<\/p>/)
  assert.match(one(item, 'content:encoded').text, /<strong>Đính chính:<\/strong> Tên đúng là &lt;B&gt;/)
  assert.equal(one(item, 'dcterms:modified').text, '2026-03-01T08:00:00.000Z')
  assert.equal(one(item, 'nw:correction').text, 'Tên đúng là <B>')
  assert.equal(one(item, 'dc:rights').text, '© Báo & co')
  const names = item.children.map(child => child.name)
  assert.ok(names.indexOf('description') < names.indexOf('content:encoded'))
  assert.deepEqual(
    all(item, 'category').map(category => [category.text, category.attributes['domain']]),
    [
      ['Quốc phòng & an ninh', 'tag:news.example,2026:category'],
      ['Thời sự', 'tag:news.example,2026:category'],
      ['x & y', undefined],
      ['z', undefined],
    ],
  )
  const groups = all(item, 'media:group')
  assert.equal(groups.length, 2)
  const [lead] = groups as [Element, Element]
  const media = all(lead, 'media:content')
  assert.equal(media.length, 2)
  const { url, ...attributes } = media[0]?.attributes ?? {}
  assert.equal(url, `https://news.example/renditions/${'a'.repeat(64)}/w1280-r1.jpg`)
  assert.deepEqual(attributes, { type: 'image/jpeg', medium: 'image', width: '1280', height: '720', fileSize: '120000', isDefault: 'true' })
  assert.equal(one(lead, 'media:description').text, 'Ảnh <1>')
  assert.equal(one(lead, 'media:credit').text, 'TTXVN & co')
  assert.deepEqual(one(item, 'enclosure').attributes, { url, length: '120000', type: 'image/jpeg' })
})

test('an Atom entry carries the same, with an author always and a plain title', () => {
  const document = parse(documentOf([toFeedItem(rich(), profile)], 'atom'))
  assert.equal(document.attributes['xml:lang'], 'vi')
  assert.equal(one(one(document, 'author'), 'name').text, 'Báo mới')
  const entry = one(document, 'entry')
  assert.equal(entry.attributes['xml:lang'], 'vi')
  assert.equal(one(entry, 'title').text, 'Hội nghị <tổng kết> R&D &amp; "2026"')
  assert.deepEqual(one(entry, 'title').attributes, {})
  assert.equal(one(entry, 'id').text, 'tag:news.example,2026:baoqk.hoi-nghi-1')
  assert.equal(one(one(entry, 'author'), 'name').text, 'Trần Văn A & B')
  assert.equal(one(entry, 'summary').text, 'Tóm tắt: 5 < 6 & 7')
  assert.equal(one(entry, 'updated').text, '2026-03-01T08:00:00.000Z')
  assert.equal(one(entry, 'rights').text, '© Báo & co')
  const enclosure = all(entry, 'link').find(link => link.attributes['rel'] === 'enclosure')
  assert.equal(enclosure?.attributes['type'], 'image/jpeg')
  assert.equal(enclosure?.attributes['length'], '120000')
  assert.deepEqual(
    all(entry, 'category').map(({ attributes }) => [attributes['term'], attributes['label']]),
    [
      ['quoc-phong', 'Quốc phòng & an ninh'],
      ['thoi-su', 'Thời sự'],
      ['x & y', 'x & y'],
      ['z', 'z'],
    ],
  )
  assert.equal(all(entry, 'media:group').length, 2)
})

test('a JSON Feed item carries the same, and the feed is version 1.1', () => {
  const { head, foot } = renderJsonShell(shell)
  const document = JSON.parse(head + renderJsonItem(toFeedItem(rich(), profile)) + foot)
  assert.equal(document.version, 'https://jsonfeed.org/version/1.1')
  assert.equal(document.feed_url, 'https://news.example/feeds/all/feed.json')
  assert.equal(document.language, 'vi')
  const [item] = document.items
  assert.equal(item.id, 'tag:news.example,2026:baoqk.hoi-nghi-1')
  assert.equal(item.title, 'Hội nghị <tổng kết> R&D &amp; "2026"')
  assert.deepEqual(item.authors, [{ name: 'Trần Văn A & B' }])
  assert.deepEqual(item.tags, ['Quốc phòng & an ninh', 'Thời sự', 'x & y', 'z'])
  assert.deepEqual(item.attachments[0], { url: item.image, mime_type: 'image/jpeg', title: 'Ảnh <1>', size_in_bytes: 120000 })
  assert.equal(item._newswire.version, 3)
  assert.equal(item._newswire.status, 'corrected')
})

test('a notice whose substitute was taken back as well says that the article is gone', () => {
  const retraction = { mode: 'replace', reason: 'r', legal: false, redirectTo: 'x' } as const
  const modeOf = (goneReferences: string[]) => {
    const notice = toFeedItem(makeRetraction({ version: 2, retraction, goneReferences }), profile)
    return notice.kind === 'notice' && notice.mode
  }
  assert.deepEqual([modeOf([]), modeOf(['x'])], ['replace', 'gone'])
})

test('what was taken back is a notice under the same identity in every format', () => {
  const notice = toFeedItem(makeRetraction({ articleId: 'baoqk.a', version: 2, releasedAt: '2026-03-02T09:00:00.000Z' }), profile)
  const item = one(one(parse(documentOf([notice], 'rss')), 'channel'), 'item')
  assert.equal(one(item, 'guid').text, 'tag:news.example,2026:baoqk.a')
  assert.equal(one(item, 'title').text, 'Bài viết này đã được gỡ bỏ.')
  assert.equal(one(item, 'dcterms:valid').text, 'start=2026-03-01T08:00:00.000Z; end=2026-03-02T09:00:00.000Z; scheme=W3C-DTF')
  assert.equal(item.children.filter(child => child.name === 'content:encoded').length, 0)
  const deleted = one(parse(documentOf([notice], 'atom')), 'at:deleted-entry')
  assert.equal(deleted.attributes['ref'], 'tag:news.example,2026:baoqk.a')
  assert.equal(deleted.attributes['when'], '2026-03-02T09:00:00.000Z')
  const json = JSON.parse(renderJsonItem(notice))
  assert.equal(json.id, 'tag:news.example,2026:baoqk.a')
  assert.equal(json._newswire.status, 'retracted')
})

test('the reason for a retraction is not told to the public', () => {
  const notice = toFeedItem(makeRetraction({ articleId: 'baoqk.a', version: 2 }), profile)
  for (const text of [renderItem(notice, 'rss'), renderItem(notice, 'atom'), renderJsonItem(notice)])
    assert.doesNotMatch(text, /court order/)
})

test('fragments joined are byte for byte one rendering of the feed package with all items', () => {
  const items = [
    toFeedItem(rich(), profile),
    ...Array.from({ length: 20 }, (_, index) => toFeedItem(makeFact({ articleId: `baoqk.n-${index}` }), profile)),
  ]
  const notices = [toFeedItem(makeRetraction({ articleId: 'baoqk.gone', version: 4 }), profile)]
  for (const format of formats) {
    assert.equal(documentOf([...notices, ...items], format), renderWhole(shell, [...notices, ...items], format))
    assert.equal(documentOf([], format), renderWhole(shell, [], format))
  }
})

test('JSON fragments joined are the JSON of the whole, an item a line', () => {
  const facts = [rich(), makeFact({})]
  const fragments = facts.map(fact => renderFragments(fact, profile)).filter(result => result.ok)
  const text = Buffer.from(joinFeed(renderJsonShell(shell), fragments, 'json')).toString()
  const lines = facts.map(fact => renderJsonItem(toFeedItem(fact, profile)))
  assert.deepEqual(text.split('\n').slice(1, -2), [`${lines[0]},`, lines[1]])
  assert.deepEqual(
    JSON.parse(text).items,
    lines.map(line => JSON.parse(line)),
  )
})

test('the same state gives the same bytes', () => {
  const make = () => {
    const fragments = [rich(), makeFact({})].map(fact => renderFragments(fact, makeProfile())).filter(result => result.ok)
    return toFiles(shell, fragments, { asOf: '2026-03-01T08:00:00.000Z' })
  }
  const [first, second] = [make(), make()]
  for (const output of feedOutputs) assert.equal(first[output].sha256, second[output].sha256)
})

test('an empty feed is a feed, and reads no clock', () => {
  const empty = toShell(feed, site, '1970-01-01T00:00:00.000Z')
  for (const format of formats) {
    const made = toCheckedShell(empty, format)
    assert.equal(findXmlFault(made.head + made.foot, 'document'), null)
    assert.match(made.head, format === 'rss' ? /Thu, 01 Jan 1970 00:00:00 GMT/ : /1970-01-01T00:00:00\.000Z/)
  }
  assert.deepEqual(JSON.parse(Buffer.from(joinFeed(renderJsonShell(empty), [], 'json')).toString()).items, [])
})

test('head and foot that were kept are, at any moment and with any links, those that would be rendered anew', () => {
  const stated = '9999-12-31T23:59:59.000Z'
  const title = `<pubDate>Fri, 31 Dec 9999 23:59:59 GMT</pubDate> <updated>${stated}</updated> $& ]]>`
  const page = { name: '2026-03-01', query: '?n=25' }
  for (const format of formats)
    for (const one of [feed, { ...feed, title, description: title }, { ...feed, profile: 'smartnews' as const }])
      for (const updatedAt of ['2026-03-01T08:00:00.000Z', '2026-03-02T09:10:11.120Z', stated])
        for (const prev of [null, page, { ...page, query: '?n=50' }]) {
          const made = toFeedShell(one, site, updatedAt, prev)
          assert.deepEqual(toCheckedShell(made, format), withLinks(renderShell(made, format), made, format))
        }
})

test('a feed of summaries has no content', () => {
  const item = toFeedItem(rich(), makeProfile({ content: 'summary' }))
  assert.equal(all(parse(documentOf([item], 'rss')), 'content:encoded').length, 0)
  assert.equal(all(parse(documentOf([item], 'atom')), 'content').length, 0)
  assert.equal(JSON.parse(renderJsonItem(item)).content_text, 'Tóm tắt: 5 < 6 & 7')
})

test('an article that is too large for a feed is shown by its summary', () => {
  const html = `<p>${'x'.repeat(MAX_CONTENT)}</p>`
  const item = toFeedItem(makeFact({ article: { body: { html } } }), profile)
  assert.ok(renderItem(item, 'rss').length < 5000)
  assert.equal(JSON.parse(renderJsonItem(item)).content_text, 'Tóm tắt của bài')
})

test('a date of publication after the release does not pin an article to the top', () => {
  const future = toFeedItem(makeFact({ article: { publishedAt: '2030-01-01T00:00:00.000Z' } }), profile)
  assert.equal(future.published.toISOString(), '2026-03-01T08:00:00.000Z')
  const past = toFeedItem(makeFact({ article: { publishedAt: '2026-02-28T00:00:00.000Z' } }), profile)
  assert.equal(past.published.toISOString(), '2026-02-28T00:00:00.000Z')
})

test('an editorial article cannot be rendered', () => {
  assert.throws(() => toFeedItem(makeFact({ article: { audience: 'editorial' } }), profile), { code: 'NEWSWIRE_FEEDS_RENDER' })
})

test('an address that is none is replaced by the page, so it costs nobody a feed', () => {
  const odd = 'https://[2001:db8::1]/a|b^c`{d}/100%?e[]=1|2#f|g#h'
  assert.equal(
    toFeedItem(makeFact({ article: { canonicalUrl: odd } }), profile).link,
    'https://[2001:db8::1]/a%7Cb%5Ec%60%7Bd%7D/100%25?e%5B%5D=1%7C2#f%7Cg%23h',
  )
  for (const canonicalUrl of ['javascript:alert(1)', 'not an address', '//x'])
    assert.equal(toFeedItem(makeFact({ article: { canonicalUrl } }), profile).link, 'https://news.example/articles/baoqk.a-1')
})

const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom(
      ...'&<>"\']]>![CDATA[\0\b\u000b\ufffe\uffff\ud800\udfff\r\n\t;amp'.split(''),
      '&amp;',
      ']]>',
      '\u{1f600}',
      '\ue000',
    ),
  }),
  fc.constantFrom(
    ']]>]]>]]>]]>',
    '&amp;amp;',
    '<script>alert(1)</script>',
    '\0',
    '</entry></feed>',
    '</item></channel>',
    '<![CDATA[',
    '&nbsp;',
    'a\u2028b',
  ),
)

test('no article, however hostile, makes a feed malformed, and its title comes out letter for letter', () => {
  fc.assert(
    fc.property(hostile, hostile, hostile, fc.constantFrom('full', 'summary'), (title, text, html, content) => {
      const profile = makeProfile({ content })
      const fact = makeFact({
        article: {
          title,
          summary: text,
          body: { html },
          byline: text,
          tags: [text, title],
          categories: ['quoc-phong', text],
          language: text,
          images: [samplePicture({ caption: text, credit: title, alt: html })],
          correction: { note: text },
          rights: { copyright: text, usageTerms: text },
        },
      })
      const item = toFeedItem(fact, profile)
      for (const format of formats) {
        const xml = documentOf([item], format)
        const document = parse(xml)
        const element = format === 'rss' ? one(one(document, 'channel'), 'item') : one(document, 'entry')
        assert.equal(cleanLine(one(element, 'title').text), cleanLine(title))
        assert.equal(xml, renderWhole(shell, [item], format))
      }
      const fragments = renderFragments(fact, profile)
      assert.equal(fragments.ok, item.title.trim() !== '')
      if (fragments.ok) assert.equal(Buffer.from(fragments.bytes.json).toString(), renderJsonItem(item))
    }),
    { numRuns: 700, seed: 42 },
  )
})

test('an article that cannot be rendered is set aside with its reason', () => {
  const result = renderFragments(makeFact({ updatedAt: 'yesterday' }), profile)
  assert.ok(!result.ok)
  assert.equal(result.code, 'NEWSWIRE_FEEDS_RENDER')
  assert.match(result.reason, /updatedAt is no instant: "yesterday"/)
})

test('an article in which a line looks like the beginning of an item is set aside, so that files can be split at lines', () => {
  for (const start of ['        <item>', '    <entry>', '    <at:deleted-entry ref="x">']) {
    const result = renderFragments(makeFact({ article: { body: { html: `<p>\n${start}</p>` } } }), profile)
    assert.ok(!result.ok)
    assert.equal(result.code, 'NEWSWIRE_FEEDS_MALFORMED')
  }
})

test('the check sees what makes a fragment malformed', () => {
  assert.equal(findXmlFault('<item><dc:creator>x</dc:creator></item>', ['dc']), null)
  assert.notEqual(findXmlFault('<item><dc:creator>x</dc:creator></item>', ['media']), null)
  for (const bad of ['<item>', '<a>\u0008</a>', '<nope:a/>', '<a>&nbsp;</a>', '<a b="1" b="2"/>', '<a>]]></a>'])
    assert.notEqual(findXmlFault(bad, ['dc']), null, bad)
})
