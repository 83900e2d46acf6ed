/**
 * The guarded client (research/delivery.md §4.1). The guard is in the connector: a literal address never reaches a resolver, so a resolver
 * alone would let 15 of 22 spellings of loopback through; the address that was really connected to is looked at once more.
 */
import { lookup as dnsLookup, type LookupAddress, type LookupOptions } from 'node:dns'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import type { NetworkConfig } from '@newswire/events/config'
import { Agent, buildConnector, type Dispatcher } from 'undici'
import { findAddressOffence } from './addresses.ts'
import type { Outbound, OutboundFailure, OutboundOptions, OutboundRequest, OutboundResult } from './outbound.ts'

const DEFAULT_TIMEOUT_MS = 15_000
const DEFAULT_MAX_BYTES = 16_384
const CONNECT_TIMEOUT_MS = 5_000
const MAX_URL_LENGTH = 2_048
/** To public hosts; an allowed network may use any port. */
const PORTS = new Set(['', '80', '443', '8443'])
/** A header we build must be visible ASCII: undici sends é as latin1 and throws on what is above (RFC 9110 §5.5). */
const HEADER_VALUE = /^[\x20-\x7e]*$/

class Refused extends Error {
  readonly code = 'NEWSWIRE_OUTBOUND_REFUSED'
}

const bareHost = (hostname: string) => hostname.replace(/^\[|\]$/g, '')

/** What is wrong with an address before any name is resolved. */
const findUrlOffenceIn = (network: NetworkConfig, text: string): string | null => {
  if (text.length > MAX_URL_LENGTH || !URL.canParse(text)) return 'it is no address'
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return `${url.protocol.slice(0, -1)} is not spoken here; expected https`
  if (url.protocol === 'http:' && !network.allowHttp)
    return 'plain http is not allowed; network.allowHttp in the configuration would allow it'
  if (url.username !== '' || url.password !== '') return 'a name or password in an address is not allowed'
  const host = bareHost(url.hostname)
  if (isIP(host) !== 0) {
    const offence = findAddressOffence(host, network)
    if (offence !== null) return `${offence}; network.allow in the configuration would allow it`
  }
  const mayUseAnyPort = network.allow.length > 0
  return PORTS.has(url.port) || mayUseAnyPort ? null : `port ${url.port} is not allowed; 80, 443 and 8443 are`
}

type LookupCallback = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void

/** Resolves a name and refuses it when any of its addresses may not be reached: one inward answer is enough to be suspicious. */
const guardedLookup =
  (network: () => NetworkConfig) =>
  (hostname: string, options: LookupOptions, callback: LookupCallback): void => {
    dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, [])
      for (const { address } of addresses) {
        const offence = findAddressOffence(address, network())
        if (offence !== null) return callback(new Refused(`the name resolves inward: ${offence}`), [])
      }
      const [first] = addresses
      if (options.all || first === undefined) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
  }

/** A client that gives up says so with RST: after FIN a busy receiver still processes what it got (measured, research/delivery.md §0.3). */
const resetOnError = (socket: Socket, tcp: Socket): Socket => {
  const destroy = socket.destroy.bind(socket)
  socket.destroy = error => {
    if (error && !tcp.destroyed) {
      tcp.resetAndDestroy()
      tcp.destroy()
    }
    return destroy(error)
  }
  return socket
}

/** TCP first, guarded; TLS, when asked for, on top of that very connection. */
const guardedConnector = (network: () => NetworkConfig): buildConnector.connector => {
  const secure = buildConnector({ timeout: CONNECT_TIMEOUT_MS })
  return (options, callback) => {
    const host = bareHost(options.hostname)
    const literal = isIP(host) === 0 ? null : findAddressOffence(host, network())
    if (literal !== null) return callback(new Refused(literal), null)
    const port = Number(options.port || (options.protocol === 'https:' ? 443 : 80))
    const tcp = connectTcp({ host, port, lookup: guardedLookup(network) as never, noDelay: true, keepAlive: true })
    const timer = setTimeout(
      () => tcp.destroy(Object.assign(new Error('connect timeout'), { code: 'UND_ERR_CONNECT_TIMEOUT' })),
      CONNECT_TIMEOUT_MS,
    )
    const onError = (error: Error) => {
      clearTimeout(timer)
      callback(error, null)
    }
    tcp.once('error', onError)
    tcp.once('connect', () => {
      clearTimeout(timer)
      tcp.off('error', onError)
      // The TLS socket above it reports what happens from here on; without a listener Node would end the process.
      tcp.on('error', () => undefined)
      const offence = findAddressOffence(tcp.remoteAddress ?? '', network())
      if (offence !== null) {
        tcp.destroy()
        return callback(new Refused(offence), null)
      }
      if (options.protocol !== 'https:') return callback(null, resetOnError(tcp, tcp))
      return secure({ ...options, httpSocket: tcp }, (...[error, socket]) =>
        error ? callback(error, null) : callback(null, resetOnError(socket as Socket, tcp) as never),
      )
    })
  }
}

const createAgent = (network: () => NetworkConfig): Agent =>
  new Agent({ connections: 64, pipelining: 1, keepAliveTimeout: 10_000, maxHeaderSize: 16_384, connect: guardedConnector(network) })

const failure = (kind: OutboundFailure['kind'], code: OutboundFailure['code'], message: string): OutboundFailure => ({
  ok: false,
  kind,
  code,
  message,
})

/** Errors that come before any byte of the request was sent. */
const BEFORE_SENDING = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
])

