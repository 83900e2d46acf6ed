/** What a feed says of one article, before any format: the one place where a released fact becomes an item or a notice. */
import type { Picture, Rendition } from '@newswire/events/article'
import { type CategoryConfig, type FeedProfile, type PublisherConfig, type SiteConfig, withAncestors } from '@newswire/events/config'
import { RejectError } from '@newswire/events/errors'
import type { Fact, LiveFact } from '@newswire/events/fact'
import { toTagUri } from '@newswire/events/ids'
import {
  articleUrl,
  jpegWidths,
  leadPicture,
  noticeOf,
  pickRendition,
  renditionUrl,
  toContentHtml,
  toFactForAll,
} from '@newswire/events/public-article'
import { relatedOf, retractionTold } from '@newswire/events/references'
import { escapeMarkup } from '@newswire/events/text'
import { excerptOf } from './excerpt.ts'
import { profiles, type Rendering } from './profiles.ts'
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

export type Size = Readonly<{ url: string; type: string; width: number; height: number; bytes: number }>

/** A picture, at the size that is offered first. */
export type MediaItem = Size &
  Readonly<{
    /** All sizes, the one offered first before the others, widest first. */
    renditions: readonly Size[]
    thumbnail: Size | null
    role: Picture['role']
    caption: string
    alt: string
    credit: string
    focus: Readonly<{ x: number; y: number }> | null
    /** What to show until it has come. */
    preview: Picture['preview'] | null
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
  /** What RSS says for `pubDate`: `published`, or `updated` where a profile has it so. */
  pubDate: Date
  language: string
  dialect: Rendering['dialect']
}>

