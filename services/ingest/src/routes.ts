/** The front door (contract §3). */
import { matches, type Scope } from '@newswire/events/config'
import { isEventId, newId } from '@newswire/events/ids'
import { toPublicArticle } from '@newswire/events/public-article'
import { retractionTold } from '@newswire/events/references'
import type { Submission } from '@newswire/events/submission'
import { requireScope } from '@newswire/http/auth'
import { ProblemError } from '@newswire/http/problem'
import type { HttpRequest, HttpServer } from '@newswire/http/server'
import { getReleased } from '@newswire/objects/released'
import type { ServiceContext } from '@newswire/runtime/service'
import { type Caller, identify } from './authorize.ts'
import { findDoubts, findLostAddresses } from './complaints.ts'
import { holdUntilDate } from './date-ahead.ts'
import { addHookRoutes } from './hooks/hook-routes.ts'
import { toOpenApi } from './openapi.ts'
import { findReleasedDoubts } from './released-doubts.ts'
import { live, readArticle, readWay, type Stamp, toCheckedArticleId, toPublish, toRepublish, toRetract, type Way } from './requests.ts'
import { createTake, refuseOversize, type TakeNeeds, type ToAsked } from './take.ts'
import { keepUpload, refuseNoForm } from './uploads.ts'

type RouteNeeds = TakeNeeds & Pick<ServiceContext, 'secret'>

/** How long a question about the trace waits for the projection to reach the log's end. */
const TRACE_WAIT_MS = 2_000

