/** The configuration (`newswire.yaml`, contract §2; kept as objects under `config/`), and what its parts match. */
import { z } from 'zod'
import { articleType, audience, configId as id, languageTag, timeZone } from './config-words.ts'
import { deliverConfig, hasNoPassword, httpUrl, secretEnv } from './deliver.ts'
import type { Facets } from './fact.ts'
import { hookConfig } from './hook-config.ts'
import { isPublisherId, isSha256 } from './ids.ts'
import { picturesConfig } from './picture-config.ts'

export const scopes = ['publish', 'retract', 'republish', 'read'] as const
export type Scope = (typeof scopes)[number]
const tokenConfig = z.strictObject({
  id,
  sha256: z.string().refine(isSha256, "expected the 64 hex digits of the token's SHA-256"),
  scopes: z.array(z.enum(scopes)).min(1),
})
export type TokenConfig = z.output<typeof tokenConfig>
/** A token that the system made: an object of its own, so that applying a file does not undo it. */
export const issuedToken = tokenConfig.extend({ publisher: z.string().refine(isPublisherId) })
export type IssuedToken = z.output<typeof issuedToken>

export const siteConfig = z.strictObject({
  /** An authority and a date, set once: every item's identity begins with it (RFC 4151). */
  id: z.string().regex(/^[a-z0-9.-]+,\d{4}(-\d{2}(-\d{2})?)?$/, 'expected an authority and a date, like news.example,2026'),
  title: z.string().min(1),
  language: languageTag.default('en'),
  timeZone: timeZone.default('UTC'),
  /** Every address of ours is this and a path. */
  publicUrl: httpUrl
    .refine(url => !/[?#]/.test(url) && hasNoPassword(url), 'expected an address without a query, a fragment, a name or a password')
    .transform(url => url.replace(/\/+$/, '')),
})
export type SiteConfig = z.output<typeof siteConfig>

const networkConfig = z.strictObject({
  /** Private networks (CIDR) that pictures, callbacks and outlets may be on. */
  allow: z.array(z.string().regex(/^[0-9a-fA-F.:]+\/\d{1,3}$/, 'expected a network in CIDR form, like 127.0.0.0/8')).default([]),
  /** Plain http is refused unless this is set. */
  allowHttp: z.boolean().default(false),
})
export type NetworkConfig = z.output<typeof networkConfig>

export const publisherConfig = z.strictObject({
  id: z.string().refine(isPublisherId, 'expected lower-case letters, digits and hyphens, at most 32'),
  name: z.string().min(1),
  tokens: z.array(tokenConfig).default([]),
  /** Told of every refusal and release of its submissions, signed like a webhook with the secret of `callbackSecretEnv`. */
  callbackUrl: httpUrl.optional(),
  callbackSecretEnv: secretEnv.optional(),
  /** Absent: none. */
  hooks: z.array(hookConfig).max(20).optional(),
  /** What the contract with this publisher says of our pages of its articles. */
  pages: z
    .strictObject({
      /** `canonical` of a page: the publisher's own address (`canonicalUrl`, when the article has one), or ours. */
      canonical: z.enum(['source', 'self']).default('source'),
      /** Whether search engines may keep our pages; `false` says `noindex` in header and page. */
      index: z.boolean().default(true),
    })
    .prefault({}),
})
export type PublisherConfig = z.output<typeof publisherConfig>

const categoryConfig = z.strictObject({ id, name: z.string().min(1), parent: id.optional() })
export type CategoryConfig = z.output<typeof categoryConfig>

/** Every named list must match; a list that is absent matches everything. A category matches its children too, a language its regions and scripts. */
const match = z.strictObject({
  categories: z.array(id).optional(),
  languages: z.array(languageTag).optional(),
  publishers: z.array(z.string()).optional(),
  types: z.array(articleType).optional(),
})
export type Match = z.output<typeof match>

/** Whose rules a feed is held to on every build (`services/feeds`, `profiles.ts`). */
export const feedProfiles = ['standard', 'msn', 'google-news', 'smartnews', 'flipboard'] as const
export type FeedProfile = (typeof feedProfiles)[number]

/** One reader of a private feed; the token itself is never written down. */
const feedTokenConfig = tokenConfig.omit({ scopes: true })

export const feedConfig = z.strictObject({
  id,
  title: z.string().min(1),
  description: z.string().default(''),
  match: match.default({}),
  limit: z.int().min(1).max(1000).default(50),
  content: z.enum(['full', 'summary']).default('full'),
  language: languageTag.optional(),
  profile: z.enum(feedProfiles).default('standard'),
  /** Makes the feed private: only for who has one of these tokens, in the path or as Basic password; in no list and no OPML. */
  access: z.strictObject({ tokens: z.array(feedTokenConfig).min(1) }).optional(),
})
export type FeedConfig = z.output<typeof feedConfig>
/** For its token holders alone: in no list, no OPML, no link that leads readers to feeds. */
export const isPrivate = (feed: FeedConfig): boolean => feed.access !== undefined

export const outletConfig = z.strictObject({
  id,
  name: z.string().optional(),
  match: match.default({}),
  /** Editorial articles go only to outlets that ask for them. */
  audience: audience.default('public'),
  deliver: deliverConfig,
  /** Open the outlet's own page and what its payloads link to (contract §9); the tokens themselves are never written down. */
  tokens: z.array(feedTokenConfig).max(8).optional(),
  /** Requests in flight at once. */
  concurrency: z.int().min(1).max(64).default(4),
  /** `latest`: the newest version takes the place of those not sent yet. `all`: every version, one after the other, for legal archives. */
  versions: z.enum(['latest', 'all']).default('latest'),
  /** `strict`: one request at a time, in the order of releases; what fails holds up what follows, but for retractions. */
  order: z.enum(['article', 'strict']).default('article'),
  /** Requests a second, at most; fractions are fine. */
  rate: z.number().min(0.001).max(10_000).optional(),
  /** An article that the outlet never had is not begun any more so long after it was due there; updates and retractions always go. */
  maxAgeHours: z.number().positive().max(8_760).optional(),
  /** Nothing of an article goes to the outlet sooner than this after the article's first release. */
  embargoOffsetHours: z.number().min(0).max(8_760).default(0),
  onLeave: z.enum(['keep', 'withdraw']).default('keep'),
  /** What this partner itself publishes: articles by these publishers, or that came through these sites (`site.id`, in `via`), are not sent back to it. */
  origin: z.strictObject({ publishers: z.array(z.string()).default([]), sites: z.array(z.string()).default([]) }).optional(),
  /** Set when the configuration no longer names it: nothing new, kills still go. */
  retired: z.boolean().default(false),
})
export type OutletConfig = z.output<typeof outletConfig>

/** The whole of `newswire.yaml`. */
export const newswireConfig = z.strictObject({
  site: siteConfig,
  network: networkConfig.prefault({}),
  /** Absent: the defaults. */
  pictures: picturesConfig.optional(),
  publishers: z.array(publisherConfig).default([]),
  categories: z.array(categoryConfig).default([]),
  feeds: z.array(feedConfig).default([]),
  outlets: z.array(outletConfig).default([]),
})
export type NewswireConfig = z.output<typeof newswireConfig>

/** The kinds kept as `config/<kind>/<id>.json`, each with its schema. `site`, `network` and `pictures` have the one id `main`. */
export const configKinds = {
  site: siteConfig,
  network: networkConfig,
  pictures: picturesConfig,
  publishers: publisherConfig,
  categories: categoryConfig,
  feeds: feedConfig,
  outlets: outletConfig,
  tokens: issuedToken,
} as const
export type ConfigKind = keyof typeof configKinds

/** A configuration object as it is stored. `retired` objects stay, so that what they got can still be taken back. */
export const configObject = z.object({ n: z.int(), retired: z.boolean(), changedAt: z.string(), value: z.unknown() })

export const configChanged = z.object({
  kind: z.enum(Object.keys(configKinds) as ConfigKind[]),
  id: z.string(),
  n: z.int(),
})

/** A category with all its ancestors, nearest first; unknown and circular parents end the walk. */
export const withAncestors = (category: string, categories: ReadonlyMap<string, Pick<CategoryConfig, 'parent'>>): string[] => {
  const line = new Set<string>()
  for (let next: string | undefined = category; next !== undefined && !line.has(next); next = categories.get(next)?.parent) line.add(next)
  return [...line]
}

/** Whether a language is one that a rule names, or a kind of it: `en` is `en-GB` too, in any case of letters (RFC 4647 §3.3.1). */
export const isLanguage = (language: string, wanted: string): boolean =>
  // Asked of every article for every feed and outlet: most are told apart by their length, and need no copy.
  language === wanted ||
  ((language.length === wanted.length || language[wanted.length] === '-') &&
    language.slice(0, wanted.length).toLowerCase() === wanted.toLowerCase())

const anyLanguage = (wanted: readonly string[] | undefined, had: readonly string[]): boolean =>
  wanted === undefined || had.some(value => wanted.some(one => isLanguage(value, one)))

const any = (wanted: readonly string[] | undefined, had: readonly string[]): boolean =>
  wanted === undefined || had.some(value => wanted.includes(value))

/** `withAncestors` without the list, because it is asked of every feed for every article. A line is no longer than there are categories, but for a circle. */
const isUnder = (category: string, wanted: readonly string[], categories: ReadonlyMap<string, CategoryConfig>): boolean => {
  let next: string | undefined = category
  for (let step = 0; next !== undefined && step <= categories.size; step += 1) {
    if (wanted.includes(next)) return true
    next = categories.get(next)?.parent
  }
  return false
}

/** Whether facets match: by any value they ever had, which is why a retraction still matches what the article once was. */
export const matches = (rule: Match, facets: Facets, categories: ReadonlyMap<string, CategoryConfig>): boolean => {
  const { categories: wanted } = rule
  return (
    anyLanguage(rule.languages, facets.languages) &&
    any(rule.publishers, facets.publishers) &&
    any(rule.types, facets.types) &&
    (wanted === undefined || facets.categories.some(category => isUnder(category, wanted, categories)))
  )
}
