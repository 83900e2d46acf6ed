/**
 * What payloads link to: an article and its pictures, for the outlet that they were routed to, with its own token. What is answered is what the
 * outlet is due now: 410 once that is a retraction, and 404 for everything that it was never sent, whether there is such an article or not.
 */
import type { OutletConfig } from '@newswire/events/config'
import { dueTo, earliestMs } from '@newswire/events/entitled'
import type { Fact, LiveFact } from '@newswire/events/fact'
import { isArticleId, isSha256 } from '@newswire/events/ids'
import { routesPart } from '@newswire/events/outlet'
import { toFactForOutlet } from '@newswire/events/outlet-article'
import { partnerRenditionUrl } from '@newswire/events/partner-address'
import { toPublicArticle } from '@newswire/events/public-article'
import { ProblemError } from '@newswire/http/problem'
import type { HttpServer } from '@newswire/http/server'
import { getDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { getReleased } from '@newswire/objects/released'
import type { Configuration } from '@newswire/runtime/configuration'
import { notFound } from './answers.ts'
import type { PartnerAccess } from './partner-access.ts'
import { PARTNER_HEADERS } from './partner-headers.ts'

type Needs = Readonly<{
  access: PartnerAccess
  objects: Pick<Objects, 'get'>
  configuration: Pick<Configuration, 'current'>
  now: () => number
}>
type Standing = Readonly<{ state: 'content'; fact: LiveFact } | { state: 'gone'; fact: Fact }>

const gone = () =>
  new ProblemError({
    status: 410,
    code: 'NEWSWIRE_GONE',
    title: 'Taken back',
    detail: 'what was sent of this article was taken back; the retraction has its own delivery',
    headers: { ...PARTNER_HEADERS },
  })

export const addPartnerArticleRoutes = (app: HttpServer, { access, objects, configuration, now }: Needs): void => {
  const find = async (outlet: OutletConfig, articleId: string): Promise<Standing> => {
    const unknown = () => notFound('nothing of this was sent to this outlet')
    if (!isArticleId(articleId)) throw unknown()
    const routes = await getDocument(objects, keys.routes(articleId), routesPart)
    if (routes === null || !Object.hasOwn(routes.value.routes, outlet.id)) throw unknown()
    const fact = (await getReleased(objects, articleId))?.fact
    if (fact === undefined || now() < earliestMs(outlet, fact)) throw unknown()
    const { site, categories } = configuration.current()
    const due = fact.state === 'live' ? dueTo(outlet, fact, categories) : 'retraction'
    // One that has left the configuration is given nothing more, and must not read that what goes on was taken back.
    if (due === 'nothing') throw notFound('this outlet has left the configuration, and is given nothing but retractions')
    if (fact.state !== 'live' || due === 'retraction') return { state: 'gone', fact }
    return { state: 'content', fact: toFactForOutlet(fact, { outletId: outlet.id, siteId: site.id }) }
  }

  app.get('/partners/:outletId/articles/:articleId/article.json', async (request, reply) => {
    const { outlet } = access.require(request)
    const { articleId } = request.params as { articleId: string }
    const { state, fact } = await find(outlet, articleId)
    if (state === 'gone')
      return reply.status(410).headers(PARTNER_HEADERS).send({ id: fact.articleId, version: fact.version, status: 'retracted' })
    const { publicUrl } = configuration.current().site
    return reply
      .headers(PARTNER_HEADERS)
      .send(toPublicArticle(fact, publicUrl, key => partnerRenditionUrl(publicUrl, { outletId: outlet.id, articleId, key })))
  })

  app.get('/partners/:outletId/renditions/:articleId/:sha256/:file', async (request, reply) => {
    const { outlet } = access.require(request)
    const { articleId, sha256, file } = request.params as { articleId: string; sha256: string; file: string }
    if (!isSha256(sha256) || !/^[a-z0-9-]+\.[a-z0-9]+$/.test(file)) throw notFound('no such picture')
    const standing = await find(outlet, articleId)
    if (standing.state === 'gone') throw gone()
    const isShown = standing.fact.article.images.some(one => one.sha256 === sha256)
    const found = isShown ? await objects.get(`${keys.renditionPrefix(sha256)}${file}`) : null
    if (found === null) throw notFound('no such picture')
    return reply.headers(PARTNER_HEADERS).type(found.contentType).send(Buffer.from(found.bytes))
  })
}
