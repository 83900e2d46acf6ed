/**
 * RSS 2.0 and Atom 1.0 by the `feed` package, of which this is the only importer. What it does right is left to it: the order of elements, dates,
 * the feed's own links, `isPermaLink`, CDATA. What it does wrong, and what is done about it here (feed 6.0.0, xml-js 1.6.11):
 *
 * - One bad address, date or title throws for the whole feed. So each item is rendered alone and joined: the joined bytes are those of one rendering
 *   with all items (tested), one more item costs one item, and a bad one is set aside alone.
 * - It takes ten times as long as writing (xml-js copies every text once for each level above it). So it shows once how an item of each shape is written
 *   (`learnt.ts`), and values are put in its words from then on: byte for byte what it would write itself (tested with hostile ones).
 * - Characters that XML forbids pass through. `item.ts` and `shell.ts` hand over clean text only.
 * - Of several `]]>` in one text only the first is split; HTML comes with all of them as `]]&gt;`.
 * - xml-js turns `&amp;` in text into `&` before it escapes: text is escaped once before it (`forText`). Of attributes it escapes the quotes
 *   alone: those with strangers' text are written here.
 * - An Atom title is HTML, so a headline with `<5%` in it loses words: written as a stand-in, replaced by a plain one in the cut fragment.
 * - Categories are malformed with `<` in Atom, and an enclosure's media type is guessed from its address: both are written here.
 * - RSS `author` without an e-mail address is invalid: `dc:creator` in its place.
 * - No namespaces but its own, no extensions in Atom, no `xml:lang`: the root is replaced, elements go into the cut fragment (`elements.ts`).
 * - Without `updated` it reads the clock; it is always given.
 * - One `hub` and one self link for both formats: `feedLinks`, and the hub by its option, are right as they are.
 * - JSON Feed is version 1.0, without authors, language and attachments: `json-feed.ts` makes its own.
 */
import { type Extension, Feed, type FeedOptions, type Item } from 'feed'
import { atomElements, rssElements, schemeOf, writeElements } from './elements.ts'
import type { Dialect, FeedItem, FeedNotice } from './feed-item.ts'
import { createLearnt } from './learnt.ts'
import type { FeedShell } from './shell.ts'
import { declare, escapeAttribute, escapeCdataHtml, escapeText, type Prefix } from './xml.ts'

export type XmlFormat = 'rss' | 'atom'
export type Shell = Readonly<{ head: string; foot: string }>

const DIALECT_PREFIXES: Record<Dialect, readonly Prefix[]> = { none: [], msn: ['mi'], smartnews: ['snf'] }
const PREFIXES: Record<XmlFormat, readonly Prefix[]> = {
  rss: ['atom', 'content', 'dc', 'dcterms', 'media', 'nw'],
  atom: ['at', 'dc', 'dcterms', 'media', 'nw'],
}
/** The prefixes that the root of a format declares; nothing else may be used below it. */
export const prefixesOf = (format: XmlFormat, dialect: Dialect): readonly Prefix[] => ROOTS[format][dialect]

const rootsOf = (format: XmlFormat) => ({
  none: PREFIXES[format],
  msn: [...PREFIXES[format], ...DIALECT_PREFIXES.msn],
  smartnews: [...PREFIXES[format], ...DIALECT_PREFIXES.smartnews],
})
const ROOTS = { rss: rootsOf('rss'), atom: rootsOf('atom') }

/** The inverse of what xml-js does to text first. */
const forText = (value: string): string => value.replace(/&/g, '&amp;')
const text = (value: string) => ({ _text: forText(value) })

/** Stands where the package insists on a value that is overridden or cut away. */
const STAND_IN = '.'
/** Of a feed that is cut away. */
const NEVER = new Date(0)
/** `extensions` takes lists too, though its type does not say so. */
const extension = (name: string, objects: unknown): Extension => ({ name, objects: objects as Extension['objects'] })

/** What the package wrote of the one item of a feed. */
const cut = (xml: string, start: string, end: string): string => xml.slice(xml.indexOf(start) + start.length, xml.lastIndexOf(end))

// --- RSS ---------------------------------------------------------------------------------------------------------------------------

const RSS_ITEM = '\n        <item>'
const RSS_ITEM_END = '\n        </item>'
const RSS_INDENT = ' '.repeat(12)

/** What the package writes of an item or a notice; `summary` is what stands in the description. */
type RssWords = Pick<FeedItem, 'id' | 'link' | 'title' | 'pubDate' | 'summary' | 'html'>

const rssWordsOf = (item: FeedItem | FeedNotice): RssWords => (item.kind === 'item' ? item : { ...item, summary: item.title, html: null })

