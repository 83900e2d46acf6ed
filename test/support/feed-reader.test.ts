import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { createFeedReader, parseFeed } from './feed-reader.ts'

const RSS = `<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>Tất cả</title>
<item><title>Một &amp; hai</title><guid isPermaLink="false">tag:a</guid><link>https://x.example/1</link><pubDate>Tue, 24 Nov 2026 01:00:00 GMT</pubDate>
<content:encoded><![CDATA[<p>a &lt; b</p>]]></content:encoded></item></channel></rss>`
const ATOM = `<feed xmlns="http://www.w3.org/2005/Atom" xmlns:at="http://purl.org/atompub/tombstones/1.0"><title>Tất cả</title>
<at:deleted-entry ref="tag:gone" when="2026-11-24T01:00:00Z"/>
<entry><id>tag:a</id><title>Một &amp; hai</title><link rel="self" href="https://x.example/self"/><link href="https://x.example/1"/><published>2026-11-24T01:00:00Z</published>
<updated>2026-11-24T02:00:00Z</updated><content type="html">&lt;p&gt;a &amp;lt; b&lt;/p&gt;</content></entry></feed>`
const JSON_FEED = JSON.stringify({
  title: 'Tất cả',
  items: [
    {
      id: 'tag:a',
      title: 'Một & hai',
      content_html: '<p>a &lt; b</p>',
      url: 'https://x.example/1',
      date_published: '2026-11-24T01:00:00Z',
    },
  ],
})

test('the same article reads the same from all three formats', () => {
  for (const text of [RSS, ATOM, JSON_FEED]) {
    const { title, items } = parseFeed(text)
    const [item] = items
    assert.equal(title, 'Tất cả')
    assert.equal(items.length, 1)
    assert.deepEqual([item?.id, item?.title, item?.content, item?.url], ['tag:a', 'Một & hai', '<p>a &lt; b</p>', 'https://x.example/1'])
    assert.ok(item?.published)
  }
  assert.deepEqual(parseFeed(ATOM).deleted, ['tag:gone'])
})

test('one stray character is a failure', () => {
  for (const [from, to] of [
    ['&amp;', '&'],
    ['</item>', '</itm>'],
    ['Tất cả', 'T\u0001'],
    ['xmlns:content="http://purl.org/rss/1.0/modules/content/"', ''],
  ] as const) {
    assert.throws(() => parseFeed(RSS.replace(from, to)), /not well-formed/, `${from} → ${to}`)
  }
})

test('a reader sends the ETag it got, understands 304, and refuses a feed with one id twice', async t => {
  let text = JSON_FEED
  const server = createServer((request, response) => {
    const etag = `"${text.length}"`
    if (request.headers['if-none-match'] === etag) response.writeHead(304, { etag }).end()
    else response.writeHead(200, { etag }).end(text)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  t.after(() => server.closeAllConnections())
  const reader = createFeedReader(`http://127.0.0.1:${(server.address() as AddressInfo).port}/feed.json`)
  assert.equal((await reader.read()).notModified, false)
  const again = await reader.read()
  assert.deepEqual([again.status, again.notModified, again.items.length], [304, true, 1])
  text = JSON.stringify({ items: [{ id: 'tag:a' }, { id: 'tag:a' }] })
  await assert.rejects(reader.read(), /twice/)
})
