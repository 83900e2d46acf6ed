/** Milestones of deliveries, durable before the record they are about is committed. Those that come together go in one publish. */
import type { NewswireEvent } from '@newswire/events/events'
import { follow } from '@newswire/events/events'
import { deriveId } from '@newswire/events/ids'
import type { Milestone } from '@newswire/events/milestone'
import type { Publish } from '@newswire/log/events'
import type { Cause } from './pending.ts'

type SinkMilestone = Extract<Milestone, { kind: 'sink' }>
export type Told = Pick<SinkMilestone, 'articleId' | 'version' | 'state'> &
  Partial<Pick<SinkMilestone, 'attempts' | 'nextAt' | 'lastError' | 'reason' | 'ms'>>

/** What became of one version of whatever it is. */
export type News = Omit<Told, 'articleId'>

/** The id says outlet, article, version, state and attempt, so a repeat collapses with the first. */
export const toSinkMilestone = (outletId: string, told: Told, cause: Cause, at: string): NewswireEvent<'milestone.reached'> =>
  follow(cause, {
    type: 'milestone.reached',
    id: deriveId('delivery', outletId, told.articleId, told.version, told.state, told.state === 'done' ? 0 : (told.attempts ?? 0)),
    source: '/services/outlets',
    subject: told.articleId,
    time: at,
    data: { kind: 'sink', at, sink: { kind: 'outlet', id: outletId }, ...told },
  })

/** Resolves once the events are in the log. */
export type Tell = (events: readonly NewswireEvent[]) => Promise<void>

const MOST_AT_ONCE = 500

/** One publish at a time; what comes meanwhile waits for the next. A failure is everybody's who was in it. */
export const createTell = (publish: Publish): Tell => {
  let waiting: { event: NewswireEvent; done: () => void; failed: (error: unknown) => void }[] = []
  let flushing = false
  const flush = async () => {
    flushing = true
    // Let those that end in the same turn of the event loop come along.
    await null
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MOST_AT_ONCE)
      waiting = waiting.slice(MOST_AT_ONCE)
      try {
        await publish(batch.map(one => one.event))
        for (const one of batch) one.done()
      } catch (error) {
        for (const one of batch) one.failed(error)
      }
    }
    flushing = false
  }
  return async events => {
    const told = events.map(event => new Promise<void>((done, failed) => waiting.push({ event, done, failed })))
    if (!flushing) void flush()
    await Promise.all(told)
  }
}
