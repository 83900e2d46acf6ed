/**
 * Whether a webhook is from whom it says, by the signature that its CMS makes. Every comparison takes the same time whatever the answer, and what was
 * given is never repeated. Pure.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { sha256Hex } from '@newswire/events/ids'
import { bearerToken } from '@newswire/http/auth'

export type Signed = Readonly<{
  method: string
  /** Path and query, as they came. */
  url: string
  headers: Readonly<Record<string, string | undefined>>
  body: Uint8Array
}>
/** `delivery`: what is the same when the same request comes again. `isOnce`: its time or its id is signed, so that no other request has it. */
export type Verified = Readonly<{ ok: true; delivery: string; isOnce: boolean }> | Readonly<{ ok: false; detail: string }>
export type Verify = (request: Signed, secret: string, nowMs: number) => Verified

/** As Standard Webhooks has it; Ghost and Sanity say nothing. A CMS whose clock is further away is refused. ms. */
const TOLERANCE_MS = 300_000
const MAX_HEADER = 2_048

const no = (detail: string): Verified => ({ ok: false, detail })
const once = (...parts: readonly string[]): Verified => ({ ok: true, delivery: sha256Hex(parts.join('\n')), isOnce: true })
const unsure = (...parts: readonly string[]): Verified => ({ ok: true, delivery: sha256Hex(parts.join('\n')), isOnce: false })

/** A secret that begins with `whsec_` is base64, any other is taken as it is. */
const keyOf = (secret: string): Buffer =>
  secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret)

/** Whether not everybody could sign with it: what is no base64 decodes to nothing. */
export const isKey = (secret: string): boolean => keyOf(secret).byteLength >= (secret.startsWith('whsec_') ? 16 : 8)

/** Hashed first, so that neither length nor content is told by how long it takes. */
const isEqual = (a: string, b: string): boolean =>
  timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest())

const headerOf = ({ headers }: Signed, name: string): string | null => {
  const value = headers[name]
  return value === undefined || value.length > MAX_HEADER ? null : value
}

const isFresh = (ms: number, nowMs: number): boolean => Number.isFinite(ms) && Math.abs(nowMs - ms) <= TOLERANCE_MS
const STALE = 'its time is more than five minutes from ours: a repeat, or one of the clocks is wrong'
const WRONG = 'the signature does not fit: the secret is another one, or the body was changed on its way'

/** `sha256=<hex>, t=<ms>`: HMAC-SHA-256 over the body and the time. */
const ghost: Verify = (request, secret, nowMs) => {
  const [, signature = '', time = ''] = /^sha256=([0-9a-f]{64}), ?t=(\d{1,16})$/.exec(headerOf(request, 'x-ghost-signature') ?? '') ?? []
  if (signature === '') return no('expected X-Ghost-Signature: sha256=<hex>, t=<milliseconds>; set the webhook’s secret in Ghost')
  const wanted = createHmac('sha256', secret).update(request.body).update(time).digest('hex')
  if (!isEqual(signature, wanted)) return no(WRONG)
  return isFresh(Number(time), nowMs) ? once(signature, time) : no(STALE)
}

/** `t=<ms>,v1=<base64url>`: HMAC-SHA-256 over `time.body`. */
const sanity: Verify = (request, secret, nowMs) => {
  const [, time = '', signature = ''] =
    /^t=(\d{1,16}),\s?v1=([A-Za-z0-9_-]{43})=?$/.exec(headerOf(request, 'sanity-webhook-signature') ?? '') ?? []
  if (signature === '') return no('expected Sanity-Webhook-Signature: t=<milliseconds>,v1=<base64url>; set the webhook’s secret in Sanity')
  const wanted = createHmac('sha256', secret).update(`${time}.`).update(request.body).digest('base64url')
  if (!isEqual(signature, wanted)) return no(WRONG)
  return isFresh(Number(time), nowMs) ? once(signature, time) : no(STALE)
}

