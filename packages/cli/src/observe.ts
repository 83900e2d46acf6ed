/** What the log did with each record: one canonical line and the stage metrics, for every service alike. */
import { codeOf, messageOf } from '@newswire/events/errors'
import type { Handled, LaneObservers } from '@newswire/log/lanes'
import type { Logger } from '@newswire/runtime/logger'
import type { Metrics } from '@newswire/runtime/metrics'

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

export const observeLanes = (logger: Logger, metrics: Metrics): Required<LaneObservers> => {
  const messages = metrics.counter('newswire_stage_messages_total', 'Calls of handlers, by outcome.', ['stage', 'result'])
  const duration = metrics.histogram('newswire_stage_duration_seconds', 'How long a call of a handler took.', ['stage'])
  return {
    onHandled: handled => {
      messages.inc({ stage: handled.group, result: handled.outcome }, handled.records)
      duration.observe(handled.durationMs / 1000, { stage: handled.group })
      const level = LEVELS[handled.outcome]
      if (logger.isLevelEnabled(level)) logger[level](toLine(handled), 'message.handled')
    },
    onError: error => logger.error({ err: error }, 'log.trouble'),
  }
}
