/**
 * What RSS and Atom say in the same words: Dublin Core, Media RSS, a partner's own elements, and ours (`nw:`, README.md) where nothing
 * standard fits; and beside it what each says in its own. As data first and text second, so that both formats carry the same. Pure.
 */
import type { FeedItem, FeedNotice, MediaItem } from './feed-item.ts'
import { escapeAttribute, escapeText } from './xml.ts'

type Element = Readonly<{
  name: string
  attributes?: Readonly<Record<string, string | number>>
  /** Text, or elements; none is an empty element. */
  content?: string | readonly Element[]
}>

const INDENT = '    '

/** Elements as text, each on a line of its own that begins with `indent`. Text must be clean. */
export const writeElements = (elements: readonly Element[], indent: string): string => {
  let xml = ''
  for (const { name, attributes, content } of elements) {
    let open = `\n${indent}<${name}`
    for (const key in attributes) open += ` ${key}="${escapeAttribute(String(attributes[key]))}"`
    if (content === undefined || content.length === 0) xml += `${open}/>`
    else if (typeof content === 'string') xml += `${open}>${escapeText(content)}</${name}>`
    else xml += `${open}>${writeElements(content, indent + INDENT)}\n${indent}</${name}>`
  }
  return xml
}

/** An element with text, or none when there is nothing to say. */
const said = (name: string, content: string | null): Element[] => (content === null || content === '' ? [] : [{ name, content }])

// --- pictures (Media RSS 1.5.1) ----------------------------------------------------------------------------------------------------

const contentsOf = ({ renditions }: MediaItem): Element[] =>
  renditions.map(({ url, type, width, height, bytes }, index) => ({
    name: 'media:content',
    attributes: {
      url,
      type,
      medium: 'image',
      width,
      height,
      fileSize: bytes,
      ...(renditions.length > 1 && index === 0 ? { isDefault: 'true' } : {}),
    },
  }))

const thumbnailOf = ({ thumbnail }: MediaItem): Element[] => {
  if (thumbnail === null) return []
  const { url, width, height } = thumbnail
  return [{ name: 'media:thumbnail', attributes: { url, width, height } }]
}

const wordsOf = (picture: MediaItem): Element[] => [
  ...(picture.caption === '' ? [] : [{ name: 'media:description', attributes: { type: 'plain' }, content: picture.caption }]),
  ...thumbnailOf(picture),
  ...said('media:credit', picture.credit),
  ...said('media:copyright', picture.copyright),
  ...said('nw:alt', picture.alt),
  ...said('nw:usageTerms', picture.usageTerms),
  ...said('nw:digitalSourceType', picture.digitalSourceType),
  ...said('nw:dataMining', picture.dataMining),
]

/** One picture: a group of its sizes, or, where there is one size, that alone (a group needs two). */
const toPicture = (picture: MediaItem): Element => {
  const contents = contentsOf(picture)
  const [only] = contents
  return only !== undefined && contents.length === 1
    ? { ...only, content: wordsOf(picture) }
    : { name: 'media:group', content: [...contents, ...wordsOf(picture)] }
}

/** MSN takes a group for a slide show, and wants its own words: title, alternative text, rights, and where to cut. */
const toMsnPicture = (picture: MediaItem): Element => {
  const [largest] = contentsOf({ ...picture, renditions: picture.renditions.slice(0, 1) })
  const { focus, width, height } = picture
  const region = (axis: 'x' | 'y', share: number, size: number) =>
    [1, 2].map(corner => ({ name: `mi:${axis}${corner}`, content: String(Math.round(share * size)) }))
  return {
    name: 'media:content',
    ...largest,
    content: [
      ...said('media:title', picture.caption),
      ...said('media:text', picture.alt),
      ...thumbnailOf(picture),
      ...said('media:credit', picture.credit),
      ...said('media:copyright', picture.copyright),
      { name: 'mi:hasSyndicationRights', content: '1' },
      ...(focus === null ? [] : [{ name: 'mi:focalRegion', content: [...region('x', focus.x, width), ...region('y', focus.y, height)] }]),
    ],
  }
}

// --- items -------------------------------------------------------------------------------------------------------------------------

/** DCMI Period, as the terms that hold one want it. */
const period = (start: Date, end: Date): string => `start=${start.toISOString()}; end=${end.toISOString()}; scheme=W3C-DTF`

/** MSN refuses longer titles unless a short one comes with them. */
const SHORT_TITLE = 150

