/** What a feed says of one article, before any format: the one place where a released fact becomes an item or a notice. */
import { type CategoryConfig, type FeedProfile, type PublisherConfig, type SiteConfig, withAncestors } from '@newswire/events/config'
import { RejectError } from '@newswire/events/errors'
import type { Fact, LiveFact } from '@newswire/events/fact'
import { toTagUri } from '@newswire/events/ids'
import { articleUrl, leadPicture, noticeOf, pickRendition, renditionUrl, toContentHtml } from '@newswire/events/public-article'
import { escapeMarkup } from '@newswire/events/text'
import { clean, cleanOneLine } from './xml.ts'

/** All that decides how an article is rendered, besides the article: feeds with equal profiles share every fragment. */
export type Profile = Readonly<{
  /** Changes whenever anything else here does. */
  key: string
  site: SiteConfig
  categories: ReadonlyMap<string, CategoryConfig>
  publishers: ReadonlyMap<string, Pick<PublisherConfig, 'name' | 'pages'>>
  content: 'full' | 'summary'
  /** Whose rules items are held to (`profiles.ts`), and the language that the feed says it is in. */
  rules: FeedProfile
  language: string
}>

export type MediaItem = Readonly<{
  url: string
  type: string
  width: number
  height: number
  bytes: number
  caption: string
  credit: string
}>

type Common = Readonly<{
  /** `tag:` URI, the same in every format and for the article's whole life (RFC 4151). */
  id: string
  articleId: string
  version: number
  link: string
  title: string
  /** Never after the release, whatever the publisher says: a date in the future pins nothing. */
  published: Date
  updated: Date
  language: string
}>

export type FeedItem = Common &
  Readonly<{
    kind: 'item'
    status: LiveFact['action']
    /** Plain text; the beginning of the body when the publisher gave no summary. */
    summary: string
    /** `null` in feeds of summaries, and when it is larger than a feed should carry. */
    html: string | null
    author: string
    categories: readonly Readonly<{ id: string; name: string }>[]
    tags: readonly string[]
    media: readonly MediaItem[]
    lead: MediaItem | null
    correction: string | null
    copyright: string
    urgency: number
    type: string
    /** Where this site has it, for search engines; `null` when they are to find it at the publisher's, or not at all. */
    ownPage: string | null
    /** Whose page that is. */
    publication: string
  }>

/** An article that was taken back: stays long enough for every reader to take its copy down. */
export type FeedNotice = Common & Readonly<{ kind: 'notice'; retractedAt: Date; mode: string }>

const instant = (value: string, what: string): Date => {
  const date = new Date(value)
  if (Number.isNaN(date.getTime()))
    throw new RejectError('NEWSWIRE_FEEDS_RENDER', `${what} is no instant: ${JSON.stringify(value.slice(0, 100))}`)
  return date
}

const MEDIA_WIDTH = 1280
const EXCERPT_CHARACTERS = 280
/** Enough HTML to find that many characters of words in. */
const EXCERPT_SOURCE = 4000
const ENTITIES: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&nbsp;': ' ', '&amp;': '&' }

