/** Fastify in one place: limits, problems (RFC 9457), raw bodies, health routes. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import multipart from '@fastify/multipart'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { ProblemError, problem } from './problem.ts'
import { addProblems, answerUnreadable, type RefusalPage, type Refusing, sendProblem } from './refusals.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The bytes of a JSON body as they came; `undefined` when there was none. Whoever wants the value reads it strictly. */
    rawBody?: Uint8Array
  }
  interface FastifyContextConfig {
    /** The route reads a form with one file (default: a form is a 415). */
    takesForm?: true
  }
}

export type HttpServer = FastifyInstance
export type HttpRequest = FastifyRequest
export type HttpReply = FastifyReply

/** How long a client may take, in ms: a slow or silent one must not hold a socket for ever, and Fastify's own defaults are no limit. */
type HttpTimeouts = Readonly<{
  /** Head and body, from the first byte (default 15 000). */
  requestMs: number
  /** The head alone (default 10 000). */
  headersMs: number
  /** Silence on a socket, also while we work on the answer (default 30 000). */
  silenceMs: number
  /** Between two requests (default 65 000: longer than a load balancer's 60 s, so that it is the one that closes). */
  keepAliveMs: number
}>

/**
 * What may answer connections before Node's HTTP parser does. It keeps a connection as long as it understands every byte; `handOver` gives it
 * to the parser for good, in the socket that it came in or another one of the same connection, after everything that was read and not answered is back
 * in that socket (`unshift`).
 */
export type ConnectionFront = Readonly<{
  take(socket: Socket, handOver: (socket: Socket) => void): void
  /** Ends what it holds and is not answering. Called when closing begins. */
  close(): void
  /** Cuts what it still holds. Called when closing has waited long enough. */
  cut(): void
}>

export type HttpServerOptions = Readonly<{
  name: string
  logger: Logger
  host: string
  /** 0 picks a free one. */
  port: number
  /** Bytes of a body (default 1 MiB). */
  bodyLimit?: number
  /** What `/readyz` answers (default: always ready). */
  readiness?: () => Readonly<{ ready: boolean; detail: unknown }>
  /** Its text is served as `/metrics` (default: there is no such address; public servers have none). */
  metrics?: Readonly<{ text(): Promise<string> }>
  timeouts?: Partial<HttpTimeouts>
  /** Shows refusals to people: for who asks for HTML by name (default: everybody gets the problem document). */
  refusalPage?: RefusalPage
  /**
   * Called with what no route could be looked up for (a path that cannot be decoded), which hooks never see; what it throws is the answer then
   * (default: nothing).
   */
  onUnroutable?: (request: HttpRequest, reply: HttpReply) => void
  /** At once (default 4 096); those above are closed at once. */
  maxConnections?: number
}>

type RunningHttpServer = Readonly<{
  app: HttpServer
  /** Call it once, before `listen()`. */
  putInFront(front: ConnectionFront): void
  /** Resolves with the address once connections are taken. Throws when the port is taken. */
  listen(): Promise<string>
  /** Stops taking connections, closes idle ones at once, lets requests in hand finish for up to `drainMs` (default 10 000). Twice is once. */
  close(options?: { drainMs?: number }): Promise<void>
}>

const TIMEOUTS: HttpTimeouts = { requestMs: 15_000, headersMs: 10_000, silenceMs: 30_000, keepAliveMs: 65_000 }
/** Node looks for overdue requests only so often; its default of 30 s would treble our limits. */
const LOOK_EVERY_MS = 1_000
/** So that long-lived clients spread over processes that are added later. */
const MAX_REQUESTS_PER_SOCKET = 1_000
/** File descriptors are shared with the log, the store and partners. */
const MAX_CONNECTIONS = 4_096
const DRAIN_MS = 10_000
/** Characters of one part of a path: a publisher's id, a dot and 128 characters, and room. */
const MAX_PATH_PART = 256

/** Two Host headers, or none, are how requests are smuggled past a proxy. HTTP/1.0 may have none (RFC 9112 §3.2). */
const hasOneHost = ({ rawHeaders, httpVersion }: IncomingMessage): boolean => {
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length
  return hosts === 1 || (hosts === 0 && httpVersion === '1.0')
}

const refuseOddRequests = async (request: FastifyRequest): Promise<void> => {
  if (!hasOneHost(request.raw)) throw problem(400, 'NEWSWIRE_REQUEST', 'The request cannot be read', 'expected exactly one Host header')
  const coding = request.headers['content-encoding']
  if (coding !== undefined && coding.toLowerCase() !== 'identity')
    throw new ProblemError({
      status: 415,
      code: 'NEWSWIRE_CONTENT_ENCODING',
      title: 'Send the body as it is',
      detail: `expected no Content-Encoding, found ${JSON.stringify(coding.slice(0, 80))}`,
    })
}

const CHARSET = /;\s*charset\s*=\s*"?([^";\s]*)/i

/** JSON is UTF-8 (RFC 8259 §8.1); a body that says it is something else would be read as other letters than were meant. */
const refuseOtherLetters = (contentType: string | undefined): void => {
  const charset = CHARSET.exec(contentType ?? '')?.[1]
  if (charset === undefined || /^(utf-?8|us-ascii)$/i.test(charset)) return
  throw new ProblemError({
    status: 415,
    code: 'NEWSWIRE_MEDIA_TYPE',
    title: 'This media type is not taken here',
    detail: `JSON is sent as UTF-8, found charset ${JSON.stringify(charset.slice(0, 80))}`,
  })
}