const shortTitleOf = (title: string): Element[] => {
  if (title.length <= SHORT_TITLE) return []
  const cut = title.slice(0, SHORT_TITLE)
  const space = cut.lastIndexOf(' ')
  return said('mi:shortTitle', `${cut.slice(0, space > 0 ? space : SHORT_TITLE - 1).toWellFormed()}…`)
}

const dialectOf = (item: FeedItem): Element[] => {
  if (item.dialect === 'msn') return [...shortTitleOf(item.title), ...item.media.map(toMsnPicture)]
  const pictures = item.media.map(toPicture)
  return item.dialect === 'smartnews' && item.lead !== null
    ? [{ name: 'media:thumbnail', attributes: { url: item.lead.url } }, ...pictures]
    : pictures
}

/** What an item says beyond what RSS and Atom have elements of their own for. */
export const itemElements = (item: FeedItem): Element[] => [
  ...said('dc:publisher', item.publisher),
  ...said('dc:source', item.source),
  { name: 'dcterms:modified', content: item.updated.toISOString() },
  ...(item.expires === null ? [] : [{ name: 'dcterms:valid', content: period(item.published, item.expires) }]),
  { name: 'nw:version', content: String(item.version) },
  { name: 'nw:status', content: item.status },
  { name: 'nw:type', content: item.type },
  { name: 'nw:urgency', content: String(item.urgency) },
  ...said('nw:dateline', item.dateline),
  ...said('nw:correction', item.correction),
  ...said('nw:usageTerms', item.usageTerms),
  ...said('nw:dataMining', item.dataMining),
  ...said('nw:aiUse', item.aiUse),
  ...said('nw:story', item.story),
  ...said('nw:translationOf', item.translationOf),
  ...said('nw:duplicateOf', item.duplicateOf),
  ...item.related.flatMap(one => said('nw:related', one)),
  ...dialectOf(item),
]

/** What an RSS notice says beside title and description. SmartNews takes an article down by Media RSS's status, as text. */
const noticeElements = (notice: FeedNotice): Element[] => [
  { name: 'dcterms:modified', content: notice.retractedAt.toISOString() },
  { name: 'dcterms:valid', content: period(notice.published, notice.retractedAt) },
  { name: 'nw:version', content: String(notice.version) },
  { name: 'nw:status', content: 'retracted' },
  // As text for SmartNews, and as Media RSS 1.5.1 has it: a strict reader refuses a feed with a status that has no state.
  ...(notice.dialect === 'smartnews' ? [{ name: 'media:status', attributes: { state: 'deleted' }, content: 'deleted' }] : []),
]

export const schemeOf = (item: FeedItem): string => `${item.id.slice(0, -item.articleId.length)}category`

const rssCategories = (item: FeedItem): Element[] => [
  ...item.categories.map(one => ({ name: 'category', attributes: { domain: schemeOf(item) }, content: one.name })),
  ...item.tags.map(tag => ({ name: 'category', content: tag })),
]

const rssEnclosure = ({ url, type, bytes }: MediaItem): Element => ({ name: 'enclosure', attributes: { url, length: bytes, type } })

/** What an item or a notice says beside what the package writes. */
export const rssElements = (item: FeedItem | FeedNotice): Element[] => {
  const language = { name: 'dc:language', content: item.language }
  if (item.kind === 'notice') return [language, ...noticeElements(item)]
  return [
    ...rssCategories(item),
    ...(item.lead === null ? [] : [rssEnclosure(item.lead)]),
    { name: 'dc:creator', content: item.author },
    language,
    ...(item.copyright === '' ? [] : [{ name: 'dc:rights', content: item.copyright }]),
    ...itemElements(item),
  ]
}

const atomCategories = (item: FeedItem): Element[] => [
  ...item.categories.map(({ id, name }) => ({ name: 'category', attributes: { term: id, scheme: schemeOf(item), label: name } })),
  ...item.tags.map(tag => ({ name: 'category', attributes: { term: tag, label: tag } })),
]

const atomEnclosure = ({ url, type, bytes }: MediaItem): Element => ({
  name: 'link',
  attributes: { rel: 'enclosure', href: url, type, length: bytes },
})

/** What an entry says beside what the package writes. */
export const atomElements = (item: FeedItem): Element[] => [
  ...(item.summary === '' ? [] : [{ name: 'summary', content: item.summary }]),
  ...atomCategories(item),
  ...(item.lead === null ? [] : [atomEnclosure(item.lead)]),
  ...itemElements(item),
]
