/**
 * Keeps one released version for good. The bytes are made from the event alone, so a redelivery writes what is there already; other bytes
 * under the same number would mean that history was rewritten, which is refused and shown, never stored.
 */
import { canonicalJson } from '@newswire/events/canonical'
import { RejectError } from '@newswire/events/errors'
import type { Fact } from '@newswire/events/fact'
import { sha256Hex } from '@newswire/events/ids'
import type { ArchivedVersion } from '@newswire/objects/archived'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'

export type ToKeep = Readonly<{ eventId: string; time: string; fact: Fact }>

const keyOf = (fact: Fact, version = fact.version): string => keys.archive(fact.firstReleasedAt, fact.articleId, version)

/** The version before must be there first: facts of one article come in order, so its absence is a fault that passes or a dead letter. */
const previousSha256 = async (objects: Pick<Objects, 'get'>, fact: Fact): Promise<string | null> => {
  if (fact.supersedes === undefined) return null
  const before = await objects.get(keyOf(fact, fact.supersedes))
  if (before === null)
    throw new Error(
      `version ${fact.supersedes} of ${fact.articleId} is not archived, so version ${fact.version} cannot be chained to it; redrive it once the earlier one is there`,
    )
  return sha256Hex(before.bytes)
}

export const toArchivedBytes = ({ eventId, time, fact }: ToKeep, previous: string | null): Uint8Array => {
  const version: ArchivedVersion = { schema: 'newswire.archive.version/1', eventId, time, previousSha256: previous, fact }
  return new TextEncoder().encode(canonicalJson(version))
}

/** Safe to repeat. Throws `RejectError` `NEWSWIRE_ARCHIVE_CONFLICT` when other bytes are archived under this number. */
export const keepVersion = async (objects: Objects, version: ToKeep): Promise<'kept' | 'was-there'> => {
  const { fact } = version
  const bytes = toArchivedBytes(version, await previousSha256(objects, fact))
  const put = await objects.put(keyOf(fact), bytes, { ifNoneMatch: '*', contentType: 'application/json' })
  if (put.ok) return 'kept'
  const held = await objects.get(keyOf(fact))
  if (held !== null && Buffer.compare(held.bytes, bytes) === 0) return 'was-there'
  throw new RejectError(
    'NEWSWIRE_ARCHIVE_CONFLICT',
    `version ${fact.version} of ${fact.articleId} is archived with other content; the first one stays, look at who wrote this one`,
  )
}
