/**
 * Private feeds: for who has one of the feed's tokens, as the password of Basic auth (any user name; what feed readers can do) or in the path
 * (`/feeds/{feed}/~{token}/{file}`; for readers that can do nothing else). Tokens are known by their hash alone, compared in constant time, and
 * never logged: what is logged of a request is its route.
 */
import type { FeedConfig } from '@newswire/events/config'
import { findByToken } from '@newswire/http/auth'
import { ProblemError } from '@newswire/http/problem'

export type FeedToken = Readonly<{ id: string; sha256: string }>

const MAX_HEADER_LENGTH = 1_024

/** The password of a Basic `Authorization` (RFC 7617), or `null`. */
const basicPassword = (header: string | undefined): string | null => {
  if (header === undefined || header.length > MAX_HEADER_LENGTH) return null
  const [, encoded] = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(header) ?? []
  if (encoded === undefined) return null
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? null : text.slice(colon + 1)
}

const refused = (): ProblemError =>
  new ProblemError({
    status: 401,
    code: 'NEWSWIRE_FEED_PRIVATE',
    title: 'This feed is private',
    detail:
      'send a token of this feed as the password of Basic authentication, or in the path: /feeds/{feed}/~{token}/{file}, and /feeds/{feed}/~{token}/pages/{file} for a link to older pages, which names none',
    // The address that was asked for may hold a token.
    headers: { 'www-authenticate': 'Basic realm="newswire feeds", charset="UTF-8"', 'referrer-policy': 'no-referrer' },
  })

/** Lets through who may read the feed, by which of its tokens (`null`: it is for everybody). Throws the 401 problem, the same for no token and for a wrong one. */
export const requireAccess = (feed: FeedConfig, authorization: string | undefined, pathToken: string | null): FeedToken | null => {
  if (feed.access === undefined) return null
  const token = pathToken ?? basicPassword(authorization)
  const found = token === null || token === '' ? null : findByToken(token, feed.access.tokens)
  if (found === null) throw refused()
  return found
}
