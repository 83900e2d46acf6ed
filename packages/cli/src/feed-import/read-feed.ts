/** From the bytes of an answer to a feed: which characters they are, and which format. */
import { messageOf } from '@newswire/events/errors'
import { feedNamespaces as NS } from '@newswire/events/feed-namespaces'
import { readAtom } from './atom.ts'
import type { FeedDocument } from './feed-document.ts'
import { readJsonFeed } from './json-feed.ts'
import { readRss } from './rss.ts'
import { parseXml } from './xml.ts'

/** `notIn`: the characters that it is said to be in, where it is not: what could not be read of them stands there as U+FFFD. `null`: it is. */
type ReadFeed = Readonly<{ ok: true; feed: FeedDocument; notIn: string | null }> | Readonly<{ ok: false; reason: string }>

const no = (reason: string): ReadFeed => ({ ok: false, reason })

/** How far a declaration of characters, or a page's links to its feeds, is looked for. */
const HEAD = 65_536

/** The byte order mark says it, then HTTP, then the document (RFC 7303 §3); UTF-8 otherwise. */
const labelOf = (bytes: Uint8Array, contentType: string): string => {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  const told = /charset="?([A-Za-z0-9._-]{1,40})/i.exec(contentType)?.[1]
  const head = Buffer.from(bytes.subarray(0, 200)).toString('latin1')
  return told ?? /^\s*<\?xml[^>]{0,150}?encoding=["']([A-Za-z0-9._-]{1,40})["']/.exec(head)?.[1] ?? 'utf-8'
}

type Decoded = Readonly<{ text: string; notIn: string | null }>

const decode = (bytes: Uint8Array, contentType: string): Decoded => {
  const label = labelOf(bytes, contentType)
  try {
    return { text: new TextDecoder(label, { fatal: true }).decode(bytes), notIn: null }
  } catch (error) {
    // Characters that nobody knows by that name: most that are called so are UTF-8.
    if (error instanceof RangeError && label !== 'utf-8') return decode(bytes, 'charset=utf-8')
    return { text: new TextDecoder(label).decode(bytes), notIn: label }
  }
}

/** A page of a site often names its feeds: whoever gave its address wants one of them. */
const namedFeeds = (html: string): readonly string[] => {
  const links = html.slice(0, HEAD).match(/<link\b[^>]{0,1000}>/gi) ?? []
  return links
    .filter(link => /rel=["']?[^"'>]*\balternate\b/i.test(link) && /type=["']?application\/(rss|atom|feed)\+(xml|json)/i.test(link))
    .flatMap(link => /href=["']?([^"'\s>]{1,1000})/i.exec(link)?.[1] ?? [])
    .slice(0, 5)
}

const readXml = ({ text, notIn }: Decoded): ReadFeed => {
  const root = parseXml(text)
  const name = root?.name.toLowerCase() ?? ''
  if (root === null) return no('it is neither XML nor JSON')
  if (name === 'html') {
    const feeds = namedFeeds(text)
    return no(`it is a page, not a feed${feeds.length === 0 ? '' : `; it names these: ${feeds.join(', ')}`}`)
  }
  if (root.name === 'feed' && root.uri === NS.atom) return { ok: true, feed: readAtom(root), notIn }
  if (name === 'rss') {
    const feed = readRss(root)
    return feed === null ? no('it is RSS without a channel') : { ok: true, feed, notIn }
  }
  if (name === 'rdf') return no('it is RSS 1.0 (RDF), which is not read; RSS 2.0, Atom 1.0 and JSON Feed are')
  return no(`it is XML, and no feed: its root is <${root.name.slice(0, 50)}>`)
}

/** Never throws for what a stranger sent. */
export const readFeed = (bytes: Uint8Array, contentType: string): ReadFeed => {
  const decoded = decode(bytes, contentType)
  const { text, notIn } = decoded
  try {
    if (!/^\s*[{[]/.test(text)) return readXml(decoded)
    const feed = readJsonFeed(JSON.parse(text))
    return feed === null ? no('it is JSON, and no JSON Feed') : { ok: true, feed, notIn }
  } catch (error) {
    return no(`it cannot be read: ${messageOf(error)}`)
  }
}
