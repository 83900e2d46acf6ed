/** Reads the whole archive in the order of its days, packed and loose alike; one pack, or one day's newest versions, in memory at a time. */
import { entriesOf, indexesOf } from '@newswire/objects/archive-pack'
import { type ArchivedVersion, parseArchivedVersion } from '@newswire/objects/archived'
import { keys, parseArchiveKey } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'

type Readable = Pick<Objects, 'get' | 'list'>
export type ReadVersion = Readonly<{ key: string; articleId: string; version: number; content: Uint8Array }>

/** First and last day, `yyyy/mm/dd`, both in it. */
export type Days = Readonly<{ from?: string; to?: string }>

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

/** Every version of a day's articles, each once, in no order that matters. */
export async function* versionsOfDay(objects: Readable, folder: string): AsyncGenerator<ReadVersion> {
  const seen = new Set<string>()
  const toRead = (key: string, content: Uint8Array): ReadVersion | null => {
    const parsed = parseArchiveKey(key)
    if (parsed === null || seen.has(key)) return null
    seen.add(key)
    return { key, articleId: parsed.articleId, version: parsed.version, content }
  }
  // Loose before packed: what is packed meanwhile is seen there, and never missed.
  for await (const page of listPages(objects, `${keys.archivePrefix}${folder}/`))
    for (const { key } of page) {
      const held = parseArchiveKey(key) === null ? null : await objects.get(key)
      const read = held === null ? null : toRead(key, held.bytes)
      if (read !== null) yield read
    }
  for (const { index } of await indexesOf(objects, folder)) {
    const held = index.pack === null ? null : await objects.get(index.pack)
    if (held === null) continue
    for (const entry of entriesOf(held.bytes, index)) {
      const read = toRead(entry.key, entry.content)
      if (read !== null) yield read
    }
  }
}

/** The newest version of each of a day's articles, and the newest one with its content when that is another. */
export type Newest = Readonly<{ newest: ArchivedVersion; live: ArchivedVersion | null }>

export const newestOfDay = async (objects: Readable, folder: string): Promise<readonly Newest[]> => {
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
