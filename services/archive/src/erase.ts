/** Takes things out of the archive: loose objects are deleted, packs made anew without them. Only a purge by law does this. Safe to repeat. */
import { RejectError } from '@newswire/events/errors'
import { buildPack, entriesOf, type FoundIndex, indexesOf, type PackIndex, toIndexBytes } from '@newswire/objects/archive-pack'
import { archiveDayOf, keys } from '@newswire/objects/keys'
import { listKeys } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'

/** How often others may change the same pack meanwhile before it is an error. */
const ROUNDS = 8

/** A purge that cannot be done: what an operator can do about the pack that is in its way. `why` goes on from "is damaged". */
export const damagedPack = (pack: string, why: string, code: RejectError['code'], options?: ErrorOptions): RejectError => {
  const remedy = 'restore it from a copy of the archive or a backup, or delete it: the purge is done within a minute after that'
  return new RejectError(code, `pack ${pack} is damaged${why}; ${remedy}`, options)
}

/** What is left in a pack. Throws `RejectError` with what an operator can do when it cannot be unpacked. */
const restOf = (pack: string, bytes: Uint8Array, index: PackIndex, gone: ReadonlySet<string>) => {
  try {
    return [...entriesOf(bytes, index)].filter(entry => !gone.has(entry.key))
  } catch (error) {
    if (!(error instanceof RejectError)) throw error
    throw damagedPack(pack, ', and what was purged cannot be taken out of it', error.code, { cause: error })
  }
}

/** True once the pack is without them, or gone; false when somebody else changed it first. Throws `RejectError` when it cannot be unpacked. */
const repack = async (objects: Objects, folder: string, { key, etag, index }: FoundIndex, gone: ReadonlySet<string>): Promise<boolean> => {
  if (index.pack === null) return true
  const held = await objects.get(index.pack)
  if (held === null) return (await objects.head(key))?.etag === etag
  const pack = await buildPack(restOf(index.pack, held.bytes, index, gone))
  const packKey = pack.entries.length === 0 ? null : keys.archivePack(folder, index.manifest, index.part, pack.sha256)
  if (packKey !== null) await objects.put(packKey, pack.bytes, { ifNoneMatch: '*', sha256: pack.sha256 })
  const bytes = await toIndexBytes(pack, { manifest: index.manifest, part: index.part, pack: packKey })
  if (!(await objects.put(key, bytes, { ifMatch: etag })).ok) return false
  // Before the index named it, another process that tidies up may have taken it for left over.
  const ensure = async () => {
    if (packKey !== null && (await objects.head(packKey)) === null)
      await objects.put(packKey, pack.bytes, { ifNoneMatch: '*', sha256: pack.sha256 })
  }
  await ensure()
  await objects.delete(index.pack)
  await ensure()
  return true
}

/** Deletes those that still have no name when it is their turn: what was listed may have got one meanwhile. `named`: what has one now. */
export const deleteUnnamed = async (
  objects: Pick<Objects, 'delete'>,
  packs: readonly string[],
  named: () => Promise<ReadonlySet<string | null>>,
): Promise<void> => {
  const first = await named()
  for (const key of packs) if (!first.has(key) && !(await named()).has(key)) await objects.delete(key)
}

/** The manifest that a pack is of. */
export const manifestOf = (pack: string): number => Number(PACK.exec(pack)?.[2])

const PACK = /\/((\d{8})-\d{3})-[0-9a-f]{16}\.gz$/

/**
 * Packs of a day that no index names: what a killed packer or purge left behind may hold what must go. One whose own index is not there is left: it is
 * somebody's at work, or all that is left of a day whose index was lost. Returns those.
 */
const dropUnnamed = async (objects: Objects, folder: string): Promise<readonly string[]> => {
  const found = await listKeys(objects, keys.archivePacksOf(folder))
  const indexed = new Set(found.filter(key => key.endsWith('.index.jsonl')))
  const isIndexed = (key: string) => indexed.has(`${key.slice(0, key.lastIndexOf('-'))}.index.jsonl`)
  const packs = found.filter(key => PACK.test(key))
  const named = async () => new Set((await indexesOf(objects, folder)).map(({ index }) => index.pack))
  await deleteUnnamed(objects, packs.filter(isIndexed), named)
  return packs.filter(key => !isIndexed(key))
}

const eraseFromDay = async (objects: Objects, folder: string, gone: ReadonlySet<string>): Promise<readonly string[]> => {
  for (let round = 0; round < ROUNDS; round++) {
    const holding = (await indexesOf(objects, folder)).filter(({ index }) => [...index.entries.keys()].some(key => gone.has(key)))
    const done = await Promise.allSettled(holding.map(found => repack(objects, folder, found, gone)))
    const failed = done.find(one => one.status === 'rejected')
    if (failed === undefined && !done.every(one => one.status === 'fulfilled' && one.value)) continue
    const unindexed = await dropUnnamed(objects, folder)
    if (failed !== undefined) throw failed.reason
    return unindexed
  }
  throw new Error(`the packs of ${folder} are changed by others again and again; the purge is tried again`)
}

/**
 * Throws `RejectError` when a pack or an index cannot be read, after all else is gone. Returns the packs without an index on these days: what is in those
 * is not known here (`reindex.ts`).
 */
export const erase = async (objects: Objects, removed: readonly { key: string }[]): Promise<readonly string[]> => {
  const gone = new Set(removed.map(one => one.key))
  const folders = new Set(removed.map(one => archiveDayOf(one.key)).filter(folder => folder !== null))
  for (const key of gone) await objects.delete(key)
  const unindexed: string[] = []
  let damaged: RejectError | null = null
  for (const folder of folders)
    try {
      unindexed.push(...(await eraseFromDay(objects, folder, gone)))
    } catch (error) {
      if (!(error instanceof RejectError)) throw error
      damaged ??= error
    }
  if (damaged !== null) throw damaged
  return unindexed
}
