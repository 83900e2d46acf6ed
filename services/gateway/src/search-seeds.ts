/** Everything that is archived, for an index that is made again where the log no longer has it: loose versions and packs, a day after the other, some at a time. */
import { parseArchivedVersion } from '@newswire/objects/archived'
import { daysOf, versionsOfDay } from '@newswire/objects/archived-days'
import type { Objects } from '@newswire/objects/objects'
import type { Seeds } from './search.ts'

const BATCH = 200

/** Throws `RejectError` when something archived cannot be read: an index without it would not be whole, and the one that is there stays. */
export async function* archivedSeeds(objects: Pick<Objects, 'get' | 'list'>): Seeds {
  let facts: string[] = []
  for (const folder of await daysOf(objects))
    for await (const { key, content } of versionsOfDay(objects, folder)) {
      facts.push(JSON.stringify(parseArchivedVersion(content, key).fact))
      if (facts.length < BATCH) continue
      yield facts
      facts = []
    }
  yield facts
}
