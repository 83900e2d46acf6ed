/**
 * RSS 2.0 and Atom 1.0 by the `feed` package, of which this is the only importer. Left alone it writes malformed XML for hostile text,
 * knows no namespaces and throws for a whole feed on one bad value, so each item is rendered in a feed of its own, cut out and joined:
 * the joined bytes are those of one rendering with all items (tested), and one more item costs one item.
 *
 * What the package cannot write goes in through its `extensions` in RSS, which may override any element, and into the cut fragment in
 * Atom, where it has none. Its serializer (xml-js) turns `&amp;` in text into `&` before it escapes, so text is escaped once before it.
 */
import { type Extension, Feed, type FeedOptions, type Item } from 'feed'
import type { FeedItem, FeedNotice, MediaItem } from './item.ts'
import type { FeedShell } from './shell.ts'
import { escapeAttribute, escapeCdataHtml, escapeText, namespaces } from './xml.ts'

export type XmlFormat = 'rss' | 'atom'
export type Shell = Readonly<{ head: string; foot: string }>

/** The inverse of what xml-js does to text first. */
const forText = (value: string): string => value.replace(/&/g, '&amp;')
const text = (value: string) => ({ _text: forText(value) })
/** xml-js escapes only the quotes of attributes. */
const attribute = (value: string): string => value.replace(/&/g, '&amp;').replace(/</g, '&lt;')

/** Stands where the package insists on a value that is overridden or cut away. */
const STAND_IN = '.'
/** `extensions` takes lists too, though its type does not say so. */
const extension = (name: string, objects: unknown): Extension => ({ name, objects: objects as Extension['objects'] })

// --- RSS ---------------------------------------------------------------------------------------------------------------------------

const rssMedia = (media: MediaItem) => ({
  _attributes: {
    url: attribute(media.url),
    type: attribute(media.type),
    medium: 'image',
    width: media.width,
    height: media.height,
    fileSize: media.bytes,
  },
  ...(media.caption === '' ? {} : { 'media:description': { _attributes: { type: 'plain' }, ...text(media.caption) } }),
  ...(media.credit === '' ? {} : { 'media:credit': text(media.credit) }),
})

const rssCategories = (item: FeedItem, scheme: string) => [
  ...item.categories.map(one => ({ _attributes: { domain: attribute(scheme) }, ...text(one.name) })),
  ...item.tags.map(text),
]

const rssExtensions = (item: FeedItem): Extension[] => {
  const categories = rssCategories(item, schemeOf(item))
  return [
    extension('title', text(item.title)),
    // Readers take a description for HTML (RSS profile): plain text is escaped as such, then once more as XML.
    ...(item.summary === '' ? [] : [extension('description', text(escapeText(item.summary)))]),
    extension('dc:creator', text(item.author)),
    extension('dc:language', text(item.language)),
    ...(item.copyright === '' ? [] : [extension('dc:rights', text(item.copyright))]),
    extension('dcterms:modified', text(item.updated.toISOString())),
    ...(item.correction === null ? [] : [extension('dcterms:provenance', text(item.correction))]),
    ...(categories.length === 0 ? [] : [extension('category', categories)]),
    ...(item.lead === null
      ? []
      : [
          extension('enclosure', {
            _attributes: { url: attribute(item.lead.url), length: item.lead.bytes, type: attribute(item.lead.type) },
          }),
        ]),
    ...(item.media.length === 0 ? [] : [extension('media:content', item.media.map(rssMedia))]),
  ]
}

const toRssItem = (item: FeedItem): Item => ({
  title: STAND_IN,
  guid: item.id,
  link: item.link,
  date: item.published,
  ...(item.summary === '' ? {} : { description: STAND_IN }),
  ...(item.html ? { content: escapeCdataHtml(item.html) } : {}),
  extensions: rssExtensions(item),
})

const toRssNotice = (notice: FeedNotice): Item => ({
  title: STAND_IN,
  guid: notice.id,
  link: notice.link,
  date: notice.published,
  description: STAND_IN,
  extensions: [
    extension('title', text(notice.title)),
    extension('description', text(escapeText(notice.title))),
    extension('dc:language', text(notice.language)),
    extension('dcterms:modified', text(notice.retractedAt.toISOString())),
    extension('dcterms:valid', text(`start=${notice.published.toISOString()}; end=${notice.retractedAt.toISOString()}; scheme=W3C-DTF`)),
  ],
})

const RSS_ITEM = '\n        <item>'
const RSS_ITEM_END = '\n        </item>'
const RSS_ROOT = `<rss version="2.0"${(['atom', 'content', 'dc', 'dcterms', 'media'] as const).map(prefix => ` xmlns:${prefix}="${namespaces[prefix]}"`).join('')}>`

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
})

const withRssRoot = (xml: string): string => xml.replace(/<rss [^>]*>/, () => RSS_ROOT)

const renderRssItem = (item: FeedItem | FeedNotice): string => {
  const xml = rssFeedOf({ title: STAND_IN, updated: item.updated }, [item])
  return xml.slice(xml.indexOf(RSS_ITEM), xml.lastIndexOf(RSS_ITEM_END) + RSS_ITEM_END.length)
}

const renderRssShell = (shell: FeedShell): Shell => {
  const xml = withRssRoot(rssFeedOf(rssOptions(shell), []))
  const end = xml.lastIndexOf('\n    </channel>')
  return { head: xml.slice(0, end), foot: xml.slice(end) }
}