/** Standard Webhooks 1.0: `v1,<base64>` over `id.timestamp.body`, one for each secret that is in force. */
const standardWebhooks: Verify = (request, secret, nowMs) => {
  const [id, time] = [headerOf(request, 'webhook-id') ?? '', headerOf(request, 'webhook-timestamp') ?? '']
  const signatures = (headerOf(request, 'webhook-signature') ?? '').split(' ').filter(one => one.startsWith('v1,'))
  // With a dot in the id, another id and time could stand for the same bytes.
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(id) || !/^\d{10}$/.test(time) || signatures.length === 0)
    return no('expected webhook-id, webhook-timestamp and webhook-signature as Standard Webhooks has them')
  const wanted = `v1,${createHmac('sha256', keyOf(secret)).update(`${id}.${time}.`).update(request.body).digest('base64')}`
  if (signatures.filter(one => isEqual(one, wanted)).length === 0) return no(WRONG)
  return isFresh(Number(time) * 1000, nowMs) ? once(id) : no(STALE)
}

/** Contentful's request verification: HMAC-SHA-256 over method, path, the headers that it names, and the body. What happened is one of the headers. */
const contentful: Verify = (request, secret, nowMs) => {
  const signature = headerOf(request, 'x-contentful-signature') ?? ''
  const time = headerOf(request, 'x-contentful-timestamp') ?? ''
  const names = (headerOf(request, 'x-contentful-signed-headers') ?? '').toLowerCase().split(',')
  if (!/^[0-9a-f]{64}$/.test(signature) || !['x-contentful-timestamp', 'x-contentful-topic'].every(name => names.includes(name)))
    return no(
      'expected X-Contentful-Signature, and -Timestamp and -Topic among its -Signed-Headers; turn on request verification in Contentful',
    )
  const headers = names.map(name => `${name}:${(headerOf(request, name) ?? '').trim()}`)
  const wanted = createHmac('sha256', secret)
    .update(`${[request.method, request.url, headers.join(';')].join('\n')}\n`)
    .update(request.body)
    .digest('hex')
  if (!isEqual(signature, wanted)) return no(WRONG)
  return isFresh(Number(time), nowMs) ? once(signature, time) : no(STALE)
}

/** `sha1=<hex>` over the body; no time is signed. */
const superdesk: Verify = (request, secret) => {
  const signature = headerOf(request, 'x-superdesk-signature')
  if (signature === null) return no('expected X-Superdesk-Signature; set the destination’s secret token in Superdesk')
  const wanted = `sha1=${createHmac('sha1', secret).update(request.body).digest('hex')}`
  return isEqual(signature, wanted) ? unsure(wanted, sha256Hex(request.body)) : no(WRONG)
}

/** The secret itself as a bearer token: whoever has it may say anything, in headers as in the body. `ce-id` tells two of the same body apart. */
const bearer: Verify = (request, secret) => {
  const token = bearerToken(headerOf(request, 'authorization') ?? undefined)
  if (token === null) return no('expected Authorization: Bearer <the secret>')
  const eventId = headerOf(request, 'ce-id')
  return isEqual(token, secret) ? unsure(sha256Hex(request.body), ...(eventId === null ? [] : [eventId])) : no('the token is another one')
}

/** `X-Hub-Signature-256: sha256=<hex>` over the body, or the bearer token: what a CMS without signatures of its own can be made to send. */
const plain: Verify = (request, secret, nowMs) => {
  const signature = headerOf(request, 'x-hub-signature-256')
  if (signature !== null) {
    const wanted = `sha256=${createHmac('sha256', secret).update(request.body).digest('hex')}`
    return isEqual(signature, wanted) ? unsure(sha256Hex(request.body)) : no(WRONG)
  }
  if (headerOf(request, 'authorization') !== null) return bearer(request, secret, nowMs)
  return no('expected X-Hub-Signature-256: sha256=<hex>, or Authorization: Bearer <the secret>')
}

export const signatures = { ghost, sanity, standardWebhooks, contentful, superdesk, bearer, plain } as const satisfies Readonly<
  Record<string, Verify>
>
