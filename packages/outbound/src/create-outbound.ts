/** The guarded client: addresses and headers are checked, connections guarded, redirects followed only when asked for. */
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

/** Names and values by turns, or why they cannot be sent. The agent's own name comes first, unless the request has another one. */
const toHeaders = (userAgent: string, headers: Readonly<Record<string, string>>): readonly string[] | string => {
  const list = 'user-agent' in headers ? [] : ['user-agent', userAgent]
  for (const name of Object.keys(headers)) {
    const value = headers[name] ?? ''
    if (!HEADER_NAME.test(name)) return `${JSON.stringify(name.slice(0, 80))} is no name of a header`
    if (!HEADER_VALUE.test(value)) return `the header ${name} has characters that HTTP cannot carry`
    list.push(name, value)
  }
  return list
}

const NO_HEADERS = {}

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
    const headers = toHeaders(userAgent, request.headers ?? NO_HEADERS)
    if (typeof headers === 'string') return Promise.resolve(refuse(headers, 'NEWSWIRE_OUTBOUND_HEADER'))
    const target = targetOf(request.url)
    if (target.offence !== null) return Promise.resolve(refuse(`this address may not be reached: ${target.offence}`))
    return exchange(connections, target, request, { headers, timeoutMs })
  }

  const follow = async (request: OutboundRequest, hopsLeft: number, deadline: number): Promise<OutboundResult> => {
    const result = await send(request, Math.max(1, deadline - performance.now()))
    const location = findLocation(result)
    if (location === null || hopsLeft === 0) return result
    if (!URL.canParse(location, request.url)) return refuse('it redirects to what is no address')
    const next = new URL(location, request.url)
    const stays = next.origin === new URL(request.url).origin
    const headers = stays ? (request.headers ?? NO_HEADERS) : withoutCredentials(request.headers ?? NO_HEADERS)
    return follow({ ...request, url: next.href, headers }, hopsLeft - 1, deadline)
  }

  return {
    request: request => {
      const { timeoutMs = DEFAULT_TIMEOUT_MS, redirects = 0, method } = request
      return method === 'GET' && redirects > 0 ? follow(request, redirects, performance.now() + timeoutMs) : send(request, timeoutMs)
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
