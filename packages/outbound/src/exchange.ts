/** One request on one connection: no redirects, no decompression, a total deadline, a cap on what is read. */
import type { Dispatcher } from 'undici'
import { Refused } from './connector.ts'
import type { OutboundFailure, OutboundRequest, OutboundResult } from './outbound.ts'

const DEFAULT_MAX_BYTES = 16_384

export const toFailure = (kind: OutboundFailure['kind'], code: OutboundFailure['code'], message: string): OutboundFailure => ({
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
    : toFailure('connect', 'NEWSWIRE_OUTBOUND_CONNECT', `no connection (${code})`)
}

/** Names in lower case; a header that came more than once is joined with commas (RFC 9110 §5.3). */
const toHeaders = (raw: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(raw).flatMap(([name, value]) => (value === undefined ? [] : [[name.toLowerCase(), [value].flat().join(', ')]])),
  )

type Answer = { status: number; headers: Record<string, string>; chunks: Buffer[]; bytes: number }

type At = Readonly<{ origin: string; path: string }>

/** `at`: where the request's address leads. Settles once. On timeout, cancellation and overflow the socket is reset, so that a busy receiver drops what it has. */
export const exchange = (agent: Dispatcher, at: At, request: OutboundRequest, timeoutMs: number): Promise<OutboundResult> =>
  new Promise(resolve => {
    const { maxBytes = DEFAULT_MAX_BYTES, overflow = 'fail', keepPartial = false, signal, body } = request
    const answer: Answer = { status: 0, headers: {}, chunks: [], bytes: 0 }
    let controller: Dispatcher.DispatchController | undefined
    let settled = false
    const finish = (result: OutboundResult) => {
      if (settled) return
      settled = true
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      resolve(result)
    }
    const fail = (failure: OutboundFailure) => {
      const { status, headers, chunks } = answer
      finish(keepPartial && status > 0 ? { ...failure, partial: { status, headers, body: Buffer.concat(chunks) } } : failure)
    }
    const stop = (reason: string) => {
      fail(toFailure(controller ? 'ambiguous' : 'connect', 'NEWSWIRE_OUTBOUND_TIMEOUT', reason))
      controller?.abort(new Error(reason))
    }
    const onAbort = () => stop('it was given up before a whole answer came')
    const timer = setTimeout(() => stop(`no whole answer within ${Math.round(timeoutMs)} ms`), timeoutMs)
    if (signal?.aborted) return onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    const finishWhole = () => {
      const { status, headers, chunks } = answer
      finish({ ok: true, response: { status, headers, body: Buffer.concat(chunks).subarray(0, maxBytes) } })
    }
    const handler: Dispatcher.DispatchHandler = {
      // From here on bytes may be on their way.
      onRequestStart: started => {
        if (settled) started.abort(new Error('it was given up'))
        else controller = started
      },
      onResponseStart: (_controller, status, headers) => {
        answer.status = status
        answer.headers = toHeaders(headers)
      },
      onResponseData: (reading, chunk) => {
        answer.chunks.push(chunk)
        answer.bytes += chunk.byteLength
        if (answer.bytes <= maxBytes) return
        if (overflow === 'cut') finishWhole()
        else finish(toFailure('too-large', 'NEWSWIRE_OUTBOUND_TOO_LARGE', `the answer is longer than ${maxBytes} bytes`))
        reading.abort(new Error('enough'))
      },
      onResponseEnd: finishWhole,
      onResponseError: (_controller, error) => fail(fromError(error, controller !== undefined)),
    }
    try {
      agent.dispatch(
        {
          origin: at.origin,
          path: at.path,
          method: request.method,
          headers: { ...request.headers },
          body: body ? Buffer.from(body.buffer, body.byteOffset, body.byteLength) : null,
          headersTimeout: 0,
          bodyTimeout: 0,
        },
        handler,
      )
    } catch (error) {
      finish(refuse(`this request cannot be sent (${codeOf(error)})`))
    }
  })
