/**
 * What is packed under a key, from memory: the archive asks for every version, and packs change once a day. A view may be stale by `STALE_MS`;
 * what slips through is a repeat that lies loose once more, which closing finds and removes.
 */
import { type FoundIndex, findEntry, indexesOf } from '@newswire/objects/archive-pack'
import type { Objects } from '@newswire/objects/objects'

export type PackedHashes = Readonly<{
  /** SHA-256 of what is packed under `key`, whose day is `folder`; `null` when nothing is. */
  find(folder: string, key: string): Promise<string | null>
  /** The same, looked for once more in the store when memory knows of none. */
  findSurely(folder: string, key: string): Promise<string | null>
  /** Packs were made or made anew here. */
  forget(): void
}>

const STALE_MS = 30_000
/** Days in memory: imports go through the years, and come by each once. */
const MAX_DAYS = 16

export const createPackedHashes = (objects: Pick<Objects, 'get' | 'list'>, now: () => number): PackedHashes => {
  const days = new Map<string, { at: number; indexes: Promise<readonly FoundIndex[]> }>()
  const read = (folder: string) => {
    const known = days.get(folder)
    if (known !== undefined && Math.abs(now() - known.at) < STALE_MS) return known.indexes
    const indexes = indexesOf(objects, folder)
    days.delete(folder)
    days.set(folder, { at: now(), indexes })
    indexes.catch(() => days.delete(folder)) // the next one asks again
    const oldest = days.keys().next().value
    if (days.size > MAX_DAYS && oldest !== undefined) days.delete(oldest)
    return indexes
  }
  const find = async (folder: string, key: string) => findEntry(await read(folder), key)?.entry.sha256 ?? null
  return {
    find,
    findSurely: async (folder, key) => {
      const known = await find(folder, key)
      if (known !== null) return known
      days.delete(folder)
      return find(folder, key)
    },
    forget: () => days.clear(),
  }
}