/** A form's parser leaves no bytes behind: a route that takes none would do what it does as if nothing had been sent. */
const refuseForms = async (request: FastifyRequest): Promise<void> => {
  if (request.routeOptions.config.takesForm || !request.isMultipart()) return
  throw problem(415, 'NEWSWIRE_MEDIA_TYPE', 'This media type is not taken here', 'expected application/json, found a form')
}

/** Bodies are JSON, kept as bytes, or where a route says so forms with one file. Anything else is a 415. */
const addBodyParsers = (app: HttpServer): void => {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>(
    ['application/json', 'application/problem+json'],
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      refuseOtherLetters(request.headers['content-type'])
      request.rawBody = body
      return undefined
    },
  )
  app.register(multipart, { limits: { files: 1, fields: 10, parts: 11 } })
  app.addHook('preValidation', refuseForms)
}

/**
 * To a HEAD that has no body to measure Fastify says a length of 0, which a 204 must not have, and a 304 only where the whole has it (RFC 9110 §8.6).
 * Must be called before routes are added: it watches them, as only what a route itself has runs after Fastify's own.
 */
const addLengthsOfNothing = (app: HttpServer): void => {
  app.addHook('onRoute', route => {
    if (route.method !== 'HEAD') return
    route.onSend = [
      ...[route.onSend ?? []].flat(),
      async (_request, reply) => {
        if (reply.statusCode === 204 || reply.statusCode === 304) reply.removeHeader('content-length')
      },
    ]
  })
}

const addHealth = (app: HttpServer, { readiness, metrics }: HttpServerOptions): void => {
  app.get('/livez', async (_request, reply) => reply.header('cache-control', 'no-store').send({ live: true }))
  app.get('/readyz', async (_request, reply) => {
    const { ready, detail } = readiness?.() ?? { ready: true, detail: {} }
    return reply
      .status(ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ ready, detail })
  })
  if (metrics)
    app.get('/metrics', async (_request, reply) => reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metrics.text()))
}

/** What the router gives up on is told here and to no hook. */
const refuseUnroutable = (
  refusing: Refusing,
  onUnroutable: HttpServerOptions['onUnroutable'],
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply => {
  try {
    onUnroutable?.(request, reply)
    return sendProblem(refusing, error, request, reply)
  } catch (refusal) {
    return sendProblem(refusing, refusal, request, reply)
  }
}

type AppOptions = Readonly<{ bodyLimit: number; timeouts: HttpTimeouts; onUnroutable: HttpServerOptions['onUnroutable'] }>

const createApp = (refusing: Refusing, { bodyLimit, timeouts, onUnroutable }: AppOptions): HttpServer =>
  Fastify({
    logger: false,
    bodyLimit,
    http: { headersTimeout: timeouts.headersMs, connectionsCheckingInterval: Math.min(LOOK_EVERY_MS, timeouts.headersMs) },
    requestTimeout: timeouts.requestMs,
    connectionTimeout: timeouts.silenceMs,
    keepAliveTimeout: timeouts.keepAliveMs,
    maxRequestsPerSocket: MAX_REQUESTS_PER_SOCKET,
    routerOptions: { maxParamLength: MAX_PATH_PART },
    forceCloseConnections: 'idle',
    // What a client had already sent when closing began is answered, not turned away.
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) =>
      refuseUnroutable(refusing, onUnroutable, error, request as FastifyRequest, reply as FastifyReply),
    clientErrorHandler: (error, socket) => answerUnreadable(error, socket),
  })

/** Node's own handler of connections stays what answers in the end; it is only asked later. */
const placeFront = (app: HttpServer, front: ConnectionFront): void => {
  const handlers = app.server.listeners('connection') as ((socket: Socket) => void)[]
  app.server.removeAllListeners('connection')
  app.server.on('connection', (socket: Socket) =>
    front.take(socket, handed => {
      for (const handler of handlers) handler.call(app.server, handed)
    }),
  )
}

const closeWithin = async (app: HttpServer, front: ConnectionFront | undefined, drainMs: number): Promise<void> => {
  const timer = setTimeout(() => {
    front?.cut()
    app.server.closeAllConnections()
  }, drainMs)
  try {
    await app.close()
  } finally {
    clearTimeout(timer)
  }
}

/** A server that does not listen yet: add routes to `app`, then `listen()`. Without listening, `app.inject` answers. */
export const createHttpServer = (options: HttpServerOptions): RunningHttpServer => {
  const { name, logger, host, port, bodyLimit = 1_048_576 } = options
  const refusing = { logger, page: options.refusalPage }
  const app = createApp(refusing, { bodyLimit, timeouts: { ...TIMEOUTS, ...options.timeouts }, onUnroutable: options.onUnroutable })
  app.server.maxConnections = options.maxConnections ?? MAX_CONNECTIONS
  addProblems(app, refusing)
  app.addHook('onRequest', refuseOddRequests)
  let closing: Promise<void> | undefined
  let inFront: ConnectionFront | undefined
  app.addHook('onSend', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff')
    // Else the connection would stay open behind the last answer, and closing would wait for it.
    if (closing) reply.header('connection', 'close')
  })
  addBodyParsers(app)
  addLengthsOfNothing(app)
  addHealth(app, options)
  return {
    app,
    putInFront: front => {
      inFront = front
      placeFront(app, front)
    },
    listen: async () => {
      try {
        return await app.listen({ host, port })
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
        throw new Error(
          `port ${port} on ${host} is taken, so ${name} cannot listen there; stop what has it, or give another port (0 picks a free one)`,
          { cause: error },
        )
      }
    },
    close: ({ drainMs = DRAIN_MS } = {}) => {
      if (closing === undefined) inFront?.close()
      closing ??= closeWithin(app, inFront, drainMs)
      return closing
    },
  }
}
