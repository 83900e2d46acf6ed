/** Requests that are signed by Standard Webhooks 1.0, and the keys that sign them. */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import type { OutboundRequest } from '@newswire/outbound/outbound'
import { MAX_ANSWER_BYTES } from './answers.ts'

/** A secret that begins with `whsec_` is base64, any other is taken as it is. */
export const toKey = (secret: string): KeyObject =>
  createSecretKey(secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret))

/** One signature for each key that is in force, the newest first: a receiver that knows one of them is content (Standard Webhooks 1.0, "Signature scheme"). */
export const signAll = (keys: readonly KeyObject[], id: string, timestamp: number, body: Uint8Array): string =>
  keys.map(key => sign(key, id, timestamp, body)).join(' ')

/** `v1,` and the HMAC-SHA256 of `id.timestamp.body`, base64. */
export const sign = (key: KeyObject, id: string, timestamp: number, body: Uint8Array): string =>
  `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`

/** A POST that is signed as it is sent. */
export type Post = Readonly<{
  url: string
  /** Of `webhook-id`: the same for the same bytes. No dots, because the signature joins with dots. */
  id: string
  nowMs: number
  /** Without one it is not signed. */
  keys: readonly KeyObject[]
  contentType: string
  body: Uint8Array
  /** Further headers. */
  more?: Readonly<Record<string, string>>
}>

export const toSignedPost = ({ url, id, nowMs, keys, contentType, body, more = {} }: Post): OutboundRequest => {
  const timestamp = Math.floor(nowMs / 1000)
  return {
    method: 'POST',
    url,
    headers: {
      'content-type': contentType,
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      ...(keys.length === 0 ? {} : { 'webhook-signature': signAll(keys, id, timestamp, body) }),
      ...more,
    },
    body,
    maxBytes: MAX_ANSWER_BYTES,
    overflow: 'cut',
  }
}