export type FeedItem = Common &
  Readonly<{
    kind: 'item'
    status: LiveFact['action']
    /** Plain text; the beginning of the body when the publisher gave no summary. */
    summary: string
    /** `null` in feeds of summaries, and when it is larger than a feed should carry. */
    html: string | null
    /** The byline, or the publisher where there is none: Atom wants one of every entry. */
    author: string
    publisher: string
    dateline: string
    /** Where the publisher has it from. */
    source: string
    categories: readonly Readonly<{ id: string; name: string }>[]
    tags: readonly string[]
    media: readonly MediaItem[]
    lead: MediaItem | null
    correction: string | null
    copyright: string
    usageTerms: string
    urgency: number
    type: string
    expires: Date | null
    aiUse: string
    story: string
    translationOf: string
    duplicateOf: string
    related: readonly string[]
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
const THUMBNAIL_WIDTH = 320

/** What campaigns append to addresses. */
const CAMPAIGN = /^(utm_\w+|fbclid|gclid)$/

const withoutCampaign = (url: URL): URL => {
  for (const name of [...url.searchParams.keys()]) if (CAMPAIGN.test(name)) url.searchParams.delete(name)
  return url
}

/** What browsers take behind a host and RFC 3986 does not: validators refuse a feed for one of them. */
const NO_URI = /[|^`{}\\[\]"<>]|%(?![0-9A-Fa-f]{2})|(?<=#.*)#/g

const toUri = (url: URL): string => {
  const path = url.href.indexOf('/', url.protocol.length + 2)
  return url.href.slice(0, path) + url.href.slice(path).replace(NO_URI, encodeURIComponent)
}

/** The publisher's own address when it is one, else the article's page here. */
const linkOf = (fact: LiveFact, site: SiteConfig, cleanLinks: boolean): string => {
  const url = fact.article.canonicalUrl === undefined ? null : URL.parse(fact.article.canonicalUrl)
  if (url === null || !/^https?:$/.test(url.protocol)) return new URL(articleUrl(site.publicUrl, fact.articleId)).href
  return toUri(cleanLinks ? withoutCampaign(url) : url)
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
  return source?.origin === own.origin ? toUri(source) : null
}

const earlier = (a: Date, b: Date): Date => (a < b ? a : b)

const publishedOf = (fact: LiveFact): Date => {
  const released = instant(fact.firstReleasedAt, 'firstReleasedAt')
  return fact.article.publishedAt === undefined ? released : earlier(instant(fact.article.publishedAt, 'publishedAt'), released)
}

const sizeOf = ({ key, type, width, height, bytes }: Rendition, site: SiteConfig): Size => ({
  url: new URL(renditionUrl(site.publicUrl, key)).href,
  type: cleanOneLine(type),
  width,
  height,
  bytes,
})

const mediaOf = (picture: Picture, site: SiteConfig): MediaItem | null => {
  const shown = picture.state === 'ready' ? pickRendition(picture, MEDIA_WIDTH) : null
  if (shown === null) return null
  // JPEG alone: aggregators take no AVIF, and a crop is no other size of the same picture (Media RSS groups are).
  const others = jpegWidths(picture)
    .toReversed()
    .filter(one => one !== shown)
  const renditions = [shown, ...others].map(one => sizeOf(one, site))
  const thumbnail = pickRendition(picture, THUMBNAIL_WIDTH)
  return {
    ...sizeOf(shown, site),
    renditions,
    thumbnail: thumbnail === null ? null : sizeOf(thumbnail, site),
    role: picture.role,
    caption: clean(picture.caption),
    alt: clean(picture.alt),
    credit: clean(picture.credit),
    focus: picture.focus ?? null,
    preview: picture.preview ?? null,
  }
}

const CORRECTION_LABELS: Record<string, string> = { vi: 'Đính chính', en: 'Correction' }

/** Characters of content above which an item says only its summary: fifty of the largest articles would be a feed of 100 MB. */
export const MAX_CONTENT = 500_000

const contentOf = (article: LiveFact['article'], site: SiteConfig, correction: string | null): string => {
  const html = toContentHtml(article, site.publicUrl)
  if (correction === null) return clean(html)
  const label = CORRECTION_LABELS[article.language.toLowerCase().split('-')[0] ?? ''] ?? CORRECTION_LABELS.en
  return clean(`${html}\n<p><strong>${label}:</strong> ${escapeMarkup(correction)}</p>`)
}

const categoriesOf = (fact: LiveFact, profile: Profile): FeedItem['categories'] => {
  const ids = new Set(fact.article.categories.flatMap(category => withAncestors(category, profile.categories)))
  return [...ids].map(id => ({ id: cleanOneLine(id), name: cleanOneLine(profile.categories.get(id)?.name ?? id) }))
}

const toItem = (fact: LiveFact, profile: Profile): FeedItem => {
  const { site } = profile
  const { pubDate, cleanLinks, picture, dialect } = profiles[profile.rules].render
  const { article } = toFactForAll(fact)
  const correction = article.correction === undefined ? null : clean(article.correction.note)
  const first = leadPicture(article)
  const ordered = first === null ? article.images : [first, ...article.images.filter(one => one !== first)]
  const media = ordered.flatMap(one => mediaOf(one, site) ?? []).filter(one => one.width >= picture.width && one.height >= picture.height)
  const published = publishedOf(fact)
  const updated = instant(fact.updatedAt, 'updatedAt')
  const publisher = cleanOneLine(profile.publishers.get(fact.publisher)?.name ?? fact.publisher)
  return {
    kind: 'item',
    id: toTagUri(site.id, fact.articleId),
    articleId: fact.articleId,
    version: fact.version,
    status: fact.action,
    link: linkOf(fact, site, cleanLinks),
    title: cleanOneLine(article.title),
    published,
    updated,
    pubDate: pubDate === 'updated' && updated > published ? updated : published,
    language: cleanOneLine(article.language),
    dialect,
    summary: clean(article.summary) || clean(excerptOf(article.body.html)),
    html: profile.content === 'full' && article.body.html.length <= MAX_CONTENT ? contentOf(article, site, correction) : null,
    author: cleanOneLine(article.byline) || publisher,
    publisher,
    dateline: cleanOneLine(article.dateline),
    source: cleanOneLine(article.source),
    categories: categoriesOf(fact, profile),
    tags: [...new Set(article.tags.map(cleanOneLine))].filter(tag => tag !== ''),
    media,
    lead: media[0] ?? null,
    correction,
    copyright: clean(article.rights?.copyright ?? ''),
    usageTerms: clean(article.rights?.usageTerms ?? ''),
    urgency: article.urgency,
    type: article.type,
    expires: article.expiresAt === undefined ? null : instant(article.expiresAt, 'expiresAt'),
    aiUse: cleanOneLine(article.aiUse ?? ''),
    story: cleanOneLine(article.storyId ?? ''),
    translationOf: cleanOneLine(article.translationOf ?? ''),
    duplicateOf: cleanOneLine(article.duplicateOf ?? ''),
    related: relatedOf(fact).map(cleanOneLine),
    ownPage: ownPageOf(fact, profile),
    publication: cleanOneLine(site.title),
  }
}

const toNotice = (fact: Exclude<Fact, LiveFact>, { site, rules }: Profile): FeedNotice => {
  const language = fact.facetsEver.languages[0] ?? site.language
  const { pubDate, dialect } = profiles[rules].render
  const retractedAt = instant(fact.releasedAt, 'releasedAt')
  const published = earlier(instant(fact.firstReleasedAt, 'firstReleasedAt'), retractedAt)
  return {
    kind: 'notice',
    id: toTagUri(site.id, fact.articleId),
    articleId: fact.articleId,
    version: fact.narrowed?.version ?? fact.version,
    link: new URL(articleUrl(site.publicUrl, fact.articleId)).href,
    title: cleanOneLine(noticeOf(fact, language)),
    published,
    updated: instant(fact.updatedAt, 'updatedAt'),
    pubDate: pubDate === 'updated' ? retractedAt : published,
    language: cleanOneLine(language),
    dialect,
    retractedAt,
    mode: fact.state === 'purged' ? 'gone' : retractionTold(fact).mode,
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
