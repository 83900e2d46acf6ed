/** `POST /v1/articles/{articleId}/resend` (contract §8). */
import { isArticleId, isConfigId, newId } from '@newswire/events/ids'
import { routesPart } from '@newswire/events/outlet'
import { actBody } from '@newswire/events/outlet-acts'
import { notFound, ProblemError, problem } from '@newswire/http/problem'
import type { HttpServer } from '@newswire/http/server'
import type { Publish } from '@newswire/log/events'
import { getDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { getReleased } from '@newswire/objects/released'
import type { Configuration } from '@newswire/runtime/configuration'
import type { Trace } from '@newswire/trace/trace'
import { z } from 'zod'
import { readBody } from './acts.ts'
import { askedOutletOf, planResend, type Resend, type ResendPlan, toIntents, toResent } from './resend.ts'

type Needs = Readonly<{
  objects: Pick<Objects, 'get'>
  configuration: Pick<Configuration, 'current'>
  publish: Publish
  trace: Pick<Trace, 'caughtUp' | 'resend'>
  now: () => number
}>

/** Without `outlet`: all that hold it or are owed it. */
const wantedResend = actBody.extend({ outlet: z.string().refine(isConfigId, 'expected the id of an outlet').optional() })

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

/** How long an answer waits for the trace, which knows what was asked before; ms. */
const TRACE_WAIT_MS = 2_000

const behind = {
  status: 503,
  code: 'NEWSWIRE_TRACE_BEHIND',
  title: 'Nobody knows yet whether it was asked before',
  detail: 'the trace is behind, and nothing was sent; ask again under the same id',
  headers: { 'retry-after': '1' },
} as const

const reused = (id: string, { version, outletId }: Readonly<{ version: number; outletId: string | null }>) =>
  problem(
    409,
    'NEWSWIRE_RESEND_REUSED',
    'This id was used for another resend',
    `under ${id} version ${version} was sent to ${outletId ?? 'all outlets'} already; use a new id to send anything else`,
  )

export const addResendRoutes = (app: HttpServer, { objects, configuration, publish, trace, now }: Needs): void => {
  /** Whether it was done before, as asked now. Throws the problem when something else was, and 503 while nobody can tell. */
  const isRepeat = async ({ id, articleId, outletId }: Resend, version: number): Promise<boolean> => {
    await trace.caughtUp(AbortSignal.timeout(TRACE_WAIT_MS)).catch((cause: unknown) => {
      throw new ProblemError(behind, { cause })
    })
    const before = trace.resend(articleId, id)
    if (before === null) return false
    const done = { version: before.version, outletId: askedOutletOf(before.detail) }
    if (done.version !== version || done.outletId !== outletId) throw reused(id, done)
    return true
  }

  app.post('/v1/articles/:articleId/resend', async (request, reply) => {
    const { articleId } = request.params as { articleId: string }
    const { id, outlet: outletId = null } = readBody(request, wantedResend, 'resend')
    if (!isArticleId(articleId)) throw notFound('no article has such an id; the whole id is <publisher>.<local id>')
    const { outlets, categories } = configuration.current()
    if (outletId !== null && !outlets.has(outletId)) throw notFound('there is no such outlet; /v1/outlets lists them')
    // Routes first: what is routed meanwhile goes by itself, and a version that was routed is never newer than what is read then.
    const routes = await getDocument(objects, keys.routes(articleId), routesPart)
    const fact = (await getReleased(objects, articleId))?.fact
    if (fact === undefined) throw notFound('nothing was ever released under this id; the whole id is <publisher>.<local id>')
    const resend = { id: id ?? newId(), articleId, outletId, at: new Date(now()).toISOString() }
    const plan = planResend(resend, { fact, routed: new Set(Object.keys(routes?.value.routes ?? {})), outlets, categories })
    if (id === undefined || !(await isRepeat(resend, fact.version))) {
      if (plan.wanted.length === 0) throw toObstacle(articleId, outletId, plan)
      await publish([...toIntents(resend, fact.version, plan)], { synced: true })
      await publish([toResent(resend, fact.version, plan)], { synced: true })
    }
    return reply.status(202).send({
      id: resend.id,
      articleId,
      version: fact.version,
      action: fact.state === 'live' ? fact.action : 'retracted',
      outlets: plan.wanted.map(one => one.outletId),
      ...(plan.excluded.length === 0 ? {} : { excluded: plan.excluded }),
      trace: `/v1/articles/${articleId}/trace`,
    })
  })
}
