/**
 * A manifest: JSON lines. The first says what it is, the second signs the first, the rest name what was archived since the manifest before,
 * one entry a line, sorted by key; their lines are the leaves of the tree whose root stands in the first line. So equal entries have equal
 * bytes, and a line can be proved alone. Pure.
 */
import { canonicalJson } from '@newswire/events/canonical'
import { RejectError } from '@newswire/events/errors'
import { sha256Hex } from '@newswire/events/ids'
import { inTurns } from '@newswire/objects/in-turns'
import { z } from 'zod'
import { merkleRoot } from './merkle.ts'
import type { Signer } from './signing.ts'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
/** What is archived under a key. `article`: whose it is, which a native payload's key does not tell. */
const entry = z.object({ article: z.string(), key: z.string(), sha256, bytes: z.int().min(0) })
export type Entry = z.output<typeof entry>

const positions = z.record(z.string(), z.int().min(0))
const manifestHead = z.object({
  schema: z.literal('newswire.archive.manifest/1'),
  number: z.int().min(1),
  /** By the clock of whoever closed it; numbers give the order, not this. */
  closedAt: z.string(),
  /** SHA-256 of the first line of the manifest before, without its line feed; `null` on the first. */
  previousSha256: sha256.nullable(),
  merkleRoot: sha256,
  count: z.int().min(0),
  /** Of all entries together. */
  bytes: z.int().min(0),
  /** Everything below these positions, by partition, is listed in this manifest or an earlier one. */
  cut: z.object({ articles: positions, milestones: positions }),
  /** SHA-256 of the lines of the ledger that were staged with it. */
  stagedSha256: sha256,
  keyId: z.string(),
})
type ManifestHead = z.output<typeof manifestHead>
export type Manifest = Readonly<{ head: ManifestHead; sha256: string; entries: readonly Entry[] }>

export type ToClose = Omit<ManifestHead, 'schema' | 'merkleRoot' | 'count' | 'bytes' | 'keyId'>

const byKey = (a: { key: string }, b: { key: string }): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)

/** The two lines that a signed document begins with: what it says, and the signature over the bytes of that. */
export const signedLines = (value: object, signer: Signer): readonly [string, string] => {
  const line = canonicalJson({ ...value, keyId: signer.keyId })
  return [line, canonicalJson({ algorithm: 'Ed25519', keyId: signer.keyId, signature: signer.sign(Buffer.from(line)) })]
}

/** Gives way to others meanwhile, as reading one does. */
export const toManifest = async (
  given: ToClose,
  entries: readonly Entry[],
  signer: Signer,
): Promise<{ bytes: Uint8Array; manifest: Manifest }> => {
  const sorted = [...entries].sort(byKey)
  const lines = await inTurns(sorted, one => Buffer.from(`${canonicalJson(one)}\n`))
  const said = {
    schema: 'newswire.archive.manifest/1' as const,
    ...given,
    merkleRoot: await merkleRoot(lines.map(line => line.subarray(0, -1))),
    count: sorted.length,
    bytes: sorted.reduce((sum, one) => sum + one.bytes, 0),
  }
  const [head, signature] = signedLines(said, signer)
  return {
    bytes: Buffer.concat([Buffer.from(`${head}\n${signature}\n`), ...lines]),
    manifest: { head: { ...said, keyId: signer.keyId }, sha256: sha256Hex(head), entries: sorted },
  }
}

/** Reads a manifest of our own. Throws `RejectError` `NEWSWIRE_ARCHIVE_MANIFEST` when it cannot be read; whether it is right is the verifier's to say. */
export const parseManifest = async (bytes: Uint8Array, key: string): Promise<Manifest> => {
  try {
    const [head = '', , ...lines] = new TextDecoder('utf-8', { fatal: true }).decode(bytes).split('\n')
    return {
      head: manifestHead.parse(JSON.parse(head)),
      sha256: sha256Hex(head),
      entries: await inTurns(
        lines.filter(line => line !== ''),
        line => entry.parse(JSON.parse(line)),
      ),
    }
  } catch (cause) {
    throw new RejectError('NEWSWIRE_ARCHIVE_MANIFEST', `${key} is no manifest; \`newswire archive verify\` says what is wrong`, { cause })
  }
}
