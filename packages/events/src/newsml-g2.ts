/**
 * An article as NewsML-G2 2.35 (IPTC), a news item at power level: what agencies' systems have read for long. Its text is inline as HTML, its pictures
 * are remote content, each with a part of the metadata of its own. Pure, and well-formed whatever the text has in it.
 */
import type { Article, Picture } from './article.ts'
import { withAncestors } from './config.ts'
import type { Fact, LiveFact } from './fact.ts'
import { toTagUri } from './ids.ts'
import { NATURE, type NinjsContext, shownPictures } from './ninjs.ts'
import { noticeOf, renditionUrl } from './public-article.ts'
import { cleanLine, cleanText, escapeMarkup } from './text.ts'

export const NEWSML_G2_TYPE = 'application/vnd.iptc.g2.newsitem+xml'

/** Of the schemes that qcodes below belong to. */
const CATALOG = 'http://www.iptc.org/std/catalog/catalog.IPTC-G2-Standards_40.xml'

/** An element, already written down. */
type Xml = string
type Attributes = Readonly<Record<string, string | number | undefined>>

/** Attributes without a value are left out. */
const element = (name: string, attributes: Attributes, content: readonly Xml[] = []): Xml => {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escapeMarkup(cleanLine(String(value)))}"`)
    .join('')
  const inside = content.filter(one => one !== '').join('')
  return inside === '' ? `<${name}${written}/>` : `<${name}${written}>${inside}</${name}>`
}
const text = (value: string): Xml => escapeMarkup(cleanText(value))
/** The schema takes most texts as one line only. */
const line = (value: string): Xml => escapeMarkup(cleanLine(value))
/** Nothing where there is no text. */
const named = (name: string, value = '', attributes: Attributes = {}): Xml =>
  cleanLine(value) === '' ? '' : element(name, attributes, [line(value)])
/** As `named`, with its lines. */
const block = (name: string, value = '', attributes: Attributes = {}): Xml =>
  cleanText(value) === '' ? '' : element(name, attributes, [text(value)])

const renditionId = (picture: number, rendition: number): string => `picture-${picture + 1}-${rendition + 1}`

const toPart = (picture: Picture, index: number): Xml =>
  element(
    'partMeta',
    { partid: `picture-${index + 1}`, contentrefs: picture.renditions.map((_, at) => renditionId(index, at)).join(' ') },
    [
      element('role', { qcode: picture.role === 'lead' ? 'prole:lead' : 'prole:inline' }),
      named('creditline', picture.credit),
      block('description', picture.caption, { role: 'drol:caption' }),
      block('description', picture.alt, { role: 'drol:altText' }),
    ],
  )

const toRemote = (picture: Picture, index: number, { site, renditionHref }: NinjsContext): readonly Xml[] =>
  picture.renditions.map(({ preset, key, type, width, height, bytes }, at) =>
    element('remoteContent', {
      id: renditionId(index, at),
      href: renditionHref?.(key) ?? renditionUrl(site.publicUrl, key),
      contenttype: type,
      size: bytes,
      width,
      height,
      rendition: `nwpreset:${preset}`,
    }),
  )

/** Every category with its ancestors, each once, nearest first: a receiver that knows only the top ones still files it right. */
const toSubjects = ({ categories: ids }: Article, { site, categories }: NinjsContext): readonly Xml[] =>
  [...new Set(ids.flatMap(id => withAncestors(id, categories)))].map(id =>
    element('subject', { type: 'cpnat:abstract', uri: `tag:${site.id}:category:${encodeURIComponent(id.toWellFormed())}`, literal: id }, [
      element('name', {}, [line(categories.get(id)?.name ?? id)]),
    ]),
  )

const toRights = ({ rights }: Article, publisher: Xml): Xml =>
  rights === undefined
    ? ''
    : element('rightsInfo', {}, [publisher, block('copyrightNotice', rights.copyright), block('usageTerms', rights.usageTerms)])

type Item = Readonly<{
  fact: Fact
  language: string
  nature: string
  pubStatus: 'usable' | 'canceled'
  rights?: Xml
  /** Of the management group, in the order of the schema: title, edNote, signal, altRep, expires. */
  management: readonly Xml[]
  embargoed?: string | undefined
  content: readonly Xml[]
}>

/** Who published it, as its provider and as the holder of its rights. */
const toPublisher = (name: string, { publisher }: Fact, { site, publishers }: NinjsContext): Xml =>
  element(name, { uri: `tag:${site.id}:publisher:${publisher}`, literal: publisher }, [
    element('name', {}, [line(publishers.get(publisher)?.name ?? publisher)]),
  ])

