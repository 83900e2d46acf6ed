/** How much of the hub one stranger may have: it calls addresses that strangers name, so it must not become a weapon or a store. */
import { isLive, type Subscription } from '@newswire/events/subscription'
import { createRateLimiter, type RatePolicy, toClientKey } from '@newswire/http/rate'
import { getDomain } from 'tldts'

/** Requests of one client. */
const CLIENT: RatePolicy = { name: 'hub-client', quota: 60, windowSeconds: 60 }
/** Questions that the hosts of one owner may be asked because of requests: one every two seconds harms nobody. */
const CALLBACK_HOST: RatePolicy = { name: 'hub-callback-owner', quota: 30, windowSeconds: 60 }
/** Remembered at once, of each. */
const MAX_CLIENTS = 10_000

/** Subscriptions of one feed in one format, of one owner's callbacks, and of all. */
const MOST_PER_TOPIC = 10_000
const MOST_PER_OWNER = 2_000
const MOST = 20_000
/** Errands that wait at once, over all callbacks. */
export const MOST_ERRANDS = 1_000

type Haste = Readonly<{ reason: string; retryAfterSeconds: number }>
type HubLimits = Readonly<{
  /** Why this client must wait; counts the request when it need not. `client`: the address it comes from. */
  findHaste(client: string, callback: string, nowMs: number): Haste | null
}>

export const createHubLimits = (): HubLimits => {
  const limiters = [
    { limiter: createRateLimiter(CLIENT, { maxClients: MAX_CLIENTS }), whose: 'from one address' },
    { limiter: createRateLimiter(CALLBACK_HOST, { maxClients: MAX_CLIENTS }), whose: 'for callbacks of one domain' },
  ]
  return {
    findHaste: (client, callback, nowMs) => {
      const asked = [toClientKey(client), ownerOf(callback)].flatMap((key, index) => {
        const one = limiters[index]
        return one === undefined ? [] : [{ ...one, client: one.limiter.client(key) }]
      })
      const hasty = asked.find(({ limiter, client }) => !limiter.mayAsk(client, nowMs))
      if (hasty === undefined) {
        for (const { limiter, client } of asked) limiter.charge(client, nowMs)
        return null
      }
      const { quota } = hasty.limiter.policy
      return {
        reason: `at most ${quota} requests a minute ${hasty.whose}`,
        retryAfterSeconds: hasty.limiter.retryAfterSeconds(hasty.client, nowMs),
      }
    },
  }
}

/** Whose a callback is: the registrable domain, because names below it cost its owner nothing; of an address, what a client is known by. */
export const ownerOf = (callback: string): string => {
  const host = new URL(callback).hostname
  return getDomain(host, { allowPrivateDomains: true }) ?? toClientKey(host.replace(/^\[|\]$/g, ''))
}

/** Owners of subscriptions that were counted before: reading twenty thousand addresses for each request would hold everybody up. */
const owners = new WeakMap<Subscription, string>()
const ownerOfKnown = (one: Subscription): string => {
  const known = owners.get(one)
  if (known !== undefined) return known
  const owner = ownerOf(one.callback)
  owners.set(one, owner)
  return owner
}

/** Why there is no room for one subscription more; `null` when there is. Those being verified count. */
export const findCrowd = (
  all: Iterable<Subscription>,
  wanted: Pick<Subscription, 'feedId' | 'format' | 'callback'>,
  nowMs: number,
): string | null => {
  const owner = ownerOf(wanted.callback)
  let [total, ofTopic, ofOwner] = [0, 0, 0]
  for (const one of all) {
    if (one.errand === null && !isLive(one, nowMs)) continue
    total += 1
    if (one.feedId === wanted.feedId && one.format === wanted.format) ofTopic += 1
    if (ownerOfKnown(one) === owner) ofOwner += 1
  }
  if (ofTopic >= MOST_PER_TOPIC) return 'this feed has as many subscribers as it can have'
  if (ofOwner >= MOST_PER_OWNER) return 'this callback domain has as many subscriptions as it can have'
  return total >= MOST ? 'this hub has as many subscriptions as it can have' : null
}
