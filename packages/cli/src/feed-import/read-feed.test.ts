/** Feeds as strangers write them, and as nobody should. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FeedEntry } from './feed-document.ts'
import { readFeed } from './read-feed.ts'
import { type Into, localIdOf, toArticle } from './to-article.ts'

const into: Into = {
  host: 'paper.example',
  siteId: 'here.example,2026',
  publisher: 'desk',
  categories: new Map([['thoi-su', { name: 'Thời sự' }]]),
  everyCategory: [],
}
const read = (text: string | Uint8Array, type = '') => readFeed(typeof text === 'string' ? Buffer.from(text) : text, type)
const feedOf = (text: string | Uint8Array, type = '') => {
  const found = read(text, type)
  assert.ok(found.ok, JSON.stringify(found))
  return found.feed
}
const reasonOf = (text: string) => {
  const found = read(text)
  assert.ok(!found.ok, 'it was read')
  return found.reason
}
const only = (text: string | Uint8Array, type = ''): FeedEntry => {
  const { entries } = feedOf(text, type)
  assert.equal(entries.length, 1)
  return entries[0] as FeedEntry
}
const articleOf = (text: string, where: Into = into) => {
  const made = toArticle(only(text), where)
  assert.ok(made.ok, JSON.stringify(made))
  return made.article
}

/** As WordPress writes it: an excerpt and the whole, categories in CDATA, the picture as Media RSS with its credit. */
const wordpress = `<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"
  xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
  xmlns:atom="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/">
<channel><title>Báo</title><link>https://paper.example</link><language>vi</language>
<atom:link href="https://paper.example/feed/?paged=2" rel="prev-archive" type="application/rss+xml" />
<item>
  <title>L&#8217;été &amp;amp; la mer</title>
  <link>https://paper.example/2026/01/bai-viet/</link>
  <dc:creator><![CDATA[Nguyễn Văn A]]></dc:creator>
  <pubDate>Fri, 02 Jan 2026 08:30:00 +0700</pubDate>
  <category><![CDATA[Thời sự]]></category><category><![CDATA[Biển]]></category>
  <guid isPermaLink="false">https://paper.example/?p=4711</guid>
  <description><![CDATA[<p>Mở đầu &hellip; <a href="https://paper.example/x">xem tiếp</a></p>]]></description>
  <content:encoded><![CDATA[<p>Thân bài <script>alert(1)</script><img src="/a.jpg" onerror="x()"> <a href="../khac">khác</a></p>]]></content:encoded>
  <media:content url="https://paper.example/anh.jpg" medium="image"><media:title type="html">Ảnh biển</media:title><media:credit>P. Viên</media:credit></media:content>
  <enclosure url="https://paper.example/tieng.mp3" length="1" type="audio/mpeg"/>
</item></channel></rss>`

test('an item of RSS as blogs write it becomes an article: words, dates, picture, and only what is configured as a category', () => {
  const { older, language } = feedOf(wordpress)
  assert.deepEqual([older, language], ['https://paper.example/feed/?paged=2', 'vi'])
  assert.deepEqual(articleOf(wordpress), {
    title: 'L’été & la mer',
    body: {
      html: '<p>Thân bài <img src="https://paper.example/a.jpg" /> <a href="https://paper.example/2026/01/khac" rel="noopener nofollow">khác</a></p>',
    },
    categories: ['thoi-su'],
    tags: ['Biển'],
    byline: 'Nguyễn Văn A',
    summary: 'Mở đầu … xem tiếp',
    language: 'vi',
    publishedAt: '2026-01-02T01:30:00.000Z',
    canonicalUrl: 'https://paper.example/2026/01/bai-viet/',
    images: [{ url: 'https://paper.example/anh.jpg', role: 'lead', caption: 'Ảnh biển', credit: 'P. Viên' }],
  })
  assert.deepEqual(articleOf(wordpress, { ...into, categories: new Map(), everyCategory: ['kho'] })['categories'], ['kho'])
})

