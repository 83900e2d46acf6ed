/** From an entry of a feed to an article as ingest takes it, under an id that is the same every time. Pure. */
import { withAncestors } from '@newswire/events/config'
import { articleType, languageTag } from '@newswire/events/config-words'
import { isLocalId, parseArticleId, sha256Hex } from '@newswire/events/ids'
import { cleanHtml } from '@newswire/events/markup'
import { findMarkupExcess } from '@newswire/events/markup-excess'
import { excerptOf } from '@newswire/feeds/excerpt'
import { bodyOf } from './feed-body.ts'
import type { FeedEntry, FeedPicture } from './feed-document.ts'

/** What is known of where it goes. */
export type Into = Readonly<{
  /** Host of the feed: ids that are no addresses are meant within it. */
  host: string
  /** `site.id`; `null` when it is not known. */
  siteId: string | null
  /** The one that it is imported as; `null` when it is not known. */
  publisher: string | null
  /** Configured categories: id → name and parent. */
  categories: ReadonlyMap<string, Readonly<{ name: string; parent?: string | undefined }>>
  /** Given to all. */
  everyCategory: readonly string[]
}>

type ToArticle = Readonly<{ ok: true; localId: string; article: Record<string, unknown> }> | Readonly<{ ok: false; reason: string }>

const READABLE = 60

/** Letters of an id or an address that a person may know it by. */
const readablePart = (id: string): string => {
  const path = URL.canParse(id) ? new URL(id).pathname.split('/').filter(Boolean).at(-1) : id
  let plain = path ?? ''
  try {
    plain = decodeURIComponent(plain)
  } catch {
    // A stray percent sign: taken as it stands.
  }
  return plain
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[đĐ]/g, 'd')
    .replace(/\.(html?|php|aspx?)$/i, '')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, READABLE)
    .replace(/-+$/, '')
}

type Where = Pick<Into, 'host' | 'siteId' | 'publisher'>

/**
 * The id that a feed of Newswire says itself. Bare only where it comes home: another publisher's has its publisher before it, so it never takes the place
 * of what was written here, or of a third one's.
 */
const ownLocalId = ({ own }: FeedEntry, { siteId, publisher }: Where): string | null => {
  const said = own === null ? null : parseArticleId(own.articleId)
  if (own === null || said === null) return null
  if (own.siteId === siteId && said.publisher === publisher) return said.localId
  return isLocalId(own.articleId) ? own.articleId : null
}

/** By what the feed identifies it, and by nothing that may change: a title may. */
export const localIdOf = (entry: FeedEntry, where: Where): string | null => {
  const ours = ownLocalId(entry, where)
  if (ours !== null) return ours
  const { id, link } = entry
  const identity = id || link
  if (identity === '') return null
  // An address or a tag is one in the whole world, "17" is one of this site's.
  const scope = /^[a-z][a-z0-9+.-]*:/i.test(identity) ? '' : `${where.host} `
  const localId = [readablePart(identity), sha256Hex(`${scope}${identity}`).slice(0, 12)].filter(Boolean).join('-')
  return isLocalId(localId) ? localId : null
}

const MAX_PICTURES = 100
const MAX_TAGS = 100
const isWeb = (url: string): boolean => url.length <= 2048 && /^https?:\/\//i.test(url) && URL.canParse(url)

const toImage = ({ url, caption, alt, credit, focus, role = 'inline' }: FeedPicture, index: number) => ({
  url,
  role: index === 0 ? 'lead' : role,
  ...(caption === '' ? {} : { caption: caption.slice(0, 2000) }),
  ...(alt === '' ? {} : { alt: alt.slice(0, 1000) }),
  ...(credit === '' ? {} : { credit: credit.slice(0, 500) }),
  ...(focus === undefined ? {} : { focus }),
})

const imagesOf = ({ pictures, base, html, own }: FeedEntry) =>
  pictures
    .map(one => ({ ...one, url: URL.parse(one.url, base || undefined)?.href ?? one.url }))
    .filter(({ url }, index) => isWeb(url) && (index === 0 || own !== null || html === null || !html.includes(url)))
    .slice(0, MAX_PICTURES)
    .map(toImage)

/** A feed names categories with all their parents. */
const withoutParents = (ids: readonly string[], known: Into['categories']): string[] =>
  ids.filter(id => !ids.some(other => other !== id && withAncestors(other, known).includes(id)))

const folded = (text: string): string => text.normalize('NFC').trim().toLowerCase()

