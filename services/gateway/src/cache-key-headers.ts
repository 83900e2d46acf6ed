/** The keys that a shared cache knows an answer by (`@newswire/events/cache-keys`), by the route that it is of. Feeds say theirs themselves (`headers.ts`). */
import { cacheKeyHeaders, cacheKeys } from '@newswire/events/cache-keys'
import { isPrivate } from '@newswire/events/config'
import { isArticleId, isSha256 } from '@newswire/events/ids'
import type { HttpServer } from '@newswire/http/server'
import type { Configuration } from '@newswire/runtime/configuration'

type Params = Readonly<Record<string, string | undefined>>

/** `null`: this answer has no key of its own. What a stranger wrote into an address becomes a key only as a valid id. */
const findKey = (route: string, { articleId = '', sha256 = '', feedId = '' }: Params, isPublicFeed: (id: string) => boolean) => {
  if (route.startsWith('/articles/:articleId')) return isArticleId(articleId) ? cacheKeys.article(articleId) : null
  if (route.startsWith('/renditions/:sha256')) return isSha256(sha256) ? cacheKeys.picture(sha256) : null
  if (route === '/feeds/:feedId/pages/:file') return isPublicFeed(feedId) ? cacheKeys.feed(feedId) : null
  return ['/', '/feeds', '/opml.xml', '/search', '/v1/search', '/search/rss.xml'].includes(route) ? cacheKeys.lists : null
}

export const addCacheKeyHeaders = (app: HttpServer, configuration: Pick<Configuration, 'current'>): void => {
  const isPublicFeed = (id: string): boolean => {
    const feed = configuration.current().feeds.get(id)
    return feed !== undefined && !isPrivate(feed)
  }
  app.addHook('onRequest', async (request, reply) => {
    const key = findKey(request.routeOptions.url ?? '', (request.params ?? {}) as Params, isPublicFeed)
    if (key !== null) reply.headers(cacheKeyHeaders(key))
  })
}