// --- Atom --------------------------------------------------------------------------------------------------------------------------

/** How each entry begins as the package writes it. No content can look like it: `]]>` is written as an entity there. */
const ATOM_ENTRY = `\n    <entry>\n        <title type="html"><![CDATA[${STAND_IN}]]></title>`
const ATOM_ENTRY_END = '\n    </entry>'
const ATOM_END = '\n</feed>'

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

const atomMedia = (media: MediaItem): string => {
  const inside = [
    media.caption === '' ? '' : `\n            <media:description type="plain">${escapeText(media.caption)}</media:description>`,
    media.credit === '' ? '' : `\n            <media:credit>${escapeText(media.credit)}</media:credit>`,
  ].join('')
  const open = `\n        <media:content url="${escapeAttribute(media.url)}" type="${escapeAttribute(media.type)}" medium="image" width="${media.width}" height="${media.height}" fileSize="${media.bytes}"`
  return inside === '' ? `${open}/>` : `${open}>${inside}\n        </media:content>`
}

const schemeOf = (item: FeedItem): string => `${item.id.slice(0, -item.articleId.length)}category`

const atomCategory = (term: string, scheme: string | null, label: string): string =>
  `\n        <category term="${escapeAttribute(term)}"${scheme === null ? '' : ` scheme="${escapeAttribute(scheme)}"`} label="${escapeAttribute(label)}"/>`

const atomEnclosure = (lead: MediaItem): string =>
  `\n        <link rel="enclosure" href="${escapeAttribute(lead.url)}" type="${escapeAttribute(lead.type)}" length="${lead.bytes}"/>`

/** An entry with what the package cannot say. `body` is what it wrote between the title and the entry's end. */
const finishAtomEntry = (item: FeedItem, body: string): string =>
  [
    `\n    <entry xml:lang="${escapeAttribute(item.language)}">\n        <title>${escapeText(item.title)}</title>`,
    body,
    item.summary === '' ? '' : `\n        <summary>${escapeText(item.summary)}</summary>`,
    ...item.categories.map(one => atomCategory(one.id, schemeOf(item), one.name)),
    ...item.tags.map(tag => atomCategory(tag, null, tag)),
    item.lead === null ? '' : atomEnclosure(item.lead),
    `\n        <dcterms:modified>${item.updated.toISOString()}</dcterms:modified>`,
    item.correction === null ? '' : `\n        <dcterms:provenance>${escapeText(item.correction)}</dcterms:provenance>`,
    ...item.media.map(atomMedia),
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
})

const withAtomRoot = (xml: string, language: string): string => {
  const prefixes = (['at', 'dcterms', 'media'] as const).map(prefix => ` xmlns:${prefix}="${namespaces[prefix]}"`).join('')
  return xml.replace(/<feed xmlns="[^"]*">/, root => `${root.slice(0, -1)}${prefixes} xml:lang="${escapeAttribute(language)}">`)
}

const renderAtomItem = (item: FeedItem | FeedNotice): string => {
  if (item.kind === 'notice') return renderAtomNotice(item)
  const xml = atomFeedOf({ title: STAND_IN, id: STAND_IN, updated: item.updated }, [item])
  return finishAtomEntry(item, xml.slice(xml.indexOf(ATOM_ENTRY) + ATOM_ENTRY.length, xml.lastIndexOf(ATOM_ENTRY_END)))
}

const renderAtomShell = (shell: FeedShell): Shell => {
  const xml = withAtomRoot(atomFeedOf(atomOptions(shell), []), shell.language)
  const end = xml.lastIndexOf(ATOM_END)
  return { head: xml.slice(0, end), foot: `${xml.slice(end)}\n` }
}

const renderWholeAtom = (shell: FeedShell, items: readonly FeedItem[], notices: readonly FeedNotice[]): string => {
  const [head = '', ...bodies] = withAtomRoot(atomFeedOf(atomOptions(shell), items), shell.language).split(ATOM_ENTRY)
  const end = bodies.length === 0 ? head.lastIndexOf(ATOM_END) : head.length
  const entries = items.map((item, index) =>
    finishAtomEntry(item, (bodies[index] ?? '').slice(0, bodies[index]?.lastIndexOf(ATOM_ENTRY_END))),
  )
  return [head.slice(0, end), ...notices.map(renderAtomNotice), ...entries, ATOM_END, '\n'].join('')
}

// --- both --------------------------------------------------------------------------------------------------------------------------

/** One item as a fragment of the document that `renderShell` opens and closes. Pure: the same item gives the same bytes. */
export const renderItem = (item: FeedItem | FeedNotice, format: XmlFormat): string =>
  format === 'rss' ? renderRssItem(item) : renderAtomItem(item)

export const renderShell = (shell: FeedShell, format: XmlFormat): Shell => {
  if (format === 'atom') return renderAtomShell(shell)
  const { head, foot } = renderRssShell(shell)
  return { head, foot: `${foot}\n` }
}

/** The same document in one rendering with all items, without fragments: what joining is held against. Notices come before entries in Atom. */
export const renderWhole = (shell: FeedShell, items: readonly (FeedItem | FeedNotice)[], format: XmlFormat): string => {
  if (format === 'rss') return `${withRssRoot(rssFeedOf(rssOptions(shell), items))}\n`
  return renderWholeAtom(
    shell,
    items.filter(one => one.kind === 'item'),
    items.filter(one => one.kind === 'notice'),
  )
}

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