/** Only what is configured is a category, by its id or its name; what else the feed files it under is a tag. */
const filingOf = ({ categories, tags }: FeedEntry, { categories: known, everyCategory }: Into) => {
  const byName = new Map(
    [...known].flatMap(([id, { name }]): [string, string][] => [
      [folded(id), id],
      [folded(name), id],
    ]),
  )
  const found = categories.map(one => ({
    ...one,
    known: (one.id !== null && known.has(one.id) ? one.id : byName.get(folded(one.name))) ?? null,
  }))
  const ids = [...new Set([...everyCategory, ...found.flatMap(one => one.known ?? [])])]
  const names = new Set(ids.flatMap(id => [folded(id), folded(known.get(id)?.name ?? id)]))
  const others = [...tags, ...found.filter(one => one.known === null).map(one => one.name)].map(tag => tag.trim())
  return {
    categories: withoutParents(ids, known).slice(0, 50),
    tags: [...new Set(others)]
      .filter(tag => tag !== '' && !names.has(folded(tag)))
      .map(tag => tag.slice(0, 200))
      .slice(0, MAX_TAGS),
  }
}

/** What our own feeds say beyond every standard, and what tells a feed that goes on from one that comes home. */
const ownFieldsOf = ({ own, author, summary, copyright }: FeedEntry, html: string, siteId: string | null) => {
  if (own === null) return null
  const urgency = Number(own.urgency)
  const kept = {
    dateline: own.dateline,
    aiUse: own.aiUse,
    storyId: own.story,
    translationOf: own.translationOf,
    duplicateOf: own.duplicateOf,
  }
  return {
    // Where there is no byline the feed names the publisher, and where there is no summary it gives the beginning of the body.
    byline: author === own.publisher ? '' : author,
    summary: summary === excerptOf(html) ? '' : summary,
    ...(articleType.safeParse(own.type).success ? { type: own.type } : {}),
    ...(Number.isInteger(urgency) && urgency >= 1 && urgency <= 8 ? { urgency } : {}),
    ...Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== '')),
    ...(own.correction === '' ? {} : { change: 'correction', correction: { note: own.correction } }),
    ...(copyright + own.usageTerms === '' ? {} : { rights: { copyright, usageTerms: own.usageTerms } }),
    ...(own.related.length === 0 ? {} : { related: own.related }),
    ...(own.expiresAt === null ? {} : { expiresAt: own.expiresAt }),
    // It came through that site, so it must not go back there; what comes home from itself did not.
    ...(siteId === null || siteId === own.siteId ? {} : { via: [own.siteId] }),
  }
}

/** The page of the article at its own site is no address of anybody else's. */
const isOwnPage = (link: string, { own }: FeedEntry, siteId: string | null): boolean =>
  own !== null && own.siteId === siteId && new URL(link).pathname === `/articles/${own.articleId}`

const titleOf = ({ title, summary, html }: FeedEntry): string => {
  if (title !== '') return title.slice(0, 1000)
  const words = summary || (html === null || findMarkupExcess(html) !== null ? '' : excerptOf(cleanHtml(html)))
  return words.length <= 100 ? words : `${words.slice(0, 100).replace(/\s+\S*$/, '')}…`
}

/** Throws nothing: what cannot be an article says why. */
export const toArticle = (entry: FeedEntry, into: Into): ToArticle => {
  const localId = localIdOf(entry, into)
  if (localId === null) return { ok: false, reason: 'it has neither an id nor a link, so it would be another article each time' }
  const title = titleOf(entry)
  const html = bodyOf(entry)
  const images = imagesOf(entry)
  if (title === '') return { ok: false, reason: 'it has no title, and no text to make one of' }
  if (html === '' && images.length === 0) return { ok: false, reason: 'it has no text and no picture' }
  const { author, source, copyright, language, publishedAt, updatedAt, link, summary } = entry
  const plain = { byline: author.slice(0, 500), source: source.slice(0, 500), summary: entry.html === null ? '' : summary.slice(0, 10_000) }
  const all = {
    ...plain,
    ...(copyright === '' ? {} : { rights: { copyright: copyright.slice(0, 500), usageTerms: '' } }),
    ...ownFieldsOf(entry, html, into.siteId),
  }
  return {
    ok: true,
    localId,
    article: {
      title,
      body: { html },
      ...filingOf(entry, into),
      ...Object.fromEntries(Object.entries(all).filter(([, value]) => value !== '')),
      ...(languageTag.safeParse(language).success ? { language } : {}),
      ...(publishedAt === null ? {} : { publishedAt }),
      ...(updatedAt === null || updatedAt === publishedAt ? {} : { updatedAt }),
      ...(isWeb(link) && !isOwnPage(link, entry, into.siteId) ? { canonicalUrl: link } : {}),
      ...(images.length === 0 ? {} : { images }),
    },
  }
}
