/** Archived versions: how they lie in the store, and how they are read back by id and number. */
import { fact } from '@newswire/events/fact'
import { z } from 'zod'
import { getDocument } from './documents.ts'
import { keys } from './keys.ts'
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

/** A version by its number; `null` when the article or the version is not archived. */
export const getArchived = async (objects: Pick<Objects, 'get'>, articleId: string, version: number): Promise<ArchivedVersion | null> => {
  const released = await getReleased(objects, articleId)
  if (released === null) return null
  const found = await getDocument(objects, keys.archive(released.fact.firstReleasedAt, articleId, version), archivedVersion)
  return found?.value ?? null
}

/** The numbers of the archived versions, rising. */
export const listArchived = async (objects: Pick<Objects, 'get' | 'list'>, articleId: string): Promise<readonly number[]> => {
  const released = await getReleased(objects, articleId)
  if (released === null) return []
  const folder = keys.archive(released.fact.firstReleasedAt, articleId, 1).replace(/v\d+\.json$/, '')
  const numbers: number[] = []
  for (let startAfter = ''; ; ) {
    const page = await objects.list(folder, startAfter === '' ? {} : { startAfter })
    for (const { key } of page) numbers.push(Number(/v(\d+)\.json$/.exec(key)?.[1] ?? Number.NaN))
    const last = page.at(-1)
    if (last === undefined || page.length < 1000) return numbers.filter(Number.isInteger).sort((a, b) => a - b)
    startAfter = last.key
  }
}
