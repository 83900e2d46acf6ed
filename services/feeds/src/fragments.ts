/**
 * Items as bytes, rendered once for all feeds that render alike and kept while they are in use. Each new fragment is read again by a
 * strict parser before anybody sees it, so a bad article is set aside alone and never makes a feed malformed.
 */
import { codeOf, messageOf } from '@newswire/events/errors'
import type { Fact } from '@newswire/events/fact'
import { type FeedFormat, type FeedOutput, feedOutputs } from '@newswire/events/feed'
import { createRecent } from '@newswire/objects/recent'
import { prefixesOf, renderItem } from './feed.ts'
import type { FeedItem, FeedNotice } from './feed-item.ts'
import { type Profile, toFeedItem } from './item.ts'
import { renderJsonItem } from './json-feed.ts'
import { findItemBreach } from './profiles.ts'
import { renderSitemapUrl, sitemapPrefixes } from './sitemap.ts'
import { findXmlFault, type Prefix } from './xml.ts'

export type Fragments = Readonly<{
  ok: true
  kind: 'item' | 'notice'
  /** Milliseconds since 1970: what the sitemap's two days are counted from. */
  publishedMs: number
  /** `sitemap` is empty for what must not be in one. */
  bytes: Readonly<Record<FeedOutput, Uint8Array>>
}>
/** An article as text, without the sitemap's. */
type PageEntry = Readonly<{ ok: true; kind: Fragments['kind']; bytes: Readonly<Record<FeedFormat, string>> }>
/** An article that cannot be rendered, and why. */
export type Quarantined = Readonly<{ ok: false; code: string; reason: string }>

const MIB = 1_048_576

/** How fragments begin. Who splits a file relies on nothing else beginning so. */
const STARTS = ['\n        <item>', '\n    <entry', '\n    <at:deleted-entry', '\n    <url>']

const checked = (xml: string, what: string, prefixes: readonly Prefix[]): string => {
  const inner = STARTS.find(start => xml.includes(start, 1))
  if (inner !== undefined) throw new SyntaxError(`its ${what} would hold what looks like another one: a line that begins ${inner.trim()}`)
  const fault = findXmlFault(xml, prefixes)
  if (fault !== null) throw new SyntaxError(`its ${what} would not be well-formed: ${fault}`)
  return xml
}

/** One article in one format, checked. Throws when it cannot be rendered or would not be well-formed. */
export const renderFormat = (item: FeedItem | FeedNotice, format: FeedFormat): string =>
  format === 'json' ? renderJsonItem(item) : checked(renderItem(item, format), `${format} item`, prefixesOf(format, item.dialect))

const renderForSitemap = (item: FeedItem | FeedNotice): string => {
  const xml = item.kind === 'item' ? renderSitemapUrl(item) : null
  return xml === null ? '' : checked(xml, 'sitemap entry', sitemapPrefixes)
}

const toQuarantined = (error: unknown): Quarantined => {
  const code = error instanceof SyntaxError ? 'NEWSWIRE_FEEDS_MALFORMED' : codeOf(error)
  return { ok: false, code, reason: messageOf(error) }
}

const orQuarantined = <T>(make: () => T): T | Quarantined => {
  try {
    return make()
  } catch (error) {
    return toQuarantined(error)
  }
}

/** In memory of their own: a piece of the pool that Node takes small buffers from keeps all 64 KiB of it, four times what an article is. */
const toBytes = (texts: Readonly<Record<FeedOutput, string>>): Fragments['bytes'] => {
  const memory = Buffer.allocUnsafeSlow(feedOutputs.reduce((sum, output) => sum + Buffer.byteLength(texts[output]), 0))
  let at = 0
  const write = (output: FeedOutput) => {
    const from = at
    at += memory.write(texts[output], from)
    return memory.subarray(from, at)
  }
  return { rss: write('rss'), atom: write('atom'), json: write('json'), sitemap: write('sitemap') }
}

const toFragments = (item: FeedItem | FeedNotice): Fragments => {
  const bytes = toBytes({
    rss: renderFormat(item, 'rss'),
    atom: renderFormat(item, 'atom'),
    json: renderFormat(item, 'json'),
    sitemap: renderForSitemap(item),
  })
  return { ok: true, kind: item.kind, publishedMs: item.published.getTime(), bytes }
}

const toItem = (fact: Fact, profile: Profile): FeedItem | FeedNotice | Quarantined => {
  const item = toFeedItem(fact, profile)
  const breach = item.kind === 'item' ? findItemBreach(item, profile.rules, profile.language) : null
  return breach === null ? item : { ok: false, ...breach }
}

/**
 * An article for a file that is made once, as the text it is joined from: nothing of it is kept. Without an entry for the sitemap, which says in other tags
 * what the others say, so that a fault takes the article out as it does out of a feed.
 */
export const renderForPage = (fact: Fact, profile: Profile): PageEntry | Quarantined =>
  orQuarantined(() => {
    const item = toItem(fact, profile)
    if (!('kind' in item)) return item
    const bytes = { rss: renderFormat(item, 'rss'), atom: renderFormat(item, 'atom'), json: renderFormat(item, 'json') }
    return { ok: true, kind: item.kind, bytes }
  })

/** All outputs of an article, or why it has none: a fault in one output takes it out of all, so that the formats never differ. */
export const renderFragments = (fact: Fact, profile: Profile): Fragments | Quarantined =>
  orQuarantined(() => {
    const item = toItem(fact, profile)
    return 'kind' in item ? toFragments(item) : item
  })

export type FragmentCache = Readonly<{
  /** What is kept of a version; `undefined` when it must be rendered. */
  get(profile: Profile, articleId: string, version: number): Fragments | Quarantined | undefined
  render(profile: Profile, fact: Fact): Fragments | Quarantined
  bytes(): number
}>

/** Beside each fragment lies what it is packed to (`packing.ts`), about two fifths of it. */
const WITH_PACKED = 1.4

const sizeOf = (value: Fragments | Quarantined): number =>
  value.ok ? feedOutputs.reduce((sum, output) => sum + WITH_PACKED * value.bytes[output].length, 300) : 300 + 2 * value.reason.length

export const createFragmentCache = ({ maxBytes = 64 * MIB }: { maxBytes?: number } = {}): FragmentCache => {
  const kept = createRecent<Fragments | Quarantined>({ maxBytes, sizeOf })
  const keyOf = (profile: Profile, articleId: string, version: number) => `${profile.key}/${version}/${articleId}`
  return {
    get: (profile, articleId, version) => kept.get(keyOf(profile, articleId, version)),
    render: (profile, fact) => {
      const rendered = renderFragments(fact, profile)
      kept.set(keyOf(profile, fact.articleId, fact.version), rendered)
      return rendered
    },
    bytes: kept.bytes,
  }
}
