/** What readers and partners must find of an article in each exit, letter for letter. */
import assert from 'node:assert/strict'
import type { TestArticle } from './articles.ts'
import type { FeedItem } from './feed-reader.ts'
import { captionsOf, paragraphsOf, textsOf } from './html.ts'
import type { Partner } from './partner.ts'
import { articleIdOf, formats, PUBLIC_URL, type Running } from './system.ts'

export const pageOf = (localId: string): string => `/articles/${articleIdOf(localId)}`

/** What every exit must say of an article, paragraph by paragraph. */
export const assertReadsAs = (what: string, html: string, article: Pick<TestArticle, 'body'>, captions: readonly string[]) => {
  const sent = paragraphsOf('html' in article.body ? article.body.html : '')
  assert.ok(sent.length > 0)
  assert.deepEqual(paragraphsOf(html).slice(0, sent.length), sent, `${what}: the paragraphs`)
  for (const caption of captions)
    assert.ok(
      captionsOf(html).some(one => one.startsWith(caption)),
      `${what}: the caption ${caption}`,
    )
}

/** The article in every format of a feed; fails when it is missing from one. */
export const everyFormat = async (running: Running, feed: string, localId: string): Promise<FeedItem[]> =>
  await Promise.all(
    formats.map(async format => {
      const item = await running.item(feed, format, localId)
      assert.ok(item, `${localId} is in ${feed}/${format}`)
      return item
    }),
  )

/** Feeds, page, print view and front page show it whole. */
export const assertOut = async (running: Running, localId: string, article: TestArticle, captions: readonly string[]): Promise<void> => {
  const path = pageOf(localId)
  for (const item of await everyFormat(running, 'all', localId)) {
    assert.equal(item.title, article.title)
    assert.equal(item.url, PUBLIC_URL + path)
    assertReadsAs('feed', item.content, article, captions)
  }
  for (const view of [path, `${path}/print`]) {
    const { status, text } = await running.get(view)
    assert.equal(status, 200)
    assert.deepEqual(textsOf(text, 'h1'), [article.title])
    assertReadsAs(view, text, article, captions)
  }
  const front = await running.get('/')
  assert.ok(textsOf(front.text, 'h2').includes(article.title), 'the front page names it')
}

/** What a careful receiver holds of it. Fails when that is nothing. */
export const heldBy = (partner: Partner, localId: string) => {
  const held = partner.held(articleIdOf(localId))
  assert.ok(held, `the partner holds ${localId}`)
  const article = held.article as { title?: string; body?: { html: string }; images?: { caption: string }[] }
  return { ...held, title: article.title, html: article.body?.html ?? '', captions: (article.images ?? []).map(one => one.caption) }
}
