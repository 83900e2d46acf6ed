/**
 * Whose rules a feed is held to: a table for each profile, checked on every build. An article that breaks an item rule is set aside alone in
 * that feed; a feed that breaks a rule of its own is not published, and its last good bytes stay. What a profile can mend while rendering it
 * mends (`render`), so a rule names only what nobody but the newsroom or the operator can put right.
 *
 * Adding a rule is a row here; README.md lists them. Nothing here reads a clock: ages are counted from the version's own dates.
 */
import type { FeedConfig, FeedProfile } from '@newswire/events/config'
import type { FeedOutput } from '@newswire/events/feed'
import type { Dialect, FeedItem } from './feed-item.ts'

/** `breach` says how an article breaks the rule, for a person; `null` when it keeps it. Pure. */
export type ItemRule = Readonly<{ name: string; requirement: string; breach: (item: FeedItem, language: string) => string | null }>

/** How large each file of a feed is, bytes. */
type Sizes = Readonly<Record<FeedOutput, number>>
export type FeedRule = Readonly<{ name: string; requirement: string; breach: (feed: FeedConfig, sizes: Sizes) => string | null }>

/** What a profile does otherwise than RSS, Atom and JSON Feed alone would have it: partners contradict one another (`standard` does none of it). */
type Rendering = Readonly<{
  /** Some take an article as changed only when `pubDate` moves. */
  pubDate: 'published' | 'updated'
  /** Addresses without what campaigns put in them (`utm_…`). */
  cleanLinks: boolean
  /** Pictures below this are not offered, pixels. */
  picture: Readonly<{ width: number; height: number }>
  dialect: Dialect
}>

type ProfileRules = Readonly<{
  /** Where its requirements are written. */
  source: string
  items: readonly ItemRule[]
  feed: readonly FeedRule[]
  render: Rendering
}>

const MB = 1_000_000
const DAY_MS = 86_400_000

const plain: Rendering = { pubDate: 'published', cleanLinks: false, picture: { width: 0, height: 0 }, dialect: 'none' }

const primaryOf = (tag: string): string => tag.toLowerCase().split('-')[0] ?? ''
/** As a person counts them, so that a letter with its marks is one. */
const lengthOf = (text: string): number => [...new Intl.Segmenter('und', { granularity: 'grapheme' }).segment(text)].length

const hasTitle: ItemRule = {
  name: 'title',
  requirement: 'an item has a title',
  breach: item => (item.title.trim() === '' ? 'the title is empty' : null),
}

const fullText: ItemRule = {
  name: 'full-text',
  requirement: 'an item carries the whole article',
  breach: item =>
    item.html === null ? 'only its summary would be carried: the feed has `content: summary`, or the article is too large' : null,
}

const oneLanguage: ItemRule = {
  name: 'language',
  requirement: 'all items are in the language of the feed',
  breach: (item, language) =>
    primaryOf(item.language) === primaryOf(language) ? null : `the article is in ${item.language}, the feed in ${language}`,
}

const titleAbove = (characters: number): ItemRule => ({
  name: 'title-length',
  requirement: `a title has more than ${characters} characters`,
  breach: ({ title }) => {
    const length = lengthOf(title)
    return length > characters ? null : `the title has ${length} ${length === 1 ? 'character' : 'characters'}`
  },
})

const publishedWithin = (days: number): ItemRule => ({
  name: 'age',
  requirement: `what is published or updated was first published less than ${days} days before`,
  breach: ({ published, updated }) =>
    updated.getTime() - published.getTime() < days * DAY_MS ? null : `it was published ${published.toISOString()}`,
})

const nestedBelow = (levels: number): ItemRule => ({
  name: 'html-depth',
  requirement: `elements in the content are less than ${levels} deep`,
  breach: ({ html }) => {
    const depth = html === null ? 0 : depthOf(html)
    return depth < levels ? null : `elements are ${depth} deep`
  },
})

const VOID = new Set(['br', 'hr', 'img'])
/** Of clean HTML, in which every element but these is closed. */
const depthOf = (html: string): number => {
  let depth = 0
  let deepest = 0
  for (const [, end, name = ''] of html.matchAll(/<(\/?)([a-z0-9]+)/g)) {
    if (end === '/') depth -= 1
    else if (!VOID.has(name)) depth += 1
    deepest = Math.max(deepest, depth)
  }
  return deepest
}

