/** Fastify in one place: problems (RFC 9457), limits, raw bodies, health routes. */
import type { IncomingMessage } from 'node:http'
import multipart from '@fastify/multipart'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { ProblemError, toProblem, toProblemBody } from './problem.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The bytes of a JSON body as they came; `undefined` when there was none. Whoever wants the value reads it strictly. */
    rawBody?: Uint8Array
  }
}

export type HttpServer = FastifyInstance
export type HttpRequest = FastifyRequest
export type HttpReply = FastifyReply

export type HttpServerOptions = Readonly<{
  name: string
  logger: Logger
  host: string
  /** 0 picks a free one. */
  port: number
  /** Bytes of a body (default 1 MiB). */
  bodyLimit?: number
  readiness: () => Readonly<{ ready: boolean; detail: unknown }>
  /** Its text is served as `/metrics` when given. */
  metrics?: Readonly<{ text(): Promise<string> }>
  /** Whether this server answers `/metrics` (default false: public servers do not). */
  exposeMetrics?: boolean
}>

export type RunningHttpServer = Readonly<{
  app: HttpServer
  /** Resolves with the address once connections are taken. Throws when the port is taken. */
  listen(): Promise<string>
  /** Stops taking connections, lets requests in hand finish. Twice is once. */
  close(): Promise<void>
}>

/** A slow or silent client must not hold a socket for ever: Fastify's own defaults are no limit (research/delivery §4.2). */
const REQUEST_TIMEOUT_MS = 15_000
const HEADERS_TIMEOUT_MS = 10_000
const CONNECTION_TIMEOUT_MS = 30_000
const KEEP_ALIVE_MS = 65_000
const MAX_REQUESTS_PER_SOCKET = 10_000
const MAX_PATH_PART = 256

/** Two Host headers, or none, are how requests are smuggled past a proxy. */
const hasOneHost = (raw: IncomingMessage): boolean =>
  raw.rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length === 1

const addBodyParsers = (app: HttpServer): void => {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>(
    ['application/json', 'application/problem+json'],
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      request.rawBody = body
      return undefined
    },
  )
  app.register(multipart, { limits: { files: 1, fields: 10, parts: 11 } })
  app.addHook('onRequest', async request => {
    if (!hasOneHost(request.raw))
      throw new ProblemError({
        status: 400,
        code: 'NEWSWIRE_REQUEST',
        title: 'The request cannot be read',
        detail: 'expected exactly one Host header',
      })
    const coding = request.headers['content-encoding']
    if (coding !== undefined && coding !== 'identity')
      throw new ProblemError({
        status: 415,
        code: 'NEWSWIRE_CONTENT_ENCODING',
        title: 'Send the body as it is',
        detail: `Content-Encoding ${coding} is not taken here`,
      })
  })
}

const addProblems = (app: HttpServer, logger: Logger): void => {
  app.setErrorHandler((error, request, reply) => {
    const problem = toProblem(error)
    const body = toProblemBody(problem)
    const fields = {
      correlationId: body.correlationId,
      code: problem.code,
      method: request.method,
      route: request.routeOptions.url,
      status: problem.status,
    }
    if (problem.status >= 500 && problem.status !== 503) logger.error({ ...fields, err: problem.cause ?? problem }, 'request.failed')
    else logger.debug(fields, 'request.refused')
    return reply.status(problem.status).headers(problem.headers).type('application/problem+json').send(body)
  })
  app.setNotFoundHandler((_request, reply) => {
    const problem = new ProblemError({
      status: 404,
      code: 'NEWSWIRE_NOT_FOUND',
      title: 'Not found',
      detail: 'there is nothing at this address for this method',
    })
    return reply.status(404).type('application/problem+json').send(toProblemBody(problem))
  })
}

const addHealth = (app: HttpServer, { readiness, metrics, exposeMetrics = false }: HttpServerOptions): void => {
  app.get('/livez', async () => ({ live: true }))
  app.get('/readyz', async (_request, reply) => {
    const { ready, detail } = readiness()
    return reply
      .status(ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ ready, detail })
  })
  if (exposeMetrics && metrics)
    app.get('/metrics', async (_request, reply) => reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metrics.text()))
}

/** A server that does not listen yet: add routes to `app`, then `listen()`. */
export const createHttpServer = (options: HttpServerOptions): RunningHttpServer => {
  const { logger, host, port, bodyLimit = 1_048_576 } = options
  const app = Fastify({
    logger: false,
    bodyLimit,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxRequestsPerSocket: MAX_REQUESTS_PER_SOCKET,
    routerOptions: { maxParamLength: MAX_PATH_PART },
    forceCloseConnections: 'idle',
    return503OnClosing: true,
  })
  app.server.headersTimeout = HEADERS_TIMEOUT_MS
  addProblems(app, logger)
  addBodyParsers(app)
  addHealth(app, options)
  app.addHook('onSend', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff')
  })
  let closing: Promise<void> | undefined
  return {
    app,
    listen: () => app.listen({ host, port }),
    close: () => {
      closing ??= app.close().then(() => undefined)
      return closing
    },
  }
}
