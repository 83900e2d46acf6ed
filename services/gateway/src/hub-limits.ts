/** How much of the hub one stranger may have: it calls addresses that strangers name, so it must not become a weapon or a store. */
import type { Subscription } from '@newswire/events/subscription'
import { isLive } from '@newswire/events/subscription'

/** Requests of one client address in a minute. */
const CLIENT_A_MINUTE = 60
/** Questions that one callback host may be asked because of requests, in a minute: one every two seconds harms nobody. */
const HOST_A_MINUTE = 30
const MINUTE_MS = 60_000
/** Clients and hosts remembered in a minute; whoever comes beyond them waits for the next. */
const MOST_REMEMBERED = 10_000

/** Subscriptions of one feed in one format, of one callback host, and of all. */
const MOST_PER_TOPIC = 10_000
const MOST_PER_HOST = 2_000
const MOST = 20_000
/** Errands that wait at once, over all callbacks. */
export const MOST_ERRANDS = 1_000

type Allowance = Readonly<{ take(key: string, nowMs: number): boolean }>

const createAllowance = (most: number): Allowance => {
  let counts = new Map<string, number>()
  let minute = Number.NEGATIVE_INFINITY
  return {
    take: (key, nowMs) => {
      if (Math.floor(nowMs / MINUTE_MS) !== minute) {
        minute = Math.floor(nowMs / MINUTE_MS)
        counts = new Map()
      }
      const count = counts.get(key) ?? 0
      if (count >= most || (count === 0 && counts.size >= MOST_REMEMBERED)) return false
      counts.set(key, count + 1)
      return true
    },
  }
}

export type Limits = Readonly<{
  /** Why this client must wait; counts the request when it need not. */
  findHaste(client: string, callbackHost: string, nowMs: number): string | null
}>

export const createLimits = (): Limits => {
  const clients = createAllowance(CLIENT_A_MINUTE)
  const hosts = createAllowance(HOST_A_MINUTE)
  return {
    findHaste: (client, callbackHost, nowMs) => {
      if (!clients.take(client, nowMs)) return `at most ${CLIENT_A_MINUTE} requests a minute from one address`
      return hosts.take(callbackHost, nowMs) ? null : `at most ${HOST_A_MINUTE} requests a minute for callbacks on one host`
    },
  }
}

export const hostOf = (callback: string): string => new URL(callback).hostname

/** Why there is no room for one subscription more; `null` when there is. Those being verified count. */
export const findCrowd = (
  all: Iterable<Subscription>,
  wanted: Pick<Subscription, 'feedId' | 'format' | 'callback'>,
  nowMs: number,
): string | null => {
  const host = hostOf(wanted.callback)
  let [total, ofTopic, ofHost] = [0, 0, 0]
  for (const one of all) {
    if (one.errand === null && !isLive(one, nowMs)) continue
    total += 1
    if (one.feedId === wanted.feedId && one.format === wanted.format) ofTopic += 1
    if (hostOf(one.callback) === host) ofHost += 1
  }
  if (ofTopic >= MOST_PER_TOPIC) return 'this feed has as many subscribers as it can have'
  if (ofHost >= MOST_PER_HOST) return 'this callback host has as many subscriptions as it can have'
  return total >= MOST ? 'this hub has as many subscriptions as it can have' : null
}
