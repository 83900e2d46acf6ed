/**
 * Whom the WebSub hub serves: everybody with feeds for everybody, and with private ones whoever was given the topic for a token. Such a topic is
 * the feed's address with a capability that may subscribe and not read: an HMAC over feed and token under `NEWSWIRE_SECRET_KEY`, so it can be
 * told without being kept anywhere, says nothing of the token, and ends with it.
 */
import { timingSafeEqual } from 'node:crypto'
import type { FeedConfig } from '@newswire/events/config'
import { parseCapability, type Subscription } from '@newswire/events/subscription'
import type { Sealing } from '@newswire/objects/sealed'

type Token = Readonly<{ id: string; sha256: string }>

export type FeedHub = Readonly<{
  /** `null` where there is no key: private feeds have no hub then. */
  capabilityOf(feedId: string, token: Token): string | null
  /** The id of the token, among those in force, that a capability was made for; `null` when it is none of them. */
  tokenOf(feedId: string, capability: string): string | null
  /** Of all tokens of a feed that are in force. */
  capabilitiesOf(feedId: string): readonly string[]
  /** Whether what was subscribed to may be distributed to the subscriber now. */
  isServed(one: Pick<Subscription, 'feedId' | 'topic' | 'tokenId'>): boolean
}>

type Needs = Readonly<{ feeds: () => ReadonlyMap<string, Pick<FeedConfig, 'access'>>; sealing: Pick<Sealing, 'prove'> | null }>

const isSame = (one: string | null, other: string): boolean => {
  const [a, b] = [Buffer.from(one ?? ''), Buffer.from(other)]
  return one !== null && a.length === b.length && timingSafeEqual(a, b)
}

export const createFeedHub = ({ feeds, sealing }: Needs): FeedHub => {
  const capabilityOf: FeedHub['capabilityOf'] = (feedId, { id, sha256 }) => sealing?.prove('feed hub', feedId, id, sha256) ?? null
  const tokensOf = (feedId: string): readonly Token[] => feeds().get(feedId)?.access?.tokens ?? []
  const tokenOf: FeedHub['tokenOf'] = (feedId, capability) =>
    tokensOf(feedId).find(token => isSame(capabilityOf(feedId, token), capability))?.id ?? null
  return {
    capabilityOf,
    tokenOf,
    capabilitiesOf: feedId => tokensOf(feedId).flatMap(token => capabilityOf(feedId, token) ?? []),
    isServed: ({ feedId, topic, tokenId }) => {
      const feed = feeds().get(feedId)
      if (feed === undefined) return false
      // Made private, or public, or given another token since: it was another subscription.
      if (feed.access === undefined || tokenId === undefined) return feed.access === undefined && tokenId === undefined
      const token = feed.access.tokens.find(one => one.id === tokenId)
      return token !== undefined && isSame(capabilityOf(feedId, token), parseCapability(topic) ?? '')
    },
  }
}
