/** What the public reads (contract §5). */
import { type FeedFormat, feedFiles, feedFormats } from '@newswire/events/feed'
import { isArticleId, isSha256, toArticleId } from '@newswire/events/ids'
import { articleUrl, noticeOf, toPublicArticle } from '@newswire/events/public-article'
import { matchEtag, notModifiedSince, prefersGzip } from '@newswire/http/conditional'
import { ProblemError } from '@newswire/http/problem'
import type { HttpReply, HttpRequest, HttpServer } from '@newswire/http/server'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import type { Configuration } from '@newswire/runtime/configuration'
import type { FeedCache, ServedFeed } from './feed-cache.ts'
import { toArticlePage, toGonePage, toPrintView } from './pages/article-page.ts'
import { styleSheet } from './pages/document.ts'
import { toFeedsPage, toFrontPage, toOpml } from './pages/lists.ts'
import type { Seen, View } from './view.ts'

export type RouteNeeds = Readonly<{ view: View; feeds: FeedCache; objects: Objects; configuration: Configuration; now: () => number }>

/** How long a rendition that is not known yet waits for the view to reach the log's end (architecture §6.13). */
const VIEW_WAIT_MS = 2_000
const FRONT_PAGE_ARTICLES = 30
const HTML = 'text/html; charset=utf-8'
/** No scripts run on our pages; the JSON-LD block is data. Pictures may come from where a publisher's body says. */
const PAGE_POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self' https: http:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
/** Short, so that a retraction is soon everywhere; a stale answer is better than none while we are away. */
const FEED_CACHE = 'public, max-age=60, stale-while-revalidate=60, stale-if-error=86400'
const PAGE_CACHE = 'public, max-age=30, stale-while-revalidate=60'

const notFound = (detail: string) => new ProblemError({ status: 404, code: 'NEWSWIRE_NOT_FOUND', title: 'Not found', detail })
const notReady = (what: string) =>
  new ProblemError({
    status: 503,
    code: 'NEWSWIRE_GATEWAY_NOT_READY',
    title: 'Not ready yet',
    detail: `${what} are being read from the log; try again in a moment`,
    headers: { 'retry-after': '1' },
  })

/** As a header can carry it (a `Location` is ASCII, RFC 9110 §10.2.2); `null` for what is no address of the web. */
const toWebAddress = (text: string): string | null => {
  if (!URL.canParse(text)) return null
  const url = new URL(text)
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null
}

const sendPage = (reply: HttpReply, status: number, html: string, cache = PAGE_CACHE) =>
  reply.status(status).header('content-type', HTML).header('content-security-policy', PAGE_POLICY).header('cache-control', cache).send(html)

/**
 * Lets the view reach what is in the log when it is asked, for all who ask at once: addresses made up by a stranger must not each put the
 * question to the log. Whoever comes while one is under way waits for the next, which is the first that began after he asked.
 */
const createCatchUp = (view: View): (() => Promise<void>) => {
  let running: Promise<void> | null = null
  let next: Promise<void> | null = null
  const begin = (): Promise<void> => {
    running = view
      .caughtUp(AbortSignal.timeout(VIEW_WAIT_MS))
      .catch(() => undefined)
      .finally(() => {
        running = null
      })
    return running
  }
  return () => {
    if (running === null) return begin()
    next ??= running.then(() => {
      next = null
      return begin()
    })
    return next
  }
}