const toRssItem = ({ id, link, title, pubDate, summary, html }: RssWords): Item => ({
  title: STAND_IN,
  guid: id,
  link,
  date: pubDate,
  ...(summary === '' ? {} : { description: STAND_IN }),
  ...(html ? { content: escapeCdataHtml(html) } : {}),
  extensions: [
    extension('title', text(title)),
    // Readers take a description for HTML (RSS profile): plain text is escaped as such, then once more as XML.
    ...(summary === '' ? [] : [extension('description', text(escapeText(summary)))]),
  ],
})

/** `body` is what the package writes between the item's beginning and its end. */
const finishRssItem = (item: FeedItem | FeedNotice, body: string): string =>
  RSS_ITEM + body + writeElements(rssElements(item), RSS_INDENT) + RSS_ITEM_END

const rssFeedOf = (options: FeedOptions, items: readonly RssWords[]): string => {
  const feed = new Feed(options)
  for (const item of items) feed.addItem(toRssItem(item))
  return feed.rss2()
}

const writeRssWords = createLearnt<RssWords>({
  render: item => cut(rssFeedOf({ title: STAND_IN, updated: NEVER }, [item]), RSS_ITEM, RSS_ITEM_END),
  blank: { id: '', link: '', title: '', pubDate: NEVER, summary: '', html: null },
  places: [
    { write: ({ title }) => escapeText(title), standIn: { title: 'the title' } },
    { write: ({ link }) => escapeText(new URL(link).href), standIn: { link: 'https://example.invalid/link' } },
    { write: ({ id }) => escapeText(id), standIn: { id: 'the identity' } },
    { write: ({ pubDate }) => pubDate.toUTCString(), standIn: { pubDate: new Date(1) } },
    { write: ({ summary }) => escapeText(escapeText(summary)), standIn: { summary: 'the summary' } },
    { write: ({ html }) => escapeCdataHtml(html ?? ''), standIn: { html: 'the content' } },
  ],
})

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

const renderRssItem = (item: FeedItem | FeedNotice): string => finishRssItem(item, writeRssWords(rssWordsOf(item)))

const renderRssShell = (shell: FeedShell): Shell => {
  const xml = withRssRoot(rssFeedOf(rssOptions(shell), []), shell)
  const end = xml.lastIndexOf('\n    </channel>')
  return { head: xml.slice(0, end), foot: `${xml.slice(end)}\n` }
}

const renderWholeRss = (shell: FeedShell, items: readonly (FeedItem | FeedNotice)[]): string => {
  const [head = '', ...bodies] = withRssRoot(rssFeedOf(rssOptions(shell), items.map(rssWordsOf)), shell).split(RSS_ITEM)
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

/** What the package writes of an entry. */
type AtomWords = Pick<FeedItem, 'id' | 'link' | 'updated' | 'html' | 'author' | 'published' | 'copyright'>

const toAtomItem = (item: AtomWords): Item => ({
  title: STAND_IN,
  id: item.id,
  link: item.link,
  date: item.updated,
  published: item.published,
  ...(item.html ? { content: escapeCdataHtml(item.html) } : {}),
  author: [{ name: forText(item.author) }],
  ...(item.copyright === '' ? {} : { copyright: forText(item.copyright) }),
})

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

const atomFeedOf = (options: FeedOptions, items: readonly AtomWords[]): string => {
  const feed = new Feed(options)
  for (const item of items) feed.addItem(toAtomItem(item))
  return feed.atom1()
}

const writeAtomWords = createLearnt<AtomWords>({
  render: item => cut(atomFeedOf({ title: STAND_IN, id: STAND_IN, updated: NEVER }, [item]), ATOM_ENTRY, ATOM_ENTRY_END),
  blank: { id: '', link: '', updated: NEVER, html: null, author: '', published: NEVER, copyright: '' },
  places: [
    { write: ({ id }) => escapeText(new URL(id).href), standIn: { id: 'tag:example.invalid,2026:id' } },
    { write: ({ link }) => escapeAttribute(new URL(link).href), standIn: { link: 'https://example.invalid/link' } },
    { write: ({ updated }) => updated.toISOString(), standIn: { updated: new Date(1) } },
    { write: ({ html }) => escapeCdataHtml(html ?? ''), standIn: { html: 'the content' } },
    { write: ({ author }) => escapeText(author), standIn: { author: 'the author' } },
    { write: ({ published }) => published.toISOString(), standIn: { published: new Date(2) } },
    { write: ({ copyright }) => escapeText(copyright), standIn: { copyright: 'the copyright' } },
  ],
})

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

const renderAtomEntry = (item: FeedItem): string => finishAtomEntry(item, writeAtomWords(item))

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

/** An item as a fragment of the document that `renderShell` opens and closes. Pure. Throws when it cannot be rendered. */
export const renderItem = (item: FeedItem | FeedNotice, format: XmlFormat): string => {
  if (format === 'rss') return renderRssItem(item)
  return item.kind === 'notice' ? renderAtomNotice(item) : renderAtomEntry(item)
}

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
