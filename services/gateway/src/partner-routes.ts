/** Everything below `/partners/{outlet}` (contract §6, §9): for who has the outlet's own token. */
import type { HttpServer } from '@newswire/http/server'
import type { Log } from '@newswire/log/log'
import type { Objects } from '@newswire/objects/objects'
import type { Configuration } from '@newswire/runtime/configuration'
import type { OutletControl } from '@newswire/runtime/outlet-control'
import { createCameList } from '@newswire/runtime/outlet-deliveries'
import { toFrame } from './page-data.ts'
import { createPartnerAccess } from './partner-access.ts'
import { addPartnerActs } from './partner-acts.ts'
import { addPartnerArticleRoutes } from './partner-articles.ts'
import { addPartnerDeliveriesRoute } from './partner-deliveries.ts'
import { addFormParser } from './partner-forms.ts'
import { addPartnerPages, sendSecretPage } from './partner-pages.ts'
import type { View } from './view.ts'

type PartnerNeeds = Readonly<{
  log: Pick<Log, 'read' | 'lag' | 'ends' | 'partitionOf'>
  objects: Pick<Objects, 'get' | 'list'>
  configuration: Pick<Configuration, 'current'>
  control: OutletControl
  view: Pick<View, 'hasAny' | 'article' | 'isReady'>
  now: () => number
  /** Trusted proxies before us, whose `X-Forwarded-For` is believed. */
  proxies: number
  /** Whether a partner's questions are limited (default true). */
  limited?: boolean
}>

export const addPartnerRoutes = (app: HttpServer, needs: PartnerNeeds): void => {
  const { log, objects, configuration, control, view, now, proxies, limited = true } = needs
  const access = createPartnerAccess({ configuration, proxies, limited })
  const came = createCameList({ log, objects })
  const titleOf = (articleId: string) => {
    // Before, it may not know of a retraction yet.
    const found = view.isReady() ? view.article(articleId) : null
    return found?.state === 'public' ? found.fact.article.title : null
  }
  const deliveries = { access, control, came, objects, now }
  const pages = { ...deliveries, configuration, control, frame: () => toFrame(view, configuration.current()), titleOf }
  addPartnerDeliveriesRoute(app, deliveries)
  addPartnerArticleRoutes(app, { access, objects, configuration, now })
  app.register(async scope => {
    addFormParser(scope)
    addPartnerPages(scope, pages)
    addPartnerActs(scope, { access, control, configuration, sendSecret: sendSecretPage(pages) })
  })
}
