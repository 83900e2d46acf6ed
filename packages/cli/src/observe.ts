/** What the log did with each record: one canonical line and the stage metrics, for every service alike. */
import { randomBytes } from 'node:crypto'
import { codeOf, messageOf } from '@newswire/events/errors'
import type { Handled } from '@newswire/log/lane-tries'
import type { LaneObservers } from '@newswire/log/lanes'
import type { Logger } from '@newswire/runtime/logger'
import type { Metrics } from '@newswire/runtime/metrics'
import type { Spans } from '@newswire/runtime/span-exporter'
import type { Span } from '@newswire/runtime/telemetry'

/** What went well is for a debugger; what is tried again has recovered or will; a dead letter needs a person. */
const LEVELS = { done: 'debug', wait: 'warn', retry: 'warn', split: 'warn', dead: 'error' } as const satisfies Record<
  Handled['outcome'],
  string
>

const toLine = ({ group, record, records, attempt, outcome, durationMs, delayMs, error }: Handled) => ({
  group,
  type: record.headers.ce_type,
  eventId: record.headers.ce_id,
  subject: record.headers.ce_subject,
  traceparent: record.headers.traceparent,
  topic: record.topic,
  partition: record.partition,
  position: record.position,
  records,
  attempt,
  outcome,
  durationMs: Math.round(durationMs * 10) / 10,
  ...(delayMs === undefined ? {} : { delayMs }),
  ...(error === undefined ? {} : { errorCode: codeOf(error), reason: messageOf(error) }),
})

/** A call of a handler, in the trace of the first record that it was called with (OpenTelemetry's conventions for messaging). */
const toSpan = ({ group, record, records, attempt, outcome, durationMs, error }: Handled): Span => ({
  traceparent: record.headers.traceparent,
  spanId: randomBytes(8).toString('hex'),
  name: `process ${record.topic}`,
  endMs: Date.now(),
  durationMs,
  attributes: {
    'messaging.operation.type': 'process',
    'messaging.destination.name': record.topic,
    'messaging.consumer.group.name': group,
    'messaging.batch.message_count': records,
    'newswire.event.type': record.headers.ce_type ?? '',
    'newswire.event.id': record.headers.ce_id ?? '',
    'newswire.subject': record.headers.ce_subject ?? '',
    'newswire.attempt': attempt,
    'newswire.outcome': outcome,
  },
  ...(error === undefined ? {} : { failure: codeOf(error) }),
})

/** `spans`: where calls are told as spans, besides. */
export const observeLanes = (logger: Logger, metrics: Metrics, spans: Spans | null = null): Required<LaneObservers> => {
  const messages = metrics.counter('newswire_stage_messages_total', 'Calls of handlers, by outcome.', ['stage', 'result'])
  const duration = metrics.histogram('newswire_stage_duration_seconds', 'How long a call of a handler took.', ['stage'])
  return {
    onHandled: handled => {
      messages.inc({ stage: handled.group, result: handled.outcome }, handled.records)
      duration.observe(handled.durationMs / 1000, { stage: handled.group })
      spans?.add(toSpan(handled))
      const level = LEVELS[handled.outcome]
      if (logger.isLevelEnabled(level)) logger[level](toLine(handled), 'message.handled')
    },
    onError: error => logger.error({ err: error }, 'log.trouble'),
  }
}
