/** The front door (contract §3). */
import { randomBytes } from 'node:crypto'
import { matches, type Scope } from '@newswire/events/config'
import { isEventId, newId, sha256Hex } from '@newswire/events/ids'
import { toPublicArticle } from '@newswire/events/public-article'
import type { Submission } from '@newswire/events/submission'
import { ProblemError } from '@newswire/http/problem'
import type { HttpRequest, HttpServer } from '@newswire/http/server'
import type { Publish } from '@newswire/log/events'
import { getReleased } from '@newswire/objects/released'
import type { ServiceContext } from '@newswire/runtime/service'
import { accept, findOversize, nativeReference } from './accept.ts'
import { authorize } from './authorize.ts'
import { claimKey, markLogged } from './idempotency.ts'
import { toOpenApi } from './openapi.ts'
import { findConflict, readArticle, type Stamp, toCheckedArticleId, toPublish, toRepublish, toRetract } from './requests.ts'
import { keepUpload } from './uploads.ts'

export type RouteNeeds = Pick<ServiceContext, 'objects' | 'configuration' | 'now' | 'trace'> &
  Readonly<{ publish: Publish; onAccepted: (submission: Submission) => void }>

type ToSubmission = (stamp: Stamp, body: Uint8Array) => Submission
type Answer = Readonly<{ submissionId: string; articleId: string; trace: string }>

/** How long a question about the trace waits for the projection to reach the log's end. */
const TRACE_WAIT_MS = 2_000
const MAX_KEY_LENGTH = 255
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/

/** The caller's own trace goes on; without one a trace begins here (W3C Trace Context §3.2). */
const traceparentOf = (request: HttpRequest): string => {
  const given = request.headers.traceparent
  return typeof given === 'string' && TRACEPARENT.test(given)
    ? given
    : `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`
}

const idempotencyKeyOf = (request: HttpRequest): string | null => {
  const key = request.headers['idempotency-key']
  if (key === undefined) return null
  if (typeof key === 'string' && key !== '' && key.length <= MAX_KEY_LENGTH) return key
  throw new ProblemError({
    status: 400,
    code: 'NEWSWIRE_IDEMPOTENCY_KEY',
    title: 'The Idempotency-Key cannot be used',
    detail: `expected one header with 1 to ${MAX_KEY_LENGTH} characters`,
  })
}

const refuseOversize = (submission: Submission, sentBytes: number): void => {
  const oversize = findOversize(submission, sentBytes)
  if (oversize)
    throw new ProblemError({
      status: 413,
      code: 'NEWSWIRE_ARTICLE_TOO_LARGE',
      title: 'The article is too large',
      detail: `it takes ${oversize.bytes} bytes once mapped; the limit is ${oversize.limit}`,
    })
}

const toAnswer = (submissionId: string, articleId: string): Answer => ({
  submissionId,
  articleId,
  trace: `/v1/submissions/${submissionId}`,
})

export const addRoutes = (app: HttpServer, needs: RouteNeeds): void => {
  const { objects, configuration, now, publish, trace } = needs
  const caller = (request: HttpRequest, scope: Scope) =>
    authorize(request.headers.authorization, configuration.current().publishers.values(), scope)

  const take = async (request: HttpRequest, scope: Scope, localId: string, toSubmission: ToSubmission): Promise<Answer> => {
    const { publisher } = caller(request, scope)
    const articleId = toCheckedArticleId(publisher.id, localId)
    const body = request.rawBody ?? new Uint8Array()
    const native = { bytes: body, contentType: 'application/json' }
    const fresh = { submissionId: newId(), receivedAt: new Date(now()).toISOString() }
    const build = (stamp: { submissionId: string; receivedAt: string }) =>
      toSubmission({ ...stamp, publisher: publisher.id, articleId, lane: 'live' }, body)

    // Everything that can be refused is refused before the key is taken, so that a corrected request may use it.
    const submission = build(fresh)
    refuseOversize(submission, body.byteLength)
    if (submission.command === 'publish' && submission.article.sourceVersion !== undefined) {
      const conflict = findConflict(submission, await getReleased(objects, articleId))
      if (conflict && idempotencyKeyOf(request) === null) throw conflict
    }
    const key = idempotencyKeyOf(request)
    const log = async (stamp: { submissionId: string; receivedAt: string }) => {
      const taken = stamp === fresh ? submission : build(stamp)
      const withNative = { ...taken, native: nativeReference(taken, native) }
      await accept({ objects, publish }, { submission: withNative, native, traceparent: traceparentOf(request) })
      needs.onAccepted(withNative)
    }
    if (key === null) {
      await log(fresh)
      return toAnswer(fresh.submissionId, articleId)
    }
    const requestSha256 = sha256Hex(`${request.method} ${request.url} ${sha256Hex(body)}`)
    const claimed = await claimKey(objects, { publisher: publisher.id, key, requestSha256, ...fresh })
    if (!claimed.ok)
      throw new ProblemError({
        status: 409,
        code: 'NEWSWIRE_IDEMPOTENCY_REUSED',
        title: 'This Idempotency-Key was used for something else',
        detail: 'the same key came before with another body or address; use a new key for a new request',
      })
    if (!claimed.claim.logged) {
      await log(claimed.claim)
      await markLogged(objects, { publisher: publisher.id, key, requestSha256, ...fresh })
    }
    return toAnswer(claimed.claim.submissionId, articleId)
  }

  const localIdOf = (request: HttpRequest) => (request.params as { localId: string }).localId
  const site = () => configuration.current().site

  app.put('/v1/articles/:localId', async (request, reply) => {
    const answer = await take(request, 'publish', localIdOf(request), (stamp, body) => toPublish(stamp, readArticle(body), site()))
    return reply.status(202).send(answer)
  })
  app.post('/v1/articles/:localId/retract', async (request, reply) =>
    reply.status(202).send(await take(request, 'retract', localIdOf(request), toRetract)),
  )
  app.post('/v1/articles/:localId/republish', async (request, reply) =>
    reply.status(202).send(await take(request, 'republish', localIdOf(request), toRepublish)),
  )
  app.post('/v1/articles/:localId/pictures', async (request, reply) => {
    const { publisher } = caller(request, 'publish')
    toCheckedArticleId(publisher.id, localIdOf(request))
    return reply.status(201).send(await keepUpload(objects, request))
  })

  app.get('/v1/articles/:localId', async request => {
    const { publisher } = caller(request, 'read')
    const articleId = toCheckedArticleId(publisher.id, localIdOf(request))
    const released = await getReleased(objects, articleId)
    if (released === null)
      throw notFound('NEWSWIRE_ARTICLE_UNKNOWN', `nothing of ${articleId} was released; it may be held: ask what became of its submission`)
    const { fact } = released
    if (fact.state === 'live') return { state: 'live', ...toPublicArticle(fact, site().publicUrl) }
    return { id: articleId, version: fact.version, state: fact.state, ...(fact.state === 'purged' ? {} : { retraction: fact.retraction }) }
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
      const submission = toPublish(stamp, readArticle(request.rawBody ?? new Uint8Array()), config.site)
      refuseOversize(submission, request.rawBody?.byteLength ?? 0)
      const { categories, language, type, audience } = submission.article
      const facets = { categories, languages: [language], publishers: [publisher.id], types: [type], public: audience === 'public' }
      const unknown = categories.filter(category => !config.categories.has(category))
      return {
        valid: true,
        complaints: unknown.map(category => ({
          pointer: '/categories',
          detail: `category ${JSON.stringify(category)} is not in the configuration, so no feed or outlet can ask for it`,
        })),
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
