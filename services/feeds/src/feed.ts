/**
 * RSS 2.0 and Atom 1.0 by the `feed` package, of which this is the only importer. What it does right is left to it: the order of elements, dates,
 * the feed's own links, `isPermaLink`, CDATA. What it does wrong, and what is done about it here (feed 6.0.0, xml-js 1.6.11):
 *
 * - One bad address, date or title throws for the whole feed. So each item is rendered in a feed of its own, cut out and joined: the joined bytes
 *   are those of one rendering with all items (tested), one more item costs one item, and a bad one is set aside alone.
 * - Characters that XML forbids pass through. `item.ts` and `shell.ts` hand over clean text only.
 * - Of several `]]>` in one text only the first is split; HTML comes with all of them as `]]&gt;`.
 * - xml-js turns `&amp;` in text into `&` before it escapes: text is escaped once before it (`forText`). Of attributes it escapes the quotes
 *   alone: the rest is done before it (`attribute`).
 * - An Atom title is HTML, so a headline with `<5%` in it loses words: written as a stand-in, replaced by a plain one in the cut fragment.
 * - Atom categories are malformed with `<`, an enclosure's media type is guessed from its address and has no length: written here.
 * - RSS `author` without an e-mail address is invalid: `dc:creator` in its place.
 * - No namespaces but its own, no extensions in Atom, no `xml:lang`: the root is replaced, elements go into the cut fragment (`elements.ts`).
 * - Without `updated` it reads the clock; it is always given.
 * - One `hub` and one self link for both formats: `feedLinks`, and the hub by its option, are right as they are.
 * - JSON Feed is version 1.0, without authors, language and attachments: `json-feed.ts` makes its own.
 */
import { type Extension, Feed, type FeedOptions, type Item } from 'feed'
import { type Element, itemElements, noticeElements, writeElements } from './elements.ts'
import type { FeedItem, FeedNotice, MediaItem } from './item.ts'
import type { Rendering } from './profiles.ts'
import type { FeedShell } from './shell.ts'
import { declare, escapeAttribute, escapeCdataHtml, escapeText, type Prefix } from './xml.ts'

export type XmlFormat = 'rss' | 'atom'
export type Shell = Readonly<{ head: string; foot: string }>

const DIALECT_PREFIXES: Record<Rendering['dialect'], readonly Prefix[]> = { none: [], msn: ['mi'], smartnews: ['snf'] }
const PREFIXES: Record<XmlFormat, readonly Prefix[]> = {
  rss: ['atom', 'content', 'dc', 'dcterms', 'media', 'nw'],
  atom: ['at', 'dc', 'dcterms', 'media', 'nw'],
}
/** The prefixes that the root of a format declares; nothing else may be used below it. */
export const prefixesOf = (format: XmlFormat, dialect: Rendering['dialect']): readonly Prefix[] => ROOTS[format][dialect]

const rootsOf = (format: XmlFormat) => ({
  none: PREFIXES[format],
  msn: [...PREFIXES[format], ...DIALECT_PREFIXES.msn],
  smartnews: [...PREFIXES[format], ...DIALECT_PREFIXES.smartnews],
})
const ROOTS = { rss: rootsOf('rss'), atom: rootsOf('atom') }

/** The inverse of what xml-js does to text first. */
const forText = (value: string): string => value.replace(/&/g, '&amp;')
const text = (value: string) => ({ _text: forText(value) })
/** xml-js escapes only the quotes of attributes. */
const attribute = (value: string): string => value.replace(/&/g, '&amp;').replace(/</g, '&lt;')

/** Stands where the package insists on a value that is overridden or cut away. */
const STAND_IN = '.'
/** Of a feed that is cut away. */
const NEVER = new Date(0)
/** `extensions` takes lists too, though its type does not say so. */
const extension = (name: string, objects: unknown): Extension => ({ name, objects: objects as Extension['objects'] })

const schemeOf = (item: FeedItem): string => `${item.id.slice(0, -item.articleId.length)}category`

// --- RSS ---------------------------------------------------------------------------------------------------------------------------

