/** Answers that several routes give. */
import { ProblemError } from '@newswire/http/problem'
import type { HttpReply } from '@newswire/http/server'

const HTML = 'text/html; charset=utf-8'
/** No scripts run on our pages; the JSON-LD block is data. Pictures may come from where a publisher's body says. */
const PAGE_POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self' https: http:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
export const PAGE_CACHE = 'public, max-age=30, stale-while-revalidate=60'

export const notFound = (detail: string) => new ProblemError({ status: 404, code: 'NEWSWIRE_NOT_FOUND', title: 'Not found', detail })
export const notReady = (what: string) =>
  new ProblemError({
    status: 503,
    code: 'NEWSWIRE_GATEWAY_NOT_READY',
    title: 'Not ready yet',
    detail: `${what} are being read from the log; try again in a moment`,
    headers: { 'retry-after': '1' },
  })

export const sendPage = (reply: HttpReply, status: number, html: string, cache = PAGE_CACHE) =>
  reply.status(status).header('content-type', HTML).header('content-security-policy', PAGE_POLICY).header('cache-control', cache).send(html)
