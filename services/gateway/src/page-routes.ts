/** All pages, and what they load. */
import type { HttpReply, HttpRequest, HttpServer } from '@newswire/http/server'
import type { Configuration } from '@newswire/runtime/configuration'
import { PAGE_CACHE, sendRendered } from './answers.ts'
import { addArticleRoutes } from './article-routes.ts'
import { createFindLeftOut } from './left-out.ts'
import { addListRoutes } from './list-routes.ts'
import { toRendered } from './page-cache.ts'
import { createPageMaker } from './page-maker.ts'
import { type Asset, assets } from './pages/assets.ts'
import type { Search } from './search.ts'
import { addSearchRoutes } from './search-routes.ts'
import type { StoreArticles } from './store-articles.ts'
import type { View } from './view.ts'

/** Their addresses change with their content. */
const ASSET_CACHE = 'public, max-age=31536000, immutable'

type Needs = Readonly<{
  view: View
  configuration: Pick<Configuration, 'current'>
  now: () => number
  search?: Search
  stored: StoreArticles
  isTold: () => boolean
  hasLooked?: () => boolean
}>

const addAsset = (app: HttpServer, path: string, { body, type, version }: Asset): void => {
  const rendered = toRendered({ text: body, type, headers: {} })
  app.get(path, async (request, reply) => {
    const { v } = request.query as Record<string, unknown>
    // A page of another release asks for another version: it gets this one, and not for good.
    return sendRendered(request, reply, rendered, v === version ? ASSET_CACHE : PAGE_CACHE)
  })
}

export const addPageRoutes = (
  app: HttpServer,
  { view, configuration, now, search, stored, isTold, hasLooked = () => false }: Needs,
): void => {
  const maker = createPageMaker(view, configuration)
  const findLeftOut = createFindLeftOut({ isTold, stored, view })
  addListRoutes(app, { view, maker, isTold, findLeftOut, hasLooked })
  addArticleRoutes(app, { view, maker, now, stored, isTold })
  if (search !== undefined) addSearchRoutes(app, { search, view, maker, findLeftOut })
  for (const [path, asset] of Object.entries(assets)) addAsset(app, path, asset)
  // Browsers ask for it unasked; a 404 each time would only be noise in their consoles.
  const noIcon = async (_request: HttpRequest, reply: HttpReply) =>
    reply.status(204).header('cache-control', 'public, max-age=86400').send()
  app.get('/favicon.ico', { exposeHeadRoute: false }, noIcon)
  // The HEAD that is made of a GET says how long a 204 is, which it must not (RFC 9110 §8.6).
  app.head('/favicon.ico', noIcon)
}