export const addRoutes = (app: HttpServer, { view, feeds, objects, configuration, now }: RouteNeeds): void => {
  const catchUp = createCatchUp(view)
  const config = () => configuration.current()

  const seen = (request: HttpRequest): { articleId: string; found: Seen } => {
    const { articleId } = request.params as { articleId: string }
    if (!isArticleId(articleId)) throw notFound('no article has such an id')
    if (!view.isReady()) throw notReady('articles')
    const found = view.article(articleId)
    if (found === null) throw notFound('no public article has this id')
    return { articleId, found }
  }

  /** What stands in an article's place: its substitute, an address elsewhere, or that it is gone (RFC 9110 §15.5.11). */
  const sendGone = (reply: HttpReply, { fact }: Extract<Seen, { state: 'gone' }>, as: 'page' | 'json') => {
    const { site } = config()
    if (fact.state === 'retracted' && fact.retraction.redirectTo !== undefined) {
      const { mode, redirectTo } = fact.retraction
      const elsewhere = mode === 'redirect' ? toWebAddress(redirectTo) : null
      if (elsewhere !== null) return reply.header('cache-control', 'no-cache').redirect(elsewhere, 301)
      // A local id may have a dot and so look like another publisher's: the publisher's own comes first.
      const substitute = [toArticleId(fact.publisher, redirectTo), redirectTo].find(
        id => mode === 'replace' && isArticleId(id) && view.article(id)?.state === 'public',
      )
      if (substitute !== undefined) return reply.header('cache-control', 'no-cache').redirect(articleUrl(site.publicUrl, substitute), 302)
    }
    if (as === 'page') return sendPage(reply, 410, toGonePage(fact, site), 'no-cache')
    const notice = fact.state === 'live' ? undefined : noticeOf(fact, site.language)
    return reply
      .status(410)
      .header('cache-control', 'no-cache')
      .type('application/json')
      .send({ id: fact.articleId, version: fact.version, status: 'retracted', notice })
  }

  app.get('/', async (_request, reply) => {
    if (!view.isReady()) throw notReady('articles')
    return sendPage(reply, 200, toFrontPage(view.newest(FRONT_PAGE_ARTICLES), [...config().feeds.values()], config().site))
  })
  // Browsers ask for it unasked; a 404 each time would only be noise in their consoles.
  app.get('/favicon.ico', async (_request, reply) => reply.status(204).header('cache-control', 'public, max-age=86400').send())
  app.get('/style.css', async (_request, reply) =>
    reply.type('text/css; charset=utf-8').header('cache-control', 'public, max-age=3600').send(styleSheet),
  )
  app.get('/feeds', async (_request, reply) => sendPage(reply, 200, toFeedsPage([...config().feeds.values()], config().site)))
  app.get('/opml.xml', async (_request, reply) =>
    reply.type('text/x-opml; charset=utf-8').send(toOpml([...config().feeds.values()], config().site)),
  )

  app.get('/articles/:articleId', async (request, reply) => {
    const { found } = seen(request)
    if (found.state === 'gone') return sendGone(reply, found, 'page')
    return sendPage(reply, 200, toArticlePage(found.fact, config().site, config().categories))
  })
  app.get('/articles/:articleId/print', async (request, reply) => {
    const { found } = seen(request)
    if (found.state === 'gone') return sendGone(reply, found, 'page')
    return sendPage(reply, 200, toPrintView(found.fact, config().site, config().categories, new Date(now()).toISOString()), 'no-cache')
  })
  app.get('/articles/:articleId/article.json', async (request, reply) => {
    const { found } = seen(request)
    if (found.state === 'gone') return sendGone(reply, found, 'json')
    return reply
      .header('cache-control', PAGE_CACHE)
      .header('access-control-allow-origin', '*')
      .send(toPublicArticle(found.fact, config().site.publicUrl))
  })

  app.get('/feeds/:feedId/:file', async (request, reply) => {
    const { feedId, file } = request.params as { feedId: string; file: string }
    const format = feedFormats.find(one => feedFiles[one].name === file)
    if (format === undefined || !config().feeds.has(feedId)) throw notFound('no such feed; /feeds lists them')
    if (!feeds.isReady() && feeds.built(feedId) === null) throw notReady('feeds')
    const served = await feeds.get(feedId, format)
    if (served === null) throw notReady('feeds')
    return sendFeed(request, reply, served, feedId, format, config().site.publicUrl)
  })

  app.get('/renditions/:sha256/:file', async (request, reply) => {
    const { sha256, file } = request.params as { sha256: string; file: string }
    if (!isSha256(sha256) || !/^[a-z0-9-]+\.jpg$/.test(file)) throw notFound('no such picture')
    if (!view.isReady()) throw notReady('articles')
    if (view.picture(sha256) === 'unknown') await catchUp()
    const state = view.picture(sha256)
    if (state === 'gone') return reply.status(410).header('cache-control', 'no-store').send()
    const found = state === 'shown' ? await objects.get(`${keys.renditionPrefix(sha256)}${file}`) : null
    if (found === null) return reply.status(404).header('cache-control', 'no-store').send()
    const etag = `"${found.etag.replace(/"/g, '')}"`
    reply.header('etag', etag).header('cache-control', 'public, max-age=86400, immutable').header('access-control-allow-origin', '*')
    if (matchEtag(request.headers['if-none-match'], [etag])) return reply.status(304).send()
    return reply.type(found.contentType).send(Buffer.from(found.bytes))
  })
}

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
