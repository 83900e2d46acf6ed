/** Archived versions: how they lie in the store, loose or packed, and how they are read back by id and number. */
import { RejectError } from '@newswire/events/errors'
import { fact } from '@newswire/events/fact'
import { sha256Hex } from '@newswire/events/ids'
import { z } from 'zod'
import { cutFrom, type Found, findInIndex, indexesOf, PACK_ROUNDS, packMissing, storedIndexes } from './archive-pack.ts'
import { archiveDayOf, keys, parseArchiveKey } from './keys.ts'
import { listPages } from './listing.ts'
import type { Objects } from './objects.ts'
import { getReleased } from './released.ts'

/** One archived version: canonical JSON, never changed once written. */
const archivedVersion = z.object({
  /** Names this layout. */
  schema: z.literal('newswire.archive.version/1'),
  /** The event that announced it. */
  eventId: z.string(),
  time: z.string(),
  /** SHA-256 of the archived bytes of the version before; `null` on the first. */
  previousSha256: z.string().nullable(),
  fact,
})
export type ArchivedVersion = z.output<typeof archivedVersion>

type Readable = Pick<Objects, 'get' | 'list'>

/** Where a key is packed. */
const findPacked = async (objects: Readable, folder: string, key: string): Promise<Found | null> => {
  for await (const index of storedIndexes(objects, folder)) {
    const found = findInIndex(index.bytes, index.key, key)
    if (found !== null) return found
  }
  return null
}

/**
 * What is archived under a key (`keys.archive`, `keys.native`, `keys.archiveLedger`), wherever it lies; `null` when it is not, or no longer. What was
 * signed is packed: other bytes that lie loose beside it were written by nobody who may, and are not read.
 */
export const readArchived = async (objects: Readable, key: string): Promise<Uint8Array | null> => {
  // Loose before packed: what is packed meanwhile is found there, and never missed.
  const loose = (await objects.get(key))?.bytes ?? null
  const folder = archiveDayOf(key)
  if (folder === null) return loose
  for (let round = 0; round < PACK_ROUNDS; round++) {
    const found = await findPacked(objects, folder, key)
    if (found === null || (loose !== null && sha256Hex(loose) === found.entry.sha256)) return loose
    const pack = await objects.get(found.pack)
    if (pack !== null) return cutFrom(pack.bytes, found.entry)
  }
  throw packMissing(key)
}

export const parseArchivedVersion = (bytes: Uint8Array, key: string): ArchivedVersion => {
  try {
    return archivedVersion.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
  } catch (cause) {
    throw new RejectError('NEWSWIRE_OBJECTS_DOCUMENT', `${key} is no archived version`, { cause })
  }
}

/** A version by its number; `null` when the article or the version is not archived. */
export const getArchived = async (objects: Readable, articleId: string, version: number): Promise<ArchivedVersion | null> => {
  const released = await getReleased(objects, articleId)
  if (released === null) return null
  const key = keys.archive(released.fact.firstReleasedAt, articleId, version)
  const bytes = await readArchived(objects, key)
  return bytes === null ? null : parseArchivedVersion(bytes, key)
}

/** The numbers of the archived versions, rising. */
export const listArchived = async (objects: Readable, articleId: string): Promise<readonly number[]> => {
  const released = await getReleased(objects, articleId)
  if (released === null) return []
  const first = keys.archive(released.fact.firstReleasedAt, articleId, 1)
  const numbers = new Set<number>()
  const add = (key: string) => {
    const parsed = parseArchiveKey(key)
    if (parsed?.articleId === articleId) numbers.add(parsed.version)
  }
  // Loose before packed: what is packed meanwhile is then seen twice, and never missed.
  for await (const page of listPages(objects, first.slice(0, first.lastIndexOf('/') + 1))) for (const { key } of page) add(key)
  for (const { index } of await indexesOf(objects, archiveDayOf(first) ?? '')) for (const key of index.entries.keys()) add(key)
  return [...numbers].sort((a, b) => a - b)
}
