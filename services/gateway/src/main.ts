/** gateway: what the public reads. Topics, limits and failure modes: README.md. */
import { createHttpServer } from '@newswire/http/server'
import { publishEvents } from '@newswire/log/events'
import { createFeedHub } from '@newswire/runtime/feed-hub'
import { createOutletControl } from '@newswire/runtime/outlet-control'
import type { Readiness, StartService } from '@newswire/runtime/service'
import { createFastPath } from './fast-path.ts'
import { openFeedCache } from './feed-cache.ts'
import { openHub } from './hub.ts'
import { addHubRoutes } from './hub-routes.ts'
import { showReaders, startKeepingReaders } from './keep-readers.ts'
import { createLearn } from './learn.ts'
import { chargeUnroutable, createLimits } from './limits.ts'
import { watchLog } from './log-watch.ts'
import { addPartnerRoutes } from './partner-routes.ts'
import { createReaders } from './readers.ts'
import { createRefusalPage } from './refusal-page.ts'
import { addRoutes } from './routes.ts'
import { openSearch } from './search.ts'
import { followSearchWishes } from './search-rebuild.ts'
import { createStoreArticles } from './store-articles.ts'
import { createStoreFollower } from './store-follower.ts'
import { openView } from './view.ts'

const MIB = 2 ** 20

export const start: StartService = async context => {
  const { log, objects, configuration, logger, metrics, now, settings, sealing } = context
  const poison = metrics.counter('newswire_projection_poison_total', 'Records that a local view had to pass over.', ['topic'])
  const onPoison = (topic: string) => (details: object) => {
    poison.inc({ topic })
    logger.error({ topic, ...details }, 'projection.record-refused')
  }
  const { dataDir, gateway } = settings
  const watch = watchLog(log, {
    caughtUp: async signal => void (await Promise.all([view.caughtUp(signal), feeds.caughtUp(signal)])),
  })
  const { capabilityOf } = createFeedHub({ feeds: () => configuration.current().feeds, sealing })
  const stored = createStoreArticles(objects, () => configuration.current().site.publicUrl, {
    onUnreadable: details => logger.error(details, 'article.unreadable'),
    onRead: fact => learn(fact),
  })
  const [view, feeds] = await Promise.all([
    openView({ log, dataDir, onPoison: onPoison('articles') }),
    openFeedCache({
      log,
      objects,
      dataDir,
      onPoison: onPoison('feeds'),
      isLogThere: watch.isThere,
      maxBytes: gateway.memoryMb * MIB,
      mayShow: stored.mayShow,
    }),
  ])
  const search = openSearch({ log, dataDir, onTrouble: error => logger.error({ err: error }, 'search.failed') })
  const learn = createLearn({
    view,
    search,
    onNotTaken: (error, { articleId }) => logger.warn({ err: error, articleId }, 'article.not-taken'),
  })
  const follower = createStoreFollower({
    objects,
    configuration,
    stored,
    view,
    isLogThere: watch.isThere,
    onWritten: feeds.learnWritten,
    onUnread: details => logger.warn(details, 'feed.unread'),
  })
  // Only while the log is away: one that is there tells of them in a moment.
  if (log.whenThere !== undefined) void log.health().then(({ ok }) => (ok ? undefined : follower.look()))
  const wishes = followSearchWishes({ search, objects, logger })
  const hub = await openHub({ ...context, counterOf: feedId => feeds.built(feedId)?.counter ?? 0 })
  const readers = createReaders()
  showReaders(readers, metrics, now)
  const keeping = startKeepingReaders({ readers, objects, logger, now })
  const limits = createLimits({ perMinute: gateway.ratePerMinute, proxies: gateway.proxies })
  const readiness = (): Readiness => ({
    // Search answers 503 by itself: feeds and pages need not be taken off the net for it.
    ready: view.isReady() && feeds.isReady(),
    detail: {
      articles: view.isReady(),
      feeds: feeds.isReady(),
      search: search.isReady(),
      feedsFrom: feeds.standing(),
      failure: (view.failure() ?? feeds.failure() ?? search.failure())?.message,
    },
  })
  const refusalPage = createRefusalPage({ view, configuration })
  const server = createHttpServer({
    name: 'gateway',
    logger,
    host: settings.host,
    port: settings.gatewayPort,
    readiness,
    maxConnections: gateway.maxConnections,
    refusalPage,
    onUnroutable: chargeUnroutable(limits),
  })
  addRoutes(server.app, {
    view,
    feeds,
    objects,
    configuration,
    now,
    readers,
    limits,
    search,
    stored,
    capabilityOf,
    isLogThere: watch.isThere,
    hasLooked: follower.hasLooked,
  })
  addHubRoutes(server.app, { hub, configuration, proxies: gateway.proxies })
  const control = createOutletControl({ ...context, publish: publishEvents(log), source: '/services/gateway' })
  addPartnerRoutes(server.app, {
    log,
    objects,
    configuration,
    control,
    view,
    now,
    proxies: gateway.proxies,
    limited: gateway.ratePerMinute > 0,
  })
  if (gateway.fastPath) server.putInFront(createFastPath({ feeds, configuration, readers, limits }))
  const url = await server.listen()
  logger.info({ url }, 'service.started')
  return {
    name: 'gateway',
    url,
    readiness,
    stop: async () => {
      watch.stop()
      await server.close()
      await follower.stop()
      await keeping.stop()
      await Promise.all([view.stop(), feeds.stop(), hub.stop(), search.stop(), wishes.stop()])
    },
  }
}
