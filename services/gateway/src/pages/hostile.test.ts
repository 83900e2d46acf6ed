import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FeedConfig } from '@newswire/events/config'
import { ProblemError } from '@newswire/http/problem'
import { categories, makeContext, makeLive, makePicture, makeRetracted, site } from '../sample-facts.ts'
import { toArticlePage, toGonePage, toPrintView } from './article-page.ts'
import { toFeedsPage } from './feeds-page.ts'
import { toJsonLd } from './json-ld.ts'
import { toListPage } from './lists.ts'
import { toRefusalPage } from './notice-page.ts'
import { toOpml } from './opml.ts'

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
      tags: [text],
      aiUse: text,
      canonicalUrl: `https://news.example/${text}`,
      images: [
        makePicture(A, { caption: text, alt: text, credit: text }),
        makePicture(A, { role: 'inline', caption: text, credit: text }),
        makePicture(A, { role: 'gallery', caption: text, credit: text }),
      ],
    },
  })
  const section = { id: 'culture', name: text }
  const frame = { site: { ...site, title: text }, sections: [section] }
  const feed: FeedConfig = {
    id: 'all',
    title: text,
    description: text,
    match: { categories: [text] },
    limit: 5,
    content: 'full',
    profile: 'standard',
  }
  const context = makeContext(fact, {
    frame,
    publisherName: text,
    related: [fact],
    original: fact,
    versions: [fact, { ...fact, articleId: 'press.b' }],
  })
  const place = { category: 'culture', before: null, after: { at: NOW, articleId: 'press.a' } }
  return {
    article: toArticlePage(context),
    print: toPrintView(context, NOW),
    gone: toGonePage(makeRetracted({}, { notice: text }), frame),
    list: toListPage({
      frame,
      section: [section, section],
      place,
      facts: [fact],
      newer: place,
      older: place,
      feeds: [feed],
      isWhole: true,
    }),
    feeds: toFeedsPage({ frame, feeds: [{ feed, newest: [fact] }], categories: new Map([[text, { id: text, name: text }]]) }),
    refusal: toRefusalPage(new ProblemError({ status: 404, code: 'NEWSWIRE_X', title: text, detail: text }), text, frame),
    opml: toOpml([feed], frame.site, new Map([[text, { id: text, name: text }]])),
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
    const json = toJsonLd(makeContext(makeLive({ article: { title: text } }), { categories }))
    assert.doesNotMatch(json, /</)
    assert.equal(JSON.parse(json).headline, text)
  }
})
