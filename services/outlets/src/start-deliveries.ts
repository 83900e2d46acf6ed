/** Wiring: the deliveries to outlets. */
import { randomUUID } from 'node:crypto'
import type { DeliverKind } from '@newswire/events/deliver'
import { messageOf } from '@newswire/events/errors'
import { topics } from '@newswire/events/topics'
import { byType, publishEvents } from '@newswire/log/events'
import type { Subscription } from '@newswire/log/log'
import { getArchived } from '@newswire/objects/archived'
import type { ServiceContext } from '@newswire/runtime/service'
import { createAcknowledged } from './acknowledged.ts'
import { createActor } from './actor.ts'
import type { Delivery } from './delivery.ts'
import type { Engine } from './engine.ts'
import { createHandover } from './handover.ts'
import { intentsOf } from './intents.ts'
import { createDeliveries } from './kinds.ts'
import { createMeters } from './meters.ts'
import { createOlderVersions } from './older-versions.ts'
import { type OutletNeeds, outletKind } from './outlet-kind.ts'
import { createOutletStates, type KnownOutletStates } from './outlet-state.ts'
import { createOwnSide } from './own-side.ts'
import { outletShelf } from './pending.ts'
import { createTell } from './tell.ts'
import { createView, type View } from './view.ts'
import { createWorker, type Worker } from './worker.ts'

/**
 * Milestones go along with what is published anyway, or by themselves after so long, ms: on Kafka a request of their own for each delivery was one in six, and on
 * the embedded log, where they wait for one another, commits were a tenth of a delivery.
 */
const TOLD_WITHIN_MS = 10

export const startDeliveries = async (
  context: ServiceContext,
  engine: Engine,
): Promise<
  Readonly<{
    worker: Worker
    subscription: Subscription
    states: KnownOutletStates
    test: Required<Delivery<DeliverKind>>['test']
    offer: View['offer']
    close(): Promise<void>
  }>
> => {
  const { log, objects, configuration, logger, metrics, now, secret, sealing } = context
  const { clock, scale, request, post } = engine
  const meters = createMeters(metrics, now)
  let subscription: Subscription | undefined
  const isAlive = engine.fence(() => subscription)
  const pending = engine.pendingOn(outletShelf)
  const states = createOutletStates(objects, (outletId, error) =>
    logger.warn({ outletId, reason: messageOf(error) }, 'outlet-health.unwritten'),
  )
  const deliveries = createDeliveries({
    request,
    post,
    connect: context.outbound.connect,
    timeoutMs: engine.timeoutMs,
    scale,
    feeds: () => configuration.current().feeds,
    secret,
    signingOf: states.signing,
    sealing,
    objects,
    context: () => configuration.current(),
    now,
  })
  const view = createView(objects, () => clock.now())
  const publish = publishEvents(log)
  const delivering = {
    read: view.read,
    readOlder: createOlderVersions(async (articleId, version) => (await getArchived(objects, articleId, version))?.fact ?? null),
    deliver: deliveries.deliver,
    tell: createTell(events => publish(events, { patienceMs: TOLD_WITHIN_MS }), log.kind === 'embedded' ? TOLD_WITHIN_MS : 0),
    now: () => clock.now(),
    onAttempt: meters.onAttempt,
  }
  const shared = {
    ...engine.common(),
    pending,
    states,
    acknowledged: createAcknowledged(),
    ownSide: createOwnSide(scale),
  }
  /** Asked a dozen times for each delivery, so it is the same object until either is another one. */
  const configured = (outletId: string) => {
    let known: ReturnType<OutletNeeds['configured']> = null
    return () => {
      const { outlets, categories } = configuration.current()
      const outlet = outlets.get(outletId)
      if (outlet === undefined) return null
      if (known?.outlet !== outlet || known.categories !== categories) known = { outlet, categories }
      return known
    }
  }
  const worker = createWorker({
    handover: createHandover(objects, randomUUID()),
    clock,
    scale,
    shared: log.kind === 'kafka',
    partitionOf: outletId => log.partitionOf(topics.deliveries.name, outletId),
    outlets: () => configuration.current().outlets,
    isLeft: pending.isAny,
    createActor: (outletId, isHeld, onIdle) =>
      createActor(outletId, {
        ...shared,
        kind: outletKind(outletId, { ...delivering, configured: configured(outletId) }),
        owns: () => isHeld() && isAlive(),
        isAlive,
        onIdle,
        onHealth: health => states.noteHealth(outletId, health),
      }),
    onError: error => logger.error({ reason: messageOf(error) }, 'outlets.failed'),
  })
  subscription = await log.subscribe({
    topic: topics.deliveries.name,
    group: 'outlets',
    ...intentsOf(worker),
    sessionTimeoutMs: engine.sessionTimeoutMs,
    onAssigned: worker.onAssigned,
    handle: byType({ 'delivery.wanted': worker.onWanted }),
  })
  meters.watch(worker.stats)
  return { worker, subscription, states, test: deliveries.test, offer: view.offer, close: async () => deliveries.close?.() }
}
