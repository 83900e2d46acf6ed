/** Sends spans on, some at a time. Nothing waits for it, and nothing is lost but spans when the receiver is away. */
import type { Logger } from './logger.ts'
import { isSampled, type Span, type Telemetry, toExport } from './telemetry.ts'

export type Spans = Readonly<{
  /** What nobody wants recorded is passed over; what finds the queue full is dropped. Never throws. */
  add(span: Span): void
  /** Sends what waits, within one timeout. Twice is once. */
  close(): Promise<void>
}>

/** In words that are ours: what `fetch` throws may quote headers, and an address, with the secrets in them. */
const reasonOf = (error: unknown): string => {
  const { cause, name } = error instanceof Error ? error : { cause: undefined, name: 'unknown' }
  return cause instanceof Error && 'code' in cause ? String(cause.code) : name
}

export const createSpanExporter = (
  { url, headers, timeoutMs, delayMs, maxQueue, maxBatch, resource }: Telemetry,
  logger: Pick<Logger, 'warn' | 'info'>,
): Spans => {
  let queue: Span[] = []
  let timer: NodeJS.Timeout | undefined
  let sending: Promise<void> | undefined
  let isAway = false
  /** Set once it is closing: when all must have been sent. */
  let end: AbortSignal | undefined

  /** Why they did not get there; `null` when they did. */
  const post = async (spans: readonly Span[]): Promise<string | null> => {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: toExport(resource, spans),
        redirect: 'error',
        signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(end === undefined ? [] : [end])]),
      })
      await response.body?.cancel()
      return response.ok ? null : `it answered ${response.status}`
    } catch (error) {
      return reasonOf(error)
    }
  }
  const send = async (spans: readonly Span[]): Promise<void> => {
    const reason = await post(spans)
    if (isAway && reason === null) logger.info('spans.sent-again')
    if (!isAway && reason !== null) logger.warn({ reason, spans: spans.length }, 'spans.dropped')
    isAway = reason !== null
  }
  const flush = async (): Promise<void> => {
    while (queue.length > 0) {
      const batch = queue.slice(0, maxBatch)
      queue = queue.slice(maxBatch)
      await send(batch)
      // One that does not answer must not hold up the end, a batch at a time.
      if (isAway) queue = []
    }
  }
  const sendAll = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    sending ??= flush().finally(() => {
      sending = undefined
    })
    return sending
  }

  return {
    add: span => {
      if (end !== undefined || queue.length >= maxQueue || !isSampled(span.traceparent)) return
      queue.push(span)
      if (queue.length >= maxBatch) void sendAll()
      else timer ??= setTimeout(() => void sendAll(), delayMs).unref()
    },
    close: async () => {
      end ??= AbortSignal.timeout(timeoutMs)
      do await sendAll()
      while (queue.length > 0)
    },
  }
}
