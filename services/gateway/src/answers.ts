/** Answers that several routes give. */
import type { SiteConfig } from '@newswire/events/config'
import { chooseCoding } from '@newswire/http/accept'
import { evaluateConditions } from '@newswire/http/conditional'
import { ProblemError, problem } from '@newswire/http/problem'
import type { HttpReply, HttpRequest } from '@newswire/http/server'
import { pageCodings, type RenderedPage } from './page-cache.ts'

export { notFound } from '@newswire/http/problem'

export const HTML = 'text/html; charset=utf-8'
export const PAGE_CACHE = 'public, max-age=30, stale-while-revalidate=60'

/**
 * No script runs on a page but the one it names (`script`), which may not write markup; the JSON-LD block is data. Pictures come from us and from
 * where a publisher's body says, by https wherever we are read by https ourselves. A form there is only on pages that have one of ours (`form`).
 */
export const pagePolicy = ({ publicUrl }: SiteConfig, { script = false, form = false } = {}): string => {
  const { origin, protocol } = new URL(publicUrl)
  return [
    "default-src 'none'",
    "style-src 'self'",
    `img-src 'self' ${origin} https:${protocol === 'https:' ? '' : ' http:'}`,
    ...(script ? ["script-src 'self'"] : []),
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
    "base-uri 'none'",
    `form-action ${form ? "'self'" : "'none'"}`,
    "frame-ancestors 'none'",
  ].join('; ')
}

export const badRequest = (detail: string) => problem(400, 'NEWSWIRE_REQUEST', 'The request cannot be read', detail)
export const notReady = (what: string) =>
  new ProblemError({
    status: 503,
    code: 'NEWSWIRE_GATEWAY_NOT_READY',
    title: 'Not ready yet',
    detail: `${what} are being read from the log; try again in a moment`,
    headers: { 'retry-after': '1' },
  })

/** While the log is not read to its end (a start, a log that is away, a view whose disk is full): what the store alone cannot vouch for is not shown. */
export const notSure = (what: string) =>
  new ProblemError({
    status: 503,
    code: 'NEWSWIRE_GATEWAY_NOT_READY',
    title: 'Not known now',
    detail: `our log could not be read to its end yet, and the store alone does not tell ${what}; try again in a moment`,
    headers: { 'retry-after': '5' },
  })

/** A page in the coding that is best for who asks. */
export const bodyOf = async (acceptEncoding: string | string[] | undefined, page: RenderedPage) => {
  const coding = chooseCoding(acceptEncoding, pageCodings)
  return { coding, body: coding === 'identity' ? page.bytes : await page.coded(coding) }
}

/**
 * By RFC 9110: a strong tag for each coding, the same headers on 304 and 200. No date: a page shows several things, and what leaves it moves none.
 */
export const sendRendered = async (request: HttpRequest, reply: HttpReply, page: RenderedPage, cache = PAGE_CACHE) => {
  const coding = chooseCoding(request.headers['accept-encoding'], pageCodings)
  const tagOf = (one: string) => (one === 'identity' ? `"${page.tag}"` : `"${page.tag}-${one}"`)
  reply.headers(page.headers).header('etag', tagOf(coding)).header('cache-control', cache).header('vary', 'accept-encoding')
  const outcome = evaluateConditions(request.headers, ['identity', ...pageCodings].map(tagOf), null, [tagOf(coding)])
  if (outcome === 'failed') return reply.status(412).send()
  if (outcome === 'not-modified') return reply.status(304).send()
  reply.header('content-type', page.type)
  if (coding !== 'identity') reply.header('content-encoding', coding)
  return reply.send((await bodyOf(request.headers['accept-encoding'], page)).body)
}
