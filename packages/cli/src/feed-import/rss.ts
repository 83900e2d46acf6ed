/** RSS 2.0 (and 0.9x, which it grew from), with Dublin Core, content, Media RSS and Atom's links. */
import { feedNamespaces as NS } from '@newswire/events/feed-namespaces'
import { htmlToWords } from '@newswire/events/markup'
import { type FeedDocument, type FeedEntry, parseTag, toInstant } from './feed-document.ts'
import { picturesOf } from './media.ts'
import { ownWordsOf } from './own-words.ts'
import { findAll, findFirst, said, textOf, type XmlNode } from './xml.ts'

/** Titles are plain by the letter of RSS, and HTML by the habit of half its writers. Ours are plain. */
const titleOf = (item: XmlNode, isOwn: boolean): string => {
  const title = said(item, 'title')
  return isOwn || !/[<&]/.test(title) ? title : htmlToWords(title)
}

/** Ours is plain text, escaped as HTML, so that its lines stay as they are. */
const summaryOf = (description: string, isOwn: boolean): string =>
  isOwn
    ? description.replace(/&(lt|gt|amp);/g, (_, name: string) => ({ lt: '<', gt: '>', amp: '&' })[name] ?? '')
    : htmlToWords(description)

/** `name@example (Full Name)` is what RSS wants of an author, and a name is what most write. */
const authorOf = (item: XmlNode): string => {
  const creator = said(item, 'creator', NS.dc)
  if (creator !== '') return creator
  const author = said(item, 'author')
  return /\(([^()]*)\)\s*$/.exec(author)?.[1]?.trim() || (author.includes('@') ? '' : author)
}

/** A guid is an address unless it says otherwise (RSS 2.0, `isPermaLink`). */
const linkOf = (item: XmlNode): string => {
  const link = said(item, 'link')
  if (link !== '') return link
  const guid = findFirst(item, 'guid')
  const text = textOf(guid).trim()
  return guid !== null && guid.attributes['isPermaLink'] !== 'false' && /^https?:/.test(text) ? text : ''
}

const categoriesOf = (item: XmlNode, isOwn: boolean): Pick<FeedEntry, 'categories' | 'tags'> => {
  const all = findAll(item, 'category').map(one => ({ name: textOf(one).trim(), isOurs: isOwn && one.attributes['domain'] !== undefined }))
  const named = all.filter(({ name }) => name !== '')
  return {
    categories: named.filter(one => !isOwn || one.isOurs).map(({ name }) => ({ id: null, name })),
    tags: isOwn ? named.filter(one => !one.isOurs).map(({ name }) => name) : [],
  }
}

const toEntry = (item: XmlNode, language: string): FeedEntry => {
  const id = said(item, 'guid')
  const own = ownWordsOf(item, parseTag(id))
  const encoded = said(item, 'encoded', NS.content)
  const description = said(item, 'description')
  const hasBoth = encoded !== '' && description !== ''
  const link = linkOf(item)
  const enclosures = findAll(item, 'enclosure').map(({ attributes: { url = '', type = '' } }) => ({ url, type }))
  return {
    id,
    link,
    title: titleOf(item, own !== null),
    summary: hasBoth ? summaryOf(description, own !== null) : '',
    html: encoded || description || null,
    base: link,
    language: said(item, 'language', NS.dc) || language,
    author: authorOf(item),
    source: said(item, 'source', NS.dc) || said(item, 'source'),
    copyright: said(item, 'rights', NS.dc),
    publishedAt: toInstant(said(item, 'pubDate')) ?? toInstant(said(item, 'date', NS.dc)),
    updatedAt: toInstant(said(item, 'modified', NS.dcterms)) ?? toInstant(said(item, 'updated', NS.atom)),
    ...categoriesOf(item, own !== null),
    pictures: picturesOf(item, enclosures),
    isRetracted: said(item, 'status', NS.nw) === 'retracted' || said(item, 'status', NS.media) === 'deleted',
    own,
  }
}

/** `null` when there is no channel in it. */
export const readRss = (root: XmlNode): FeedDocument | null => {
  const channel = findFirst(root, 'channel')
  if (channel === null) return null
  const language = said(channel, 'language')
  const older = findAll(channel, 'link', NS.atom).find(({ attributes }) => attributes['rel'] === 'prev-archive')
  // Items stand beside the channel in RSS 0.9x.
  const items = [...findAll(channel, 'item'), ...findAll(root, 'item')]
  return { format: 'RSS', language, older: older?.attributes['href'] ?? null, entries: items.map(item => toEntry(item, language)) }
}
