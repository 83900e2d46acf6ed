/** Signatures by Standard Webhooks 1.0, and the keys they are made with. */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'

/** A secret that begins with `whsec_` is base64, any other is taken as it is. */
export const toKey = (secret: string): KeyObject =>
  createSecretKey(secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret))

/** One signature for each key that is in force, the newest first: a receiver that knows one of them is content (Standard Webhooks 1.0, "Signature scheme"). */
export const signAll = (keys: readonly KeyObject[], id: string, timestamp: number, body: Uint8Array): string =>
  keys.map(key => sign(key, id, timestamp, body)).join(' ')

/** `v1,` and the HMAC-SHA256 of `id.timestamp.body`, base64. */
export const sign = (key: KeyObject, id: string, timestamp: number, body: Uint8Array): string =>
  `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`
