/** `POST /v1/articles/{articleId}/resend` (contract §8). */
import { isArticleId, isConfigId, newId } from '@newswire/events/ids'
import { routesPart } from '@newswire/events/outlet'
import { actBody } from '@newswire/events/outlet-acts'
import type { HttpServer } from '@newswire/http/server'
import type { Publish } from '@newswire/log/events'
import { getDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { getReleased } from '@newswire/objects/released'
import type { Configuration } from '@newswire/runtime/configuration'
import type { Trace } from '@newswire/trace/trace'
import { z } from 'zod'
import { problem, readBody } from './acts.ts'
import { planResend, type ResendPlan, toResendEvents } from './resend.ts'

type Needs = Readonly<{
  objects: Pick<Objects, 'get'>
  configuration: Pick<Configuration, 'current'>
  publish: Publish
  /** Resolves when the trace is at the log's end, or waited long enough. */
  caughtUp: () => Promise<Pick<Trace, 'isResent'>>
  now: () => number
}>

/** Without `outlet`: all that hold it or are owed it. */
const wantedResend = actBody.extend({ outlet: z.string().refine(isConfigId, 'expected the id of an outlet').optional() })

const notFound = (detail: string) => problem(404, 'NEWSWIRE_NOT_FOUND', 'Not found', detail)

const toObstacle = (articleId: string, outletId: string | null, { excluded }: ResendPlan) => {
  const why = excluded.map(one => `${one.outletId} (${one.why})`).join(', ')
  const whom = outletId === null ? 'no outlet' : outletId
  return problem(
    409,
    'NEWSWIRE_RESEND_NOBODY',
    'There is nobody to send it to',
    why === ''
      ? `${articleId} was never routed to ${outletId === null ? 'any outlet' : outletId}, so there is nothing to send again; \`newswire explain\` says why`
      : `${whom} is due it any more: ${why}`,
  )
}

export const addResendRoutes = (app: HttpServer, { objects, configuration, publish, caughtUp, now }: Needs): void => {
  app.post('/v1/articles/:articleId/resend', async (request, reply) => {
    const { articleId } = request.params as { articleId: string }
    const { id = newId(), outlet: outletId = null } = readBody(request, wantedResend, 'resend')
    if (!isArticleId(articleId)) throw notFound('no article has such an id; the whole id is <publisher>.<local id>')
    const { outlets, categories } = configuration.current()
    if (outletId !== null && !outlets.has(outletId)) throw notFound('there is no such outlet; /v1/outlets lists them')
    // Routes first: what is routed meanwhile goes by itself, and a version that was routed is never newer than what is read then.
    const routes = await getDocument(objects, keys.routes(articleId), routesPart)
    const fact = (await getReleased(objects, articleId))?.fact
    if (fact === undefined) throw notFound('nothing was ever released under this id; the whole id is <publisher>.<local id>')
    const resend = { id, articleId, outletId, at: new Date(now()).toISOString() }
    const plan = planResend(resend, { fact, routed: new Set(Object.keys(routes?.value.routes ?? {})), outlets, categories })
    if (plan.wanted.length === 0) throw toObstacle(articleId, outletId, plan)
    const isRepeat = (await caughtUp()).isResent(articleId, id)
    if (!isRepeat) await publish([...toResendEvents(resend, fact.version, plan)], { synced: true })
    return reply.status(202).send({
      id,
      articleId,
      version: fact.version,
      action: fact.state === 'live' ? fact.action : 'retracted',
      outlets: plan.wanted.map(one => one.outletId),
      ...(plan.excluded.length === 0 ? {} : { excluded: plan.excluded }),
      trace: `/v1/articles/${articleId}/trace`,
    })
  })
}
