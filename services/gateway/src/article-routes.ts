/** The article for people and for machines, and what stands in its place when it is gone (contract §5). */
import { codeOf } from '@newswire/events/errors'
import { isArticleId } from '@newswire/events/ids'
import { toNinjs } from '@newswire/events/ninjs'
import { toFactVia } from '@newswire/events/outlet-article'
import { articleUrl, toPublicArticle } from '@newswire/events/public-article'
import { prefersJson } from '@newswire/http/accept'
import { ProblemError } from '@newswire/http/problem'
import type { HttpReply, HttpRequest, HttpServer } from '@newswire/http/server'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { notFound, notSure, sendRendered } from './answers.ts'
import { toRendered } from './page-cache.ts'
import { findNamed, toArticleContext, toFrame } from './page-data.ts'
import { type PageMaker, toHtmlPage, toJsonPage } from './page-maker.ts'
import { toWebAddress } from './pages/addresses.ts'
import { robotsOf } from './pages/article-head.ts'
import { goneNotice, toArticlePage, toGonePage, toPrintView } from './pages/article-page.ts'
import type { StoreArticles } from './store-articles.ts'
import type { Seen, View } from './view.ts'

type Needs = Readonly<{
  view: View
  maker: PageMaker
  now: () => number
  stored: Pick<StoreArticles, 'around'>
  /** Whether the view is what counts. */
  isTold: () => boolean
}>
type Gone = Extract<Seen, { state: 'gone' }>
type Around = Pick<View, 'article' | 'translationsOf' | 'hasAny'>
/** An article with what there is to know of those around it. `kept`: where its pages are made. */
type Found = Readonly<{ seen: Seen; around: Around; kept: PageMaker['kept'] }>
type GoneAround = Readonly<{ seen: Gone; around: Around }>

const isAddressOf = (address: string, article: string): boolean => {
  const [one, other] = [new URL(address), new URL(article)]
  return one.host === other.host && one.pathname.replace(/\/+$/, '') === other.pathname
}

/** Where a retraction leads instead: an address elsewhere, or its substitute while that is public. */
const substituteOf = ({ fact }: Gone, view: Around, publicUrl: string): Readonly<{ status: 301 | 302; to: string }> | null => {
  if (fact.state !== 'retracted' || fact.retraction.redirectTo === undefined) return null
  const { mode, redirectTo } = fact.retraction
  const elsewhere = mode === 'redirect' ? toWebAddress(redirectTo) : null
  // Back to where it came from there is nothing, for ever: its notice says more than a browser's "too many redirects".
  if (elsewhere !== null && !isAddressOf(elsewhere, articleUrl(publicUrl, fact.articleId))) return { status: 301, to: elsewhere }
  const substitute = mode === 'replace' ? findNamed(view, fact.publisher, redirectTo) : null
  return substitute === null ? null : { status: 302, to: articleUrl(publicUrl, substitute.articleId) }
}

