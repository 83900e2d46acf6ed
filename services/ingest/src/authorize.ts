/** Who is asking: the publisher comes from the token, never from the body. */
import type { PublisherConfig, Scope, TokenConfig } from '@newswire/events/config'
import { authenticate, requireScope } from '@newswire/http/auth'

export type Caller = Readonly<{ publisher: PublisherConfig; token: TokenConfig }>

/** Throws the 401 or 403 problem. */
export const authorize = (header: string | undefined, publishers: Iterable<PublisherConfig>, scope: Scope): Caller => {
  const known = [...publishers].flatMap(publisher => publisher.tokens.map(token => ({ publisher, token, sha256: token.sha256 })))
  const { publisher, token } = authenticate(header, known)
  requireScope(token, scope)
  return { publisher, token }
}
