/**
 * An article as ninjs 3.1 (IPTC, "News in JSON", schema `ninjs-schema_3.1.json`): what news systems read without knowing us. The article is one
 * news object of nature `text` (or `video`), its pictures are associated news objects with a rendition each for every size that there is.
 */
import type { Article, Picture } from './article.ts'
import { type CategoryConfig, type PublisherConfig, type SiteConfig, withAncestors } from './config.ts'
import type { Fact, LiveFact } from './fact.ts'
import { toTagUri } from './ids.ts'
import { noticeOf, renditionUrl } from './public-article.ts'

export type NinjsContext = Readonly<{
  site: Pick<SiteConfig, 'id' | 'publicUrl' | 'language'>
  categories: ReadonlyMap<string, CategoryConfig>
  publishers: ReadonlyMap<string, Pick<PublisherConfig, 'name'>>
  /** Where a rendition is, by the key of its object (default: at the gateway). */
  renditionHref?: (key: string) => string
  /**
   * The file beside the document that has it (default: none). It is the rendition's `title`, because the schema wants an address with a scheme
   * for `href`.
   */
  renditionFile?: (key: string) => string | null
  /** `digest`: without the body; `thin`: its identity alone (default: all of it). */
  detail?: 'full' | 'digest' | 'thin'
  /** Where the whole article is, as JSON: named by what is not whole itself. */
  link?: string | null
}>

const STANDARD = { name: 'ninjs', version: '3.1', schema: 'http://www.iptc.org/std/ninjs/ninjs-schema_3.1.json#' } as const
/** `live` is a text that grows, `gallery` a text with pictures: its pictures are associations like any other's. */
export const NATURE = { article: 'text', live: 'text', gallery: 'composite', video: 'video' } as const satisfies Record<
  Article['type'],
  string
>

const plain = (role: string, value: string) => ({ role, contentType: 'text/plain', value })
/** An empty text says nothing, so its property is left out. */
const unlessEmpty = <K extends string>(name: K, value: string | undefined): { [P in K]?: string } =>
  value === undefined || value === '' ? {} : ({ [name]: value } as { [P in K]?: string })

const toPicture = (
  picture: Picture,
  index: number,
  { site, renditionHref = key => renditionUrl(site.publicUrl, key), renditionFile = () => null }: NinjsContext,
) => ({
  name: `picture-${index + 1}`,
  rel: picture.role,
  uri: `newswire:${picture.sha256}`,
  type: 'picture',
  ...unlessEmpty('by', picture.credit),
  descriptions: [
    ...(picture.caption === '' ? [] : [plain('caption', picture.caption)]),
    ...(picture.alt === '' ? [] : [plain('altText', picture.alt)]),
  ],
  renditions: picture.renditions.map(({ preset, key, type, width, height, bytes }) => ({
    // A name says which one, so it says the format too where that is not the one that everybody takes.
    name: type === 'image/jpeg' ? preset : `${preset}-${type.slice(type.indexOf('/') + 1)}`,
    href: renditionHref(key),
    ...unlessEmpty('title', renditionFile(key) ?? ''),
    contentType: type,
    width,
    height,
    sizeInBytes: bytes,
  })),
})

export const shownPictures = ({ images }: Article): readonly Picture[] =>
  images.filter(one => one.state === 'ready' && one.sha256 !== undefined)

/** Every category with its ancestors, each once, nearest first: a receiver that knows only the top ones still files it right. */
const toSubjects = ({ categories: ids, tags }: Article, { site, categories }: NinjsContext) => [
  ...[...new Set(ids.flatMap(id => withAncestors(id, categories)))].map(id => ({
    name: categories.get(id)?.name ?? id,
    rel: 'category',
    uri: `tag:${site.id}:category:${id}`,
    literal: id,
  })),
  ...tags.map(tag => ({ name: tag, rel: 'keyword', literal: tag })),
]

const identityOf = (fact: Fact, site: NinjsContext['site']) => ({
  uri: toTagUri(site.id, fact.articleId),
  standard: STANDARD,
  version: String(fact.version),
  firstCreated: fact.firstReleasedAt,
  versionCreated: fact.releasedAt,
  altIds: [
    { role: 'articleId', value: fact.articleId },
    ...(fact.sourceVersion === undefined ? [] : [{ role: 'sourceVersion', value: String(fact.sourceVersion) }]),
  ],
})

const partial = (link: NinjsContext['link']) => ({
  representationType: 'partial',
  pubStatus: 'usable',
  ...(link ? { renditions: [{ name: 'full', href: link, contentType: 'application/json' }] } : {}),
})

const toLive = (fact: LiveFact, context: NinjsContext) => {
  const { article } = fact
  const { site, publishers, detail = 'full', link } = context
  const identity = identityOf(fact, site)
  if (detail === 'thin') return { ...identity, type: NATURE[article.type], ...partial(link) }
  return {
    ...identity,
    altIds: [...identity.altIds, ...(article.canonicalUrl === undefined ? [] : [{ role: 'canonicalUrl', value: article.canonicalUrl }])],
    type: NATURE[article.type],
    ...(detail === 'full' ? { representationType: 'full', pubStatus: 'usable' } : partial(link)),
    ...unlessEmpty('contentCreated', article.publishedAt),
    ...unlessEmpty('embargoedUntil', article.embargoUntil),
    ...unlessEmpty('expires', article.expiresAt),
    urgency: article.urgency,
    language: article.language,
    title: article.title,
    headlines: [plain('main', article.title)],
    descriptions: article.summary === '' ? [] : [plain('summary', article.summary)],
    ...(detail === 'full' ? { bodies: [{ role: 'main', contentType: 'text/html', value: article.body.html }] } : {}),
    ...unlessEmpty('by', article.byline),
    ...unlessEmpty('located', article.dateline),
    ...unlessEmpty('slugline', article.slug),
    ...unlessEmpty('edNote', article.correction?.note),
    ...unlessEmpty('copyrightNotice', article.rights?.copyright),
    ...unlessEmpty('usageTerms', article.rights?.usageTerms),
    infoSources: [
      { name: publishers.get(fact.publisher)?.name ?? fact.publisher, role: 'publisher', literal: fact.publisher },
      ...(article.source === '' ? [] : [{ name: article.source, role: 'source' }]),
    ],
    subjects: toSubjects(article, context),
    associations: shownPictures(article).map((one, index) => toPicture(one, index, context)),
  }
}

/**
 * What was taken back: `canceled`, with the notice that readers get and nothing of the content. Also of a live article, for who may no longer have
 * it. `reason`: why, as far as the receiver may know.
 */
export const toCanceledNinjs = (fact: Fact, { site }: NinjsContext, reason?: string) => ({
  ...identityOf(fact, site),
  type: 'text',
  representationType: 'partial',
  pubStatus: 'canceled',
  ...unlessEmpty('edNote', reason),
  descriptions: [plain('notice', noticeOf(fact, site.language))],
})

/** Pure: the same fact and configuration give the same object. Text is as the article has it; nothing is escaped but by JSON itself. */
export const toNinjs = (fact: Fact, context: NinjsContext) =>
  fact.state === 'live' ? toLive(fact, context) : toCanceledNinjs(fact, context)