export const addArticleRoutes = (app: HttpServer, { view, maker, now, stored, isTold }: Needs): void => {
  const { config } = maker

  /** Cut off from log and store alike, pages go on as they last were, as feeds do. */
  const askStore = async (articleId: string): Promise<Around> => {
    try {
      const around = await stored.around(articleId)
      return view.isRead() ? { ...around, hasAny: view.hasAny } : around
    } catch (error) {
      if (view.isRead() && codeOf(error) === 'NEWSWIRE_OBJECTS_UNAVAILABLE') return view
      throw error
    }
  }

  const find = async (request: HttpRequest): Promise<Found> => {
    const { articleId } = request.params as { articleId: string }
    if (!isArticleId(articleId)) throw notFound('no article has such an id')
    // While the log does not tell the store is asked, which cannot tell whose slug this may be.
    const isSure = isTold()
    const around = isSure ? view : await askStore(articleId)
    const seen = around.article(articleId)
    if (seen === null) throw isSure ? notFound('no public article has this id') : notSure('what is at this address')
    return { seen, around, kept: isSure ? maker.kept : (_key, render) => toRendered(render(config())) }
  }

  /** The substitute, or 410 (RFC 9110 §15.5.11) with `body`; without one with a page, or a problem document for who would rather have JSON. */
  const sendGone = (request: HttpRequest, reply: HttpReply, { seen: found, around }: GoneAround, body?: unknown) => {
    reply.header('cache-control', 'no-cache')
    const { site } = config()
    const elsewhere = substituteOf(found, around, site.publicUrl)
    if (elsewhere !== null) return reply.redirect(elsewhere.to, elsewhere.status)
    if (body !== undefined) return reply.status(410).type('application/json').send(body)
    if (prefersJson(request.headers.accept)) {
      const { title, notice } = goneNotice(found.fact, site.language)
      const headers = { 'cache-control': 'no-cache', vary: 'accept' }
      throw new ProblemError({ status: 410, code: 'NEWSWIRE_GONE', title, detail: notice || title, headers })
    }
    const { headers, type, text } = toHtmlPage(toGonePage(found.fact, toFrame(around, config())), { config: config(), robots: 'noindex' })
    return reply.status(410).headers(headers).header('vary', 'accept').header('content-type', type).send(text)
  }

  app.get('/articles/:articleId', async (request, reply) => {
    const { articleId: asked } = request.params as { articleId: string }
    // A slug of now or of before, in place of the id: an old address stays alive for as long as the article has one.
    const named = isArticleId(asked) && view.isRead() && view.article(asked) === null ? view.named(asked) : null
    if (named !== null && view.article(named) !== null) {
      const to = articleUrl(config().site.publicUrl, named)
      return reply.header('cache-control', 'no-cache').redirect(to, 301)
    }
    const { seen, around, kept } = await find(request)
    if (seen.state === 'gone') return sendGone(request, reply, { seen, around })
    const { fact } = seen
    const page = kept(`/articles/${fact.articleId}`, snapshot => {
      const context = toArticleContext(around, snapshot, fact, toFrame(around, snapshot))
      // No `Last-Modified`: related articles and the configuration change what stands here, which the article's own date does not tell.
      return toHtmlPage(toArticlePage(context), { config: snapshot, robots: robotsOf(context) })
    })
    return sendRendered(request, reply, page)
  })

  app.get('/articles/:articleId/print', async (request, reply) => {
    const { seen, around } = await find(request)
    if (seen.state === 'gone') return sendGone(request, reply, { seen, around })
    const context = toArticleContext(around, config(), seen.fact, toFrame(around, config()))
    const text = toPrintView(context, new Date(now()).toISOString())
    return sendRendered(request, reply, toRendered(toHtmlPage(text, { config: config(), robots: 'noindex' })), 'no-cache')
  })

  /** The article in one more form for machines; `gone` is its body when it is gone. */
  const addDocument = (name: string, toBody: (found: Seen, snapshot: ConfigSnapshot) => unknown, isRedirected: boolean) =>
    app.get(`/articles/:articleId/${name}`, async (request, reply) => {
      const { seen, around, kept } = await find(request)
      if (seen.state === 'public')
        return sendRendered(
          request,
          reply,
          kept(`/articles/${seen.fact.articleId}/${name}`, snapshot => toJsonPage(toBody(seen, snapshot))),
        )
      if (isRedirected) return sendGone(request, reply, { seen, around }, toBody(seen, config()))
      return reply.status(410).header('cache-control', 'no-cache').type('application/json').send(toBody(seen, config()))
    })
  const toOwnForm = (found: Seen, { site }: ConfigSnapshot): unknown => {
    if (found.state === 'public') return toPublicArticle(toFactVia(found.fact, site.id), site.publicUrl)
    const { fact } = found
    const notice = fact.state === 'live' ? undefined : goneNotice(fact, site.language).notice
    return { id: fact.articleId, version: fact.version, status: 'retracted', notice }
  }
  addDocument('article.json', toOwnForm, true)
  // ninjs says itself what became of an article, so nobody is led elsewhere.
  addDocument('ninjs.json', ({ fact }, snapshot) => toNinjs(fact, snapshot), false)
}
