/**
 * WebSub subscriptions to our feeds (W3C Recommendation, 2018): one object for each pair of topic and callback, `hub/subscriptions/…`. The
 * gateway takes and verifies them, `outlets` distributes by them and ends those whose callback is gone.
 */
import { z } from 'zod'
import { type FeedFormat, feedFiles, feedFormats } from './feed.ts'
import { isConfigId, sha256Hex } from './ids.ts'

/** `<SHA-256 of the topic>-<SHA-256 of the callback>`: a callback is an address with a capability in it, so only its hash travels. */
export const isSubscriptionId = (value: string): boolean => /^[0-9a-f]{64}-[0-9a-f]{64}$/.test(value)
export const toSubscriptionId = (topicSha256: string, callbackSha256: string): string => `${topicSha256}-${callbackSha256}`
export const splitSubscriptionId = (id: string): Readonly<{ topicSha256: string; callbackSha256: string }> => {
  const [topicSha256 = '', callbackSha256 = ''] = id.split('-', 2)
  return { topicSha256, callbackSha256 }
}

/** What was verified: until it ends, the callback is sent every change of the topic. */
const lease = z.object({
  /** Where the subscriber's secret is sealed; `null`: distribution is not signed. */
  secretId: z.string().nullable(),
  /** As the subscriber was told, seconds. */
  seconds: z.int(),
  verifiedAt: z.string(),
  until: z.string(),
  /** The counter of the feed when it was verified: a newer build is news to this subscriber. */
  since: z.int(),
})

/** What the callback has still to be asked, or told: there is at most one, the newest. */
const errand = z.object({
  /** Differs for every request, so that the end of an older one changes nothing. */
  id: z.string(),
  /** `subscribe`, `unsubscribe`: its intent is verified (§5.3). `deny`: it is told that there is no such subscription (§5.2). */
  mode: z.enum(['subscribe', 'unsubscribe', 'deny']),
  secretId: z.string().nullable(),
  seconds: z.int(),
  /** Of a denial, for the subscriber to read. */
  reason: z.string().nullable(),
  acceptedAt: z.string(),
  /** Tries that were begun. */
  tries: z.int(),
  nextAt: z.string(),
  /** The gateway that is on it, until that time; then anybody may take it. */
  heldBy: z.string(),
  heldUntil: z.string(),
})
export type Errand = z.output<typeof errand>

export const subscription = z.object({
  /** Counts the swaps, because a tag is a hash of the body. */
  n: z.int(),
  /** Differs for every swap: of two writers of the same bytes both would be told that they won. */
  nonce: z.string(),
  id: z.string().refine(isSubscriptionId, 'expected the hashes of topic and callback'),
  feedId: z.string().refine(isConfigId),
  format: z.enum(feedFormats),
  /** Of a private feed: the token of the feed that the subscriber's topic was made for; it ends with that. Absent: the feed is for everybody. */
  tokenId: z.string().optional(),
  /** As the subscriber wrote it: the verification repeats it letter for letter. */
  topic: z.string(),
  callback: z.string(),
  lease: lease.nullable(),
  errand: errand.nullable(),
  /** When it was last swapped. */
  changedAt: z.string(),
  /** It is about to be deleted: nobody may swap it any more, a new one is made when it is gone. */
  swept: z.boolean().default(false),
})
export type Subscription = z.output<typeof subscription>

/** Thin note that a subscription changed; the object is the truth. */
export const subscriptionChanged = z.object({ id: z.string(), feedId: z.string(), n: z.int() })

/** Names the capability in the topic of a private feed. */
const CAPABILITY = '?hub='

/** Where a feed can be read, which is its WebSub topic; as browsers and subscribers write addresses. `capability`: of a private feed. */
export const toTopic = (publicUrl: string, feedId: string, format: FeedFormat, capability: string | null = null): string =>
  new URL(`${publicUrl}/feeds/${feedId}/${feedFiles[format].name}${capability === null ? '' : `${CAPABILITY}${capability}`}`).href
/** What a topic, in whatever way it is written, says that it may be subscribed by; `null` when it says nothing. */
export const parseCapability = (topic: string): string | null =>
  URL.canParse(topic) ? (/\?hub=([\w-]+)$/.exec(new URL(topic).href)?.[1] ?? null) : null
export const toHub = (publicUrl: string): string => new URL(`${publicUrl}/hub`).href

/** The feed and format of a topic; `null` for an address that is none of ours. Does not look whether there is such a feed, or what its capability is worth. */
export const parseTopic = (publicUrl: string, topic: string): Readonly<{ feedId: string; format: FeedFormat }> | null => {
  if (!URL.canParse(topic)) return null
  const whole = new URL(topic).href
  const capability = parseCapability(whole)
  const href = capability === null ? whole : whole.slice(0, -CAPABILITY.length - capability.length)
  const before = new URL(`${publicUrl}/feeds/`).href
  const [feedId = '', name, ...rest] = href.startsWith(before) ? href.slice(before.length).split('/') : []
  const format = feedFormats.find(one => feedFiles[one].name === name)
  return format !== undefined && rest.length === 0 && isConfigId(feedId) ? { feedId, format } : null
}

/** One for all ways of writing the same topic. */
export const subscriptionIdOf = (publicUrl: string, feedId: string, format: FeedFormat, callback: string): string =>
  toSubscriptionId(sha256Hex(toTopic(publicUrl, feedId, format)), sha256Hex(callback))

/** Whether it is to be told of changes at that time, ms since 1970. */
export const isLive = ({ lease }: Pick<Subscription, 'lease'>, nowMs: number): boolean => lease !== null && Date.parse(lease.until) > nowMs

/** Neither in force nor on its way to be: only kept so that a late swap fails. */
export const isOver = (one: Subscription, nowMs: number): boolean => one.errand === null && !isLive(one, nowMs)
