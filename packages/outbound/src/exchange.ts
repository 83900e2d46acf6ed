/** One request on one connection: no redirects, no decompression, a total deadline, a cap on what is read. */
import type { Dispatcher } from 'undici'
import { onAborted } from './cancellation.ts'
import type { Connection, Connections } from './connections.ts'
import { Refused } from './connector.ts'
import type { OutboundFailure, OutboundRequest, OutboundResponse, OutboundResult } from './outbound.ts'

const DEFAULT_MAX_BYTES = 16_384

const toFailure = (kind: OutboundFailure['kind'], code: OutboundFailure['code'], message: string): OutboundFailure => ({
  ok: false,
  kind,
  code,
  message,
})

export const refuse = (message: string, code: OutboundFailure['code'] = 'NEWSWIRE_OUTBOUND_REFUSED') => toFailure('refused', code, message)

/** The code of the error, or of the cause that has one. */
const codeOf = (error: unknown): string => {
  const { cause, code } = (error ?? {}) as { cause?: unknown; code?: unknown }
  if (typeof code === 'string') return code
  return cause === undefined ? 'unknown' : codeOf(cause)
}

/** Only what happens before a byte was written is surely no delivery: the same code may come sooner or later. */
export const fromError = (error: unknown, sent: boolean): OutboundFailure => {
  if (error instanceof Refused) return refuse(`this address may not be reached: ${error.message}`)
  const code = codeOf(error)
  return sent
    ? toFailure('ambiguous', 'NEWSWIRE_OUTBOUND_NO_ANSWER', `no whole answer came (${code})`)
    : {
        ...toFailure('connect', 'NEWSWIRE_OUTBOUND_CONNECT', `no connection (${code})`),
        ...(/^[A-Z][A-Z0-9_]*$/.test(code) ? { cause: code } : {}),
      }
}

type RawHeaders = Readonly<Record<string, string | string[] | undefined>>

/** Names in lower case; a header that came more than once is joined with commas (RFC 9110 §5.3). */
const toHeaders = (raw: RawHeaders): Record<string, string> => {
  const headers: [string, string][] = []
  for (const name of Object.keys(raw)) {
    const value = raw[name]
    if (value !== undefined) headers.push([name.toLowerCase(), typeof value === 'string' ? value : value.join(', ')])
  }
  return Object.fromEntries(headers)
}

/** An answer whose headers are looked at when they are asked for: of most deliveries nobody does. */
class Answer implements OutboundResponse {
  readonly status: number
  readonly body: Uint8Array
  readonly #raw: RawHeaders

  constructor(status: number, raw: RawHeaders, body: Uint8Array) {
    this.status = status
    this.body = body
    this.#raw = raw
  }

  get headers(): Record<string, string> {
    return toHeaders(this.#raw)
  }
}

const NOTHING = new Uint8Array()
const toBuffer = (body: Uint8Array): Buffer => (Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength))

type At = Readonly<{ origin: string; path: string }>