export const addRoutes = (app: HttpServer, needs: RouteNeeds): void => {
  const { objects, configuration, now, trace } = needs
  const callers = new WeakMap<HttpRequest, Caller>()
  // Before the body is looked at: who may not ask is told that first, and nothing about what he sent.
  app.addHook('onRequest', async request => {
    const { url } = request.routeOptions
    if (url === undefined || !/^\/v1\/(articles|submissions)/.test(url)) return
    callers.set(request, identify(request.headers.authorization, configuration.current().publishers.values()))
  })
  const caller = (request: HttpRequest, scope: Scope): Caller => {
    const found = callers.get(request) ?? identify(request.headers.authorization, configuration.current().publishers.values())
    requireScope(found.token, scope)
    return found
  }

  const takeAs = createTake(needs)
  addHookRoutes(app, { objects, configuration, now, secret: needs.secret, trace, take: takeAs })
  const take = (request: HttpRequest, scope: Scope, toAsked: ToAsked, toWay: () => Way = () => live) => {
    const { publisher } = caller(request, scope)
    const articleId = toCheckedArticleId(publisher.id, localIdOf(request))
    return takeAs(request, { publisher: publisher.id, articleId, ...toWay() }, toAsked)
  }
  const takePlain = (request: HttpRequest, scope: Scope, toSubmission: (stamp: Stamp, body: Uint8Array) => Submission) =>
    take(request, scope, (stamp, body) => ({ submission: toSubmission(stamp, body), pictures: [] }))
  const localIdOf = (request: HttpRequest) => (request.params as { localId: string }).localId
  const site = () => configuration.current().site

  app.put('/v1/articles/:localId', async (request, reply) => {
    const answer = await take(
      request,
      'publish',
      (stamp, body) => {
        const { input: given, pictures } = readArticle(body)
        const { input, warnings } = stamp.lane === 'backfill' ? holdUntilDate(given, now()) : { input: given, warnings: [] }
        return { submission: toPublish(stamp, input, site()), pictures, warnings: [...warnings, ...findLostAddresses(input)] }
      },
      () => readWay(request.query as Record<string, unknown>),
    )
    return reply.status(202).send(answer)
  })
  app.post('/v1/articles/:localId/retract', async (request, reply) =>
    reply.status(202).send(await takePlain(request, 'retract', toRetract)),
  )
  app.post('/v1/articles/:localId/republish', async (request, reply) =>
    reply.status(202).send(await takePlain(request, 'republish', toRepublish)),
  )
  const refuseUpload = async (request: HttpRequest) => {
    caller(request, 'publish')
    refuseNoForm(request)
  }
  app.post('/v1/articles/:localId/pictures', { config: { takesForm: true }, onRequest: refuseUpload }, async (request, reply) => {
    const { publisher } = caller(request, 'publish')
    toCheckedArticleId(publisher.id, localIdOf(request))
    return reply.status(201).send(await keepUpload({ objects, now }, request))
  })

  app.get('/v1/articles/:localId', async request => {
    const { publisher } = caller(request, 'read')
    const articleId = toCheckedArticleId(publisher.id, localIdOf(request))
    const released = await getReleased(objects, articleId)
    if (released === null)
      throw notFound('NEWSWIRE_ARTICLE_UNKNOWN', `nothing of ${articleId} was released; it may be held: ask what became of its submission`)
    const { fact } = released
    if (fact.state === 'live') return { state: 'live', ...toPublicArticle(fact, site().publicUrl) }
    const retraction = fact.state === 'purged' ? {} : { retraction: retractionTold(fact) }
    return { id: articleId, version: fact.version, state: fact.state, ...retraction }
  })
  app.get('/v1/articles/:localId/trace', async request => {
    const { publisher } = caller(request, 'read')
    const articleId = toCheckedArticleId(publisher.id, localIdOf(request))
    const found = await answerFromTrace(one => one.article(articleId))
    if (found === null) throw notFound('NEWSWIRE_ARTICLE_UNKNOWN', `nothing was ever submitted as ${articleId}`)
    return found
  })
  app.get('/v1/submissions/:id', async request => {
    const { publisher } = caller(request, 'read')
    const { id } = request.params as { id: string }
    const found = isEventId(id) ? await answerFromTrace(one => one.submission(id)) : null
    if (found === null || !found.articleId.startsWith(`${publisher.id}.`))
      throw notFound('NEWSWIRE_SUBMISSION_UNKNOWN', 'no submission of this publisher has that id')
    return found
  })

  /** What was accepted a moment ago is known once the projection has reached the log's end; after the wait it answers as far as it is. */
  const answerFromTrace = async <T>(question: (one: Awaited<ReturnType<typeof trace>>) => T): Promise<T> => {
    const one = await trace()
    await one.caughtUp(AbortSignal.timeout(TRACE_WAIT_MS)).catch(() => undefined)
    return question(one)
  }

  app.post('/v1/articles::validate', async request => {
    const { publisher } = caller(request, 'publish')
    const config = configuration.current()
    try {
      const stamp: Stamp = {
        submissionId: newId(),
        receivedAt: new Date(now()).toISOString(),
        publisher: publisher.id,
        articleId: `${publisher.id}.validate`,
        lane: 'live',
      }
      const { input } = readArticle(request.rawBody ?? new Uint8Array())
      const submission = toPublish(stamp, input, config.site)
      refuseOversize(submission, request.rawBody?.byteLength ?? 0)
      const { categories, language, type, audience } = submission.article
      const facets = { categories, languages: [language], publishers: [publisher.id], types: [type], public: audience === 'public' }
      return {
        valid: true,
        complaints: [
          ...findLostAddresses(input),
          ...findReleasedDoubts(submission, null, now()),
          ...findDoubts(submission.article, config.categories, now()),
        ],
        matches: {
          feeds: [...config.feeds.values()]
            .filter(feed => facets.public && matches(feed.match, facets, config.categories))
            .map(feed => feed.id),
          outlets: [...config.outlets.values()]
            .filter(
              outlet =>
                !outlet.retired && (facets.public || outlet.audience === 'editorial') && matches(outlet.match, facets, config.categories),
            )
            .map(outlet => outlet.id),
        },
      }
    } catch (error) {
      if (!(error instanceof ProblemError) || error.status >= 500) throw error
      return {
        valid: false,
        complaints: error.errors.length > 0 ? error.errors : [{ pointer: '', detail: error.detail }],
        matches: { feeds: [], outlets: [] },
      }
    }
  })
  app.get('/v1/openapi.json', async () => toOpenApi())
}

const notFound = (code: 'NEWSWIRE_ARTICLE_UNKNOWN' | 'NEWSWIRE_SUBMISSION_UNKNOWN', detail: string) =>
  new ProblemError({ status: 404, code, title: 'Not found', detail })
