/** Everything that is archived, for an index that is made again where the log no longer has it: loose versions and packs, in any order, some at a time. */
import { entriesOf, indexesOf } from '@newswire/objects/archive-pack'
import { parseArchivedVersion } from '@newswire/objects/archived'
import { keys, parseArchiveKey } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import type { Seeds } from './search.ts'

const BATCH = 200
/** Loose versions read at once. */
const AT_ONCE = 16

const toFact = (bytes: Uint8Array, key: string): string => JSON.stringify(parseArchivedVersion(bytes, key).fact)
const folderOfIndex = (key: string): string | null => /^archive\/packs\/(\d{4}\/\d\d\/\d\d)\/[^/]+\.index\.jsonl$/.exec(key)?.[1] ?? null

/** Throws `RejectError` when something archived cannot be read: an index without it would not be whole, and the one that is there stays. */
export async function* archivedSeeds(objects: Pick<Objects, 'get' | 'list'>): Seeds {
  const folders = new Set<string>()
  for await (const page of listPages(objects, keys.archivePrefix)) {
    const loose: string[] = []
    for (const { key } of page) {
      if (parseArchiveKey(key) !== null) loose.push(key)
      const folder = folderOfIndex(key)
      if (folder !== null) folders.add(folder)
    }
    for (let first = 0; first < loose.length; first += AT_ONCE) {
      // What was packed since it was listed comes with its pack.
      const found = await Promise.all(loose.slice(first, first + AT_ONCE).map(async key => ({ key, object: await objects.get(key) })))
      yield found.flatMap(({ key, object }) => (object === null ? [] : [toFact(object.bytes, key)]))
    }
  }
  // Listed again: a day may have been packed after its part of the listing was read.
  for await (const page of listPages(objects, keys.archivePackPrefix)) for (const { key } of page) folders.add(folderOfIndex(key) ?? '')
  folders.delete('')
  for (const folder of folders)
    for (const { index } of await indexesOf(objects, folder)) {
      const pack = index.pack === null ? null : await objects.get(index.pack)
      if (pack === null) continue
      let facts: string[] = []
      for (const { key, content } of entriesOf(pack.bytes, index)) {
        if (parseArchiveKey(key) === null) continue
        facts.push(toFact(content, key))
        if (facts.length < BATCH) continue
        yield facts
        facts = []
      }
      yield facts
    }
}
