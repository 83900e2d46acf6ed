/** What the benchmark measures: one more article in a feed that is full, and the same by the bare `feed` package. */
import type { FeedConfig, SiteConfig } from '@newswire/events/config'
import type { Fact } from '@newswire/events/fact'
import { type FeedFormat, feedOutputs } from '@newswire/events/feed'
import { renderWithBareFeed } from './feed.ts'
import type { FeedItem } from './feed-item.ts'
import { type Fragments, renderFormat, renderFragments } from './fragments.ts'
import { type Profile, toFeedItem } from './item.ts'
import { joinFeed, toCheckedShell } from './outputs.ts'
import { toShell } from './shell.ts'
import { newestOf } from './window.ts'

type OneMore = Readonly<{
  /** Renders and checks one article, and joins it with those that were there: all the work of one format but hashing and writing. */
  add(fact: Fact, format: FeedFormat): Uint8Array
  /** The whole feed again, as a program that uses the `feed` package alone would make it. */
  rebuildBare(format: FeedFormat): string
}>

const feed: FeedConfig = { id: 'bench', title: 'Bench', description: '', match: {}, limit: 50, content: 'full', profile: 'standard' }

/** A feed of `facts`, newest first. Throws when one of them cannot be rendered. */
export const createOneMore = (facts: readonly Fact[], site: SiteConfig): OneMore => {
  const profile: Profile = {
    key: 'bench',
    site,
    categories: new Map(),
    publishers: new Map(),
    content: 'full',
    rules: 'standard',
    language: site.language,
  }
  const kept = facts.map((fact): Fragments => {
    const rendered = renderFragments(fact, profile)
    if (!rendered.ok) throw new Error(`${fact.articleId} cannot be rendered: ${rendered.reason}`)
    return rendered
  })
  const items = facts.map(fact => toFeedItem(fact, profile)).filter((item): item is FeedItem => item.kind === 'item')
  const shell = toShell(feed, site, newestOf(facts.map(fact => ({ ...fact, kind: 'item' as const }))))
  const none = new Uint8Array()
  const only = (format: FeedFormat, bytes: Uint8Array): Fragments => ({
    ok: true,
    kind: 'item',
    publishedMs: 0,
    bytes: { ...Object.fromEntries(feedOutputs.map(one => [one, none])), [format]: bytes } as Fragments['bytes'],
  })
  return {
    add: (fact, format) => {
      const fragment = only(format, Buffer.from(renderFormat(toFeedItem(fact, profile), format)))
      return joinFeed(toCheckedShell(shell, format), [fragment, ...kept.slice(0, -1)], format)
    },
    rebuildBare: format => renderWithBareFeed(shell, items, format),
  }
}
