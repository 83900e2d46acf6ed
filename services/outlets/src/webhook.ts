/**
 * Signed webhooks: Standard Webhooks 1.0 headers and signature, the body of contract §6. One version has one body and one `webhook-id`
 * for one outlet, whatever happens in between; only the timestamp and so the signature differ from attempt to attempt.
 */
import { createHash, createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import type { OutletConfig } from '@newswire/events/config'
import type { Fact, LiveFact } from '@newswire/events/fact'
import { articleUrl, toPublicArticle } from '@newswire/events/public-article'
import type { OutboundRequest, OutboundResult } from '@newswire/outbound/outbound'
import type { Due } from './entitled.ts'
import type { Outcome } from './machine.ts'

/** A longer body becomes thin: a link in place of the content, where the outlet can open it. Bytes. */
export const MAX_BODY_BYTES = 256 * 1024
/** Nobody needs more of a partner's answer. */
const MAX_ANSWER_BYTES = 16 * 1024
const encoder = new TextEncoder()

export type Parcel = Readonly<{
  outlet: OutletConfig
  fact: Fact
  due: Exclude<Due, 'nothing'>
  /** Position of the intent: rises per outlet. */
  sequence: number
  /** The repeat of a kill that goes under a new id. */
  settling: boolean
}>

/** Stable over attempts, replays and restarts; no dots, because the signature joins with dots. */
export const webhookId = (outletId: string, articleId: string, version: number, settling: boolean): string =>
  createHash('sha256')
    .update([outletId, articleId, version, ...(settling ? ['settle'] : [])].join('\0'))
    .digest('base64url')

/** A secret that begins with `whsec_` is base64, any other is taken as it is. */
export const toKey = (secret: string): KeyObject =>
  createSecretKey(secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret))

/** `v1,` and the HMAC-SHA256 of `id.timestamp.body`, base64. */
export const sign = (key: KeyObject, id: string, timestamp: number, body: Uint8Array): string =>
  `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`

/** Pictures whose rights name other outlets, or had ended when the version was released, stay behind. */
const forOutlet = (fact: LiveFact, outletId: string): LiveFact => {
  const isAllowed = ({ rights }: LiveFact['article']['images'][number]) =>
    rights === undefined ||
    ((rights.outlets.includes('*') || rights.outlets.includes(outletId)) && (rights.until === undefined || rights.until > fact.releasedAt))
  if (fact.article.images.every(isAllowed)) return fact
  return { ...fact, article: { ...fact.article, images: fact.article.images.filter(isAllowed) } }
}

const head = (fact: Fact) => ({
  id: fact.articleId,
  version: fact.version,
  ...(fact.sourceVersion === undefined ? {} : { sourceVersion: fact.sourceVersion }),
  ...(fact.supersedes === undefined ? {} : { supersedes: fact.supersedes }),
})

/** Why the article is taken back, in what partners may read. A purge by law and a narrowed audience keep their reasons to themselves. */
const retractionOf = (fact: Fact) => {
  if (fact.state === 'live') return { mode: 'withdraw', reason: 'no longer available to this outlet' }
  if (fact.state === 'purged') return { mode: 'gone', reason: 'removed' }
  return fact.retraction
}

const envelope = (type: string, fact: Fact, data: unknown) => encoder.encode(JSON.stringify({ type, timestamp: fact.releasedAt, data }))

const toThin = (fact: LiveFact, publicUrl: string) => ({
  ...head(fact),
  title: fact.article.title,
  thin: true,
  url: `${articleUrl(publicUrl, fact.articleId)}/article.json`,
})

export const actionOf = (fact: Fact, due: Parcel['due']): 'published' | 'updated' | 'corrected' | 'retracted' =>
  fact.state === 'live' && due === 'content' ? fact.action : 'retracted'

/** The bytes that are signed and sent: made from the version alone, so they are the same for every attempt. */
export const toBody = ({ fact, due, outlet }: Pick<Parcel, 'fact' | 'due' | 'outlet'>, publicUrl: string): Uint8Array => {
  const type = `article.${actionOf(fact, due)}`
  if (fact.state !== 'live' || due === 'retraction') return envelope(type, fact, { article: head(fact), retraction: retractionOf(fact) })
  const whole = envelope(type, fact, { article: toPublicArticle(forOutlet(fact, outlet.id), publicUrl) })
  // An editorial article has no public address: a link would lead nowhere.
  const canBeThin = fact.article.audience === 'public'
  return whole.byteLength <= MAX_BODY_BYTES || !canBeThin ? whole : envelope(type, fact, { article: toThin(fact, publicUrl) })
}

/** A request header takes printable ASCII only: anything else is a permanent fault of this one article. */
const isHeaderSafe = (value: string): boolean => /^[!-~]+$/.test(value)

