/** A reader of feeds that shares no code with their maker: strict XML (a single stray character fails the test), conditional requests. */
import assert from 'node:assert/strict'
import { SaxesParser } from 'saxes'

export type FeedItem = Readonly<{
  id: string
  title: string
  /** The whole content as HTML, unescaped once, as a reader would show it. */
  content: string
  url: string
  /** As written in the feed; '' when it is not there. */
  published: string
  updated: string
}>

type FeedView = Readonly<{
  status: number
  /** True when the server answered 304; everything else is then what was read before. */
  notModified: boolean
  etag: string
  title: string
  items: readonly FeedItem[]
  /** Ids of `at:deleted-entry` (Atom only). */
  deleted: readonly string[]
  text: string
}>

export type FeedReader = Readonly<{ read(): Promise<FeedView>; ids(): Promise<string[]> }>

export type Element = Readonly<{
  name: string
  uri: string
  attributes: Readonly<Record<string, string>>
  children: Element[]
  text: string[]
}>

/** The whole document as a tree with resolved namespaces. Throws at the first fault of well-formedness. */
export const parseXml = (xml: string): Element => {
  const root: Element = { name: '', uri: '', attributes: {}, children: [], text: [] }
  const stack: Element[] = [root]
  const parser = new SaxesParser({ xmlns: true })
  const top = (): Element => stack.at(-1) ?? root
  parser.on('error', error => {
    throw new Error(`not well-formed XML: ${error.message}`)
  })
  parser.on('opentag', tag => {
    const attributes = Object.fromEntries(Object.entries(tag.attributes).map(([name, one]) => [name, one.value]))
    const element: Element = { name: tag.local, uri: tag.uri, attributes, children: [], text: [] }
    top().children.push(element)
    stack.push(element)
  })
  parser.on('closetag', () => void stack.pop())
  parser.on('text', text => void top().text.push(text))
  parser.on('cdata', text => void top().text.push(text))
  parser.write(xml).close()
  const [document] = root.children
  assert.ok(document, 'the document has no root element')
  return document
}

const ATOM = 'http://www.w3.org/2005/Atom'
const CONTENT = 'http://purl.org/rss/1.0/modules/content/'
const TOMBSTONES = 'http://purl.org/atompub/tombstones/1.0'

const childrenOf = (element: Element | undefined, name: string, uri = ''): Element[] =>
  (element?.children ?? []).filter(one => one.name === name && one.uri === uri)
const textOf = (element: Element | undefined, name: string, uri = ''): string => childrenOf(element, name, uri)[0]?.text.join('') ?? ''

type Parsed = Pick<FeedView, 'title' | 'items' | 'deleted'>

const readRss = (document: Element): Parsed => {
  const [channel] = childrenOf(document, 'channel')
  const items = childrenOf(channel, 'item').map(item => ({
    id: textOf(item, 'guid'),
    title: textOf(item, 'title'),
    content: textOf(item, 'encoded', CONTENT) || textOf(item, 'description'),
    url: textOf(item, 'link'),
    published: textOf(item, 'pubDate'),
    updated: textOf(item, 'updated', ATOM),
  }))
  return { title: textOf(channel, 'title'), items, deleted: [] }
}

const readAtom = (document: Element): Parsed => {
  const items = childrenOf(document, 'entry', ATOM).map(entry => ({
    id: textOf(entry, 'id', ATOM),
    title: textOf(entry, 'title', ATOM),
    content: textOf(entry, 'content', ATOM) || textOf(entry, 'summary', ATOM),
    url:
      childrenOf(entry, 'link', ATOM).find(({ attributes }) => (attributes['rel'] ?? 'alternate') === 'alternate')?.attributes['href'] ??
      '',
    published: textOf(entry, 'published', ATOM),
    updated: textOf(entry, 'updated', ATOM),
  }))
  return {
    title: textOf(document, 'title', ATOM),
    items,
    deleted: childrenOf(document, 'deleted-entry', TOMBSTONES).map(one => one.attributes['ref'] ?? ''),
  }
}

type JsonFeed = {
  title?: string
  items?: {
    id?: string
    title?: string
    content_html?: string
    content_text?: string
    url?: string
    date_published?: string
    date_modified?: string
  }[]
}

const readJson = (text: string): Parsed => {
  const { title = '', items = [] } = JSON.parse(text) as JsonFeed
  return {
    title,
    items: items.map(one => ({
      id: one.id ?? '',
      title: one.title ?? '',
      content: one.content_html ?? one.content_text ?? '',
      url: one.url ?? '',
      published: one.date_published ?? '',
      updated: one.date_modified ?? '',
    })),
    deleted: [],
  }
}

/** Reads a feed by what it is, not by what its address says. */
export const parseFeed = (text: string): Parsed => {
  if (text.trimStart().startsWith('{')) return readJson(text)
  const document = parseXml(text)
  if (document.name === 'rss') return readRss(document)
  assert.equal(`${document.uri} ${document.name}`, `${ATOM} feed`, 'neither RSS, nor Atom, nor JSON Feed')
  return readAtom(document)
}

/** Follows one address as a feed reader does: sends the last ETag, understands 304. Ids must be unique in every view. */
export const createFeedReader = (url: string): FeedReader => {
  let last: FeedView | null = null
  const read = async (): Promise<FeedView> => {
    const response = await fetch(url, { headers: last ? { 'if-none-match': last.etag } : {}, signal: AbortSignal.timeout(60_000) })
    const text = await response.text()
    if (response.status === 304) {
      assert.ok(last, 'a 304 to a request without a condition')
      return { ...last, status: 304, notModified: true }
    }
    assert.equal(response.status, 200, `${url}: ${text.slice(0, 500)}`)
    const parsed = parseFeed(text)
    const ids = parsed.items.map(one => one.id)
    assert.equal(new Set(ids).size, ids.length, `an id is in ${url} twice`)
    last = { status: 200, notModified: false, etag: response.headers.get('etag') ?? '', ...parsed, text }
    return last
  }
  return { read, ids: async () => (await read()).items.map(one => one.id) }
}
