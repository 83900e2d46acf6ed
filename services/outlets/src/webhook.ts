/**
 * Signed webhooks: Standard Webhooks 1.0 headers and signature, the body of contract §6. One version has one body and one `webhook-id`
 * for one outlet, whatever happens in between; only the timestamp and so the signature differ from attempt to attempt.
 */
import { createHash, type KeyObject } from 'node:crypto'
import type { Fact } from '@newswire/events/fact'
import type { OutboundRequest } from '@newswire/outbound/outbound'
import { classify, failed, MAX_ANSWER_BYTES } from './answers.ts'
import { type Document, toDocument } from './document.ts'
import type { Delivery, DeliveryNeeds } from './kinds.ts'
import { actionOf, isForAnyOutlet, type Parcel } from './parcel.ts'
import { sign, toKey } from './signing.ts'

/** Stable over attempts, replays and restarts; no dots, because the signature joins with dots. */
export const webhookId = (outletId: string, articleId: string, version: number, settling: boolean): string =>
  createHash('sha256')
    .update([outletId, articleId, version, ...(settling ? ['settle'] : [])].join('\0'))
    .digest('base64url')

/** A request header takes printable ASCII only: anything else is a permanent fault of this one article. */
const isHeaderSafe = (value: string): boolean => /^[!-~]+$/.test(value)

type Signing = Readonly<{ key: KeyObject; document: Document; nowMs: number }>

/** `null` when the article cannot be named in a header. */
export const toWebhook = (
  { outlet, fact, due, sequence, settling }: Parcel<'webhook'>,
  { key, document, nowMs }: Signing,
): OutboundRequest | null => {
  if (!isHeaderSafe(fact.articleId)) return null
  const id = webhookId(outlet.id, fact.articleId, fact.version, settling)
  const timestamp = Math.floor(nowMs / 1000)
  const { bytes: body, contentType } = document
  return {
    method: 'POST',
    url: outlet.deliver.url,
    headers: {
      'content-type': contentType,
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

/** A document is made once for all outlets that get the same. */
export const createWebhook = ({
  request,
  secret,
  context,
  now,
}: Pick<DeliveryNeeds, 'request' | 'secret' | 'context' | 'now'>): Delivery<'webhook'> => {
  const documents = new WeakMap<Fact, Map<string, Document>>()
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
      const { secretEnv } = parcel.outlet.deliver
      const key = keyOf(secretEnv)
      if (key === null) return failed(`the environment variable ${secretEnv} with its secret is not set`, { alarm: true })
      const webhook = toWebhook(parcel, { key, document: documentOf(parcel), nowMs: now() })
      if (webhook === null) return { kind: 'refused', reason: 'its article id cannot be a header' }
      if (!mayStill()) return { kind: 'own', reason: 'this process may not own the outlet any more' }
      return classify(await request(webhook), now())
    },
  }
}
