/**
 * Items as bytes, rendered once for all feeds that render alike and kept while they are in use. Each new fragment is read again by a
 * strict parser before anybody sees it, so a bad article is set aside alone and never makes a feed malformed.
 */
import { codeOf, messageOf } from '@newswire/events/errors'
import type { Fact } from '@newswire/events/fact'
import { type FeedFormat, feedFormats } from '@newswire/events/feed'
import { renderItem } from './feed.ts'
import { type FeedItem, type FeedNotice, type Profile, toFeedItem } from './item.ts'
import { renderJsonItem } from './json-feed.ts'
import { createRecent } from './recent.ts'
import { findXmlFault } from './xml.ts'

export type Fragments = Readonly<{ ok: true; kind: 'item' | 'notice'; bytes: Readonly<Record<FeedFormat, Uint8Array>> }>
/** An article that cannot be rendered, and why. */
export type Quarantined = Readonly<{ ok: false; code: string; reason: string }>

const MIB = 1_048_576

/** One article in one format, checked. Throws when it cannot be rendered or would not be well-formed. */
export const renderFormat = (item: FeedItem | FeedNotice, format: FeedFormat): string => {
  if (format === 'json') return renderJsonItem(item)
  const xml = renderItem(item, format)
  const fault = findXmlFault(xml, 'fragment')
  if (fault !== null) throw new SyntaxError(`its ${format} item would not be well-formed: ${fault}`)
  return xml
}

/** All formats of one article, or why it has none: a fault in one format takes it out of all, so that the formats never differ. */
export const renderFragments = (fact: Fact, profile: Profile): Fragments | Quarantined => {
  try {
    const item = toFeedItem(fact, profile)
    const bytesOf = (format: FeedFormat) => Buffer.from(renderFormat(item, format))
    return { ok: true, kind: item.kind, bytes: { rss: bytesOf('rss'), atom: bytesOf('atom'), json: bytesOf('json') } }
  } catch (error) {
    const code = error instanceof SyntaxError ? 'NEWSWIRE_FEEDS_MALFORMED' : codeOf(error)
    return { ok: false, code, reason: messageOf(error) }
  }
}

export type FragmentCache = Readonly<{
  /** What is kept of a version; `undefined` when it must be rendered. */
  get(profile: Profile, articleId: string, version: number): Fragments | Quarantined | undefined
  render(profile: Profile, fact: Fact): Fragments | Quarantined
  bytes(): number
}>

const sizeOf = (value: Fragments | Quarantined): number =>
  value.ok ? feedFormats.reduce((sum, format) => sum + value.bytes[format].length, 300) : 300 + 2 * value.reason.length

export const createFragmentCache = ({ maxBytes = 32 * MIB }: { maxBytes?: number } = {}): FragmentCache => {
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
