/**
 * The Google News sitemap of a feed (developers.google.com/search/docs/crawling-indexing/sitemaps/news-sitemap): the articles of the last two days,
 * at their canonical addresses on this site. How old an article is goes by the window's `asOf`, which releases and the sweep's looks move;
 * no clock is read.
 */
import type { FeedItem } from './feed-item.ts'
import type { Part } from './packing.ts'
import { declare, escapeText, type Prefix } from './xml.ts'

/** Google reads at most this many news entries of one sitemap. */
const MAX_ENTRIES = 1000
const HOUR_MS = 3_600_000
/** Google wants articles of the last two days only. */
const AGE_MS = 48 * HOUR_MS

export const sitemapPrefixes = ['news', 'image'] as const satisfies readonly Prefix[]
const HEAD = `<?xml version="1.0" encoding="utf-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"${declare(sitemapPrefixes)}>`
const FOOT = '\n</urlset>\n'
/** Entries begin on a line of their own, as items do in the feeds. */
const ENTRY = '\n    <url>'

/** ISO 639 with two or three letters; only Chinese says its script, in Google's own two ways. */
export const toNewsLanguage = (tag: string): string => {
  const [language = '', ...subtags] = tag.toLowerCase().split('-')
  if (language !== 'zh') return language
  return subtags.some(one => ['hant', 'tw', 'hk', 'mo'].includes(one)) ? 'zh-tw' : 'zh-cn'
}

/** One entry; `null` for an article that search engines are to find elsewhere, or not at all. */
export const renderSitemapUrl = (item: FeedItem): string | null => {
  if (item.ownPage === null) return null
  return [
    ENTRY,
    `\n        <loc>${escapeText(item.ownPage)}</loc>`,
    `\n        <lastmod>${item.updated.toISOString()}</lastmod>`,
    '\n        <news:news>',
    '\n            <news:publication>',
    `\n                <news:name>${escapeText(item.publication)}</news:name>`,
    `\n                <news:language>${escapeText(toNewsLanguage(item.language))}</news:language>`,
    '\n            </news:publication>',
    `\n            <news:publication_date>${item.published.toISOString()}</news:publication_date>`,
    `\n            <news:title>${escapeText(item.title)}</news:title>`,
    '\n        </news:news>',
    ...item.media.map(one => `\n        <image:image>\n            <image:loc>${escapeText(one.url)}</image:loc>\n        </image:image>`),
    '\n    </url>',
  ].join('')
}

/**
 * The time before which an article is too old, milliseconds. It moves by whole hours, so that the file changes when an article leaves it and
 * not with every look.
 */
const oldestInSitemapMs = (asOf: string): number => Math.ceil(Date.parse(asOf) / HOUR_MS) * HOUR_MS - AGE_MS

/** An article's entry, and when it was published, ms since 1970. */
type Entry = Readonly<{ publishedMs: number; bytes: Readonly<{ sitemap: Uint8Array }> }>

/** What the file is joined from. `fragments` are in the order of the feed, newest first; an empty sitemap is a sitemap. */
export const toSitemapParts = (fragments: readonly Entry[], asOf: string): Part[] => {
  const oldestMs = oldestInSitemapMs(asOf)
  const entries = fragments.filter(one => one.bytes.sitemap.length > 0 && one.publishedMs >= oldestMs).slice(0, MAX_ENTRIES)
  return [HEAD, ...entries.map(one => one.bytes.sitemap), FOOT]
}
