/** Purges by law that are not done for good, as wishes of the archive's say (`archive/purging/`), for whoever tells an operator of them. */
import { z } from 'zod'
import { keys, parsePurgeKey } from './keys.ts'
import { listPages } from './listing.ts'
import type { Objects } from './objects.ts'

/** Why the last look did not end it. */
export const purgeTrouble = z.object({ code: z.string(), message: z.string() })
const wish = z.object({ at: z.string().optional(), trouble: purgeTrouble.optional() })

export type OpenPurge = Readonly<{ articleId: string; at: string; trouble: z.output<typeof purgeTrouble> | null }>

/** One that cannot be read is open as well: it holds up its own purge. */
const parseWish = (bytes: Uint8Array): z.output<typeof wish> => {
  try {
    return wish.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
  } catch {
    return { trouble: { code: 'NEWSWIRE_OBJECTS_DOCUMENT', message: 'its wish cannot be read' } }
  }
}

/** `at`: when the article was purged, or when the wish was written last where it does not say. */
export const readOpenPurges = async (objects: Pick<Objects, 'get' | 'list'>): Promise<readonly OpenPurge[]> => {
  const found: OpenPurge[] = []
  for await (const page of listPages(objects, keys.archivePurgingPrefix))
    for (const { key, lastModified } of page) {
      const articleId = parsePurgeKey(key)
      const held = articleId === null ? null : await objects.get(key)
      if (articleId === null || held === null) continue
      const { at = lastModified.toISOString(), trouble = null } = parseWish(held.bytes)
      found.push({ articleId, at, trouble })
    }
  return found
}
