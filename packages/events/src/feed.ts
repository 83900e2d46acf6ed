/** Facts about feeds. */
import { z } from 'zod'
import { storedInstant } from './article.ts'

export const feedFormats = ['rss', 'atom', 'json'] as const
export type FeedFormat = (typeof feedFormats)[number]
/** All files of a feed: its formats, and the Google News sitemap of what is in it. */
export const feedOutputs = [...feedFormats, 'sitemap'] as const
export type FeedOutput = (typeof feedOutputs)[number]
/** The file of each output below `feeds/<feed id>/`, and its media type. */
export const feedFiles = {
  rss: { name: 'rss.xml', type: 'application/rss+xml; charset=utf-8' },
  atom: { name: 'atom.xml', type: 'application/atom+xml; charset=utf-8' },
  json: { name: 'feed.json', type: 'application/feed+json; charset=utf-8' },
  sitemap: { name: 'news-sitemap.xml', type: 'application/xml; charset=utf-8' },
} as const satisfies Record<FeedOutput, { name: string; type: string }>

/**
 * Thin intent: article A changed for feed F. The state is read when the work is done. Without an article (`null`, version 0): look at the feed
 * itself, which builds one that was never built, heals files that are not as they should be, and ends notices that are old at the event's time.
 */
export const feedChange = z.object({
  feedId: z.string(),
  articleId: z.string().nullable(),
  version: z.int(),
  /** With no article: the id of a wish in `rebuild.json`. What is known of the feed is forgotten and made again from state. */
  rebuild: z.string().optional(),
  /** An import that is told to nobody, or a look for how far the archive reaches: the feed is built, its subscribers are not pinged. */
  quiet: z.boolean().optional(),
})

const output = z.object({
  key: z.string(),
  /** These two are of what the file says; the store may keep it as gzip. */
  sha256: z.string(),
  bytes: z.int(),
  /**
   * `Last-Modified`: rises by a second at least whenever the bytes change, so that a date means one content (RFC 9110 §8.8.2.2), also where what is
   * shown last is older than what it was (an article left). While a feed changes faster than once a second it runs ahead of the clock.
   */
  modifiedAt: storedInstant.optional(),
})
/** Which bytes are current. `counter` is that of `window.json`: a reader ignores lower ones. */
export const feedBuilt = z.object({
  feedId: z.string(),
  counter: z.int(),
  /** When the newest thing in it was released: what the feed says of itself. */
  updatedAt: storedInstant,
  items: z.int(),
  /** `sitemap` is absent on facts written before there was one. */
  outputs: z.object({ rss: output, atom: output, json: output, sitemap: output.optional() }),
  /** Nothing but what is quiet of `feed.changed`: subscribers are not pinged. The same counter may be announced again without it. */
  quiet: z.boolean().optional(),
  /** Articles that the feed is shown without, each with the rule it breaks; absent when there are none. */
  quarantined: z.array(z.object({ articleId: z.string(), version: z.int(), code: z.string(), reason: z.string() })).optional(),
  /** Why the newest state is not shown: a rule of the whole feed is broken and the last good bytes stay. Absent when all is well. */
  fault: z.object({ code: z.string(), reason: z.string(), since: z.string() }).optional(),
})
export type FeedBuilt = z.output<typeof feedBuilt>

/**
 * Who reads a feed, in three numbers and nothing else (`feeds/<feed id>/readers.json`): gateways merge what they saw by compare-and-swap, and the
 * builder keeps notices at least as long as the slowest of them takes to come back.
 */
export const feedReaders = z.object({
  /** Counts the swaps, because a tag is a hash of the body. */
  n: z.int(),
  /** The longest time between two polls of one reader that is still coming, milliseconds. */
  slowestMs: z.int(),
  /** When the reader behind `slowestMs` was last seen: a reader that stays away for 90 days no longer counts. */
  seenAt: z.string(),
})
export type FeedReaders = z.output<typeof feedReaders>
