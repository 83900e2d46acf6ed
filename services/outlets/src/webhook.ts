/**
 * Signed webhooks: Standard Webhooks 1.0 headers and signature, the body of contract §6. One version has one body and one `webhook-id`
 * for one outlet, whatever happens in between; only the timestamp and so the signature differ from attempt to attempt.
 */
import { hash, type KeyObject } from 'node:crypto'
import { createAttached } from '@newswire/events/attached'
import type { Fact } from '@newswire/events/fact'
import { classify, NO_LONGER_OURS } from './answers.ts'
import type { Delivery, DeliveryNeeds } from './delivery.ts'
import { toDocument } from './document.ts'
import type { Document } from './document-format.ts'
import { actionOf, isForAnyOutlet, type OutletBy, type Parcel } from './parcel.ts'
import type { Post } from './signing.ts'
import { createKeysOf } from './signing-keys.ts'

/**
 * What goes under a version: what it says to everybody, the repeat of a kill, or its retraction for an outlet that may not have it. That one may
 * follow the version's own content, when the outlet's rules were narrowed since, and whoever knows ids would drop it under the same one.
 */
type What = 'version' | 'settle' | 'withdrawn'
const whatOf = ({ fact, due, settling }: Parcel<'webhook'>): What =>
  settling ? 'settle' : fact.state === 'live' && due === 'retraction' ? 'withdrawn' : 'version'

/** Stable over attempts, replays and restarts. */
export const webhookId = (outletId: string, articleId: string, version: number, what: What): string =>
  hash('sha256', `${outletId}\0${articleId}\0${version}${what === 'version' ? '' : `\0${what}`}`, 'base64url')

/** A request header takes printable ASCII only: anything else is a permanent fault of this one article. */
const isHeaderSafe = (value: string): boolean => /^[!-~]+$/.test(value)

type Signing = Readonly<{ keys: readonly KeyObject[]; document: Document; nowMs: number }>

/** `null` when the article cannot be named in a header. */
export const toWebhook = (parcel: Parcel<'webhook'>, { keys, document, nowMs }: Signing): Post | null => {
  const { outlet, fact, due, sequence } = parcel
  if (!isHeaderSafe(fact.articleId)) return null
  return {
    url: outlet.deliver.url,
    id: webhookId(outlet.id, fact.articleId, fact.version, whatOf(parcel)),
    nowMs,
    keys,
    contentType: document.contentType,
    body: document.bytes,
    more: {
      'x-newswire-article': fact.articleId,
      'x-newswire-version': String(fact.version),
      'x-newswire-action': actionOf(fact, due),
      'x-newswire-sequence': String(sequence),
    },
  }
}

type Testing = Readonly<{ requestId: string; keys: readonly KeyObject[]; nowMs: number }>

/** An event that says nothing, signed like any other: whether address, certificate and secret are right. No version, so nothing is fenced by it. */
export const toTestWebhook = ({ id: outletId, deliver }: OutletBy<'webhook'>, { requestId, keys, nowMs }: Testing): Post => {
  const id = hash('sha256', `${outletId}\0test\0${requestId}`, 'base64url')
  const data = { outlet: outletId, request: requestId }
  const body = Buffer.from(JSON.stringify({ type: 'newswire.test', timestamp: new Date(nowMs).toISOString(), data }))
  return { url: deliver.url, id, nowMs, keys, contentType: 'application/json', body, more: { 'x-newswire-action': 'test' } }
}

/** A document is made once for all outlets that get the same. */
export const createWebhook = ({
  post,
  secret,
  signingOf,
  sealing,
  context,
  now,
}: Pick<DeliveryNeeds, 'post' | 'secret' | 'context' | 'now' | 'signingOf' | 'sealing'>): Delivery<'webhook'> => {
  const documents = createAttached<Fact, Map<string, Document>>('documents')
  const keysOf = createKeysOf({ secret, signingOf, sealing, now })
  const documentOf = (parcel: Parcel<'webhook'>): Document => {
    const { format, payload, maxBytes } = parcel.outlet.deliver
    const options = { format, payload, maxBytes }
    // Only a link, and pictures that are not for everybody, are of one outlet alone.
    if (payload !== 'full' || !isForAnyOutlet(parcel)) return toDocument(parcel, context(), options)
    const made = documents.get(parcel.fact) ?? new Map<string, Document>()
    documents.set(parcel.fact, made)
    const whole = made.get(format) ?? toDocument(parcel, context(), { format, payload })
    made.set(format, whole)
    return whole.bytes.byteLength <= maxBytes ? whole : toDocument(parcel, context(), options)
  }

  return {
    deliver: async (parcel, mayStill) => {
      const { id, deliver } = parcel.outlet
      const looked = keysOf(id, deliver.secretEnv)
      const found = looked instanceof Promise ? await looked : looked
      if (!found.ok) return found.outcome
      const webhook = toWebhook(parcel, { keys: found.keys, document: documentOf(parcel), nowMs: now() })
      if (webhook === null) return { kind: 'refused', reason: 'its article id cannot be a header' }
      if (!mayStill()) return NO_LONGER_OURS
      return classify(await post(webhook), now())
    },
    test: async (outlet, requestId) => {
      const found = await keysOf(outlet.id, outlet.deliver.secretEnv)
      if (!found.ok) return found.outcome
      return classify(await post(toTestWebhook(outlet, { requestId, keys: found.keys, nowMs: now() })), now())
    },
  }
}
