/** Who is asking: the publisher comes from the token, never from the body. */
import type { PublisherConfig, TokenConfig } from '@newswire/events/config'
import { authenticate } from '@newswire/http/auth'

export type Caller = Readonly<{ publisher: PublisherConfig; token: TokenConfig }>

/** Throws the 401 problem. */
export const identify = (header: string | undefined, publishers: Iterable<PublisherConfig>): Caller => {
  const known = [...publishers].flatMap(publisher => publisher.tokens.map(token => ({ publisher, token, sha256: token.sha256 })))
  const { publisher, token } = authenticate(header, known)
  return { publisher, token }
}