const RSS_ITEM = '\n        <item>'
const RSS_ITEM_END = '\n        </item>'
const RSS_INDENT = ' '.repeat(12)

const rssCategories = (item: FeedItem): Extension[] => {
  const categories = item.categories.map(one => ({ _attributes: { domain: attribute(schemeOf(item)) }, ...text(one.name) }))
  const all = [...categories, ...item.tags.map(text)]
  return all.length === 0 ? [] : [extension('category', all)]
}

const rssEnclosure = ({ url, type, bytes }: MediaItem): Extension =>
  extension('enclosure', { _attributes: { url: attribute(url), length: bytes, type: attribute(type) } })

const toRssItem = (item: FeedItem): Item => ({
  title: STAND_IN,
  guid: item.id,
  link: item.link,
  date: item.pubDate,
  ...(item.summary === '' ? {} : { description: STAND_IN }),
  ...(item.html ? { content: escapeCdataHtml(item.html) } : {}),
  extensions: [
    extension('title', text(item.title)),
    // Readers take a description for HTML (RSS profile): plain text is escaped as such, then once more as XML.
    ...(item.summary === '' ? [] : [extension('description', text(escapeText(item.summary)))]),
    ...rssCategories(item),
    ...(item.lead === null ? [] : [rssEnclosure(item.lead)]),
  ],
})

const toRssNotice = (notice: FeedNotice): Item => ({
  title: STAND_IN,
  guid: notice.id,
  link: notice.link,
  date: notice.pubDate,
  description: STAND_IN,
  extensions: [extension('title', text(notice.title)), extension('description', text(escapeText(notice.title)))],
})

/** Beside the elements that Atom has too: what Atom has elements of its own for. */
const rssElements = (item: FeedItem | FeedNotice): Element[] => {
  const language = { name: 'dc:language', content: item.language }
  if (item.kind === 'notice') return [language, ...noticeElements(item)]
  const rights = item.copyright === '' ? [] : [{ name: 'dc:rights', content: item.copyright }]
  return [{ name: 'dc:creator', content: item.author }, language, ...rights, ...itemElements(item)]
}

/** `body` is what the package wrote between the item's beginning and its end. */
const finishRssItem = (item: FeedItem | FeedNotice, body: string): string =>
  RSS_ITEM + body + writeElements(rssElements(item), RSS_INDENT) + RSS_ITEM_END

const rssFeedOf = (options: FeedOptions, items: readonly (FeedItem | FeedNotice)[]): string => {
  const feed = new Feed(options)
  for (const item of items) feed.addItem(item.kind === 'item' ? toRssItem(item) : toRssNotice(item))
  return feed.rss2()
}

const rssOptions = (shell: FeedShell): FeedOptions => ({
  title: forText(shell.title),
  description: forText(shell.description || shell.title),
  link: shell.home,
  language: shell.language,
  updated: shell.updated,
  generator: 'Newswire',
  feedLinks: { rss: shell.self.rss },
  ...(shell.hub === null ? {} : { hub: shell.hub }),
})

const LAST_BUILD = '\n        <lastBuildDate>'

/** With namespaces, and with the channel's `pubDate`, which SmartNews asks for. */
const withRssRoot = (xml: string, { dialect, updated }: FeedShell): string =>
  xml
    .replace(/<rss [^>]*>/, () => `<rss version="2.0"${declare(prefixesOf('rss', dialect))}>`)
    .replace(LAST_BUILD, () => `\n        <pubDate>${updated.toUTCString()}</pubDate>${LAST_BUILD}`)

/** What the package wrote for each item. Throws when HTML of one looks like the beginning of another; alone it is cut whole, and told by whoever checks it. */
const cut = (xml: string, start: string, end: string, count: number): readonly string[] => {
  if (count === 1) return [xml.slice(xml.indexOf(start) + start.length, xml.lastIndexOf(end))]
  const bodies = xml.split(start).slice(1)
  if (bodies.length !== count) throw new SyntaxError(`${count} items would be cut into ${bodies.length}`)
  return bodies.map(body => body.slice(0, body.lastIndexOf(end)))
}

