/**
 * The one HTTP client for everything that a stranger may have named: pictures, callbacks, partners. A total deadline, a cap on what is
 * read, no decompression, no private address unless the configuration allows it; redirects only where they are asked for.
 */
import type { LookupAddress, LookupOptions } from 'node:dns'
import type { Socket } from 'node:net'
import type { NetworkConfig } from '@newswire/events/config'

export type OutboundRequest = Readonly<{
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PURGE' | 'BAN'
  url: string
  headers?: Readonly<Record<string, string>>
  body?: Uint8Array
  /** From start to the last byte read (default 15 000 ms). On expiry the socket is reset, so that the other side drops what it got. */
  timeoutMs?: number
  /** Body bytes read at most (default 16 KiB). */
  maxBytes?: number
  /** What happens to a longer body: `fail` (default), or `cut` for answers nobody needs whole. */
  overflow?: 'fail' | 'cut'
  /** A failure carries what had come of the answer (default false). */
  keepPartial?: boolean
  /** Redirects followed, each checked like the first address (default 0: a 3xx is an answer like any other). GET only. */
  redirects?: number
  signal?: AbortSignal
}>

/** `headers` is made when it is asked for, and a spread does not take it along: who makes another of one names its parts. */
export type OutboundResponse = Readonly<{ status: number; headers: Readonly<Record<string, string>>; body: Uint8Array }>

/**
 * `refused`: our own rules forbid the address, nothing was sent. `connect`: no connection (DNS, refused, TLS), nothing was sent.
 * `ambiguous`: bytes were sent and no whole answer came: it may have been processed. `too-large`: the answer was, or said it was, longer than `maxBytes`.
 */
export type OutboundFailure = Readonly<{
  ok: false
  kind: 'refused' | 'connect' | 'ambiguous' | 'too-large'
  code: `NEWSWIRE_OUTBOUND_${string}`
  message: string
  /** Of `connect`: what the system or TLS calls it, like ECONNREFUSED or CERT_HAS_EXPIRED; never an address. For operators: a partner could look for open ports by it. */
  cause?: string
  /** What had come of an answer that broke off, when it was asked for (`keepPartial`): enough to ask for the rest of it. */
  partial?: OutboundResponse
}>
export type OutboundResult = Readonly<{ ok: true; response: OutboundResponse }> | OutboundFailure

/** A TCP connection that is the caller's to end. */
type OutboundConnection = Readonly<{ ok: true; socket: Socket }> | OutboundFailure

export type Outbound = Readonly<{
  /** Never throws for what the other side does. */
  request(request: OutboundRequest): Promise<OutboundResult>
  /** A connection for SSH, by the same rules (public hosts: ports 22, 2022 and 2222), within 5 s. Never throws for what the other side does. */
  connect(host: string, port: number): Promise<OutboundConnection>
  /** The check at the time an address is saved: `null` when it may be used, else why not. Does not resolve names. */
  findUrlOffence(url: string): string | null
  /** Waits for requests in hand, which their deadlines bound. Twice is once. */
  close(): Promise<void>
}>

/** Resolves a name to all of its addresses; `dns.lookup` is one. */
export type Lookup = (
  hostname: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

export type OutboundOptions = Readonly<{
  /** Asked at every request and every connection, so that a change takes effect at once. */
  network: () => NetworkConfig
  userAgent?: string
  /** Default: the system's resolver. */
  lookup?: Lookup
}>
