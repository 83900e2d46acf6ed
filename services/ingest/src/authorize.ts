/** Who is asking: the publisher comes from the token, never from the body. */
import type { PublisherConfig, Scope, TokenConfig } from '@newswire/events/config'
import { bearerToken, matchesHash } from '@newswire/http/auth'
import { ProblemError } from '@newswire/http/problem'

export type Caller = Readonly<{ publisher: PublisherConfig; token: TokenConfig }>

/** Throws the 401 or 403 problem. Every token is compared, in constant time, so that how long it takes tells nothing. */
export const authorize = (header: string | undefined, publishers: Iterable<PublisherConfig>, scope: Scope): Caller => {
  const secret = bearerToken(header)
  let caller: Caller | null = null
  if (secret !== null)
    for (const publisher of publishers)
      for (const token of publisher.tokens) if (matchesHash(secret, token.sha256)) caller = { publisher, token }
  if (caller === null)
    throw new ProblemError({
      status: 401,
      code: 'NEWSWIRE_AUTH_TOKEN',
      title: 'A publisher token is needed',
      detail: secret === null ? 'send it as "Authorization: Bearer <token>"' : 'this token is not known here; it may have been revoked',
      headers: { 'www-authenticate': 'Bearer realm="newswire"' },
    })
  if (!caller.token.scopes.includes(scope))
    throw new ProblemError({
      status: 403,
      code: 'NEWSWIRE_AUTH_SCOPE',
      title: 'This token may not do that',
      detail: `scope ${scope} is needed; token ${caller.token.id} has ${caller.token.scopes.join(', ')}`,
    })
  return caller
}
