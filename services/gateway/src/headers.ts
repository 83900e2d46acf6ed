/** Headers that many answers carry, in one place for both ways of answering. */
import { cacheKeyHeaders, cacheKeys } from '@newswire/events/cache-keys'
import type { FeedOutput } from '@newswire/events/feed'
import { feedFiles } from '@newswire/events/feed'
import { toTopic } from '@newswire/events/subscription'
import { readableElsewhere } from './cors.ts'
import type { FeedState, Variant } from './feed-state.ts'

/** For every answer that says nothing else: nothing may run, frame or sniff it. HSTS only where the public address is https. */
export const securityHeaders = (publicUrl: string): Readonly<Record<string, string>> => ({
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'strict-origin-when-cross-origin',
  'cross-origin-resource-policy': 'cross-origin',
  ...(publicUrl.startsWith('https:') ? { 'strict-transport-security': 'max-age=31536000' } : {}),
})

/** Short, so that a retraction is soon everywhere; a stale answer is better than none while we are away (RFC 5861). */
export const FEED_CACHE = 'public, max-age=60, stale-while-revalidate=60, stale-if-error=86400'
/** Kept by the reader alone, and asked about every time: a token may have been withdrawn. */
export const PRIVATE_CACHE = 'private, no-cache'
/** A delta fits the one reader that holds its base (RFC 3229 §10.8.1). */
export const DELTA_CACHE = 'no-store, im'

const feedAddress = (publicUrl: string, feedId: string, output: FeedOutput): string =>
  `${publicUrl}/feeds/${feedId}/${feedFiles[output].name}`

type FeedHeaderOptions = Readonly<{
  publicUrl: string
  isPrivate: boolean
  /** What whoever reads a private feed may subscribe to it by; absent or `null`: there is no hub for it. */
  capability?: string | null
  /** ms since 1970 (default: the clock's). */
  now?: number
}>

/**
 * States that follow each other within a second are dated a second apart, so that a date names one of them; but nothing may be dated later than the answer
 * (RFC 9110 §8.8.2.1). Conditions go by the true date: whoever was told an earlier one is sent the whole once more, and never too little.
 */
const toldModified = (lastModified: Date, now: number): string => new Date(Math.min(lastModified.getTime(), now)).toUTCString()

/** Until when these headers may be said, ms since 1970: while the date is yet to come, what is told in its place changes with every second. */
export const toldUntil = ({ lastModified }: Pick<FeedState, 'lastModified'>, now: number): number =>
  lastModified !== null && lastModified.getTime() > now ? now - (now % 1_000) + 1_000 : Number.POSITIVE_INFINITY

/** WebSub discovery (§4): the hub and the one address of this representation, for a private feed the one of this reader's token. */
const linkOf = ({ feedId, output }: FeedState, { publicUrl, isPrivate, capability = null }: FeedHeaderOptions): string => {
  if (output === 'sitemap' || (isPrivate && capability === null)) return `<${feedAddress(publicUrl, feedId, output)}>; rel="self"`
  const self = isPrivate ? toTopic(publicUrl, feedId, output, capability) : feedAddress(publicUrl, feedId, output)
  return `<${publicUrl}/hub>; rel="hub", <${self}>; rel="self"`
}

/** What a 200, a 304 and a 206 have alike. */
export const feedHeaders = (state: FeedState, tag: string, options: FeedHeaderOptions): Record<string, string> => ({
  etag: tag,
  ...(state.lastModified === null ? {} : { 'last-modified': toldModified(state.lastModified, options.now ?? Date.now()) }),
  'cache-control': options.isPrivate ? PRIVATE_CACHE : FEED_CACHE,
  vary: 'accept-encoding',
  ...(options.isPrivate ? {} : { ...readableElsewhere, ...cacheKeyHeaders(cacheKeys.feed(state.feedId)) }),
  link: linkOf(state, options),
})

export const bodyHeaders = (state: FeedState, { coding, bytes }: Variant): Record<string, string> => ({
  'content-type': feedFiles[state.output].type,
  ...(coding === 'identity' ? {} : { 'content-encoding': coding }),
  'content-length': String(bytes.length),
  'accept-ranges': 'bytes',
})
