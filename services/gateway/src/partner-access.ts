/**
 * Who is at a partner's page: who has one of the outlet's own tokens, as Bearer, or in the cookie that the sign-in form sets. An outlet that there
 * is not, one without tokens, a token of another outlet and no token at all get the same answer in the same time, so nobody learns which
 * outlets there are. Tokens are known by their hash alone.
 */
import type { OutletConfig } from '@newswire/events/config'
import { isConfigId } from '@newswire/events/ids'
import { bearerToken, findByToken } from '@newswire/http/auth'
import { ProblemError } from '@newswire/http/problem'
import { createRateLimiter, toClientKey } from '@newswire/http/rate'
import type { HttpRequest } from '@newswire/http/server'
import type { Configuration } from '@newswire/runtime/configuration'
import { askerOf, chargeOne, refuseTooMany } from './limits.ts'

/** Sent back to the outlet's own addresses only (its path). */
export const COOKIE = 'newswire-partner'
const MAX_COOKIE_LENGTH = 4_096
/** What a Bearer token may be (RFC 6750 §2.1), which a cookie may be as it is. */
export const isToken = (value: string): boolean => value.length <= 512 && /^[A-Za-z0-9._~+/-]+=*$/.test(value)
/** Compared with when there is no outlet: as much work as for one token. Nothing hashes to it that anybody knows. */
const NOBODY = [{ sha256: '0'.repeat(64) }]

/** Wrong tokens from one client. */
const WRONG_PER_MINUTE = 30
/** Questions with one outlet's token: each may read thousands of records. */
const QUESTIONS_PER_MINUTE = 300

export type Partner = Readonly<{
  outlet: OutletConfig
  /** By the cookie: what changes something must then come from our own page. */
  viaCookie: boolean
}>

export type PartnerAccess = Readonly<{
  /** `null`: nobody we know. Throws the 429 problem for who asks too much, with a wrong token or a right one. */
  find(request: HttpRequest): Partner | null
  /** Whether a token opens this outlet; counted like a request's own. */
  opens(outletId: string, token: string, request: HttpRequest): boolean
  /** Throws the 401 problem. */
  require(request: HttpRequest): Partner
}>

/** The value of our cookie (RFC 6265 §4.2); the first, if a client sends several. */
export const cookieToken = (header: string | undefined): string | null => {
  if (header === undefined || header.length > MAX_COOKIE_LENGTH) return null
  for (const pair of header.split(';')) {
    const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(pair.trim()) ?? []
    if (name === COOKIE && isToken(value)) return value
  }
  return null
}

export const partnerUnauthorized = (): ProblemError =>
  new ProblemError({
    status: 401,
    code: 'NEWSWIRE_PARTNER_TOKEN',
    title: 'A token of this outlet is needed',
    detail: 'send it as "Authorization: Bearer <token>"; the operators of this site give it out',
    headers: { 'www-authenticate': 'Bearer realm="newswire partners"', 'referrer-policy': 'no-referrer' },
  })

/** `limited` false: no limit on questions with a right token, as when the gateway has none. Wrong ones are always counted. */
type Needs = Readonly<{ configuration: Pick<Configuration, 'current'>; proxies: number; limited?: boolean }>

export const createPartnerAccess = ({ configuration, proxies, limited = true }: Needs): PartnerAccess => {
  const wrong = createRateLimiter({ name: 'partner-tokens', quota: WRONG_PER_MINUTE, windowSeconds: 60 })
  const questions = createRateLimiter({ name: 'partners', quota: QUESTIONS_PER_MINUTE, windowSeconds: 60 })

  const outletOf = (outletId: string, token: string, request: HttpRequest): OutletConfig | null => {
    const client = wrong.client(toClientKey(askerOf(request, proxies)))
    const now = Date.now()
    refuseTooMany(wrong, client, now)
    const outlet = isConfigId(outletId) ? configuration.current().outlets.get(outletId) : undefined
    const known = outlet?.tokens ?? []
    const isKnown = findByToken(token, known.length === 0 ? NOBODY : known) !== null
    if (outlet !== undefined && known.length > 0 && isKnown) return outlet
    wrong.charge(client, now)
    return null
  }

  const find = (request: HttpRequest): Partner | null => {
    const { outletId } = request.params as { outletId: string }
    const bearer = bearerToken(request.headers.authorization)
    const token = bearer ?? cookieToken(request.headers.cookie)
    const outlet = token === null ? null : outletOf(outletId, token, request)
    if (outlet === null) return null
    if (limited) chargeOne(questions, questions.client(outlet.id), Date.now())
    return { outlet, viaCookie: bearer === null }
  }
  return {
    find,
    opens: (outletId, token, request) => outletOf(outletId, token, request) !== null,
    require: request => {
      const partner = find(request)
      if (partner === null) throw partnerUnauthorized()
      return partner
    },
  }
}
