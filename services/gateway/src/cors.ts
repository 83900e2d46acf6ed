/**
 * What scripts of other sites may read (Fetch, "CORS protocol"): everything that is for programs, with its refusals. A 429 that a script cannot read is one
 * that it does not wait after. Pages, the hub and private feeds are not among it.
 */
import { isPrivate } from '@newswire/events/config'
import type { HttpReply, HttpRequest, HttpServer } from '@newswire/http/server'
import type { Configuration } from '@newswire/runtime/configuration'

const ROUTES = [
  '/feeds/:feedId',
  '/feeds/:feedId/:file',
  '/feeds/:feedId/pages/:file',
  '/articles/:articleId/article.json',
  '/articles/:articleId/ninjs.json',
  '/renditions/:sha256/:file',
  '/opml.xml',
  '/search/rss.xml',
  '/v1/search',
  '/.well-known/newswire-keys.json',
] as const

/** Of what is answered. The fast path says the same of feeds (`headers.ts`). */
export const readableElsewhere = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'etag, last-modified, link, im, ratelimit, ratelimit-policy, retry-after',
} as const

/** Scripts that ask conditionally ask for leave first (CORS-preflight). */
const leave = async (_request: HttpRequest, reply: HttpReply) =>
  reply
    .status(204)
    .header('access-control-allow-methods', 'GET, HEAD')
    .header('access-control-allow-headers', 'a-im, if-none-match, if-modified-since, range, if-range')
    .header('access-control-max-age', '86400')
    .send()

/** Must be added before routes. */
export const addCors = (app: HttpServer, configuration: Pick<Configuration, 'current'>): void => {
  const routes: ReadonlySet<string> = new Set(ROUTES)
  const isClosed = (feedId = ''): boolean => {
    const feed = configuration.current().feeds.get(feedId)
    return feed !== undefined && isPrivate(feed)
  }
  app.addHook('onSend', async ({ routeOptions, params }, reply) => {
    if (routes.has(routeOptions.url ?? '') && !isClosed((params as { feedId?: string } | null)?.feedId)) reply.headers(readableElsewhere)
  })
  for (const route of ROUTES) app.options(route, leave)
}
