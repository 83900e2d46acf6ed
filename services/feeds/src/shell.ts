/** A feed without its items. */
import type { FeedConfig, SiteConfig } from '@newswire/events/config'
import { type FeedFormat, feedFormats } from '@newswire/events/feed'
import { toHub, toTopic } from '@newswire/events/subscription'
import type { Dialect } from './feed-item.ts'
import { profiles } from './profiles.ts'
import { clean, cleanOneLine } from './xml.ts'

export type FeedShell = Readonly<{
  feedId: string
  /** `tag:<site.id>:feed:<feed id>`: a feed id has no dot, so no article's identity looks like it. */
  id: string
  title: string
  description: string
  language: string
  author: string
  home: string
  self: Readonly<Record<FeedFormat, string>>
  /** The WebSub hub; `null` for a private feed, which nobody may be sent by it. */
  hub: string | null
  dialect: Dialect
  updated: Date
}>

/** When nothing was ever in it: no clock is read for a feed's bytes. */
export const NEVER = '1970-01-01T00:00:00.000Z'

/** SmartNews refuses a longer one. */
const SMARTNEWS_DESCRIPTION = 30

const descriptionOf = (feed: FeedConfig, dialect: Dialect): string => {
  const whole = clean(feed.description)
  if (dialect !== 'smartnews' || (whole !== '' && whole.length <= SMARTNEWS_DESCRIPTION)) return whole
  const line = cleanOneLine(whole || feed.title)
  if (line.length <= SMARTNEWS_DESCRIPTION) return line
  const cut = line.slice(0, SMARTNEWS_DESCRIPTION - 1)
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), SMARTNEWS_DESCRIPTION / 2)).toWellFormed()}…`
}

/** `updatedAt`: when the newest thing in the feed was released; `NEVER` for an empty one. */
export const toShell = (feed: FeedConfig, site: SiteConfig, updatedAt: string): FeedShell => {
  const { dialect } = profiles[feed.profile].render
  return {
    feedId: feed.id,
    id: `tag:${site.id}:feed:${feed.id}`,
    title: cleanOneLine(feed.title),
    description: descriptionOf(feed, dialect),
    language: feed.language ?? site.language,
    author: cleanOneLine(site.title),
    home: new URL(`${site.publicUrl}/`).href,
    self: Object.fromEntries(feedFormats.map(format => [format, toTopic(site.publicUrl, feed.id, format)])) as Record<FeedFormat, string>,
    hub: feed.access === undefined ? toHub(site.publicUrl) : null,
    dialect,
    updated: new Date(updatedAt),
  }
}
