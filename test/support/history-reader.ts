/**
 * A reader of archived feeds (RFC 5005 §4) that shares no code with their maker: begins at the subscription document and follows
 * `prev-archive` (Atom, RSS) or `next_url` (JSON Feed) to the end. What is nearer to the feed wins.
 */
import assert from 'node:assert/strict'
import { type Element, parseXml } from './feed-reader.ts'

const ATOM = 'http://www.w3.org/2005/Atom'
const HISTORY = 'http://purl.org/syndication/history/1.0'
const TOMBSTONES = 'http://purl.org/atompub/tombstones/1.0'
const TERMS = 'http://purl.org/dc/terms/'
const MAX_PAGES = 1000

type Document = Readonly<{
  /** Identity → title. */
  items: ReadonlyMap<string, string>
  deleted: readonly string[]
  links: Readonly<Record<string, string>>
  isArchive: boolean
}>
type WalkedPage = Readonly<{ url: string; text: string; etag: string; lastModified: string }>
type Walked = Readonly<{
  seen: ReadonlyMap<string, string>
  deleted: ReadonlySet<string>
  /** The archive documents, newest first, without the feed itself. */
  pages: readonly WalkedPage[]
}>

const all = (element: Element | undefined, name: string, uri = ''): Element[] =>
  (element?.children ?? []).filter(one => one.name === name && one.uri === uri)
const text = (element: Element, name: string, uri = ''): string => all(element, name, uri)[0]?.text.join('') ?? ''

const readXml = (xml: string): Document => {
  const root = parseXml(xml)
  const isAtom = root.name === 'feed'
  const [top = root] = isAtom ? [root] : all(root, 'channel')
  const links = Object.fromEntries(
    all(top, 'link', ATOM).map(({ attributes }) => [attributes['rel'] ?? 'alternate', attributes['href'] ?? '']),
  )
  const isArchive = all(top, 'archive', HISTORY).length > 0
  if (isAtom) {
    const items = new Map(all(top, 'entry', ATOM).map(entry => [text(entry, 'id', ATOM), text(entry, 'title', ATOM)]))
    return { items, deleted: all(top, 'deleted-entry', TOMBSTONES).map(one => one.attributes['ref'] ?? ''), links, isArchive }
  }
  const isOver = (item: Element) => /end=/.test(text(item, 'valid', TERMS))
  const entries = all(top, 'item')
  return {
    items: new Map(entries.filter(item => !isOver(item)).map(item => [text(item, 'guid'), text(item, 'title')])),
    deleted: entries.filter(isOver).map(item => text(item, 'guid')),
    links,
    isArchive,
  }
}

type JsonDocument = {
  next_url?: string
  items: { id: string; title: string; _newswire: { status: string } }[]
  _newswire: { page?: { current: string; next?: string } }
}

const readJson = (json: string): Document => {
  const { next_url: prev, items, _newswire } = JSON.parse(json) as JsonDocument
  const isOver = (one: JsonDocument['items'][number]) => one._newswire.status === 'retracted'
  return {
    items: new Map(items.filter(one => !isOver(one)).map(one => [one.id, one.title])),
    deleted: items.filter(isOver).map(one => one.id),
    links: {
      ...(prev === undefined ? {} : { 'prev-archive': prev }),
      ...(_newswire.page === undefined ? {} : { current: _newswire.page.current }),
      ...(_newswire.page?.next === undefined ? {} : { 'next-archive': _newswire.page.next }),
    },
    isArchive: _newswire.page !== undefined,
  }
}

/** Walks from a feed's address, at the host of that address, whatever host the links name. */
export const walkHistory = async (start: string): Promise<Walked> => {
  const seen = new Map<string, string>()
  const deleted = new Set<string>()
  const pages: WalkedPage[] = []
  const at = (href: string) => {
    const { pathname, search } = new URL(href)
    return new URL(pathname + search, start).href
  }
  let newer: string | null = null
  for (let url: string | undefined = start; url !== undefined; ) {
    assert.ok(pages.length < MAX_PAGES, `${start} has no end`)
    const response: Response = await fetch(url, { signal: AbortSignal.timeout(60_000) })
    const body = await response.text()
    assert.equal(response.status, 200, `${url}: ${body.slice(0, 300)}`)
    const document: Document = body.trimStart().startsWith('{') ? readJson(body) : readXml(body)
    assert.equal(document.isArchive, url !== start, `${url} says whether it is an archive document`)
    if (url !== start) {
      assert.equal(at(document.links['current'] ?? ''), start, `${url} leads back to the feed`)
      if (newer !== null) assert.equal(at(document.links['next-archive'] ?? ''), newer, `${url} leads to the page after it`)
      else assert.equal(document.links['next-archive'], undefined, 'nothing comes after the newest page but the feed')
      newer = url.replace(/\?.*$/, '')
      pages.push({ url, text: body, etag: response.headers.get('etag') ?? '', lastModified: response.headers.get('last-modified') ?? '' })
    }
    for (const id of document.deleted) if (!seen.has(id)) deleted.add(id)
    for (const [id, title] of document.items) if (!seen.has(id) && !deleted.has(id)) seen.set(id, title)
    const prev: string | undefined = document.links['prev-archive']
    url = prev === undefined ? undefined : at(prev)
  }
  return { seen, deleted, pages }
}
