/** Bearer tokens, known by their hash alone. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { ProblemError } from './problem.ts'

const MAX_HEADER_LENGTH = 512

/** The token of an `Authorization` header (RFC 6750 §2.1), or `null`. */
export const bearerToken = (header: string | undefined): string | null => {
  if (header === undefined || header.length > MAX_HEADER_LENGTH) return null
  return /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(header)?.[1] ?? null
}

const isHash = (found: Buffer, sha256: string): boolean => {
  const expected = Buffer.from(sha256, 'hex')
  return expected.byteLength === found.byteLength && timingSafeEqual(expected, found)
}

/**
 * The one of `known` whose hash is the token's, or `null`. The token is hashed once and compared with all of them, in constant time, so
 * that how long it takes tells nothing.
 */
export const findByToken = <T extends Readonly<{ sha256: string }>>(token: string, known: Iterable<T>): T | null => {
  const hash = createHash('sha256').update(token).digest()
  let found: T | null = null
  for (const one of known) if (isHash(hash, one.sha256)) found = one
  return found
}

/** The 401 problem, with what to send (RFC 9110 §11.6.1). */
const unauthorized = (detail: string, realm = 'newswire'): ProblemError =>
  new ProblemError({
    status: 401,
    code: 'NEWSWIRE_AUTH_TOKEN',
    title: 'A token is needed',
    detail,
    headers: { 'www-authenticate': `Bearer realm="${realm}"` },
  })

/** The one of `known` that the request's token belongs to. Throws the 401 problem. */
export const authenticate = <T extends Readonly<{ sha256: string }>>(header: string | undefined, known: Iterable<T>, realm?: string): T => {
  const token = bearerToken(header)
  if (token === null) throw unauthorized('send it as "Authorization: Bearer <token>"', realm)
  const found = findByToken(token, known)
  if (found === null) throw unauthorized('this token is not known here; it may have been revoked', realm)
  return found
}

/** Throws the 403 problem when the token was not given that scope. */
export const requireScope = (token: Readonly<{ id: string; scopes: readonly string[] }>, scope: string): void => {
  if (token.scopes.includes(scope)) return
  throw new ProblemError({
    status: 403,
    code: 'NEWSWIRE_AUTH_SCOPE',
    title: 'This token may not do that',
    detail: `scope ${scope} is needed; token ${token.id} has ${token.scopes.join(', ')}`,
  })
}