test('an entry of Atom: xhtml, a base of its own, several authors, and what was deleted', () => {
  const atom = `<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en" xml:base="https://blog.example/">
  <title>Blog</title><updated>2026-01-02T00:00:00Z</updated>
  <entry xmlns:h="http://www.w3.org/1999/xhtml"><id>urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a</id>
    <title type="html">A &lt;b&gt;bold&lt;/b&gt; move &amp;amp; more</title>
    <link href="posts/1"/><link rel="enclosure" type="image/png" href="posts/1.png" length="5"/>
    <author><name>Ann</name></author><author><name>Bob</name></author>
    <published>2026-01-01T12:00:00+02:00</published><updated>2026-01-03T12:00:00Z</updated>
    <content type="xhtml" xml:base="posts/"><div xmlns="http://www.w3.org/1999/xhtml"><p>One &amp; <em>two</em><br/><a href="2">next</a></p></div></content>
    <rights>CC BY</rights></entry>
  <at:deleted-entry xmlns:at="http://purl.org/atompub/tombstones/1.0" ref="urn:gone" when="2026-01-02T00:00:00Z"/></feed>`
  const { entries } = feedOf(atom)
  assert.deepEqual(
    entries.map(one => [one.id, one.isRetracted]),
    [
      ['urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a', false],
      ['urn:gone', true],
    ],
  )
  const made = toArticle(entries[0] as FeedEntry, into)
  assert.ok(made.ok)
  assert.deepEqual(made.article, {
    title: 'A bold move & more',
    body: { html: '<p>One &amp; <em>two</em><br /><a href="https://blog.example/posts/2" rel="noopener nofollow">next</a></p>' },
    categories: [],
    tags: [],
    byline: 'Ann, Bob',
    rights: { copyright: 'CC BY', usageTerms: '' },
    language: 'en',
    publishedAt: '2026-01-01T10:00:00.000Z',
    updatedAt: '2026-01-03T12:00:00.000Z',
    canonicalUrl: 'https://blog.example/posts/1',
    images: [{ url: 'https://blog.example/posts/1.png', role: 'lead' }],
  })
})

test('JSON Feed: text alone, attachments, tags, and the page before; a field of a wrong type costs that field', () => {
  const json = JSON.stringify({
    version: 'https://jsonfeed.org/version/1.1',
    title: 'J',
    next_url: 'https://j.example/feed.json?page=2',
    authors: [{ name: 'Desk' }],
    items: [
      {
        id: 17,
        url: 'https://j.example/17',
        content_text: 'First <b>.\n\nSecond.',
        date_published: '2026-01-02T03:04:05Z',
        tags: ['Thời Sự', 5, 'x'],
        image: 'https://j.example/i.png',
        attachments: [
          { url: 'https://j.example/a.mp4', mime_type: 'video/mp4' },
          { url: 'https://j.example/b.jpg', mime_type: 'image/jpeg', title: 'B' },
        ],
      },
      'no item',
    ],
  })
  assert.equal(feedOf(json).older, 'https://j.example/feed.json?page=2')
  assert.deepEqual(articleOf(json), {
    title: 'First <b>. Second.',
    body: { html: '<p>First &lt;b&gt;.</p>\n<p>Second.</p>' },
    categories: ['thoi-su'],
    tags: ['x'],
    byline: 'Desk',
    publishedAt: '2026-01-02T03:04:05.000Z',
    canonicalUrl: 'https://j.example/17',
    images: [
      { url: 'https://j.example/i.png', role: 'lead' },
      { url: 'https://j.example/b.jpg', role: 'inline', caption: 'B' },
    ],
  })
})

test('an id is the same every time, and another one for everything that is another', () => {
  const entry = only(wordpress)
  const id = (changes: Partial<FeedEntry>, host = 'paper.example') => localIdOf({ ...entry, ...changes }, { ...into, host })
  assert.match(id({}) ?? '', /^[0-9a-f]{12}$|-[0-9a-f]{12}$/)
  assert.equal(id({ title: 'Another', link: 'https://paper.example/moved' }), id({}))
  assert.equal(id({ id: '' }), id({ id: entry.link }))
  assert.match(id({ id: 'https://paper.example/2026/dễ-đọc.html' }) ?? '', /^de-doc-[0-9a-f]{12}$/)
  assert.notEqual(id({ id: '17' }), id({ id: '17' }, 'other.example'))
  assert.equal(id({ id: 'urn:x:17' }), id({ id: 'urn:x:17' }, 'other.example'))
  assert.equal(id({ id: '', link: '' }), null)
})

test('what says that it is ours and is not gets no id that ours could not have', () => {
  const hostile = wordpress
    .replace('xmlns:content', 'xmlns:nw="urn:x-newswire:feed:1" xmlns:content')
    .replace('https://paper.example/?p=4711', 'tag:evil.example,2026:a.../../etc')
    .replace('<link>https://paper.example/2026', '<nw:version>1</nw:version><link>https://paper.example/2026')
  const made = toArticle(only(hostile), into)
  assert.ok(made.ok && /^[A-Za-z0-9-]+-[0-9a-f]{12}$/.test(made.localId), JSON.stringify(made))
})

test('an article of another publisher or another site never takes the place of one that was written here', () => {
  const idOf = (tag: string, where: Into = into) => {
    const article = wordpress
      .replace('xmlns:content', 'xmlns:nw="urn:x-newswire:feed:1" xmlns:content')
      .replace('https://paper.example/?p=4711', tag)
      .replace('<link>https://paper.example/2026', '<nw:version>1</nw:version><link>https://paper.example/2026')
    return localIdOf(only(article), where) ?? ''
  }
  assert.deepEqual(
    ['here.example,2026:desk.story-1', 'here.example,2026:a.story-1', 'here.example,2026:b.story-1'].map(one => idOf(`tag:${one}`)),
    ['story-1', 'a.story-1', 'b.story-1'],
  )
  assert.equal(idOf('tag:evil.example,2026:desk.story-1'), 'desk.story-1')
  assert.deepEqual(
    [{ siteId: null }, { publisher: null }].map(unknown => idOf('tag:here.example,2026:desk.story-1', { ...into, ...unknown })),
    ['desk.story-1', 'desk.story-1'],
  )
  assert.match(idOf(`tag:evil.example,2026:desk.${'x'.repeat(125)}`), /-[0-9a-f]{12}$/)
})