/** Settles once. On timeout, cancellation and overflow the socket is reset, so that a busy receiver drops what it has. One object, because thousands a second are made. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: OutboundRequest
  readonly #resolve: (result: OutboundResult) => void
  readonly #timer: NodeJS.Timeout
  readonly #forgetSignal: (() => void) | undefined
  #connection: Connection | undefined
  #controller: Dispatcher.DispatchController | undefined
  #settled = false
  #status = 0
  #headers: RawHeaders = {}
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(request: OutboundRequest, timeoutMs: number, resolve: (result: OutboundResult) => void) {
    this.#request = request
    this.#resolve = resolve
    this.#timer = setTimeout(expire, timeoutMs, this, timeoutMs)
    this.#forgetSignal = request.signal && onAborted(request.signal, this)
  }

  /** Its signal was aborted. */
  giveUp(): void {
    this.stop('it was given up before a whole answer came')
  }

  stop(reason: string): void {
    this.#fail(toFailure(this.#controller ? 'ambiguous' : 'connect', 'NEWSWIRE_OUTBOUND_TIMEOUT', reason))
    this.#controller?.abort(new Error(reason))
  }

  finish(result: OutboundResult): void {
    if (this.#settled) return
    this.#settled = true
    clearTimeout(this.#timer)
    this.#forgetSignal?.()
    this.#connection?.drop()
    this.#resolve(result)
  }

  /** Once, before it has an end. */
  sendOn(connection: Connection, request: Dispatcher.DispatchOptions): void {
    this.#connection = connection
    connection.dispatch(request, this)
  }

  /** From here on bytes may be on their way. */
  onRequestStart(started: Dispatcher.DispatchController): void {
    if (this.#settled) started.abort(new Error('it was given up'))
    else this.#controller = started
  }

  onResponseStart(reading: Dispatcher.DispatchController, status: number, headers: RawHeaders): void {
    this.#status = status
    this.#headers = headers
    const { maxBytes = DEFAULT_MAX_BYTES, overflow = 'fail', method } = this.#request
    // What is said to be longer is not waited for. Answers without a body may say a length (RFC 9110 §8.6).
    if (overflow === 'fail' && method !== 'HEAD' && status !== 304 && Number(headers['content-length'] ?? 0) > maxBytes)
      this.#refuseLonger(reading)
  }

  onResponseData(reading: Dispatcher.DispatchController, chunk: Buffer): void {
    const { maxBytes = DEFAULT_MAX_BYTES, overflow = 'fail' } = this.#request
    this.#chunks.push(chunk)
    this.#bytes += chunk.byteLength
    if (this.#bytes <= maxBytes) return
    if (overflow === 'cut') {
      this.finish(this.#answer())
      reading.abort(new Error('enough'))
    } else this.#refuseLonger(reading)
  }

  #refuseLonger(reading: Dispatcher.DispatchController): void {
    const { maxBytes = DEFAULT_MAX_BYTES } = this.#request
    this.finish(toFailure('too-large', 'NEWSWIRE_OUTBOUND_TOO_LARGE', `the answer is longer than ${maxBytes} bytes`))
    reading.abort(new Error('enough'))
  }

  onResponseEnd(): void {
    if (this.#settled) return
    this.#connection?.release()
    this.#connection = undefined
    this.finish(this.#answer())
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(fromError(error, this.#controller !== undefined))
  }

  #answer(): OutboundResult {
    const { maxBytes = DEFAULT_MAX_BYTES } = this.#request
    const body = this.#bytes === 0 ? NOTHING : Buffer.concat(this.#chunks).subarray(0, maxBytes)
    return { ok: true, response: new Answer(this.#status, this.#headers, body) }
  }

  #fail(failure: OutboundFailure): void {
    const isPartial = this.#request.keepPartial === true && this.#status > 0
    const partial = () => new Answer(this.#status, this.#headers, Buffer.concat(this.#chunks))
    this.finish(isPartial ? { ...failure, partial: partial() } : failure)
  }
}

const expire = (one: Exchange, timeoutMs: number): void => one.stop(`no whole answer within ${Math.round(timeoutMs)} ms`)

/** `headers`: names and values by turns. */
type Sent = Readonly<{ headers: readonly string[]; timeoutMs: number }>

/** `at`: where the request's address leads; `sent`: what is not as the request has it. */
export const exchange = (
  connections: Connections,
  at: At,
  request: OutboundRequest,
  { headers, timeoutMs }: Sent,
): Promise<OutboundResult> =>
  new Promise(resolve => {
    const { method, body, signal } = request
    const one = new Exchange(request, timeoutMs, resolve)
    if (signal?.aborted) return one.giveUp()
    const connection = connections.take(at.origin)
    if (connection === null) return one.finish(toFailure('connect', 'NEWSWIRE_OUTBOUND_CONNECT', 'no connection (the client is closed)'))
    try {
      one.sendOn(connection, {
        path: at.path,
        method,
        headers: headers as string[],
        body: body ? toBuffer(body) : null,
        headersTimeout: 0,
        bodyTimeout: 0,
      })
    } catch (error) {
      one.finish(refuse(`this request cannot be sent (${codeOf(error)})`))
    }
  })
