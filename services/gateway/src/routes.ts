/** What the public reads (contract §5). */
import type { HttpServer } from '@newswire/http/server'
import type { Objects } from '@newswire/objects/objects'
import type { Configuration } from '@newswire/runtime/configuration'
import type { FeedCache } from './feed-cache.ts'
import { addFeedRoutes } from './feed-routes.ts'
import { addPageRoutes } from './page-routes.ts'
import { addRenditionRoutes } from './rendition-routes.ts'
import type { View } from './view.ts'

export type RouteNeeds = Readonly<{ view: View; feeds: FeedCache; objects: Objects; configuration: Configuration; now: () => number }>

export const addRoutes = (app: HttpServer, needs: RouteNeeds): void => {
  addPageRoutes(app, needs)
  addFeedRoutes(app, needs)
  addRenditionRoutes(app, needs)
}
