/** Rate limits of all of the gateway's answers: the same limiter for the fast path and for Fastify's routes. */
import { ProblemError } from '@newswire/http/problem'
import { type Client, createRateLimiter, type RateLimiter, toClientAddress, toClientKey } from '@newswire/http/rate'
import type { HttpRequest, HttpServer } from '@newswire/http/server'

export type Limits = Readonly<{
  /** `null`: no limits. */
  limiter: RateLimiter | null
  /** How many proxies stand before us, whose `X-Forwarded-For` is believed. */
  proxies: number
}>

const WINDOW_SECONDS = 60

/** `perMinute`: whole answers to one client, and so many at once; 0 for no limits. */
export const createLimits = ({ perMinute, proxies }: { perMinute: number; proxies: number }): Limits => ({
  limiter: perMinute === 0 ? null : createRateLimiter({ name: 'gateway', quota: perMinute, windowSeconds: WINDOW_SECONDS }),
  proxies,
})

/** A 304 costs us a hundredth of a millisecond and a reader nothing: polling by the rules is never the thing to stop. */
export const COST_UNCHANGED = 0.1
/** A wrong token: guessing is slower than reading. */
const COST_REFUSED = 5
const COST_WHOLE = 1
/** A search takes some milliseconds of another thread, a feed some hundredths of one. */
const COST_SEARCH = 5

const isSearch = (url: string): boolean => /^\/(?:v1\/)?search(?:[/?]|$)/.test(url)

const costOf = (status: number, url = ''): number => {
  if (status === 304) return COST_UNCHANGED
  if (status === 401) return COST_REFUSED
  return status === 200 && isSearch(url) ? COST_SEARCH : COST_WHOLE
}

/** draft-ietf-httpapi-ratelimit-headers: the policy, and what is left of it. */
export const policyHeader = ({ policy }: RateLimiter): string => `"${policy.name}";q=${policy.quota};w=${policy.windowSeconds}`
const standingHeader = (limiter: RateLimiter, client: Client, now: number): string =>
  `"${limiter.policy.name}";r=${limiter.remaining(client, now)};t=${limiter.resetSeconds(client, now)}`

export const addressOf = (peer: string | undefined, forwarded: string | string[] | undefined, proxies: number): string =>
  toClientAddress(peer ?? '', forwarded === undefined ? undefined : String(forwarded), proxies)
export const askerOf = ({ raw, headers }: HttpRequest, proxies: number): string =>
  addressOf(raw.socket.remoteAddress, headers['x-forwarded-for'], proxies)

const ADVICE = '; ask with If-None-Match, which costs a tenth, and no more often than Cache-Control says'

/** Throws the 429 problem when there is nothing left; `advice`: how to get by with less. */
export const refuseTooMany = (limiter: RateLimiter, client: Client, now: number, advice = ''): void => {
  if (limiter.mayAsk(client, now)) return
  const retryAfterSeconds = limiter.retryAfterSeconds(client, now)
  throw new ProblemError({
    status: 429,
    code: 'NEWSWIRE_RATE_LIMIT',
    title: 'Too many requests',
    detail: `try again in ${retryAfterSeconds} s${advice}`,
    headers: { 'retry-after': String(retryAfterSeconds) },
  })
}

/** What watches over us must get its answer, and is cheap. */
const isHealth = (url: string): boolean => url === '/livez' || url === '/readyz'

/**
 * A browser asks for leave before a script may ask with conditions (`cors.ts`), and where it is refused that, the script hears of no answer at all: neither
 * of the 429 nor of its Retry-After. A leave costs us no more than a 429 does.
 */
const isLeave = ({ method, is404 }: HttpRequest): boolean => method === 'OPTIONS' && !is404

const clientOf = (limiter: RateLimiter, request: HttpRequest, proxies: number): Client =>
  limiter.client(toClientKey(askerOf(request, proxies)))

export const chargeOne = (limiter: RateLimiter, client: Client, now: number, advice = ''): void => {
  refuseTooMany(limiter, client, now, advice)
  limiter.charge(client, now, COST_WHOLE)
}

/** For `onUnroutable` of the HTTP server: a path that cannot be decoded costs what any other does. */
export const chargeUnroutable =
  ({ limiter, proxies }: Limits) =>
  (request: HttpRequest): void => {
    if (limiter !== null) chargeOne(limiter, clientOf(limiter, request, proxies), Date.now(), ADVICE)
  }

/** Must be added before routes. */
export const addLimits = (app: HttpServer, { limiter, proxies }: Limits): void => {
  if (limiter === null) return
  const clients = new WeakMap<HttpRequest, Client>()
  app.addHook('onRequest', async request => {
    if (isHealth(request.url) || isLeave(request)) return
    const client = clientOf(limiter, request, proxies)
    clients.set(request, client)
    // At once, so that many at the same moment are counted too; what it really costs is known when it is answered.
    chargeOne(limiter, client, Date.now(), ADVICE)
  })
  app.addHook('onSend', async (request, reply) => {
    const client = clients.get(request)
    if (client === undefined) return
    const now = Date.now()
    if (reply.statusCode !== 429) limiter.charge(client, now, costOf(reply.statusCode, request.url) - COST_WHOLE)
    reply.header('ratelimit-policy', policyHeader(limiter)).header('ratelimit', standingHeader(limiter, client, now))
  })
}