const rootOf = (error: unknown): { code?: string; message?: string } => {
  const { cause, code, message } = (error ?? {}) as { cause?: unknown; code?: string; message?: string }
  if (code === undefined && cause) return rootOf(cause)
  return { ...(code === undefined ? {} : { code }), ...(message === undefined ? {} : { message }) }
}

const toFailure = (error: unknown, sent: boolean): OutboundFailure => {
  if (error instanceof Refused) return failure('refused', 'NEWSWIRE_OUTBOUND_REFUSED', `this address may not be reached: ${error.message}`)
  const { code = 'unknown' } = rootOf(error)
  if (!sent || BEFORE_SENDING.has(code)) return failure('connect', 'NEWSWIRE_OUTBOUND_CONNECT', `no connection (${code})`)
  return failure('ambiguous', 'NEWSWIRE_OUTBOUND_NO_ANSWER', `no whole answer came (${code})`)
}

type Exchange = { status: number; headers: Record<string, string>; chunks: Buffer[]; bytes: number }

const toHeaders = (raw: Buffer[] | string[] | Record<string, string | string[] | undefined> | null): Record<string, string> => {
  const headers: Record<string, string> = {}
  if (raw === null || Array.isArray(raw)) {
    for (let index = 0; raw !== null && index + 1 < raw.length; index += 2)
      headers[String(raw[index]).toLowerCase()] = String(raw[index + 1])
    return headers
  }
  for (const [name, value] of Object.entries(raw)) if (value !== undefined) headers[name.toLowerCase()] = String(value)
  return headers
}

/** One request on one connection, no redirects. Settles once; on timeout the socket is reset, so that a busy receiver drops what it has. */
const exchange = (agent: Dispatcher, request: OutboundRequest, timeoutMs: number): Promise<OutboundResult> =>
  new Promise(resolve => {
    const { maxBytes = DEFAULT_MAX_BYTES, overflow = 'fail', signal } = request
    const url = new URL(request.url)
    const answer: Exchange = { status: 0, headers: {}, chunks: [], bytes: 0 }
    let sent = false
    let settled = false
    let controllerOf: { abort(reason: Error): void } | undefined
    const finish = (result: OutboundResult) => {
      if (settled) return
      settled = true
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      resolve(result)
    }
    const stop = (reason: string) => {
      const result = sent
        ? failure('ambiguous', 'NEWSWIRE_OUTBOUND_TIMEOUT', reason)
        : failure('connect', 'NEWSWIRE_OUTBOUND_TIMEOUT', reason)
      finish(result)
      controllerOf?.abort(new Error(reason))
    }
    const onAbort = () => stop('it was given up before an answer came')
    const timer = setTimeout(() => stop(`no whole answer within ${timeoutMs} ms`), timeoutMs)
    if (signal?.aborted) return onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    const whole = () =>
      finish({
        ok: true,
        response: { status: answer.status, headers: answer.headers, body: Buffer.concat(answer.chunks).subarray(0, maxBytes) },
      })

    agent.dispatch(
      {
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method: request.method,
        headers: { ...request.headers },
        body: request.body ? Buffer.from(request.body) : null,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
      },
      {
        onRequestStart: controller => {
          controllerOf = controller
          sent = true
          if (settled) controller.abort(new Error('given up'))
        },
        onResponseStart: (_controller, status, headers) => {
          answer.status = status
          answer.headers = toHeaders(headers as never)
        },
        onResponseData: (controller, chunk) => {
          answer.chunks.push(chunk)
          answer.bytes += chunk.byteLength
          if (answer.bytes <= maxBytes) return
          if (overflow === 'cut') whole()
          else finish(failure('too-large', 'NEWSWIRE_OUTBOUND_TOO_LARGE', `the answer is longer than ${maxBytes} bytes`))
          controller.abort(new Error('enough'))
        },
        onResponseEnd: whole,
        onResponseError: (_controller, error) => finish(toFailure(error, sent)),
      } satisfies Dispatcher.DispatchHandler,
    )
  })

const isRedirect = (status: number) => status === 301 || status === 302 || status === 303 || status === 307 || status === 308

/** Connections are kept and shared by all callers of one process. */
export const createOutbound = ({ network, userAgent = 'Newswire/0.1' }: OutboundOptions): Outbound => {
  const agent = createAgent(network)
  const request = async (first: OutboundRequest): Promise<OutboundResult> => {
    const deadline = performance.now() + (first.timeoutMs ?? DEFAULT_TIMEOUT_MS)
    const headers = { 'user-agent': userAgent, ...first.headers }
    const bad = Object.entries(headers).find(([, value]) => !HEADER_VALUE.test(value))
    if (bad) return failure('refused', 'NEWSWIRE_OUTBOUND_HEADER', `the header ${bad[0]} has characters that HTTP cannot carry`)
    let { url } = first
    for (let hop = 0; ; hop++) {
      const offence = findUrlOffenceIn(network(), url)
      if (offence !== null) return failure('refused', 'NEWSWIRE_OUTBOUND_REFUSED', `this address may not be reached: ${offence}`)
      const result = await exchange(agent, { ...first, url, headers }, Math.max(1, deadline - performance.now()))
      const location = result.ok && isRedirect(result.response.status) ? result.response.headers.location : undefined
      if (location === undefined || first.method !== 'GET' || hop >= (first.redirects ?? 0)) return result
      if (!URL.canParse(location, url)) return failure('refused', 'NEWSWIRE_OUTBOUND_REFUSED', 'it redirects to what is no address')
      url = new URL(location, url).href
    }
  }
  return { request, findUrlOffence: url => findUrlOffenceIn(network(), url), close: () => agent.close() }
}
