/** Atom 1.0 (RFC 4287) with Media RSS, deleted entries (RFC 6721) and archived feeds (RFC 5005). */
import { feedNamespaces as NS } from '@newswire/events/feed-namespaces'
import { htmlToWords } from '@newswire/events/markup'
import { escapeMarkup } from '@newswire/events/text'
import { type FeedDocument, type FeedEntry, parseTag, toInstant } from './feed-document.ts'
import { picturesOf } from './media.ts'
import { ownWordsOf } from './own-words.ts'
import { childrenOf, findAll, findFirst, said, textOf, toHtml, type XmlNode } from './xml.ts'

/** RFC 4287 §3.1: `text`, `html`, or `xhtml` within one `div`. */
const htmlOf = (construct: XmlNode | null): string | null => {
  if (construct === null) return null
  const { type = 'text', src } = construct.attributes
  if (src !== undefined) return null
  if (type === 'xhtml' || type === 'application/xhtml+xml') {
    const [only] = childrenOf(construct)
    return only?.name === 'div' ? toHtml(only) : toHtml(construct)
  }
  const text = textOf(construct).trim()
  if (text === '') return null
  return type === 'html' || type === 'text/html' ? text : `<p>${escapeMarkup(text)}</p>`
}

const plainOf = (construct: XmlNode | null): string => {
  const { type = 'text' } = construct?.attributes ?? {}
  if (type === 'text' || type === 'text/plain') return textOf(construct).trim()
  return htmlToWords(htmlOf(construct) ?? '')
}

const linkOf = (entry: XmlNode, rel: string): string =>
  findAll(entry, 'link', NS.atom).find(({ attributes }) => (attributes['rel'] ?? 'alternate') === rel)?.attributes['href'] ?? ''

/** Bases are nested: each is meant against the one around it (RFC 3986 §5.1). */
const within = (base: string, given: string | undefined): string =>
  given === undefined ? base : (URL.parse(given, base || undefined)?.href ?? base)

const categoriesOf = (entry: XmlNode, isOwn: boolean): Pick<FeedEntry, 'categories' | 'tags'> => {
  const all = findAll(entry, 'category', NS.atom)
    .map(({ attributes: { term = '', label = term, scheme } }) => ({ id: scheme === undefined ? null : term, name: label || term }))
    .filter(({ name }) => name !== '')
  return isOwn
    ? { categories: all.filter(one => one.id !== null), tags: all.filter(one => one.id === null).map(one => one.name) }
    : { categories: all, tags: [] }
}

const authorsOf = (node: XmlNode): string =>
  findAll(node, 'author', NS.atom)
    .map(one => said(one, 'name', NS.atom))
    .filter(name => name !== '')
    .join(', ')

type Feed = Readonly<{ language: string; base: string; author: string; rights: string }>

const toEntry = (entry: XmlNode, feed: Feed): FeedEntry => {
  const id = said(entry, 'id', NS.atom)
  const own = ownWordsOf(entry, parseTag(id))
  const content = findFirst(entry, 'content', NS.atom)
  const link = linkOf(entry, 'alternate')
  const around = within(feed.base, entry.attributes['xml:base'])
  const enclosures = findAll(entry, 'link', NS.atom)
    .filter(({ attributes }) => attributes['rel'] === 'enclosure')
    .map(({ attributes: { href = '', type = '' } }) => ({ url: within(around, href), type }))
  const source = findFirst(entry, 'source', NS.atom)
  return {
    id,
    link: within(around, link === '' ? undefined : link),
    title: plainOf(findFirst(entry, 'title', NS.atom)),
    summary: plainOf(findFirst(entry, 'summary', NS.atom)),
    html: htmlOf(content),
    base: within(around || link, content?.attributes['xml:base']),
    language: entry.attributes['xml:lang'] ?? feed.language,
    author: authorsOf(entry) || (source === null ? '' : authorsOf(source)) || feed.author,
    source: said(entry, 'source', NS.dc) || (source === null ? '' : plainOf(findFirst(source, 'title', NS.atom))),
    copyright: plainOf(findFirst(entry, 'rights', NS.atom)) || feed.rights,
    publishedAt: toInstant(said(entry, 'published', NS.atom)) ?? toInstant(said(entry, 'updated', NS.atom)),
    updatedAt: toInstant(said(entry, 'updated', NS.atom)),
    ...categoriesOf(entry, own !== null),
    pictures: picturesOf(entry, enclosures),
    isRetracted: said(entry, 'status', NS.nw) === 'retracted',
    own,
  }
}

/** What is left of an entry that was taken back: its id. */
const toDeleted = ({ attributes: { ref = '' } }: XmlNode): FeedEntry => ({
  id: ref,
  link: '',
  title: '',
  summary: '',
  html: null,
  base: '',
  language: '',
  author: '',
  source: '',
  copyright: '',
  publishedAt: null,
  updatedAt: null,
  categories: [],
  tags: [],
  pictures: [],
  isRetracted: true,
  own: null,
})

export const readAtom = (root: XmlNode): FeedDocument => {
  const feed: Feed = {
    language: root.attributes['xml:lang'] ?? '',
    base: root.attributes['xml:base'] ?? '',
    author: authorsOf(root),
    rights: plainOf(findFirst(root, 'rights', NS.atom)),
  }
  const older = linkOf(root, 'prev-archive')
  return {
    format: 'Atom',
    language: feed.language,
    older: older === '' ? null : older,
    entries: [...findAll(root, 'entry', NS.atom).map(one => toEntry(one, feed)), ...findAll(root, 'deleted-entry', NS.at).map(toDeleted)],
  }
}
