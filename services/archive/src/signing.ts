/**
 * The keys that manifests are signed with (Ed25519, RFC 8032). The private ones lie sealed under `secrets/`; the public ones, every one that
 * ever signed, lie in `archive/keys.json` as a JSON Web Key Set (RFC 7517, RFC 8037), which the gateway serves.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto'
import { RejectError } from '@newswire/events/errors'
import { amendDocument, type Document, getDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import type { Sealing } from '@newswire/objects/sealed'
import { z } from 'zod'
import { goneFromStore } from './gone.ts'

const publicKey = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  alg: z.literal('EdDSA'),
  use: z.literal('sig'),
  /** SHA-256 of the key in SPKI form, its first 16 digits. */
  kid: z.string(),
  x: z.string(),
  createdAt: z.string(),
  /** Manifests from this number on, and up to this one, may be signed with it. */
  fromManifest: z.int().min(1),
  untilManifest: z.int().min(1).nullable(),
})
export const keysDocument = z.object({
  n: z.int(),
  keys: z.array(publicKey),
  /** The newest manifest: without it nobody could tell that the last ones were cut off. */
  head: z.object({ manifest: z.int().min(1), sha256: z.string() }).nullable(),
})
export type KeysDocument = z.output<typeof keysDocument>

/** `sign` gives the signature in base64url. */
export type Signer = Readonly<{ keyId: string; sign(bytes: Uint8Array): string }>

type Needs = Readonly<{ objects: Objects; sealing: Sealing | null; now: () => number }>

const secretId = (kid: string) => `archive-signing-${kid}`

export const readKeys = (objects: Pick<Objects, 'get'>): Promise<Document<KeysDocument> | null> =>
  getDocument(objects, keys.archiveKeys(), keysDocument)

const sealingOf = ({ sealing }: Needs): Sealing => {
  if (sealing !== null) return sealing
  throw new RejectError(
    'NEWSWIRE_ARCHIVE_KEY',
    'manifests cannot be signed without NEWSWIRE_SECRET_KEY, which seals the signing key; set it (`openssl rand -base64 32`), the same for every process. Versions are kept all the same.',
  )
}

const signerOf = (kid: string, key: KeyObject): Signer => ({
  keyId: kid,
  sign: bytes => sign(null, bytes, key).toString('base64url'),
})

/** Seals a new key and gives its public half. One that loses its race stays behind sealed, and signs nothing. */
const makeKey = async (needs: Needs, fromManifest: number): Promise<KeysDocument['keys'][number]> => {
  const pair = generateKeyPairSync('ed25519')
  const { x = '' } = pair.publicKey.export({ format: 'jwk' })
  const kid = hash('sha256', pair.publicKey.export({ format: 'der', type: 'spki' })).slice(0, 16)
  await sealingOf(needs).put(secretId(kid), pair.privateKey.export({ format: 'der', type: 'pkcs8' }))
  const createdAt = new Date(needs.now()).toISOString()
  return { kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', kid, x, createdAt, fromManifest, untilManifest: null }
}

type Changed = Omit<KeysDocument, 'n'> | null
const amendKeys = (objects: Objects, change: (before: KeysDocument | null) => Changed | Promise<Changed>) =>
  amendDocument(objects, keys.archiveKeys(), keysDocument, change, {
    lost: () =>
      new RejectError('NEWSWIRE_ARCHIVE_KEYS_RACE', 'the published keys were changed by somebody else again and again; try once more'),
  })

/** A key that begins anew could prove nothing of what was signed before: it is made beside the others, or before the first manifest. */
const refuseLost = async (objects: Pick<Objects, 'head'>): Promise<void> => {
  if ((await objects.head(keys.archiveManifest(1))) !== null) throw goneFromStore(keys.archiveKeys(), 'nothing is signed')
}

/** The key that signs now; made the first time. Throws `RejectError`: `NEWSWIRE_ARCHIVE_KEY` none can be used, `NEWSWIRE_ARCHIVE_GONE` those that signed were lost, and what `Sealing.get` throws. */
export const openSigner = async (needs: Needs): Promise<Signer> => {
  let kid = ''
  await amendKeys(needs.objects, async before => {
    if (before === null) await refuseLost(needs.objects)
    const newest = before?.keys.at(-1)
    const key = newest ?? (await makeKey(needs, 1))
    kid = key.kid
    return newest === undefined ? { keys: [key], head: before?.head ?? null } : null
  })
  return load(needs, kid)
}

const load = async (needs: Needs, kid: string): Promise<Signer> => {
  const secret = await sealingOf(needs).get(secretId(kid))
  if (secret === null)
    throw new RejectError(
      'NEWSWIRE_ARCHIVE_KEY',
      `the private half of signing key ${kid} is not in the store; make a new one with \`newswire archive rotate-key\``,
    )
  const key = createPrivateKey({ key: Buffer.from(secret), format: 'der', type: 'pkcs8' })
  const is = hash('sha256', createPublicKey(key).export({ format: 'der', type: 'spki' })).slice(0, 16)
  if (is !== kid) throw new RejectError('NEWSWIRE_ARCHIVE_KEY', `what is sealed as signing key ${kid} is another key, ${is}`)
  return signerOf(kid, key)
}

/** Which key signs now; `null` before the first. */
export const signingKeyId = async (objects: Pick<Objects, 'get'>): Promise<string | null> =>
  (await readKeys(objects))?.value.keys.at(-1)?.kid ?? null

/**
 * A new key signs from the next manifest on. `newest` gives the newest manifest's number, and is asked after the keys were read: whoever closes
 * publishes the manifest before (`publishHead`) and reads its key after that, so a swap here that succeeds means that the next number at most is
 * being closed with the old key. It is good for that one, and for no other.
 */
export const rotateKey = async (needs: Needs, newest: () => Promise<number>): Promise<string> => {
  let kid = ''
  await amendKeys(needs.objects, async before => {
    if (before === null) await refuseLost(needs.objects)
    const head = await newest()
    const made = await makeKey(needs, head + 1)
    kid = made.kid
    const retired = (before?.keys ?? []).map(key => (key.untilManifest === null ? { ...key, untilManifest: head + 1 } : key))
    return { keys: [...retired, made], head: before?.head ?? null }
  })
  return kid
}

/**
 * Whether a retired key is good for something yet: for the manifest after `newest`, or for a record that this one lists. So it is until two
 * manifests are closed after the rotation.
 */
export const isRetiring = async (objects: Pick<Objects, 'get'>, newest: number): Promise<boolean> =>
  ((await readKeys(objects))?.value.keys ?? []).some(({ untilManifest }) => untilManifest !== null && untilManifest >= newest)

/** Publishes which manifest is the newest. Never moves back. */
export const publishHead = async (objects: Objects, head: { manifest: number; sha256: string }): Promise<void> => {
  await amendKeys(objects, before => (before === null || (before.head?.manifest ?? 0) >= head.manifest ? null : { ...before, head }))
}
