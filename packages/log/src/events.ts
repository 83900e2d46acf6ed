/** Events on the log: publishing them, and handlers that get them by type. */
import { type EventType, fromRecord, type NewswireEvent, toRecord } from '@newswire/events/events'
import type { HandlerContext, Log, LogRecord, Published, PublishOptions, SubscribeOptions } from './log.ts'

/** Publishes events, durable when it resolves. Repeating is safe when ids are derived from causes. */
export type Publish = (events: readonly NewswireEvent[], options?: PublishOptions) => Promise<readonly Published[]>

export const publishEvents =
  (log: Pick<Log, 'publish'>): Publish =>
  (events, options) =>
    log.publish(events.map(toRecord), options)

export type EventContext = HandlerContext & Readonly<{ record: LogRecord }>
export type Handler<T extends EventType> = (event: NewswireEvent<T>, context: EventContext) => Promise<void>

/**
 * A `handle` that gives each record to the handler of its type. Types without a handler, and types this build does not know, are
 * passed over. A record that is no event of ours is a `RejectError`, so it ends in `dead-letters` with its bytes.
 */
export const byType =
  (handlers: { readonly [T in EventType]?: Handler<T> }): SubscribeOptions['handle'] =>
  async (records, context) => {
    for (const record of records) {
      const event = fromRecord(record)
      if (event === null) continue
      const handler = handlers[event.type] as Handler<EventType> | undefined
      if (handler) await handler(event, { ...context, record })
    }
  }
