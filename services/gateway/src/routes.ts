/** What the public reads (contract §5). */
import type { HttpServer } from '@newswire/http/server'
import type { Objects } from '@newswire/objects/objects'
import type { Configuration } from '@newswire/runtime/configuration'
import type { FeedHub } from '@newswire/runtime/feed-hub'
import { addArchiveKeysRoute } from './archive-keys-route.ts'
import { addCacheKeyHeaders } from './cache-key-headers.ts'
import { addCors } from './cors.ts'
import type { FeedCache } from './feed-cache.ts'
import { addFeedRoutes } from './feed-routes.ts'
import { securityHeaders } from './headers.ts'
import { addLimits, createLimits, type Limits } from './limits.ts'
import { addPageArchiveRoutes } from './page-archive-routes.ts'
import { addPageRoutes } from './page-routes.ts'
import { createReaders, type Readers } from './readers.ts'
import { addRenditionRoutes } from './rendition-routes.ts'
import type { Search } from './search.ts'
import { createStoreArticles, type StoreArticles } from './store-articles.ts'
import type { View } from './view.ts'

type RouteNeeds = Readonly<{
  view: View
  feeds: FeedCache
  objects: Objects
  configuration: Configuration
  now: () => number
  /** What the holder of a token of a private feed may subscribe to it by (default: nothing). */
  capabilityOf?: FeedHub['capabilityOf']
  /** Whether the log can be reached now (default: it can). */
  isLogThere?: () => boolean
  /** Asked for as long as the log does not tell (default: one of its own). */
  stored?: StoreArticles
  /** Whether a view that has not reached the log was told of what the feeds in the store show (default: it was not). */
  hasLooked?: () => boolean
  /** Default: none, and nothing can be searched. */
  search?: Search
  /** Default: of its own. */
  readers?: Readers
  /** Default: none. */
  limits?: Limits
}>

const addSecurityHeaders = (app: HttpServer, configuration: Pick<Configuration, 'current'>): void => {
  app.addHook('onSend', async (_request, reply) => {
    for (const [name, value] of Object.entries(securityHeaders(configuration.current().site.publicUrl)))
      if (!reply.hasHeader(name)) reply.header(name, value)
  })
}

/** What one client asked on a condition or of a range that does not hold is for no other: a cache that kept it would give that for the thing itself. */
const keepRefusalsOutOfCaches = (app: HttpServer): void => {
  app.addHook('onSend', async (_request, reply) => {
    if (reply.statusCode === 412 || reply.statusCode === 416) reply.header('cache-control', 'no-store')
  })
}

export const addRoutes = (app: HttpServer, needs: RouteNeeds): void => {
  const { configuration, readers = createReaders(), limits = createLimits({ perMinute: 0, proxies: 0 }) } = needs
  addSecurityHeaders(app, configuration)
  keepRefusalsOutOfCaches(app)
  addLimits(app, limits)
  addCacheKeyHeaders(app, configuration)
  addCors(app, configuration)
  const { objects, view, isLogThere = () => true } = needs
  /** What is in the view counts while it is told what becomes of it: a gateway that was cut off asks the store, which a retraction has reached. */
  const isTold = () => view.isReady() && isLogThere()
  const { stored = createStoreArticles(objects, () => configuration.current().site.publicUrl) } = needs
  addPageRoutes(app, { ...needs, stored, isTold })
  addFeedRoutes(app, { ...needs, readers, proxies: limits.proxies })
  addPageArchiveRoutes(app, {
    ...needs,
    readers,
    proxies: limits.proxies,
    vouch: () => (isTold() ? null : (output, bytes) => stored.mayShow(output, bytes, 'page')),
  })
  addRenditionRoutes(app, { ...needs, stored, isTold })
  addArchiveKeysRoute(app, needs)
}