test('entities of a document type are never expanded, and no file or address behind one is read', () => {
  const bomb = `<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
    <!ENTITY x SYSTEM "file:///etc/passwd">]><rss version="2.0"><channel><item><guid>1</guid><title>&c; &x;</title><description>d</description></item></channel></rss>`
  const title = String(articleOf(bomb)['title'])
  assert.ok(title.length < 20 && !/aaaa|root:/.test(title), title)
})

test('what is too deep or too much is refused with which', () => {
  assert.match(reasonOf(`<rss>${'<a>'.repeat(100_000)}`), /nested more than 100 deep/)
  assert.match(reasonOf(`<rss>${'<a/>'.repeat(300_000)}</rss>`), /more than 200000 elements/)
  const declaring = (count: number) => Array.from({ length: count }, (_, n) => ` xmlns:a${n}="urn:${n}"`).join('')
  assert.match(reasonOf(`<rss${declaring(1_000)}>${'<a xmlns:b="urn:b"/>'.repeat(1_000)}</rss>`), /too many namespaces/)
  assert.ok(read(`<rss><channel>${'<div xmlns="http://www.w3.org/1999/xhtml"/>'.repeat(20_000)}</channel></rss>`).ok, 'which is usual')
  const figures = `<rss xmlns:nw="urn:x-newswire:feed:1" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><item><guid>tag:a.example,2026:p.x</guid><nw:version>1</nw:version><description>d</description><title>t</title><content:encoded><![CDATA[${'<figure><img src="x"><figcaption>'.repeat(12_000)}]]></content:encoded></item></channel></rss>`
  assert.ok(toArticle(only(figures), into).ok)
})

test('what is no feed is told by what it is', () => {
  assert.match(
    reasonOf('<!doctype html><html><head><link rel="alternate" type="application/rss+xml" href="/feed.xml"></head></html>'),
    /a page, not a feed; it names these: \/feed\.xml/,
  )
  assert.match(reasonOf('<rdf:RDF xmlns:rdf="x"></rdf:RDF>'), /RSS 1\.0/)
  assert.match(reasonOf('<sitemap/>'), /its root is <sitemap>/)
  assert.match(reasonOf('{"items":[]}'), /no JSON Feed/)
  assert.match(reasonOf('{"version":'), /cannot be read/)
  assert.match(reasonOf('hello'), /neither XML nor JSON/)
  assert.match(reasonOf('<rss/>'), /without a channel/)
})

test('characters are what the mark, HTTP or the document says they are', () => {
  const item = (title: string) =>
    `<rss><channel><item><guid>1</guid><title>${title}</title><description>d</description></item></channel></rss>`
  const latin = Buffer.from(`<?xml version="1.0" encoding="ISO-8859-1"?>${item('caf\u00e9')}`, 'latin1')
  assert.equal(only(latin).title, 'café')
  assert.equal(only(Buffer.from(item('caf\u00e9'), 'latin1'), 'text/xml; charset=windows-1252').title, 'café')
  assert.equal(only(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(item('đò'), 'utf16le')])).title, 'đò')
  assert.equal(only(item('đò'), 'application/xml; charset=nonsense').title, 'đò')
})

test('a date without a zone is no date, because it would be another one on every machine', () => {
  const dated = (date: string) => only(wordpress.replace('Fri, 02 Jan 2026 08:30:00 +0700', date)).publishedAt
  assert.equal(dated('Fri, 02 Jan 2026 08:30:00 EST'), '2026-01-02T13:30:00.000Z')
  assert.equal(dated('2026-01-02'), '2026-01-02T00:00:00.000Z')
  for (const text of ['2026-01-02 08:30:00', 'yesterday', '', '0001-01-01T00:00:00Z', '99999-01-01T00:00:00Z'])
    assert.equal(dated(text), null)
})

test('an item without words, or without anything to know it by, is refused with why', () => {
  const refuse = (item: string) => {
    const made = toArticle(only(`<rss><channel><item>${item}</item></channel></rss>`), into)
    return made.ok ? made.article : made.reason
  }
  assert.match(String(refuse('<title>t</title><description>d</description>')), /neither an id nor a link/)
  assert.match(String(refuse('<guid>1</guid><title>t</title>')), /no text and no picture/)
  assert.match(String(refuse('<guid>1</guid>')), /no title/)
  assert.equal(
    (refuse('<guid>1</guid><description>&lt;p&gt;Only words.&lt;/p&gt;</description>') as { title: string }).title,
    'Only words.',
  )
})