/** The beginning of clean HTML as plain text, cut between words. */
export const excerptOf = (html: string): string => {
  const words = html
    .slice(0, EXCERPT_SOURCE)
    .replace(/<[^>]*>?/g, ' ')
    .replace(/&(?:lt|gt|quot|#39|nbsp|amp);/g, entity => ENTITIES[entity] ?? entity)
    .replace(/\s+/g, ' ')
    .trim()
  if (words.length <= EXCERPT_CHARACTERS) return words
  const cut = words.slice(0, EXCERPT_CHARACTERS)
  const space = cut.lastIndexOf(' ')
  return `${(space > EXCERPT_CHARACTERS / 2 ? cut.slice(0, space) : cut).trimEnd()}…`
}

/** The publisher's own address when it is one, else the article's page here. */
const linkOf = (fact: LiveFact, site: SiteConfig): string => {
  const url = fact.article.canonicalUrl === undefined ? null : URL.parse(fact.article.canonicalUrl)
  return url !== null && /^https?:$/.test(url.protocol) ? url.href : new URL(articleUrl(site.publicUrl, fact.articleId)).href
}

/**
 * The address under which search engines may keep the article on this site, by the publisher's contract: a sitemap lists only canonical
 * addresses, and only those of its own host (sitemaps.org protocol).
 */
const ownPageOf = (fact: LiveFact, { site, publishers }: Profile): string | null => {
  const pages = publishers.get(fact.publisher)?.pages
  if (pages?.index === false) return null
  const own = new URL(articleUrl(site.publicUrl, fact.articleId))
  const source = pages?.canonical === 'self' || fact.article.canonicalUrl === undefined ? own : URL.parse(fact.article.canonicalUrl)
  return source?.origin === own.origin ? source.href : null
}

const earlier = (a: Date, b: Date): Date => (a < b ? a : b)

const publishedOf = (fact: LiveFact): Date => {
  const released = instant(fact.firstReleasedAt, 'firstReleasedAt')
  return fact.article.publishedAt === undefined ? released : earlier(instant(fact.article.publishedAt, 'publishedAt'), released)
}

const mediaOf = (picture: LiveFact['article']['images'][number], site: SiteConfig): MediaItem | null => {
  const shown = picture.state === 'ready' ? pickRendition(picture, MEDIA_WIDTH) : null
  if (shown === null) return null
  const { type, width, height, bytes } = shown
  const url = new URL(renditionUrl(site.publicUrl, shown.key)).href
  return { url, type: cleanOneLine(type), width, height, bytes, caption: clean(picture.caption), credit: clean(picture.credit) }
}

const CORRECTION_LABELS: Record<string, string> = { vi: 'Đính chính', en: 'Correction' }

/** Characters of content above which an item says only its summary: fifty of the largest articles would be a feed of 100 MB. */
export const MAX_CONTENT = 500_000

const contentOf = (fact: LiveFact, site: SiteConfig, correction: string | null): string => {
  const html = toContentHtml(fact.article, site.publicUrl)
  if (correction === null) return clean(html)
  const label = CORRECTION_LABELS[fact.article.language.toLowerCase().split('-')[0] ?? ''] ?? CORRECTION_LABELS.en
  return clean(`${html}\n<p><strong>${label}:</strong> ${escapeMarkup(correction)}</p>`)
}

const categoriesOf = (fact: LiveFact, profile: Profile): FeedItem['categories'] => {
  const ids = new Set(fact.article.categories.flatMap(category => withAncestors(category, profile.categories)))
  return [...ids].map(id => ({ id: cleanOneLine(id), name: cleanOneLine(profile.categories.get(id)?.name ?? id) }))
}

const toItem = (fact: LiveFact, profile: Profile): FeedItem => {
  const { article } = fact
  const { site } = profile
  const correction = article.correction === undefined ? null : clean(article.correction.note)
  const lead = leadPicture(article)
  const media = article.images.flatMap(one => mediaOf(one, site) ?? [])
  return {
    kind: 'item',
    id: toTagUri(site.id, fact.articleId),
    articleId: fact.articleId,
    version: fact.version,
    status: fact.action,
    link: linkOf(fact, site),
    title: cleanOneLine(article.title),
    published: publishedOf(fact),
    updated: instant(fact.updatedAt, 'updatedAt'),
    language: cleanOneLine(article.language),
    summary: clean(article.summary) || clean(excerptOf(article.body.html)),
    html: profile.content === 'full' && article.body.html.length <= MAX_CONTENT ? contentOf(fact, site, correction) : null,
    author: cleanOneLine(article.byline) || cleanOneLine(profile.publishers.get(fact.publisher)?.name ?? fact.publisher),
    categories: categoriesOf(fact, profile),
    tags: [...new Set(article.tags.map(cleanOneLine))].filter(tag => tag !== ''),
    media,
    lead: lead === null ? null : mediaOf(lead, site),
    correction,
    copyright: clean(article.rights?.copyright ?? ''),
    urgency: article.urgency,
    type: article.type,
    ownPage: ownPageOf(fact, profile),
    publication: cleanOneLine(site.title),
  }
}

const toNotice = (fact: Exclude<Fact, LiveFact>, { site }: Profile): FeedNotice => {
  const language = fact.facetsEver.languages[0] ?? site.language
  const retractedAt = instant(fact.releasedAt, 'releasedAt')
  return {
    kind: 'notice',
    id: toTagUri(site.id, fact.articleId),
    articleId: fact.articleId,
    version: fact.version,
    link: new URL(articleUrl(site.publicUrl, fact.articleId)).href,
    title: cleanOneLine(noticeOf(fact, language)),
    published: earlier(instant(fact.firstReleasedAt, 'firstReleasedAt'), retractedAt),
    updated: instant(fact.updatedAt, 'updatedAt'),
    language: cleanOneLine(language),
    retractedAt,
    mode: fact.state === 'purged' ? 'gone' : fact.retraction.mode,
  }
}

/**
 * An item for what the public may read, a notice for what was taken back. Pure. Throws `RejectError` `NEWSWIRE_FEEDS_RENDER` for a fact
 * that cannot be shown (an instant that is none), and for an editorial article, which must never get here.
 */
export const toFeedItem = (fact: Fact, profile: Profile): FeedItem | FeedNotice => {
  if (fact.state !== 'live') return toNotice(fact, profile)
  if (fact.article.audience !== 'public')
    throw new RejectError('NEWSWIRE_FEEDS_RENDER', `${fact.articleId} is for ${fact.article.audience} readers, not for a public feed`)
  return toItem(fact, profile)
}
