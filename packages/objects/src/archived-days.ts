/** Reads the whole archive in the order of its days, packed and loose alike; one pack in memory at a time. */
import { checkPacked, entriesOf, type FoundIndex, indexesOf, openPack } from './archive-pack.ts'
import { readArchived } from './archived.ts'
import { keys, parseArchiveKey } from './keys.ts'
import { listKeys, listPages } from './listing.ts'
import type { Objects } from './objects.ts'

type Readable = Pick<Objects, 'get' | 'list'>
export type ReadVersion = Readonly<{ key: string; articleId: string; version: number; content: Uint8Array }>

/** First and last day, `yyyy/mm/dd`, both in it. */
export type Days = Readonly<{ from?: string; to?: string }>

/** Loose versions read at once. */
const AT_ONCE = 16

const foldersBelow = async (objects: Readable, prefix: string, into: Set<string>): Promise<void> => {
  for await (const page of listPages(objects, prefix))
    for (const { key } of page) {
      const folder = /^(\d{4}\/\d\d\/\d\d)\//.exec(key.slice(prefix.length))?.[1]
      if (folder !== undefined) into.add(folder)
      // Days sort before everything else below the archive.
      else if (prefix === keys.archivePrefix && key > `${prefix}:`) return
    }
}

/** Days that anything is archived under, rising. */
export const daysOf = async (objects: Readable, { from = '0000', to = '9999/99/99' }: Days = {}): Promise<readonly string[]> => {
  const found = new Set<string>()
  await foldersBelow(objects, keys.archivePrefix, found)
  await foldersBelow(objects, keys.archivePackPrefix, found)
  return [...found].filter(folder => folder >= from && folder <= to).sort()
}

const toRead = (key: string, content: Uint8Array): ReadVersion[] => {
  const parsed = parseArchiveKey(key)
  return parsed === null ? [] : [{ key, articleId: parsed.articleId, version: parsed.version, content }]
}

async function* packedVersions(objects: Readable, indexes: readonly FoundIndex[]): AsyncGenerator<ReadVersion> {
  for (const found of indexes) {
    const pack = await openPack(objects, found)
    if (pack === null) continue
    for (const entry of entriesOf(pack.bytes, pack.index))
      for (const read of toRead(entry.key, entry.content)) {
        checkPacked(entry)
        yield read
      }
  }
}

/**
 * Every version of a day's articles, each once, in no order that matters; what is packed before what lies loose beside it, which nobody signed.
 * Throws `RejectError` when one of them is damaged.
 */
export async function* versionsOfDay(objects: Readable, folder: string): AsyncGenerator<ReadVersion> {
  const listed = (await listKeys(objects, `${keys.archivePrefix}${folder}/`)).filter(key => parseArchiveKey(key) !== null)
  const indexes = await indexesOf(objects, folder)
  yield* packedVersions(objects, indexes)
  const loose = listed.filter(key => !indexes.some(({ index }) => index.entries.has(key)))
  for (let first = 0; first < loose.length; first += AT_ONCE) {
    const keysOf = loose.slice(first, first + AT_ONCE)
    // What has been packed since the indexes were read is found in its pack.
    const contents = await Promise.all(keysOf.map(async key => (await objects.get(key))?.bytes ?? readArchived(objects, key)))
    for (const [at, key] of keysOf.entries()) {
      const content = contents[at]
      if (content != null) yield* toRead(key, content)
    }
  }
}
