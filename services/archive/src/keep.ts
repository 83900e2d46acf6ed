/**
 * Keeps one released version for good. The bytes are made from the event alone, so a redelivery writes what is there already; other bytes
 * under the same number would mean that history was rewritten, which is refused and shown, never stored.
 */
import { canonicalJson } from '@newswire/events/canonical'
import { RejectError } from '@newswire/events/errors'
import type { Fact } from '@newswire/events/fact'
import { sha256Hex } from '@newswire/events/ids'
import { type ArchivedVersion, parseArchivedVersion, readArchived } from '@newswire/objects/archived'
import { archiveDayOf, keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import type { PackedHashes } from './packed-hashes.ts'

export type ToKeep = Readonly<{ eventId: string; time: string; fact: Fact }>
type Kept = 'kept' | 'was-there' | 'was-purged'

type Needs = Readonly<{
  objects: Objects
  packed: PackedHashes
  /** The article was purged by law, or is being purged: its earlier versions must not come back with a redelivery. */
  isPurged: (articleId: string) => boolean
}>

const keyOf = (fact: Fact, version = fact.version): string => keys.archive(fact.firstReleasedAt, fact.articleId, version)
const dayOf = (fact: Fact): string => archiveDayOf(keyOf(fact)) ?? ''

const looseSha256 = async (objects: Objects, key: string): Promise<string | null> => {
  const held = await objects.get(key)
  return held === null ? null : sha256Hex(held.bytes)
}

/** The version before must be there first: facts of one article come in order, so its absence is a fault that passes or a dead letter. */
const previousSha256 = async ({ objects, packed }: Needs, fact: Fact): Promise<string | null> => {
  if (fact.supersedes === undefined) return null
  const key = keyOf(fact, fact.supersedes)
  // Packed before loose: what lies beside its pack was signed by nobody, and nothing is chained to it.
  const sha256 = (await packed.find(dayOf(fact), key)) ?? (await looseSha256(objects, key)) ?? (await packed.findSurely(dayOf(fact), key))
  if (sha256 === null)
    throw new Error(
      `version ${fact.supersedes} of ${fact.articleId} is not archived, so version ${fact.version} cannot be chained to it; redrive it once the earlier one is there`,
    )
  return sha256
}

const toArchivedBytes = ({ eventId, time, fact }: ToKeep, previous: string | null): Uint8Array => {
  const version: ArchivedVersion = { schema: 'newswire.archive.version/1', eventId, time, previousSha256: previous, fact }
  return Buffer.from(canonicalJson(version))
}

const conflict = (fact: Fact) =>
  new RejectError(
    'NEWSWIRE_ARCHIVE_CONFLICT',
    `version ${fact.version} of ${fact.articleId} is archived with other content; the first one stays, look at who wrote this one`,
  )

/** The version that says that an article was purged, said again: what it was chained to is gone. */
const keepPurgedAgain = async ({ objects }: Needs, { eventId, fact }: ToKeep): Promise<Kept | null> => {
  const bytes = await readArchived(objects, keyOf(fact))
  if (bytes === null) return null
  if (parseArchivedVersion(bytes, keyOf(fact)).eventId !== eventId) throw conflict(fact)
  return 'was-there'
}

/** Safe to repeat. Throws `RejectError` `NEWSWIRE_ARCHIVE_CONFLICT` when other bytes are archived under this number. */
export const keepVersion = async (needs: Needs, version: ToKeep): Promise<Kept> => {
  const { objects, packed, isPurged } = needs
  const { fact } = version
  if (isPurged(fact.articleId)) {
    if (fact.state !== 'purged') return 'was-purged'
    const again = await keepPurgedAgain(needs, version)
    if (again !== null) return again
  }
  const bytes = toArchivedBytes(version, await previousSha256(needs, fact))
  const held = await packed.find(dayOf(fact), keyOf(fact))
  if (held !== null && held !== sha256Hex(bytes)) throw conflict(fact)
  if (held !== null) return 'was-there'
  const put = await objects.put(keyOf(fact), bytes, { ifNoneMatch: '*', contentType: 'application/json' })
  if (put.ok) return 'kept'
  const loose = await objects.get(keyOf(fact))
  if (loose !== null && Buffer.compare(loose.bytes, bytes) === 0) return 'was-there'
  if (loose === null) throw new Error(`version ${fact.version} of ${fact.articleId} is just being packed; it is looked at again`)
  throw conflict(fact)
}
