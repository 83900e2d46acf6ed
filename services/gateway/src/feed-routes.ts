/** Feeds as the public reads them (contract §5). */
import { type FeedFormat, feedFiles, feedFormats } from '@newswire/events/feed'
import { matchEtag, notModifiedSince, prefersGzip } from '@newswire/http/conditional'
import type { HttpReply, HttpRequest, HttpServer } from '@newswire/http/server'
import type { Configuration } from '@newswire/runtime/configuration'
import { notFound, notReady } from './answers.ts'
import type { FeedCache, ServedFeed } from './feed-cache.ts'

/** Short, so that a retraction is soon everywhere; a stale answer is better than none while we are away. */
const FEED_CACHE = 'public, max-age=60, stale-while-revalidate=60, stale-if-error=86400'

type Needs = Readonly<{ feeds: FeedCache; configuration: Pick<Configuration, 'current'> }>

/** A feed by RFC 9110: a strong tag for each coding, `If-None-Match` before `If-Modified-Since`, the same headers on 304 and 200. */
const sendFeed = async (
  request: HttpRequest,
  reply: HttpReply,
  served: ServedFeed,
  feedId: string,
  format: FeedFormat,
  publicUrl: string,
) => {
  const { name, type } = feedFiles[format]
  const zipped = prefersGzip(request.headers['accept-encoding'])
  const tags = { plain: `"${served.tag}"`, gzip: `"${served.tag}-gzip"` }
  const modified = new Date(served.updatedAt)
  reply
    .header('etag', zipped ? tags.gzip : tags.plain)
    .header('last-modified', modified.toUTCString())
    .header('cache-control', FEED_CACHE)
    .header('vary', 'accept-encoding')
    .header('access-control-allow-origin', '*')
    .header('link', `<${publicUrl}/feeds/${feedId}/${name}>; rel="self"`)
  const condition = request.headers['if-none-match']
  const unchanged =
    condition !== undefined
      ? matchEtag(condition, [tags.plain, tags.gzip])
      : notModifiedSince(request.headers['if-modified-since'], modified)
  if (unchanged) return reply.status(304).send()
  reply.header('content-type', type)
  if (!zipped) return reply.send(Buffer.from(served.bytes))
  return reply.header('content-encoding', 'gzip').send(Buffer.from(await served.gzipped()))
}

export const addFeedRoutes = (app: HttpServer, { feeds, configuration }: Needs): void => {
  const config = () => configuration.current()

  app.get('/feeds/:feedId/:file', async (request, reply) => {
    const { feedId, file } = request.params as { feedId: string; file: string }
    const format = feedFormats.find(one => feedFiles[one].name === file)
    if (format === undefined || !config().feeds.has(feedId)) throw notFound('no such feed; /feeds lists them')
    if (!feeds.isReady() && feeds.built(feedId) === null) throw notReady('feeds')
    const served = await feeds.get(feedId, format)
    if (served === null) throw notReady('feeds')
    return sendFeed(request, reply, served, feedId, format, config().site.publicUrl)
  })
}
