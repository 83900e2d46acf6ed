/** outlets: makes every partner hold the current state of every article it is entitled to, and every subscriber the current feed. Topics, limits and failure modes: README.md. */
import { topics } from '@newswire/events/topics'
import { byType, publishEvents } from '@newswire/log/events'
import type { Subscription } from '@newswire/log/log'
import { keepHeapLean } from '@newswire/runtime/lean-heap'
import { createLimit } from '@newswire/runtime/limit'
import type { RunningService, ServiceContext, StartService } from '@newswire/runtime/service'
import { createCreated } from './created.ts'
import { createEngine } from './engine.ts'
import { routeArticle } from './route.ts'
import { startCallbacks } from './start-callbacks.ts'
import { startDeliveries } from './start-deliveries.ts'
import { startHub } from './start-hub.ts'
import { startRequests } from './start-requests.ts'
import type { View } from './view.ts'
import type { Worker } from './worker.ts'

const ROUTES_AT_ONCE = 64
/** With more outlets than these, few at once: each has its intents in memory, ten thousand of them are 6 MB. */
const MANY_OUTLETS = 1_000
const WIDE_ROUTES_AT_ONCE = 3
/** So many deliveries that wait, or outlets: then most of a heap that V8 lets grow as it likes would be garbage. */
const MUCH_LEFT = 10_000
/** So many take 100 MB: then posts get no thread of their own. */
const VERY_MUCH_LEFT = 50_000
const SWEEP_EVERY_MS = 600_000
/** What a stop grants to requests in flight; then they are reset, and written down as of unknown outcome. */
const STOP_MS = 3_000

const startRouting = ({ log, objects, configuration, now }: ServiceContext, offer: View['offer']): Promise<Subscription> => {
  const route = routeArticle({
    objects,
    publish: publishEvents(log),
    configuration: () => configuration.current(),
    created: createCreated(objects),
    partitionOf: outletId => log.partitionOf(topics.deliveries.name, outletId),
    offer,
    now,
  })
  const few = createLimit(WIDE_ROUTES_AT_ONCE)
  const routeInTurn: typeof route = (event, context) =>
    configuration.current().outlets.size > MANY_OUTLETS ? few(() => route(event, context)) : route(event, context)
  return log.subscribe({
    topic: topics.articles.name,
    group: 'outlets-route',
    concurrency: ROUTES_AT_ONCE,
    handle: byType({
      'article.published': routeInTurn,
      'article.updated': routeInTurn,
      'article.corrected': routeInTurn,
      'article.retracted': routeInTurn,
      'article.purged': routeInTurn,
    }),
  })
}

export const start: StartService = async (context): Promise<RunningService> => {
  const { configuration, logger, settings } = context
  const hurry = new AbortController()
  let worker: Worker | undefined
  const engine = createEngine(context, hurry.signal, () => worker?.isMuchLeft(VERY_MUCH_LEFT) ?? true)
  // After a process that was killed elsewhere each of their groups may wait for its session: all of them at once.
  const [deliveries, distribution, callbacks] = await Promise.all([
    startDeliveries(context, engine),
    startHub(context, engine),
    startCallbacks(context, engine),
  ])
  worker = deliveries.worker
  const [routing, requests] = await Promise.all([startRouting(context, deliveries.offer), startRequests(context, deliveries)])
  const { hub, subscriptions } = distribution
  const forget = configuration.onChange(() => {
    worker.pump()
    hub.pump()
    callbacks.holdings.pump()
  })
  const sweeping = setInterval(
    () => void worker.sweep().then(hub.sweep).then(requests.sweep).then(callbacks.sweep),
    SWEEP_EVERY_MS * settings.retryScale,
  )
  sweeping.unref()
  const lean = keepHeapLean(() => configuration.current().outlets.size > MANY_OUTLETS || worker.isMuchLeft(MUCH_LEFT))
  logger.info('service.started')
  const members = {
    deliveries: deliveries.subscription,
    hub: distribution.subscription,
    routing,
    requests: requests.subscription,
    callbacks: callbacks.subscription,
  }
  return {
    name: 'outlets',
    readiness: () => ({
      ready: Object.values(members).every(one => one.stats().unavailableSinceMs === null),
      detail: Object.fromEntries(Object.entries(members).map(([name, one]) => [name, one.stats()])),
    }),
    stop: async () => {
      clearInterval(sweeping)
      lean.stop()
      forget()
      await Promise.all(Object.values(members).map(one => one.stop()))
      const timer = setTimeout(() => {
        hurry.abort()
        void deliveries.close() // connections that are no requests
      }, STOP_MS)
      await Promise.all([worker.stop(), hub.stop(), callbacks.holdings.stop()])
      clearTimeout(timer)
      await Promise.all([deliveries.close(), subscriptions.close(), requests.stop(), engine.close()])
    },
  }
}
