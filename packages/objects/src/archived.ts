/** Archived versions: how they lie in the store, loose or packed, and how they are read back by id and number. */
import { RejectError } from '@newswire/events/errors'
import { fact } from '@newswire/events/fact'
import { z } from 'zod'
import { cutFrom, type FoundIndex, indexesOf } from './archive-pack.ts'
import { archiveDayOf, keys, parseArchiveKey } from './keys.ts'
import { listPages } from './listing.ts'
import type { Objects } from './objects.ts'
import { getReleased } from './released.ts'

/** One archived version: canonical JSON, never changed once written. */
export const archivedVersion = z.object({
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

/** How often a pack may be replaced under a reader's hands: a purge makes it anew. */
const ROUNDS = 3

const findIn = async (indexes: Promise<readonly FoundIndex[]>, key: string) =>
  (await indexes).find(({ index }) => index.entries.has(key))?.index

/** What is archived under a key (`keys.archive`, `keys.native`, `keys.archiveLedger`), wherever it lies; `null` when it is not, or no longer. */
export const readArchived = async (objects: Readable, key: string): Promise<Uint8Array | null> => {
  const loose = await objects.get(key)
  if (loose !== null) return loose.bytes
  const folder = archiveDayOf(key)
  if (folder === null) return null
  for (let round = 0; round < ROUNDS; round++) {
    const index = await findIn(indexesOf(objects, folder), key)
    const entry = index?.entries.get(key)
    if (entry === undefined || index?.pack == null) return null
    const pack = await objects.get(index.pack)
    if (pack !== null) return cutFrom(pack.bytes, entry)
  }
  throw new RejectError('NEWSWIRE_ARCHIVE_PACK', `the pack that holds ${key} is missing; \`newswire archive verify\` tells more`)
}

/** SHA-256 of what is packed under a key; `null` when it is not packed. */
export const packedSha256 = async (indexes: Promise<readonly FoundIndex[]>, key: string): Promise<string | null> =>
  (await findIn(indexes, key))?.entries.get(key)?.sha256 ?? null

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