const pictureOf = (pixels: number): ItemRule => ({
  name: 'picture',
  requirement: `an item has a picture of at least ${pixels} pixels on its shorter side`,
  breach: ({ media }) =>
    media.some(one => Math.min(one.width, one.height) >= pixels) ? null : `no picture has ${pixels} pixels on its shorter side`,
})

const fileBelow = (bytes: number): FeedRule => ({
  name: 'file-size',
  requirement: `no file of the feed has more than ${bytes} bytes`,
  breach: (_feed, sizes) => {
    const [output, size] = Object.entries(sizes).reduce((a, b) => (b[1] > a[1] ? b : a))
    return size <= bytes ? null : `${output} would have ${size} bytes; lower the feed's limit, or say \`content: summary\``
  },
})

const wholeArticles: FeedRule = {
  name: 'full-text',
  requirement: 'the feed carries whole articles',
  breach: feed => (feed.content === 'full' ? null : 'the feed has `content: summary`; say `full`'),
}

const atLeast = (items: number): FeedRule => ({
  name: 'limit',
  requirement: `the feed has room for at least ${items} items`,
  breach: feed => (feed.limit >= items ? null : `the feed's limit is ${feed.limit}`),
})

export const profiles = {
  standard: {
    source: 'RSS 2.0 and the RSS Best Practices Profile, RFC 4287, JSON Feed 1.1; the body limit of common aggregators (Miniflux: 15 MB)',
    items: [hasTitle],
    feed: [fileBelow(15 * MB)],
    render: plain,
  },
  msn: {
    source: 'MSN feed item metadata requirements; MSN HTML guidelines and tag restrictions',
    items: [titleAbove(20), publishedWithin(365), fullText, nestedBelow(10), oneLanguage],
    feed: [wholeArticles, fileBelow(15 * MB)],
    render: { pubDate: 'published', cleanLinks: true, picture: { width: 640, height: 360 }, dialect: 'msn' },
  },
  'google-news': {
    source: 'Google Search Central, News sitemaps (what Google News reads since March 2025); 2 MB a feed for those who still read it',
    items: [hasTitle, oneLanguage],
    feed: [fileBelow(2 * MB)],
    render: { ...plain, cleanLinks: true },
  },
  smartnews: {
    source: 'SmartFormat specification 2.1 and 2.2',
    items: [hasTitle, fullText, oneLanguage],
    feed: [wholeArticles, fileBelow(MB)],
    render: { pubDate: 'updated', cleanLinks: true, picture: { width: 0, height: 0 }, dialect: 'smartnews' },
  },
  flipboard: {
    source: 'Flipboard, Optimizing your RSS feed',
    items: [hasTitle, fullText, pictureOf(400)],
    feed: [wholeArticles, atLeast(30), fileBelow(15 * MB)],
    render: { ...plain, cleanLinks: true },
  },
} as const satisfies Record<FeedProfile, ProfileRules>

export type Breach = Readonly<{ code: string; reason: string }>

/** The first rule that an article breaks; what was taken back is held to none. */
export const findItemBreach = (item: FeedItem, profile: FeedProfile, language: string): Breach | null => {
  const rules: readonly ItemRule[] = profiles[profile].items
  for (const { name, requirement, breach } of rules) {
    const found = breach(item, language)
    if (found !== null)
      return { code: 'NEWSWIRE_FEEDS_ITEM_RULE', reason: `breaks ${name} of profile ${profile} (${requirement}): ${found}` }
  }
  return null
}

/** The first rule that a feed as a whole breaks. */
export const findFeedBreach = (feed: FeedConfig, sizes: Sizes): Breach | null => {
  const rules: readonly FeedRule[] = profiles[feed.profile].feed
  for (const { name, requirement, breach } of rules) {
    const found = breach(feed, sizes)
    if (found !== null)
      return {
        code: 'NEWSWIRE_FEEDS_FEED_RULE',
        reason: `the feed breaks ${name} of profile ${feed.profile} (${requirement}): ${found}; the last good files stay`,
      }
  }
  return null
}
