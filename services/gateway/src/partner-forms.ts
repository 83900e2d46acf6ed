/** Forms of our own pages: read whole, and only when they came from a page of ours. */
import { ProblemError } from '@newswire/http/problem'
import type { HttpRequest, HttpServer } from '@newswire/http/server'

const FORM = 'application/x-www-form-urlencoded'
/** Bytes: a token, an id, a time, and room. */
const MAX_FORM_BYTES = 4_096

/** Makes forms readable for the routes of a scope. */
export const addFormParser = (scope: HttpServer): void => {
  scope.addContentTypeParser<Buffer>(
    FORM,
    { parseAs: 'buffer', bodyLimit: MAX_FORM_BYTES },
    async (_request: HttpRequest, body: Buffer) => body,
  )
}

/** The fields of a form; `null` when the body is none. Fields left empty are absent. */
export const readForm = (request: HttpRequest): ReadonlyMap<string, string> | null => {
  if (!Buffer.isBuffer(request.body)) return null
  return new Map(
    [...new URLSearchParams(request.body.toString('utf8'))]
      .map(([name, value]) => [name, value.trim()] as const)
      .filter(([, value]) => value !== ''),
  )
}

/**
 * Whether a browser sent it from a page of this site: by `Sec-Fetch-Site` where there is one, else by `Origin`, which no page can set. What says
 * neither is no form of ours. The cookie is `SameSite=Strict` besides.
 */
export const isOwnPage = (request: HttpRequest, publicUrl: string): boolean => {
  const site = request.headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin'
  const { origin, host } = request.headers
  if (origin === undefined || !URL.canParse(origin)) return false
  return origin === new URL(publicUrl).origin || new URL(origin).host === host
}

/** Throws the 403 problem. */
export const requireOwnPage = (request: HttpRequest, publicUrl: string): void => {
  if (isOwnPage(request, publicUrl)) return
  throw new ProblemError({
    status: 403,
    code: 'NEWSWIRE_PARTNER_ORIGIN',
    title: 'Not from this page',
    detail: 'a form with a cookie is taken from our own pages only; programs send the token as "Authorization: Bearer <token>"',
  })
}
