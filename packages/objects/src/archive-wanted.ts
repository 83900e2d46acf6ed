/**
 * What operators want of the archive, and whether it can do its work, as one small object: the console writes the wish, the archive takes it up and says what is
 * in its way, so nothing is lost in between.
 */
import { RejectError } from '@newswire/events/errors'
import { z } from 'zod'
import { amendDocument, type Document, getDocument } from './documents.ts'
import { keys } from './keys.ts'
import type { Objects } from './objects.ts'

/** How often each was asked for, and up to which time it was done. Loose: an older build's swap loses nothing that a newer one keeps here. */
const archiveWanted = z.looseObject({
  n: z.int(),
  close: z.int().min(0),
  closed: z.int().min(0),
  rotateKey: z.int().min(0),
  rotated: z.int().min(0),
  reindex: z.int().min(0).default(0),
  reindexed: z.int().min(0).default(0),
  /** What came of the last time that the index was made again: parts looked at, indexes and packs made, entries that nothing holds, manifests that cannot be read. */
  lastReindex: z
    .object({ at: z.string(), manifests: z.int(), packs: z.int(), made: z.int(), packed: z.int(), lost: z.int(), unreadable: z.int() })
    .nullable()
    .default(null),
  /** Why days cannot be closed, and since when; `null` when the last try closed them. */
  trouble: z.object({ code: z.string(), message: z.string(), since: z.string() }).nullable().default(null),
})
export type ArchiveTrouble = NonNullable<ArchiveWanted['trouble']>
export type ArchiveWanted = z.output<typeof archiveWanted>

export const NOTHING_WANTED: ArchiveWanted = archiveWanted.parse({ n: 0, close: 0, closed: 0, rotateKey: 0, rotated: 0 })

export const readWanted = (objects: Pick<Objects, 'get'>): Promise<Document<ArchiveWanted> | null> =>
  getDocument(objects, keys.archiveWanted(), archiveWanted)

/** Changes it by compare-and-swap, and gives what it is then. Throws `RejectError` `NEWSWIRE_ARCHIVE_RACE` when others change it again and again. */
export const changeWanted = async (
  objects: Pick<Objects, 'get' | 'put'>,
  change: (wanted: ArchiveWanted) => ArchiveWanted,
): Promise<ArchiveWanted> => {
  const lost = () =>
    new RejectError('NEWSWIRE_ARCHIVE_RACE', 'what is wanted of the archive was changed by others again and again; try once more')
  const toNext = (wanted: ArchiveWanted | null) => change(wanted ?? NOTHING_WANTED)
  return (await amendDocument(objects, keys.archiveWanted(), archiveWanted, toNext, { lost })) ?? NOTHING_WANTED
}
