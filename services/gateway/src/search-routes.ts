/** Search for people, for programs, as a feed, and for browsers' own search boxes (contract §5). */

import { UnavailableError } from '@newswire/events/errors'
import { articleUrl } from '@newswire/events/public-article'
import { ProblemError } from '@newswire/http/problem'
import type { HttpRequest, HttpServer } from '@newswire/http/server'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { badRequest, notFound, notReady, sendRendered } from './answers.ts'
import type { FindLeftOut } from './left-out.ts'
import { toFrame } from './page-data.ts'
import { type PageMaker, toHtmlPage, toJsonPage } from './page-maker.ts'
import { toOpenSearch } from './pages/open-search.ts'
import { toSearchPage } from './pages/search-page.ts'
import { toSearchRss } from './pages/search-rss.ts'
import type { Search } from './search.ts'
import { createAsking, facetsOf, toSearchQuery } from './search-answers.ts'
import { FIRST_PAGE, parseSearch, type SearchPlace, toSearchPath } from './search-place.ts'
import type { SearchFound } from './search-reader.ts'
import type { View } from './view.ts'

type Needs = Readonly<{ search: Search; view: View; maker: PageMaker; findLeftOut: FindLeftOut }>

/** The page behind this one; `null` on the last. */
const nextOf = (place: SearchPlace, { next }: Pick<SearchFound, 'next'>): SearchPlace | null =>
  next === null ? null : { ...place, page: { number: place.page.number + 1, behind: next } }

const toAnswer = (place: SearchPlace, found: SearchFound, config: ConfigSnapshot) => {
  const { publicUrl } = config.site
  const { total, categories, publishers, languages } = facetsOf(found, config)
  const next = nextOf(place, found)
  const nameOf = (id: string) => config.categories.get(id)?.name ?? id
  return {
    q: place.q,
    words: found.words,
    page: place.page.number,
    reach: found.reach,
    total,
    totalIsExact: !found.isAbout,
    hits: found.hits.map(({ articleId, ...hit }) => ({ id: articleId, url: articleUrl(publicUrl, articleId), ...hit })),
    facets: {
      categories: categories.map(one => ({ ...one, name: nameOf(one.id) })),
      publishers: publishers.map(one => ({ ...one, name: config.publishers.get(one.id)?.name ?? one.id })),
      languages,
    },
    next: next === null ? null : publicUrl + toSearchPath(next, '/v1/search'),
  }
}

export const addSearchRoutes = (app: HttpServer, { search, view, maker, findLeftOut }: Needs): void => {
  const { config, kept } = maker
  const asking = createAsking(search)

  const placeOf = (request: HttpRequest, changes: Partial<SearchPlace> = {}): SearchPlace => {
    const place = parseSearch(request.query as Record<string, unknown>)
    if (typeof place === 'string') throw badRequest(place)
    if (place.category !== null && !config().categories.has(place.category)) throw notFound('no such category')
    if (!search.isReady() || !view.isRead()) throw notReady('articles')
    return { ...place, ...changes }
  }
  type Found = Readonly<{ found: SearchFound; key: string }>

  /** `key`: kept for one state of the index, that from before it was asked, under the address that the same search always has. */
  const ask = async (place: SearchPlace, { path, counts = true }: { path: string; counts?: boolean }): Promise<Found> => {
    const revision = search.revision()
    try {
      const found = await asking(toSearchQuery(place, config(), counts))
      const leftOut = await findLeftOut(() => found.hits.map(({ articleId }) => articleId))
      // The index is up to a quarter of a second behind the view.
      const hits = found.hits.filter(({ articleId }) => view.isPublic(articleId) && !leftOut.has(articleId))
      return { found: { ...found, hits }, key: `${path}#${revision}#${leftOut.key}` }
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      const detail = 'too many searches are waiting, or the index is being replaced; try again in a moment'
      throw new ProblemError({ status: 503, code: error.code, title: 'Search is busy', detail, headers: { 'retry-after': '1' } })
    }
  }

  app.get('/search', async (request, reply) => {
    const place = placeOf(request)
    const { found, key } = await ask(place, { path: toSearchPath(place) })
    const page = kept(key, snapshot => {
      const next = nextOf(place, found)
      const text = toSearchPage({ frame: toFrame(view, snapshot), config: snapshot, place, found, facets: facetsOf(found, snapshot), next })
      return toHtmlPage(text, { config: snapshot, robots: 'noindex, follow', form: true })
    })
    return sendRendered(request, reply, page)
  })

  app.get('/v1/search', async (request, reply) => {
    const place = placeOf(request)
    const { found, key } = await ask(place, { path: toSearchPath(place, '/v1/search') })
    return sendRendered(
      request,
      reply,
      kept(key, snapshot => toJsonPage(toAnswer(place, found, snapshot))),
    )
  })

  app.get('/search/rss.xml', async (request, reply) => {
    // Who subscribes wants what is new, and always the first page of it.
    const place = placeOf(request, { sort: 'time', page: FIRST_PAGE })
    const { found, key } = await ask(place, { path: toSearchPath(place, '/search/rss.xml'), counts: false })
    const page = kept(key, snapshot => ({
      text: toSearchRss(place, found, snapshot),
      type: 'application/rss+xml; charset=utf-8',
      headers: { 'x-robots-tag': 'noindex' },
    }))
    return sendRendered(request, reply, page)
  })

  app.get('/opensearch.xml', async (request, reply) =>
    sendRendered(
      request,
      reply,
      kept('/opensearch.xml', ({ site }) => ({
        text: toOpenSearch(site),
        type: 'application/opensearchdescription+xml; charset=utf-8',
        headers: {},
      })),
    ),
  )
}
