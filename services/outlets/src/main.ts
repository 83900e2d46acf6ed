/** outlets: makes every partner hold the current state of every article it is entitled to. Topics, limits and failure modes: README.md. */
import { randomUUID } from 'node:crypto'
import { messageOf } from '@newswire/events/errors'
import { topics } from '@newswire/events/topics'
import { byType, publishEvents } from '@newswire/log/events'
import type { Subscription } from '@newswire/log/log'
import type { RunningService, ServiceContext, StartService } from '@newswire/runtime/service'
import { createActor } from './actor.ts'
import type { Clock } from './book.ts'
import { createCreated } from './created.ts'
import { createHandover } from './handover.ts'
import { createMeters } from './meters.ts'
import { createOutletStates } from './outlet-state.ts'
import { createOwnSide } from './own-side.ts'
import { createPendingStore } from './pending.ts'
import { routeArticle } from './route.ts'
import { createSlots } from './slots.ts'
import { createTell } from './tell.ts'
import { createView } from './view.ts'
import { createWebhook } from './webhook.ts'
import { createWorker, laneOf, type Worker } from './worker.ts'

/** A silent member keeps its partitions this long; at least what a broker takes. */
const SESSION_MS = 45_000
const LEAST_SESSION_MS = 6_000
/** Nothing is sent when the last good heartbeat is older; at least a few heartbeats. */
const HEARTBEAT_MS = 15_000
const LEAST_HEARTBEAT_MS = 2_000
const REQUEST_MS = 15_000
const LEAST_REQUEST_MS = 1_000
/** Intents in hand at once: each waits up to two seconds for its outlet, so this is many. */
const INTENTS_AT_ONCE = 1_000
const ROUTES_AT_ONCE = 64
const SWEEP_EVERY_MS = 600_000
/** What a stop grants to requests in flight; then they are reset, and written down as of unknown outcome. */
const STOP_MS = 3_000

/** The wall clock at start, moved on by the monotonic one: it never jumps. */
const steadyClock = (now: () => number): Clock => {
  const originMs = now() - performance.now()
  return {
    now: () => originMs + performance.now(),
    after: (ms, run) => {
      const timer = setTimeout(run, Math.min(ms, 2_147_483_647))
      timer.unref()
      return () => clearTimeout(timer)
    },
  }
}

const startWorker = async (context: ServiceContext, hurry: AbortSignal): Promise<{ worker: Worker; subscription: Subscription }> => {
  const { log, objects, outbound, configuration, logger, metrics, now, secret, settings } = context
  const scale = settings.retryScale
  const clock = steadyClock(now)
  const publish = publishEvents(log)
  const meters = createMeters(metrics, now)
  let subscription: Subscription | undefined
  const heartbeatLimitMs = Math.max(HEARTBEAT_MS * scale, LEAST_HEARTBEAT_MS)
  const beganAtMs = performance.now()
  const isAlive = () => performance.now() - (subscription?.lastHeartbeatMs() ?? beganAtMs) < heartbeatLimitMs
  const requestMs = Math.min(Math.max(REQUEST_MS * scale, LEAST_REQUEST_MS), REQUEST_MS)
  const pending = createPendingStore({
    objects,
    now,
    onUnreadable: (key, error) => logger.error({ key, reason: messageOf(error) }, 'pending.unreadable'),
  })
  const shared = {
    clock,
    read: createView(objects, () => clock.now()),
    send: createWebhook({
      request: request => outbound.request({ ...request, timeoutMs: requestMs, signal: hurry }),
      secret,
      publicUrl: () => configuration.current().site.publicUrl,
      now,
    }),
    pending,
    states: createOutletStates(objects),
    tell: createTell(publish),
    slots: createSlots(),
    ownSide: createOwnSide(scale),
    scale,
    random: Math.random,
    logger,
    onAttempt: meters.onAttempt,
  }
  const configured = (outletId: string) => () => {
    const { outlets, categories } = configuration.current()
    const outlet = outlets.get(outletId)
    return outlet === undefined ? null : { outlet, categories }
  }
  const worker = createWorker({
    handover: createHandover(objects, randomUUID()),
    clock,
    scale,
    shared: log.kind === 'kafka',
    partitionOf: outletId => log.partitionOf(topics.deliveries.name, outletId),
    outlets: () => configuration.current().outlets,
    createActor: (outletId, isHeld) =>
      createActor(outletId, { ...shared, configured: configured(outletId), owns: () => isHeld() && isAlive() }),
    sweep: (outletId, isHeld) => pending.sweep(outletId, () => isHeld() && isAlive()),
    onError: error => logger.error({ reason: messageOf(error) }, 'outlets.failed'),
  })
  subscription = await log.subscribe({
    topic: topics.deliveries.name,
    group: 'outlets',
    concurrency: INTENTS_AT_ONCE,
    maxBuffered: 2 * INTENTS_AT_ONCE,
    lane: laneOf,
    sessionTimeoutMs: Math.max(SESSION_MS * scale, LEAST_SESSION_MS),
    onAssigned: worker.onAssigned,
    handle: byType({ 'delivery.wanted': worker.onWanted }),
  })
  meters.watch(worker.stats)
  return { worker, subscription }
}

const startRouting = ({ log, objects, configuration, now }: ServiceContext): Promise<Subscription> => {
  const route = routeArticle({
    objects,
    publish: publishEvents(log),
    configuration: () => configuration.current(),
    created: createCreated(objects),
    now,
  })
  return log.subscribe({
    topic: topics.articles.name,
    group: 'outlets-route',
    concurrency: ROUTES_AT_ONCE,
    handle: byType({
      'article.published': route,
      'article.updated': route,
      'article.corrected': route,
      'article.retracted': route,
      'article.purged': route,
    }),
  })
}

export const start: StartService = async (context): Promise<RunningService> => {
  const { configuration, logger, settings } = context
  const hurry = new AbortController()
  const { worker, subscription } = await startWorker(context, hurry.signal)
  const routing = await startRouting(context)
  const forget = configuration.onChange(worker.pump)
  const sweeping = setInterval(() => void worker.sweep(), SWEEP_EVERY_MS * settings.retryScale)
  sweeping.unref()
  logger.info('service.started')
  return {
    name: 'outlets',
    readiness: () => ({
      ready: [subscription, routing].every(one => one.stats().unavailableSinceMs === null),
      detail: { deliveries: subscription.stats(), routing: routing.stats() },
    }),
    stop: async () => {
      clearInterval(sweeping)
      forget()
      await Promise.all([routing.stop(), subscription.stop()])
      const timer = setTimeout(() => hurry.abort(), STOP_MS)
      await worker.stop()
      clearTimeout(timer)
    },
  }
}