const renderRssItems = (items: readonly (FeedItem | FeedNotice)[]): readonly string[] => {
  const bodies = cut(rssFeedOf({ title: STAND_IN, updated: NEVER }, items), RSS_ITEM, RSS_ITEM_END, items.length)
  return items.map((item, index) => finishRssItem(item, bodies[index] as string))
}

const renderRssShell = (shell: FeedShell): Shell => {
  const xml = withRssRoot(rssFeedOf(rssOptions(shell), []), shell)
  const end = xml.lastIndexOf('\n    </channel>')
  return { head: xml.slice(0, end), foot: `${xml.slice(end)}\n` }
}

const renderWholeRss = (shell: FeedShell, items: readonly (FeedItem | FeedNotice)[]): string => {
  const [head = '', ...bodies] = withRssRoot(rssFeedOf(rssOptions(shell), items), shell).split(RSS_ITEM)
  const finished = items.map((item, index) => finishRssItem(item, (bodies[index] ?? '').slice(0, bodies[index]?.lastIndexOf(RSS_ITEM_END))))
  const last = bodies.at(-1)
  return `${head}${finished.join('')}${last?.slice(last.lastIndexOf(RSS_ITEM_END) + RSS_ITEM_END.length) ?? ''}\n`
}

// --- Atom --------------------------------------------------------------------------------------------------------------------------

/** How each entry begins as the package writes it. No content can look like it: `]]>` is written as an entity there. */
const ATOM_ENTRY = `\n    <entry>\n        <title type="html"><![CDATA[${STAND_IN}]]></title>`
const ATOM_ENTRY_END = '\n    </entry>'
const ATOM_END = '\n</feed>'
const ATOM_INDENT = ' '.repeat(8)

const toAtomItem = (item: FeedItem): Item => ({
  title: STAND_IN,
  id: item.id,
  link: item.link,
  date: item.updated,
  published: item.published,
  ...(item.html ? { content: escapeCdataHtml(item.html) } : {}),
  author: [{ name: forText(item.author) }],
  ...(item.copyright === '' ? {} : { copyright: forText(item.copyright) }),
})

const atomCategories = (item: FeedItem): Element[] => [
  ...item.categories.map(({ id, name }) => ({ name: 'category', attributes: { term: id, scheme: schemeOf(item), label: name } })),
  ...item.tags.map(tag => ({ name: 'category', attributes: { term: tag, label: tag } })),
]

const atomEnclosure = ({ url, type, bytes }: MediaItem): Element => ({
  name: 'link',
  attributes: { rel: 'enclosure', href: url, type, length: bytes },
})

const atomElements = (item: FeedItem): Element[] => [
  ...(item.summary === '' ? [] : [{ name: 'summary', content: item.summary }]),
  ...atomCategories(item),
  ...(item.lead === null ? [] : [atomEnclosure(item.lead)]),
  ...itemElements(item),
]

/** An entry with what the package cannot say. `body` is what it wrote between the title and the entry's end. */
const finishAtomEntry = (item: FeedItem, body: string): string =>
  [
    `\n    <entry xml:lang="${escapeAttribute(item.language)}">\n        <title>${escapeText(item.title)}</title>`,
    body,
    writeElements(atomElements(item), ATOM_INDENT),
    ATOM_ENTRY_END,
  ].join('')

/** RFC 6721 §3. */
const renderAtomNotice = (notice: FeedNotice): string =>
  [
    `\n    <at:deleted-entry ref="${escapeAttribute(notice.id)}" when="${notice.retractedAt.toISOString()}">`,
    `\n        <at:comment xml:lang="${escapeAttribute(notice.language)}">${escapeText(notice.title)}</at:comment>`,
    '\n    </at:deleted-entry>',
  ].join('')

const atomFeedOf = (options: FeedOptions, items: readonly FeedItem[]): string => {
  const feed = new Feed(options)
  for (const item of items) feed.addItem(toAtomItem(item))
  return feed.atom1()
}

const atomOptions = (shell: FeedShell): FeedOptions => ({
  id: shell.id,
  title: forText(shell.title),
  ...(shell.description === '' ? {} : { description: forText(shell.description) }),
  link: shell.home,
  updated: shell.updated,
  generator: 'Newswire',
  author: { name: forText(shell.author) },
  feedLinks: { atom: shell.self.atom },
  ...(shell.hub === null ? {} : { hub: shell.hub }),
})

