/** The guarded client (research/delivery.md §4.1): addresses and headers are checked, connections guarded, redirects followed only when asked for. */
import { lookup as lookupName } from 'node:dns'
import { findUrlOffence } from './addresses.ts'
import { createConnections } from './connections.ts'
import { connectForSsh, guardConnections } from './connector.ts'
import { exchange, fromError, refuse } from './exchange.ts'
import type { Outbound, OutboundOptions, OutboundRequest, OutboundResult } from './outbound.ts'
import { createTargets } from './targets.ts'

const DEFAULT_TIMEOUT_MS = 15_000
/** undici sends é as latin1, and throws on line breaks and on what is above latin1: a poison pill in whatever is tried again (RFC 9110 §5.5). */
const HEADER_VALUE = /^[\x21-\x7e]+(?:[ ]+[\x21-\x7e]+)*$|^$/
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** Meant for one host, so not for another that it redirects to. */
const CREDENTIALS: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization'])

const findHeaderOffence = (headers: Readonly<Record<string, string>>): string | null => {
  for (const name of Object.keys(headers)) {
    const value = headers[name] ?? ''
    if (!HEADER_NAME.test(name)) return `${JSON.stringify(name.slice(0, 80))} is no name of a header`
    if (!HEADER_VALUE.test(value)) return `the header ${name} has characters that HTTP cannot carry`
  }
  return null
}

const isRedirect = (status: number): boolean => [301, 302, 303, 307, 308].includes(status)

const findLocation = (result: OutboundResult): string | null =>
  result.ok && isRedirect(result.response.status) ? (result.response.headers['location'] ?? null) : null

const withoutCredentials = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !CREDENTIALS.has(name.toLowerCase())))

/**
 * Connections are kept and shared by all callers of one process. There may be as many to one host as its callers have requests, and each of them
 * has a limit of its own: with one here, sixty-four partners' hooks that hang at a common host would keep the others there waiting.
 */
export const createOutbound = ({ network, userAgent = 'Newswire/0.1', lookup = lookupName }: OutboundOptions): Outbound => {
  const connections = createConnections({
    pipelining: 1,
    keepAliveTimeout: 10_000,
    maxHeaderSize: 16_384,
    allowH2: false,
    connect: guardConnections(network, lookup),
  })

  const targetOf = createTargets(network)

  const send = (request: OutboundRequest, timeoutMs: number): Promise<OutboundResult> => {
    const target = targetOf(request.url)
    if (target.offence !== null) return Promise.resolve(refuse(`this address may not be reached: ${target.offence}`))
    return exchange(connections, target, request, timeoutMs)
  }

  const follow = async (request: OutboundRequest, hopsLeft: number, deadline: number): Promise<OutboundResult> => {
    const result = await send(request, Math.max(1, deadline - performance.now()))
    const location = findLocation(result)
    if (location === null || hopsLeft === 0) return result
    if (!URL.canParse(location, request.url)) return refuse('it redirects to what is no address')
    const next = new URL(location, request.url)
    const stays = next.origin === new URL(request.url).origin
    const headers = stays ? (request.headers ?? {}) : withoutCredentials(request.headers ?? {})
    return follow({ ...request, url: next.href, headers }, hopsLeft - 1, deadline)
  }

  return {
    request: request => {
      const { timeoutMs = DEFAULT_TIMEOUT_MS, redirects = 0, method } = request
      const headers = { 'user-agent': userAgent, ...request.headers }
      const offence = findHeaderOffence(headers)
      if (offence !== null) return Promise.resolve(refuse(offence, 'NEWSWIRE_OUTBOUND_HEADER'))
      const asked = { ...request, headers }
      return method === 'GET' && redirects > 0 ? follow(asked, redirects, performance.now() + timeoutMs) : send(asked, timeoutMs)
    },
    connect: async (host, port) => {
      try {
        return { ok: true, socket: await connectForSsh(host, port, network, lookup) }
      } catch (error) {
        return fromError(error, false)
      }
    },
    findUrlOffence: url => findUrlOffence(url, network()),
    close: connections.close,
  }
}
