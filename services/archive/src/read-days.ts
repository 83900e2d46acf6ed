/** The archive in the order of its days, each article as it stands; one day's newest versions in memory at a time. */

import { type ArchivedVersion, parseArchivedVersion } from '@newswire/objects/archived'
import { type ReadVersion, versionsOfDay } from '@newswire/objects/archived-days'
import type { Objects } from '@newswire/objects/objects'

/** The newest version of each of a day's articles, and the newest one with its content when that is another. */
export type Newest = Readonly<{ newest: ArchivedVersion; live: ArchivedVersion | null }>

export const newestOfDay = async (objects: Pick<Objects, 'get' | 'list'>, folder: string): Promise<readonly Newest[]> => {
  const found = new Map<string, ReadVersion[]>()
  for await (const read of versionsOfDay(objects, folder)) {
    const own = { ...read, content: Uint8Array.from(read.content) } // not a view of a whole member
    found.set(read.articleId, [...(found.get(read.articleId) ?? []), own])
  }
  return [...found.values()].flatMap((versions): readonly Newest[] => {
    const [first, ...older] = versions.sort((a, b) => b.version - a.version)
    if (first === undefined) return []
    const newest = parseArchivedVersion(first.content, first.key)
    if (newest.fact.state === 'live') return [{ newest, live: newest }]
    for (const one of older) {
      const parsed = parseArchivedVersion(one.content, one.key)
      if (parsed.fact.state === 'live') return [{ newest, live: parsed }]
    }
    return [{ newest, live: null }]
  })
}
