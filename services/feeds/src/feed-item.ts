/** What every format is written from: an item, or the notice of one that was taken back. `item.ts` makes them. */
import type { Picture } from '@newswire/events/article'
import type { LiveFact } from '@newswire/events/fact'

/** Whose own elements are written beside what is standard. */
export type Dialect = 'none' | 'msn' | 'smartnews'

export type Size = Readonly<{ url: string; type: string; width: number; height: number; bytes: number }>

/** A picture, at the size that is offered first. */
export type MediaItem = Size &
  Readonly<{
    /** All sizes, the one offered first before the others, widest first. */
    renditions: readonly Size[]
    thumbnail: Size | null
    role: Picture['role']
    caption: string
    alt: string
    credit: string
    /** Of this picture, where it says so itself; empty where it does not. `digitalSourceType` and `dataMining` are codes (`Picture`). */
    copyright: string
    usageTerms: string
    digitalSourceType: string
    dataMining: string
    focus: Readonly<{ x: number; y: number }> | null
    /** What to show until it has come. */
    preview: Picture['preview'] | null
  }>

type Common = Readonly<{
  /** `tag:` URI, the same in every format and for the article's whole life (RFC 4151). */
  id: string
  articleId: string
  version: number
  link: string
  title: string
  /** Never after the release, whatever the publisher says: a date in the future pins nothing. */
  published: Date
  updated: Date
  /** What RSS says for `pubDate`: `published`, or `updated` where a profile has it so. */
  pubDate: Date
  language: string
  dialect: Dialect
}>

export type FeedItem = Common &
  Readonly<{
    kind: 'item'
    status: LiveFact['action']
    /** Plain text; the beginning of the body when the publisher gave no summary, else the first words about a picture. */
    summary: string
    /** `null` in feeds of summaries, and when it is larger than a feed should carry. */
    html: string | null
    /** The byline, or the publisher where there is none: Atom wants one of every entry. */
    author: string
    publisher: string
    dateline: string
    /** Where the publisher has it from. */
    source: string
    categories: readonly Readonly<{ id: string; name: string }>[]
    tags: readonly string[]
    media: readonly MediaItem[]
    lead: MediaItem | null
    correction: string | null
    copyright: string
    usageTerms: string
    /** A code (`Article`), or empty. */
    dataMining: string
    urgency: number
    type: string
    expires: Date | null
    aiUse: string
    story: string
    translationOf: string
    duplicateOf: string
    related: readonly string[]
    /** Where this site has it, for search engines; `null` when they are to find it at the publisher's, or not at all. */
    ownPage: string | null
    /** Whose page that is. */
    publication: string
  }>

/** An article that was taken back: stays long enough for every reader to take its copy down. */
export type FeedNotice = Common & Readonly<{ kind: 'notice'; retractedAt: Date; mode: string }>
