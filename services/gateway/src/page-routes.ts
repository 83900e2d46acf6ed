/** Pages for people, and the article as JSON (contract §5). */
import { isArticleId, toArticleId } from '@newswire/events/ids'
import { toNinjs } from '@newswire/events/ninjs'
import { articleUrl, noticeOf, toPublicArticle } from '@newswire/events/public-article'
import type { HttpReply, HttpRequest, HttpServer } from '@newswire/http/server'
import type { Configuration } from '@newswire/runtime/configuration'
import { notFound, notReady, PAGE_CACHE, sendPage } from './answers.ts'
import { toArticlePage, toGonePage, toPrintView } from './pages/article-page.ts'
import { styleSheet } from './pages/document.ts'
import { toFeedsPage, toFrontPage, toOpml } from './pages/lists.ts'
import type { Seen, View } from './view.ts'

const FRONT_PAGE_ARTICLES = 30

type Needs = Readonly<{ view: View; configuration: Pick<Configuration, 'current'>; now: () => number }>

/** As a header can carry it (a `Location` is ASCII, RFC 9110 §10.2.2); `null` for what is no address of the web. */
const toWebAddress = (text: string): string | null => {
  if (!URL.canParse(text)) return null
  const url = new URL(text)
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null
}

export const addPageRoutes = (app: HttpServer, { view, configuration, now }: Needs): void => {
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
  app.get('/articles/:articleId/ninjs.json', async (request, reply) => {
    const { found } = seen(request)
    const body = toNinjs(found.fact, config())
    if (found.state === 'gone') return reply.status(410).header('cache-control', 'no-cache').type('application/json').send(body)
    return reply.header('cache-control', PAGE_CACHE).header('access-control-allow-origin', '*').send(body)
  })
}