type Signing = Readonly<{ key: KeyObject; body: Uint8Array; nowMs: number }>

/** `null` when the article cannot be named in a header. */
export const toWebhook = ({ outlet, fact, due, sequence, settling }: Parcel, { key, body, nowMs }: Signing): OutboundRequest | null => {
  if (!isHeaderSafe(fact.articleId)) return null
  const id = webhookId(outlet.id, fact.articleId, fact.version, settling)
  const timestamp = Math.floor(nowMs / 1000)
  return {
    method: 'POST',
    url: outlet.deliver.url,
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': sign(key, id, timestamp, body),
      'x-newswire-article': fact.articleId,
      'x-newswire-version': String(fact.version),
      'x-newswire-action': actionOf(fact, due),
      'x-newswire-sequence': String(sequence),
    },
    body,
    maxBytes: MAX_ANSWER_BYTES,
    overflow: 'cut',
  }
}

const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/
/** RFC 9110 §10.2.3: seconds, or a date. */
const retryAfterMs = (value: string | undefined, nowMs: number): number | null => {
  if (value === undefined) return null
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000
  const at = HTTP_DATE.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs)
}

const REFUSALS = new Set([400, 413, 415, 422])
/** Somebody must look at the configuration at once. */
const ALARMS = new Set([401, 403, 404])
/** A gateway in front of the partner gave up: what is behind it may have taken it. */
const AMBIGUOUS = new Set([502, 504])

const failed = (reason: string, rest: Partial<Extract<Outcome, { kind: 'failed' }>> = {}): Outcome => ({
  kind: 'failed',
  reason,
  ambiguous: false,
  connect: false,
  retryAfterMs: null,
  alarm: false,
  ...rest,
})

/** What an answer means (research/delivery.md §2.2). The reason is in our own words; the partner's body is never read. */
export const classify = (result: OutboundResult, nowMs: number): Outcome => {
  if (!result.ok) {
    if (result.kind === 'refused') return failed(`our own rules forbid its address (${result.code})`, { alarm: true })
    if (result.kind === 'connect') return failed(`no connection could be made (${result.code})`, { connect: true })
    return failed(`no whole answer came (${result.code})`, { ambiguous: true })
  }
  const { status, headers } = result.response
  if (status >= 200 && status < 300) return { kind: 'accepted' }
  const reason = `it answered ${status}`
  if (status === 410) return { kind: 'gone', reason }
  if (REFUSALS.has(status)) return { kind: 'refused', reason }
  return failed(reason, {
    alarm: ALARMS.has(status),
    ambiguous: AMBIGUOUS.has(status),
    retryAfterMs: retryAfterMs(headers['retry-after'], nowMs),
  })
}

type Needs = Readonly<{
  request: (request: OutboundRequest) => Promise<OutboundResult>
  secret: (name: string) => string | undefined
  publicUrl: () => string
  now: () => number
}>

/** Delivers parcels as webhooks. A body is made once for all outlets that get the same. Never throws for what the outlet does. */
export const createWebhook = ({ request, secret, publicUrl, now }: Needs) => {
  const bodies = new WeakMap<Fact, Uint8Array>()
  // Making a key costs more than signing with it. By the name of its variable: one each, remade when the value changes.
  const signingKeys = new Map<string, Readonly<{ value: string; key: KeyObject }>>()
  const keyOf = (name: string): KeyObject | null => {
    const value = secret(name)
    if (value === undefined || value === '') return null
    const known = signingKeys.get(name)
    if (known?.value === value) return known.key
    const key = toKey(value)
    signingKeys.set(name, { value, key })
    return key
  }
  const bodyOf = (parcel: Parcel): Uint8Array => {
    const { fact, due } = parcel
    const isShared = due === 'content' && fact.state === 'live' && fact.article.images.every(one => one.rights === undefined)
    const made = isShared ? bodies.get(fact) : undefined
    if (made !== undefined) return made
    const body = toBody(parcel, publicUrl())
    if (isShared) bodies.set(fact, body)
    return body
  }

  /** `mayStill`: asked right before the first byte goes out. */
  return async (parcel: Parcel, mayStill: () => boolean): Promise<Outcome> => {
    const { secretEnv } = parcel.outlet.deliver
    const key = keyOf(secretEnv)
    if (key === null) return failed(`the environment variable ${secretEnv} with its secret is not set`, { alarm: true })
    const webhook = toWebhook(parcel, { key, body: bodyOf(parcel), nowMs: now() })
    if (webhook === null) return { kind: 'refused', reason: 'its article id cannot be a header' }
    if (!mayStill()) return { kind: 'own', reason: 'this process may not own the outlet any more' }
    return classify(await request(webhook), now())
  }
}
export type Send = ReturnType<typeof createWebhook>