const withAtomRoot = (xml: string, { language, dialect }: FeedShell): string =>
  xml.replace(
    /<feed xmlns="[^"]*">/,
    root => `${root.slice(0, -1)}${declare(prefixesOf('atom', dialect))} xml:lang="${escapeAttribute(language)}">`,
  )

const renderAtomItems = (items: readonly (FeedItem | FeedNotice)[]): readonly string[] => {
  const entries = items.filter(one => one.kind === 'item')
  const bodies = cut(atomFeedOf({ title: STAND_IN, id: STAND_IN, updated: NEVER }, entries), ATOM_ENTRY, ATOM_ENTRY_END, entries.length)
  let next = 0
  return items.map(item => (item.kind === 'notice' ? renderAtomNotice(item) : finishAtomEntry(item, bodies[next++] as string)))
}

const renderAtomShell = (shell: FeedShell): Shell => {
  const xml = withAtomRoot(atomFeedOf(atomOptions(shell), []), shell)
  const end = xml.lastIndexOf(ATOM_END)
  return { head: xml.slice(0, end), foot: `${xml.slice(end)}\n` }
}

const renderWholeAtom = (shell: FeedShell, items: readonly FeedItem[], notices: readonly FeedNotice[]): string => {
  const [head = '', ...bodies] = withAtomRoot(atomFeedOf(atomOptions(shell), items), shell).split(ATOM_ENTRY)
  const end = bodies.length === 0 ? head.lastIndexOf(ATOM_END) : head.length
  const entries = items.map((item, index) =>
    finishAtomEntry(item, (bodies[index] ?? '').slice(0, bodies[index]?.lastIndexOf(ATOM_ENTRY_END))),
  )
  return [head.slice(0, end), ...notices.map(renderAtomNotice), ...entries, ATOM_END, '\n'].join('')
}

// --- both --------------------------------------------------------------------------------------------------------------------------

/**
 * Items as fragments of the document that `renderShell` opens and closes. Pure: the same item gives the same bytes, whatever it is rendered with; together
 * they cost half of what they cost one by one, most of which is the feed around them. Throws when one of them cannot be rendered.
 */
export const renderItems = (items: readonly (FeedItem | FeedNotice)[], format: XmlFormat): readonly string[] =>
  format === 'rss' ? renderRssItems(items) : renderAtomItems(items)

export const renderItem = (item: FeedItem | FeedNotice, format: XmlFormat): string => renderItems([item], format)[0] as string

export const renderShell = (shell: FeedShell, format: XmlFormat): Shell =>
  format === 'rss' ? renderRssShell(shell) : renderAtomShell(shell)

/** The same document in one rendering with all items, without fragments: what joining is held against. Notices come before entries in Atom. */
export const renderWhole = (shell: FeedShell, items: readonly (FeedItem | FeedNotice)[], format: XmlFormat): string =>
  format === 'rss'
    ? renderWholeRss(shell, items)
    : renderWholeAtom(
        shell,
        items.filter(one => one.kind === 'item'),
        items.filter(one => one.kind === 'notice'),
      )

/** A whole feed by the bare package, as a program without this module would: the floor that the benchmark holds us against. */
export const renderWithBareFeed = (shell: FeedShell, items: readonly FeedItem[], format: XmlFormat | 'json'): string => {
  const feed = new Feed({ ...atomOptions(shell), language: shell.language, feedLinks: shell.self })
  for (const item of items)
    feed.addItem({
      title: item.title,
      id: item.id,
      link: item.link,
      date: item.updated,
      published: item.published,
      description: item.summary,
      ...(item.html ? { content: item.html } : {}),
      author: [{ name: item.author }],
      category: item.categories.map(one => ({ name: one.name, term: one.id, domain: schemeOf(item), scheme: schemeOf(item) })),
    })
  return format === 'rss' ? feed.rss2() : format === 'atom' ? feed.atom1() : feed.json1()
}
