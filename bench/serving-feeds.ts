/** Feeds to serve: rendered by the real renderer, so many items of prose each. */
import type { SiteConfig } from '@newswire/events/config'
import type { LiveFact } from '@newswire/events/fact'
import { type FeedFormat, feedFormats } from '@newswire/events/feed'
import { sampleFact } from '@newswire/events/sample-fact'
import { createOneMore } from '@newswire/feeds/one-more'
import { createRandom, prose } from './prose.ts'

export const site: SiteConfig = {
  id: 'bench.example,2026',
  title: 'Bench',
  language: 'vi',
  timeZone: 'Asia/Ho_Chi_Minh',
  publicUrl: 'https://bench.example',
}

/** An article of these words; its number says when it was released. */
export const factFrom = (index: number, words: Readonly<{ title: string; summary: string; html: string }>): LiveFact => {
  const { title, summary, html } = words
  return sampleFact({
    articleId: `bench.a${index}`,
    at: new Date(Date.UTC(2026, 0, 1) + index * 60_000).toISOString(),
    article: { title, summary, body: { html }, byline: 'Lê Thị Hường', categories: ['c'], tags: ['một', 'hai'] },
  })
}

/** An article with so many characters of body. */
export const factOf = (index: number, characters: number): LiveFact => {
  const random = createRandom(index)
  const title = prose(60, random)
  const summary = prose(160, random)
  const html = Array.from({ length: Math.ceil(characters / 300) }, () => `<p>${prose(300, random)}.</p>`).join('\n')
  return factFrom(index, { title, summary, html })
}

export const ITEMS = 50
/** Of a body, characters: about 6 KiB of UTF-8, and a short one. */
export const LONG = 4_300
const SHORT = 300

/** The files of feed number `index`, by format. Every second feed has short items. */
export const renderFeed = (index: number): Readonly<Record<FeedFormat, Uint8Array>> => {
  const characters = index % 2 === 0 ? LONG : SHORT
  const facts = Array.from({ length: ITEMS }, (_, item) => factOf(index * 1_000 + ITEMS - item, characters))
  const feed = createOneMore(facts, site)
  return Object.fromEntries(feedFormats.map(format => [format, feed.add(factOf(index * 1_000 + 900, characters), format)])) as Record<
    FeedFormat,
    Uint8Array
  >
}
