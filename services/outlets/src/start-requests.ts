/** Wiring: what is asked of outlets (tests, replays), and what others change of their state. */
import { setTimeout as wait } from 'node:timers/promises'
import type { DeliverKind } from '@newswire/events/deliver'
import { messageOf } from '@newswire/events/errors'
import { fromRecord } from '@newswire/events/events'
import { topics } from '@newswire/events/topics'
import { byType, publishEvents } from '@newswire/log/events'
import type { Following, LogRecord, Subscription } from '@newswire/log/log'
import type { ServiceContext } from '@newswire/runtime/service'
import type { Delivery } from './delivery.ts'
import type { KnownOutletStates } from './outlet-state.ts'
import { laneOfRequest, onOutletRequested } from './requests.ts'
import { sweepSecrets } from './secret-sweep.ts'
import type { Worker } from './worker.ts'

const AT_ONCE = 16
/** A note that was lost costs a pause, its end or a new secret so much time. */
const LOOK_EVERY_MS = 30_000
const LEAST_LOOK_MS = 500

type Needs = Readonly<{
  worker: Pick<Worker, 'refresh' | 'holds'>
  states: Pick<KnownOutletStates, 'findChanged' | 'load'>
  test: Required<Delivery<DeliverKind>>['test']
}>

type Requests = Readonly<{ subscription: Subscription; sweep(): Promise<void>; stop(): Promise<void> }>

export const startRequests = async (context: ServiceContext, { worker, states, test }: Needs): Promise<Requests> => {
  const { log, objects, configuration, logger, now, settings } = context
  const failed = (error: unknown) => logger.warn({ reason: messageOf(error) }, 'outlet-state.unread')

  const refreshAll = async () => {
    for (const outletId of await states.findChanged()) if (worker.holds(outletId)) await worker.refresh(outletId)
  }
  let looking: Promise<void> = Promise.resolve()
  const look = () => {
    looking = looking.then(refreshAll).catch(failed)
  }
  const timer = setInterval(look, Math.max(LOOK_EVERY_MS * settings.retryScale, LEAST_LOOK_MS))
  timer.unref()

  const onNote = async (record: LogRecord) => {
    const event = fromRecord(record)
    if (event?.type === 'outlet.changed' && worker.holds(event.data.outletId)) await worker.refresh(event.data.outletId)
  }
  const following: Following = await log.follow({
    topic: topics.outletRequests.name,
    from: 'end',
    onRecords: async records => {
      // What is none of ours is the group's to refuse; a state that cannot be read now is looked at again.
      for (const record of records) await onNote(record).catch(failed)
    },
  })

  const subscription = await log.subscribe({
    topic: topics.outletRequests.name,
    group: 'outlets-requests',
    concurrency: AT_ONCE,
    lane: laneOfRequest,
    handle: byType({
      'outlet.requested': onOutletRequested({
        log,
        objects,
        publish: publishEvents(log),
        configured: outletId => configuration.current().outlets.get(outletId),
        // Which secrets sign is in the outlet's state, and the outlet may be another process's.
        test: async (outlet, requestId) => {
          await states.load(outlet.id)
          return test(outlet, requestId)
        },
        logger,
        now,
        wait,
      }),
    }),
  })
  return {
    subscription,
    sweep: async () => {
      await sweepSecrets({ objects, holds: worker.holds, now }).catch(failed)
    },
    stop: async () => {
      clearInterval(timer)
      await following.stop()
      await looking
    },
  }
}
