/** Sends spans on, some at a time. Nothing waits for it, and nothing is lost but spans when the receiver is away. */
import type { Logger } from './logger.ts'
import { isSampled, type Span, type Telemetry, toExport } from './telemetry.ts'

export type Spans = Readonly<{
  /** What nobody wants recorded is passed over; what finds the queue full is dropped. Never throws. */
  add(span: Span): void
  /** Sends what waits, within one timeout. Twice is once. */
  close(): Promise<void>
}>

export const createSpanExporter = (
  { url, headers, timeoutMs, delayMs, maxQueue, maxBatch, resource }: Telemetry,
  logger: Pick<Logger, 'warn' | 'info'>,
): Spans => {
  let queue: Span[] = []
  let timer: NodeJS.Timeout | undefined
  let sending: Promise<void> | undefined
  let isAway = false
  let isClosed = false

  const post = async (spans: readonly Span[]): Promise<void> => {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: toExport(resource, spans),
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      })
      await response.body?.cancel()
      if (!response.ok) throw new Error(`it answered ${response.status}`)
      if (isAway) logger.info('spans.sent-again')
      isAway = false
    } catch (error) {
      // Headers may hold a password and an address may too, so neither is told.
      if (!isAway) logger.warn({ reason: error instanceof Error ? error.message : 'unknown', spans: spans.length }, 'spans.dropped')
      isAway = true
    }
  }
  const flush = async (): Promise<void> => {
    while (queue.length > 0) {
      const batch = queue.slice(0, maxBatch)
      queue = queue.slice(maxBatch)
      await post(batch)
      // One that does not answer must not hold up the end, a batch at a time.
      if (isAway) queue = []
    }
  }
  const send = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    sending ??= flush().finally(() => {
      sending = undefined
    })
    return sending
  }

  return {
    add: span => {
      if (isClosed || queue.length >= maxQueue || !isSampled(span.traceparent)) return
      queue.push(span)
      if (queue.length >= maxBatch) void send()
      else timer ??= setTimeout(() => void send(), delayMs).unref()
    },
    close: async () => {
      isClosed = true
      do await send()
      while (queue.length > 0)
    },
  }
}
