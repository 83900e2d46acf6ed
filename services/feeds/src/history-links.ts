/**
 * How a feed and its pages point at each other: RFC 5005 §4 in Atom, the same through `atom:link` in RSS (appendix B), `next_url` in JSON Feed
 * 1.1. Put into a shell that is rendered already, at its beginning.
 */
import type { FeedConfig, SiteConfig } from '@newswire/events/config'
import { type FeedFormat, feedFiles, feedFormats } from '@newswire/events/feed'
import { type FeedPage, parsePageName, toPageFile } from '@newswire/events/feed-page'
import type { Shell } from './feed.ts'
import type { FeedShell } from './shell.ts'
import { toShell } from './shell.ts'
import { escapeAttribute } from './xml.ts'

/** A page as `toPageLink` writes it. */
type PageLink = Readonly<{ name: string; query: string }>

const HISTORY = 'http://purl.org/syndication/history/1.0'

type Address = (format: FeedFormat) => string
type Links = Readonly<{ isPage: boolean; prev: Address | null; next: Address | null; current: Address }>

/** A shell that knows its neighbours. */
export type LinkedShell = FeedShell & Readonly<{ links?: Links }>

const pageAddress = (feed: FeedConfig, site: SiteConfig, page: FeedPage, query = ''): Address => {
  return format => new URL(`${site.publicUrl}/feeds/${feed.id}/pages/${toPageFile(page, format)}${query}`).href
}

const toAddress = (feed: FeedConfig, site: SiteConfig, link: PageLink | null): Address | null => {
  const page = link === null ? null : parsePageName(link.name)
  return page === null ? null : pageAddress(feed, site, page, link?.query)
}

/** The shell of the feed itself; `prev` is the newest of its pages. */
export const toFeedShell = (feed: FeedConfig, site: SiteConfig, updatedAt: string, prev: PageLink | null): LinkedShell => {
  const shell = toShell(feed, site, updatedAt)
  if (prev === null) return shell
  return { ...shell, links: { isPage: false, prev: toAddress(feed, site, prev), next: null, current: format => shell.self[format] } }
}

type PageShellOptions = Readonly<{ page: FeedPage; updatedAt: string; prev: PageLink | null; next: PageLink | null }>

/** The shell of a page. It has the identity of the feed, and an address of its own. */
export const toPageShell = (feed: FeedConfig, site: SiteConfig, { page, updatedAt, prev, next }: PageShellOptions): LinkedShell => {
  const shell = toShell(feed, site, updatedAt)
  const self = pageAddress(feed, site, page)
  return {
    ...shell,
    // Nobody is told of a page: what changes on one is told of in the feed.
    hub: null,
    self: Object.fromEntries(feedFormats.map(format => [format, self(format)])) as FeedShell['self'],
    links: { isPage: true, prev: toAddress(feed, site, prev), next: toAddress(feed, site, next), current: format => shell.self[format] },
  }
}

const relations = ({ prev, next, current, isPage }: Links): [string, Address][] => [
  ...(isPage ? [['current', current] as [string, Address]] : []),
  ...(prev === null ? [] : [['prev-archive', prev] as [string, Address]]),
  ...(next === null ? [] : [['next-archive', next] as [string, Address]]),
]

const mediaType = (format: FeedFormat): string => feedFiles[format].type.replace(/;.*/, '')

const linkElements = (links: Links, format: FeedFormat, element: string, indent: string): string =>
  relations(links)
    .map(([rel, address]) => `\n${indent}<${element} rel="${rel}" href="${escapeAttribute(address(format))}" type="${mediaType(format)}"/>`)
    .join('')

/** Puts `text` in where `anchor` matches, or throws: a shell that began otherwise would lose its history without a word. */
const insert = (head: string, anchor: RegExp, put: (found: string) => string, what: string): string => {
  if (!anchor.test(head)) throw new Error(`the ${what} of a feed does not begin as expected, so its pages cannot be linked`)
  return head.replace(anchor, put)
}

const inXml = (head: string, links: Links, format: 'rss' | 'atom'): string => {
  const root = format === 'rss' ? /<rss [^>]*(?=>)/ : /<feed [^>]*(?=>)/
  const start = format === 'rss' ? /<channel>/ : /<feed [^>]*>/
  const [element, indent] = format === 'rss' ? ['atom:link', '        '] : ['link', '    ']
  const named = links.isPage ? insert(head, root, found => `${found} xmlns:fh="${HISTORY}"`, format) : head
  const mark = links.isPage ? `\n${indent}<fh:archive/>` : ''
  return insert(named, start, found => `${found}${mark}${linkElements(links, format, element ?? '', indent ?? '')}`, format)
}

const inJson = (head: string, { isPage, prev, next, current }: Links): string => {
  const page = isPage ? { current: current('json'), ...(next === null ? {} : { next: next('json') }) } : null
  const more = page === null ? '' : `,"page":${JSON.stringify(page)}`
  const older = prev === null ? '' : `,"next_url":${JSON.stringify(prev('json'))}`
  return insert(head, /\}(?=,"items":\[\s*$)/, () => `${more}}${older}`, 'json')
}

/** The rendered head and foot with the links of `shell`, if it has any. */
export const withLinks = (rendered: Shell, { links }: LinkedShell, format: FeedFormat): Shell => {
  if (links === undefined) return rendered
  return { ...rendered, head: format === 'json' ? inJson(rendered.head, links) : inXml(rendered.head, links, format) }
}
