/**
 * How much one client may ask for: the generic cell rate algorithm (ITU-T I.371), which remembers one number a client, the time at which its
 * allowance will be whole again. Both ways of answering (Fastify, and whatever stands before it) ask the same limiter.
 */
import { isIPv6 } from 'node:net'

export type RatePolicy = Readonly<{
  /** Named in `RateLimit-Policy`. */
  name: string
  /** Whole answers in a window, and so many at once. */
  quota: number
  windowSeconds: number
}>

/** `wholeAt`: when the allowance is whole again, ms since 1970. */
export type Client = { wholeAt: number; generation: number }

export type RateLimiter = Readonly<{
  policy: RatePolicy
  /** What is remembered of a client; look it up again when `isForgotten`. */
  client(key: string): Client
  isForgotten(client: Client): boolean
  mayAsk(client: Client, now: number): boolean
  /** Counts `cost` answers (default 1). Never refuses: ask first, so that what an answer costs may depend on what it was. */
  charge(client: Client, now: number, cost?: number): void
  /** Whole answers left now. */
  remaining(client: Client, now: number): number
  /** Until the allowance is whole again, rounded up. */
  resetSeconds(client: Client, now: number): number
  /** Until one answer more is allowed, at least 1. */
  retryAfterSeconds(client: Client, now: number): number
  clients(): number
}>

/** Beyond so many clients in one window the longest silent are forgotten early: about 100 bytes each. */
const MAX_CLIENTS = 65_536

export const createRateLimiter = (policy: RatePolicy, { maxClients = MAX_CLIENTS } = {}): RateLimiter => {
  const windowMs = policy.windowSeconds * 1000
  const costMs = windowMs / policy.quota
  let generation = 0
  let bornAt = Number.NEGATIVE_INFINITY
  let young = new Map<string, Client>()
  let old = new Map<string, Client>()

  /** After a window everybody's allowance is whole: who was silent for one need not be remembered. */
  const turn = (now: number) => {
    if (now - bornAt < windowMs && now >= bornAt && young.size < maxClients) return
    old = young
    young = new Map()
    generation += 1
    bornAt = now
  }
  /** What is owed, ms. More than a window cannot be: the clock was set back, which must not lock anybody out until it has caught up. */
  const owed = (client: Client, now: number): number => {
    if (client.wholeAt - now > windowMs) client.wholeAt = now
    return Math.max(0, client.wholeAt - now)
  }
  return {
    policy,
    client: key => {
      turn(Date.now())
      const known = young.get(key)
      if (known !== undefined) return known
      const client = old.get(key) ?? { wholeAt: 0, generation }
      client.generation = generation
      young.set(key, client)
      return client
    },
    isForgotten: client => client.generation !== generation,
    mayAsk: (client, now) => owed(client, now) + costMs <= windowMs,
    charge: (client, now, cost = 1) => {
      client.wholeAt = now + Math.min(windowMs, owed(client, now) + cost * costMs)
    },
    remaining: (client, now) => Math.floor((windowMs - owed(client, now)) / costMs + 1e-9),
    resetSeconds: (client, now) => Math.ceil(owed(client, now) / 1000),
    retryAfterSeconds: (client, now) => Math.max(1, Math.ceil((owed(client, now) + costMs - windowMs) / 1000)),
    clients: () => young.size + old.size,
  }
}

/** The first four groups of an IPv6 address: a household or a host gets a /64, and may use any address of it. */
const prefixOf = (address: string): string => {
  const [left = '', right] = (address.split('%', 1)[0] ?? '').split('::')
  const head = left === '' ? [] : left.split(':')
  const tail = right === undefined || right === '' ? [] : right.split(':')
  const groups = right === undefined ? head : [...head, ...Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0'), ...tail]
  return groups
    .slice(0, 4)
    .map(group => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':')
}

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/** What stands for a client: an IPv4 address, or the /64 of an IPv6 one. */
export const toClientKey = (address: string): string => {
  const mapped = MAPPED.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  return isIPv6(address) ? `${prefixOf(address)}::/64` : address
}

/** Some proxies write `192.0.2.1:4711` or `[2001:db8::1]:4711`, another for each connection. */
const withoutPort = (text: string): string => /^(?:\[([^\]]+)\]|(\d+\.\d+\.\d+\.\d+))(?::\d+)?$/.exec(text)?.slice(1).find(Boolean) ?? text

/**
 * The address of the client behind `proxies` trusted proxies: each appends to `X-Forwarded-For` whom it spoke with, so the client's is so many
 * from the right, and what stands left of it anybody may have written. With fewer entries, or none, the peer's own.
 */
export const toClientAddress = (peer: string, forwarded: string | undefined, proxies: number): string => {
  if (proxies === 0 || forwarded === undefined) return peer
  return withoutPort(forwarded.split(',').at(-proxies)?.trim() ?? '') || peer
}
