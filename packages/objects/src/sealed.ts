/**
 * Secrets that the system is given or makes, sealed with AES-256-GCM under `NEWSWIRE_SECRET_KEY`: `secrets/<id>.json`. Each is written once
 * under an id of its own and never changed. The id is sealed in, so one object cannot be passed off as another.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { RejectError } from '@newswire/events/errors'
import { sha256Hex } from '@newswire/events/ids'
import { z } from 'zod'
import { getDocument, swapDocument } from './documents.ts'
import { keys } from './keys.ts'
import type { Objects } from './objects.ts'

const KEY_BYTES = 32
/** NIST SP 800-38D §8.2.2: random, and so good for 2³² secrets under one key. */
const IV_BYTES = 12

const sealedDocument = z.object({
  algorithm: z.literal('A256GCM'),
  /** Which key it was sealed with: the beginning of the key's hash. */
  key: z.string(),
  iv: z.base64url(),
  tag: z.base64url(),
  data: z.base64url(),
})

export type Sealing = Readonly<{
  /** Seals a secret under a new id. Throws what the store throws. */
  put(id: string, secret: Uint8Array): Promise<void>
  /** `null` when there is none. Throws `RejectError` `NEWSWIRE_SECRET_KEY` when it was sealed with another key, `NEWSWIRE_SECRET_SEAL` when it was tampered with. */
  get(id: string): Promise<Uint8Array | null>
  /** HMAC-SHA-256 in base64url over these words, under a key of their own that follows from the sealing key: nobody else can say it. The same every time. */
  prove(purpose: string, ...words: readonly string[]): string
}>

/** Makes a key as `NEWSWIRE_SECRET_KEY` takes it. */
export const makeSealingKey = (): string => randomBytes(KEY_BYTES).toString('base64')

/** 32 bytes, as 64 hex digits or in base64; `null` for anything else, so that no sentence is taken for a key. */
export const parseSealingKey = (text: string): Uint8Array | null => {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex')
  const bytes = /^[A-Za-z0-9+/_-]{43}=?$/.test(text) ? Buffer.from(text, 'base64') : null
  return bytes?.length === KEY_BYTES ? bytes : null
}

export const createSealing = (objects: Pick<Objects, 'get' | 'put'>, key: Uint8Array): Sealing => {
  const keyName = sha256Hex(key).slice(0, 16)
  const proving = Buffer.from(hkdfSync('sha256', key, '', 'newswire prove', KEY_BYTES))
  return {
    prove: (...words) => createHmac('sha256', proving).update(JSON.stringify(words)).digest('base64url'),
    put: async (id, secret) => {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(id))
      const data = Buffer.concat([cipher.update(secret), cipher.final()])
      const [ivText, tag, text] = [iv, cipher.getAuthTag(), data].map(bytes => bytes.toString('base64url'))
      const put = await swapDocument(objects, keys.secret(id), { algorithm: 'A256GCM', key: keyName, iv: ivText, tag, data: text }, null)
      if (!put.ok) throw new RejectError('NEWSWIRE_SECRET_ID', `there is a secret ${id} already; a secret is never changed`)
    },
    get: async id => {
      const found = await getDocument(objects, keys.secret(id), sealedDocument)
      if (found === null) return null
      if (found.value.key !== keyName)
        throw new RejectError(
          'NEWSWIRE_SECRET_KEY',
          `secret ${id} was sealed with another key; NEWSWIRE_SECRET_KEY must be the one that begins with hash ${found.value.key}`,
        )
      const [iv, tag, data] = [found.value.iv, found.value.tag, found.value.data].map(text => Buffer.from(text, 'base64url')) as [
        Buffer,
        Buffer,
        Buffer,
      ]
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: 16 }).setAAD(Buffer.from(id)).setAuthTag(tag)
        return Buffer.concat([decipher.update(data), decipher.final()])
      } catch (cause) {
        throw new RejectError('NEWSWIRE_SECRET_SEAL', `the seal of secret ${id} is broken: it is not as it was written`, { cause })
      }
    },
  }
}