const toItem = ({ fact, language, nature, pubStatus, rights = '', management, embargoed, content }: Item, context: NinjsContext): Xml => {
  const { site } = context
  const itemMeta = element('itemMeta', {}, [
    element('itemClass', { qcode: `ninat:${nature}` }),
    toPublisher('provider', fact, context),
    element('versionCreated', {}, [fact.releasedAt]),
    element('firstCreated', {}, [fact.firstReleasedAt]),
    embargoed === undefined ? '' : element('embargoed', {}, [embargoed]),
    element('pubStatus', { qcode: `stat:${pubStatus}` }),
    ...management,
  ])
  const attributes = {
    xmlns: 'http://iptc.org/std/nar/2006-10-01/',
    guid: toTagUri(site.id, fact.articleId),
    version: fact.version,
    standard: 'NewsML-G2',
    standardversion: '2.35',
    conformance: 'power',
    'xml:lang': language,
  }
  const schemes = element('catalog', {}, [
    element('scheme', { alias: 'nwpreset', uri: `${site.publicUrl}/schemes/preset/` }),
    element('scheme', { alias: 'prole', uri: `${site.publicUrl}/schemes/picture-role/` }),
  ])
  const parts = [element('catalogRef', { href: CATALOG }), schemes, rights, itemMeta, ...content]
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('newsItem', attributes, parts)}\n`
}

/** Where the whole is, of what is not whole itself. */
const toAltRep = ({ detail = 'full', link }: NinjsContext): Xml =>
  detail === 'full' || !link ? '' : element('altRep', { contenttype: 'application/json' }, [text(link)])

const SIGNAL = { published: '', updated: 'sig:update', corrected: 'sig:correction' } as const

const toContentMeta = (article: Article, context: NinjsContext): Xml =>
  element('contentMeta', {}, [
    element('urgency', {}, [String(article.urgency)]),
    article.publishedAt === undefined ? '' : element('contentCreated', {}, [article.publishedAt]),
    article.updatedAt === undefined ? '' : element('contentModified', {}, [article.updatedAt]),
    cleanLine(article.dateline) === '' ? '' : element('located', { literal: article.dateline }, [named('name', article.dateline)]),
    cleanLine(article.source) === '' ? '' : element('infoSource', { literal: article.source }, [named('name', article.source)]),
    named('altId', article.canonicalUrl),
    element('language', { tag: article.language }),
    ...article.tags.map(tag => named('keyword', tag)),
    ...toSubjects(article, context),
    named('slugline', article.slug),
    named('headline', article.title),
    named('dateline', article.dateline),
    named('by', article.byline),
    block('description', article.summary, { role: 'drol:summary' }),
  ])

const toLive = (fact: LiveFact, context: NinjsContext): Xml => {
  const { article } = fact
  const { detail = 'full' } = context
  const signal = SIGNAL[fact.action] === '' ? '' : element('signal', { qcode: SIGNAL[fact.action] })
  const common = { fact, language: article.language, pubStatus: 'usable' as const, embargoed: article.embargoUntil }
  const altRep = toAltRep(context)
  if (detail === 'thin') return toItem({ ...common, nature: NATURE[article.type], management: [signal, altRep], content: [] }, context)
  const pictures = shownPictures(article)
  const body = detail === 'full' ? element('inlineData', { id: 'text', contenttype: 'text/html' }, [text(article.body.html)]) : ''
  const remote = pictures.flatMap((one, index) => toRemote(one, index, context))
  const expires = article.expiresAt === undefined ? '' : element('expires', {}, [article.expiresAt])
  return toItem(
    {
      ...common,
      nature: pictures.length > 0 && article.type !== 'video' ? 'composite' : NATURE[article.type],
      rights: toRights(article, toPublisher('copyrightHolder', fact, context)),
      management: [named('title', article.title), block('edNote', article.correction?.note), signal, altRep, expires],
      content: [
        toContentMeta(article, context),
        ...pictures.flatMap((one, index) => (one.renditions.length === 0 ? [] : [toPart(one, index)])),
        body === '' && remote.length === 0 ? '' : element('contentSet', {}, [body, ...remote]),
      ],
    },
    context,
  )
}

/**
 * What was taken back: `stat:canceled`, with the notice that readers get and nothing of the content. Also of a live article, for who may no longer
 * have it. `reason`: why, as far as the receiver may know.
 */
export const toCanceledNewsml = (fact: Fact, context: NinjsContext, reason?: string): string =>
  toItem(
    {
      fact,
      language: context.site.language,
      nature: 'text',
      pubStatus: 'canceled',
      management: [block('edNote', reason)],
      content: [element('contentMeta', {}, [block('description', noticeOf(fact, context.site.language), { role: 'drol:summary' })])],
    },
    context,
  )

/** The same fact and configuration give the same text. */
export const toNewsml = (fact: Fact, context: NinjsContext): string =>
  fact.state === 'live' ? toLive(fact, context) : toCanceledNewsml(fact, context)
