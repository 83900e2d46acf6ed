import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { feedFiles, feedOutputs } from '@newswire/events/feed'
import { articlesIn } from './shown-articles.ts'

/** What the builder of feeds is held to write, byte for byte. */
const GOLDEN = join(import.meta.dirname, '..', '..', 'feeds', 'golden')
/** Of every article's own page, and of nothing else. */
const idsAt = (page: string) =>
  page.startsWith('https://news.example/articles/') ? [page.slice('https://news.example/articles/'.length)] : []
const profiles = ['standard', 'msn', 'google-news', 'smartnews', 'flipboard']

for (const profile of profiles)
  test(`every article that a ${profile} feed shows is told in each of its files, and what was taken back is not among them`, () => {
    const { items } = JSON.parse(readFileSync(join(GOLDEN, profile, 'feed.json'), 'utf8')) as {
      items: { _newswire: { articleId: string; status: string } }[]
    }
    const shown = items.flatMap(({ _newswire }) => (_newswire.status === 'retracted' ? [] : [_newswire.articleId])).sort()
    const gone = items.flatMap(({ _newswire }) => (_newswire.status === 'retracted' ? [_newswire.articleId] : []))
    assert.ok(shown.length > 0 && gone.length > 0)
    for (const output of feedOutputs) {
      const found = articlesIn(output, readFileSync(join(GOLDEN, profile, feedFiles[output].name)), idsAt)
      assert.ok(found !== null, output)
      // The sitemap is of the last two days alone.
      if (output === 'sitemap')
        assert.deepEqual(
          [...found].filter(id => !shown.includes(id)),
          [],
        )
      else assert.deepEqual([...found].sort(), shown, output)
    }
  })

test('bytes that are no feed, and items of nobody, are told from a feed without items', () => {
  const rss = (items: string) => Buffer.from(`<rss>\n    <channel>${items}\n    </channel>\n</rss>`)
  const item = (guid: string) => `\n        <item>\n            <guid isPermaLink="false">${guid}</guid>\n        </item>`
  assert.deepEqual(articlesIn('rss', rss(''), idsAt), new Set())
  assert.deepEqual(articlesIn('rss', rss(item('tag:a.example,2026:press.a')), idsAt), new Set(['press.a']))
  for (const guid of ['https://a.example/1', 'tag:a.example,2026:../../secrets', ''])
    assert.equal(articlesIn('rss', rss(item(guid)), idsAt), null)
  assert.equal(articlesIn('rss', rss('\n        <item>\n        </item>'), idsAt), null)
  assert.equal(articlesIn('rss', Buffer.from('nothing'), idsAt), null)
  assert.equal(articlesIn('json', Buffer.from('{"items":[\n{"id":\n]}'), idsAt), null)
  const sitemap = Buffer.from('<urlset>\n    <url><loc>https://news.example/1?a&amp;b</loc></url>\n</urlset>')
  assert.equal(articlesIn('sitemap', sitemap, idsAt), null)
  const both = (page: string) => (page === 'https://news.example/1?a&b' ? ['press.a', 'press.b'] : [])
  assert.deepEqual(articlesIn('sitemap', sitemap, both), new Set(['press.a', 'press.b']), 'whoever has that address')
})
