/** What a feed says, whatever format it says it in: the shape between the wire (`rss.ts`, `atom.ts`, `json-feed.ts`) and our article (`to-article.ts`). */

export type FeedPicture = Readonly<{
  /** The widest of its sizes. */
  url: string
  /** Every address of the same picture. */
  also: readonly string[]
  caption: string
  alt: string
  credit: string
  role?: 'inline' | 'gallery'
  focus?: Readonly<{ x: number; y: number }>
}>

/** What only feeds of Newswire say (`services/feeds/README.md`). Nothing of it is believed before ingest has looked at it. */
export type OwnWords = Readonly<{
  /** Of `tag:<site>:<article id>`. */
  siteId: string
  articleId: string
  publisher: string
  type: string
  urgency: string
  dateline: string
  correction: string
  usageTerms: string
  aiUse: string
  story: string
  translationOf: string
  duplicateOf: string
  related: readonly string[]
  expiresAt: string | null
}>

export type FeedEntry = Readonly<{
  /** As the feed identifies it: guid, id; `''` where it says none. */
  id: string
  link: string
  title: string
  /** Plain text. */
  summary: string
  /** `null` where the feed has a summary at most. */
  html: string | null
  /** What relative addresses in it are meant against. */
  base: string
  language: string
  author: string
  source: string
  copyright: string
  /** RFC 3339 in UTC; `null` where there is none, or none that says its time zone. */
  publishedAt: string | null
  updatedAt: string | null
  /** `id` where the feed has one. */
  categories: readonly Readonly<{ id: string | null; name: string }>[]
  tags: readonly string[]
  pictures: readonly FeedPicture[]
  /** It says that it was taken back. */
  isRetracted: boolean
  own: OwnWords | null
}>

export type FeedDocument = Readonly<{
  format: 'RSS' | 'Atom' | 'JSON Feed'
  language: string
  /** The document before this one (RFC 5005 §4, JSON Feed `next_url`), as written; `null` for the last. */
  older: string | null
  entries: readonly FeedEntry[]
}>

/** `tag:<site>:<article id>`, as every feed of ours identifies an article. */
export const parseTag = (id: string): Readonly<{ siteId: string; articleId: string }> | null => {
  const [, siteId, articleId] = /^tag:([a-z0-9.-]+,[0-9-]+):(.+)$/.exec(id) ?? []
  return siteId === undefined || articleId === undefined ? null : { siteId, articleId }
}

const EARLIEST_MS = Date.UTC(1900, 0, 1)
const LATEST_MS = Date.UTC(2200, 0, 1)
/** Without one, the same feed would be of another hour on every machine that reads it. */
const HAS_ZONE = /(?:Z|[+-]\d\d:?\d\d|\b(?:GMT|UTC?|[ECMP][SD]T))\s*$/i
const IS_DAY = /^\s*\d{4}-\d\d-\d\d\s*$/

/** RFC 822 and RFC 3339, and a day alone; `null` for anything that is no instant. */
export const toInstant = (text: string): string | null => {
  if (!HAS_ZONE.test(text) && !IS_DAY.test(text)) return null
  const ms = Date.parse(text.trim())
  return ms >= EARLIEST_MS && ms < LATEST_MS ? new Date(ms).toISOString() : null
}
