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
import type { FeedItem, FeedNotice, MediaItem, Size } from './feed-item.ts'
import { profiles } from './profiles.ts'
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
    copyright: clean(picture.copyright ?? ''),
    usageTerms: clean(picture.usageTerms ?? ''),
    digitalSourceType: picture.digitalSourceType ?? '',
    dataMining: picture.dataMining ?? '',
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
    summary: clean(article.summary) || clean(excerptOf(article.body.html)) || (media.find(one => one.caption !== '')?.caption ?? ''),
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
    dataMining: article.rights?.dataMining ?? '',
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
