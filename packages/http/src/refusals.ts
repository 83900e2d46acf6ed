/** Makes every refusal of a server a problem document: thrown in a handler, by the framework, or by Node's HTTP parser. */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { prefersPage } from './accept.ts'
import { createAllowedMethods } from './allowed-methods.ts'
import { notFound, ProblemError, toProblem, toProblemBody } from './problem.ts'

const MEDIA_TYPE = 'application/problem+json'

/** A refusal as a page, with the headers that a page of this server has. */
export type RefusalPage = (
  problem: ProblemError,
  correlationId: string,
) => Readonly<{ html: string; headers: Readonly<Record<string, string>> }>

export type Refusing = Readonly<{
  logger: Logger
  /** For who asks for HTML by name (default: nobody gets a page). What it throws is logged, and the document sent. */
  page?: RefusalPage | undefined
}>

const pageFor = ({ logger, page }: Refusing, problem: ProblemError, correlationId: string, request: FastifyRequest) => {
  if (page === undefined || !prefersPage(request.headers.accept)) return null
  try {
    return page(problem, correlationId)
  } catch (error) {
    logger.error({ correlationId, err: error }, 'request.refusal-page-failed')
    return null
  }
}

/** Writes the problem of any thrown value, and logs what is ours: with the correlation id that the caller was given. */
export const sendProblem = (refusing: Refusing, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
  const { logger } = refusing
  const problem = toProblem(error, request.routeOptions?.bodyLimit)
  const body = toProblemBody(problem)
  const fields = {
    correlationId: body.correlationId,
    code: problem.code,
    method: request.method,
    route: request.routeOptions?.url,
    status: problem.status,
  }
  if (problem.status === 503) logger.warn({ ...fields, err: problem.cause ?? problem }, 'request.unavailable')
  else if (problem.status >= 500) logger.error({ ...fields, err: problem.cause ?? problem }, 'request.failed')
  else logger.debug(fields, 'request.refused')
  reply.status(problem.status).headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...problem.headers })
  if (refusing.page) reply.header('vary', 'accept')
  const shown = pageFor(refusing, problem, body.correlationId, request)
  if (shown) return reply.headers(shown.headers).type('text/html; charset=utf-8').send(shown.html)
  return (
    reply
      .type(MEDIA_TYPE)
      // As bytes: to an object of a JSON type Fastify adds a charset, a parameter that the type does not have (RFC 9457 §6.1).
      .send(Buffer.from(JSON.stringify(body)))
  )
}

/** The parts of a path without its query, each decoded on its own as the router does; what cannot be decoded stays as it is. */
const toParts = (url: string): readonly string[] =>
  (url.split('?', 1)[0] ?? '').split('/').map(part => {
    try {
      return decodeURIComponent(part)
    } catch {
      return part
    }
  })

/** Must be called before routes are added: it watches them. */
export const addProblems = (app: FastifyInstance, refusing: Refusing): void => {
  const allowed = createAllowedMethods()
  app.addHook('onRoute', ({ url, method }) => allowed.add(url, [method].flat()))
  app.setErrorHandler((error, request, reply) => sendProblem(refusing, error, request, reply))
  const refusalOf = (request: FastifyRequest): ProblemError => {
    const methods = allowed.of(toParts(request.url))
    if (methods.length === 0) return notFound('there is nothing at this address')
    return new ProblemError({
      status: 405,
      code: 'NEWSWIRE_METHOD',
      title: 'This address does not answer that method',
      detail: `expected ${methods.join(' or ')}, found ${request.method}`,
      headers: { allow: methods.join(', ') },
    })
  }
  // Before a body: what it is like is not looked at for an address or a method that there is not.
  app.addHook('preParsing', async request => {
    if (request.is404) throw refusalOf(request)
  })
  app.setNotFoundHandler((request, reply) => sendProblem(refusing, refusalOf(request), request, reply))
}

const UNREADABLE: Readonly<Record<string, { status: number; title: string; detail: string }>> = {
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, title: 'The request took too long', detail: 'send head and body without pauses' },
  HPE_INVALID_URL: {
    status: 400,
    title: 'The address cannot be read',
    detail:
      'expected letters beyond ASCII and spaces in percent-encoding (RFC 3986 §2.1), as browsers send them and curl does with -G --data-urlencode "q=…"',
  },
  HPE_INVALID_METHOD: {
    status: 400,
    title: 'The request cannot be read',
    detail: 'it does not begin with a method that is known; they are in capital letters (GET, PUT, POST)',
  },
  HPE_HEADER_OVERFLOW: { status: 431, title: 'The headers are too large', detail: 'at most 16 KiB altogether' },
}

/** What Node's parser could not read has no request and no reply: the answer goes on the bare socket, and the socket goes too. */
export const answerUnreadable = (error: NodeJS.ErrnoException, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  // More behind a request that said it is the last one: nobody reads it, and the answer to that request ends the connection (RFC 9112 §9.6).
  if (error.code === 'HPE_CLOSED_CONNECTION') return
  const { status, title, detail } = UNREADABLE[error.code ?? ''] ?? {
    status: 400,
    title: 'The request cannot be read',
    detail: 'it is not HTTP/1.1 as RFC 9112 has it',
  }
  const body = JSON.stringify(toProblemBody(new ProblemError({ status, code: 'NEWSWIRE_REQUEST', title, detail })))
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${MEDIA_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`
  if (socket.writable) socket.end(head + body)
  else socket.destroy()
}
