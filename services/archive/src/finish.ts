/**
 * Makes the packs of a manifest, then removes what lay loose. What a manifest lists is settled, so anybody may do this at any time, again, or
 * after somebody who was killed: the index of a pack is put once, and loose objects go only after the pack has been read back and holds them.
 * What is staged with the manifest is deleted last: while it is there, its packs are not made.
 */

import { RejectError } from '@newswire/events/errors'
import { sha256Hex } from '@newswire/events/ids'
import { buildPack, type Pack, parseIndex, readProven, type ToPack, toIndexBytes } from '@newswire/objects/archive-pack'
import { readArchived } from '@newswire/objects/archived'
import { createGiveWay } from '@newswire/objects/in-turns'
import { archiveDayOf, keys } from '@newswire/objects/keys'
import { listKeys, listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import type { Logger } from '@newswire/runtime/logger'
import { sideBySide } from '@newswire/runtime/side-by-side'
import { deleteUnnamed } from './erase.ts'
import { parseStaged } from './ledger.ts'
import { type Entry, type Manifest, parseManifest } from './manifest.ts'
import { type Purged, readPurged } from './purged.ts'
import { readKeys } from './signing.ts'

type Needs = Readonly<{ objects: Objects; logger: Pick<Logger, 'error'>; stopping?: AbortSignal }>
/** The entries of one pack: of one day, in the manifest's order. */
export type Part = Readonly<{ folder: string; part: number; entries: readonly Entry[] }>

/** What a pack unpacks to at most, unless a single entry is larger, bytes. */
const PART_BYTES = 16 * 1024 * 1024
const AT_ONCE = 16

/** How the entries of a manifest are divided into packs: by the manifest alone, so that everybody divides alike. Records of purges lie for themselves. */
export const toParts = (entries: readonly Entry[]): readonly Part[] => {
  const parts: { folder: string; part: number; entries: Entry[]; bytes: number }[] = []
  const last = new Map<string, (typeof parts)[number]>()
  for (const entry of entries) {
    const folder = archiveDayOf(entry.key)
    if (folder === null) continue
    let open = last.get(folder)
    if (open === undefined || open.bytes + entry.bytes > PART_BYTES) {
      open = { folder, part: (open?.part ?? 0) + 1, entries: [], bytes: 0 }
      parts.push(open)
      last.set(folder, open)
    }
    open.entries.push(entry)
    open.bytes += entry.bytes
  }
  return parts
}

export const readManifest = async (objects: Pick<Objects, 'get'>, number: number): Promise<Manifest | null> => {
  const key = keys.archiveManifest(number)
  const found = await objects.get(key)
  return found === null ? null : await parseManifest(found.bytes, key)
}

/**
 * The number of the newest manifest, 0 for none: numbers are dense, so it is found in a few looks, from the one that was published last. One that
 * was lost hides none behind it, and its number is not given again.
 */
export const newestManifest = async (objects: Pick<Objects, 'get' | 'head'>): Promise<number> => {
  const isThere = async (number: number) => (await objects.head(keys.archiveManifest(number))) !== null
  const published = (await readKeys(objects))?.value.head?.manifest ?? 0
  let ahead = 1
  while (await isThere(published + ahead)) ahead *= 2
  let [low, above] = [published + Math.floor(ahead / 2), published + ahead]
  while (above - low > 1) {
    const middle = Math.floor((low + above) / 2)
    if (await isThere(middle)) low = middle
    else above = middle
  }
  return low
}

/** What lies loose when it is what the manifest lists; else wherever it lies. `null` also for what is there and damaged: that is for the verifier to name, and must not stop the archive for ever. */
const readWhole = async (objects: Objects, { key, sha256 }: Entry): Promise<Uint8Array | null> => {
  const loose = await objects.get(key)
  if (loose !== null && sha256Hex(loose.bytes) === sha256) return loose.bytes
  try {
    return await readArchived(objects, key)
  } catch (error) {
    if (error instanceof RejectError) return null
    throw error
  }
}

/** Contents of a part that can still be had, in its order. */
const contentsOf = async (
  { objects, logger }: Needs,
  { entries }: Part,
  staged: ReadonlyMap<string, string>,
  purged: Purged,
): Promise<ToPack[]> => {
  const giveWay = createGiveWay()
  const found = await sideBySide(entries, AT_ONCE, async entry => {
    await giveWay()
    if (purged.removes(entry.article, entry.key)) return null
    const line = staged.get(entry.key)
    const content = line === undefined ? await readWhole(objects, entry) : Buffer.from(line)
    if (content !== null && sha256Hex(content) === entry.sha256) return { key: entry.key, sha256: entry.sha256, content }
    // Somebody else's hand: what is left is packed, and the verifier names this.
    logger.error({ key: entry.key, wanted: entry.sha256, found: content === null ? null : sha256Hex(content) }, 'archive.lost')
    return null
  })
  return found.filter(one => one !== null)
}

/** What the pack of a part holds for sure: its index and the pack itself were read back just now. `null` while there is no whole one. */
const proven = async (objects: Objects, manifest: number, { folder, part }: Part): Promise<ReadonlyMap<string, string> | null> => {
  const key = keys.archivePackIndex(folder, manifest, part)
  const held = await objects.get(key)
  return held === null ? null : readProven(objects, await parseIndex(held.bytes, key))
}

/** One that lies there with other bytes than its name says is damaged, and gives way. */
export const putPack = async (objects: Objects, key: string, { bytes, sha256 }: Pick<Pack, 'bytes' | 'sha256'>): Promise<void> => {
  if ((await objects.put(key, bytes, { ifNoneMatch: '*', sha256 })).ok) return
  const held = await objects.get(key)
  if (held !== null && sha256Hex(held.bytes) !== sha256) await objects.put(key, bytes, { ifMatch: held.etag, sha256 })
}

const makePack = async (needs: Needs, number: number, part: Part, staged: ReadonlyMap<string, string>, purged: Purged): Promise<void> => {
  const { objects } = needs
  const pack = await buildPack(await contentsOf(needs, part, staged, purged))
  const packKey = pack.entries.length === 0 ? null : keys.archivePack(part.folder, number, part.part, pack.sha256)
  if (packKey !== null) await putPack(objects, packKey, pack)
  const index = await toIndexBytes(pack, { manifest: number, part: part.part, pack: packKey })
  const key = keys.archivePackIndex(part.folder, number, part.part)
  const held = await objects.get(key)
  // One whose pack is missing or damaged gives way; any other was here first, and stays.
  await objects.put(key, index, held === null ? { ifNoneMatch: '*' } : { ifMatch: held.etag })
  await dropOrphans(objects, number, part)
}

/** The packs of this part as they lie there, whether its index names them or not. */
export const packsOf = async (objects: Objects, number: number, { folder, part }: Part): Promise<readonly string[]> => {
  const prefix = `${keys.archivePackIndex(folder, number, part).slice(0, -'.index.jsonl'.length)}-`
  return (await listKeys(objects, prefix)).filter(key => key.endsWith('.gz'))
}

/** Packs of this part that its index does not name: of a race that was lost, or of somebody who was killed before the index. */
export const dropOrphans = async (objects: Objects, number: number, part: Part): Promise<void> => {
  const indexKey = keys.archivePackIndex(part.folder, number, part.part)
  const found = await packsOf(objects, number, part)
  const named = async () => {
    const held = await objects.get(indexKey)
    // Without an index nothing is left over: a packer is at work.
    return new Set(held === null ? found : [(await parseIndex(held.bytes, indexKey)).pack])
  }
  await deleteUnnamed(objects, found, named)
}

/** How often a pack may turn out not to be whole before it is an error. */
const ROUNDS = 3

const finishPart = async (needs: Needs, number: number, part: Part, staged: ReadonlyMap<string, string>, purged: Purged): Promise<void> => {
  const { objects } = needs
  for (let round = 0; round < ROUNDS; round++) {
    const holds = await proven(objects, number, part)
    if (holds === null) {
      await makePack(needs, number, part, staged, purged)
      continue
    }
    await dropOrphans(objects, number, part)
    const loose = part.entries.filter(entry => holds.get(entry.key) === entry.sha256 && !staged.has(entry.key))
    await sideBySide(loose, AT_ONCE, entry => objects.delete(entry.key))
    return
  }
  throw new Error(`the pack of ${part.folder} in manifest ${number} does not become whole; the store gives back other bytes than it took`)
}

/** Makes the packs of one manifest. Safe to repeat, and side by side with others. */
const finish = async (needs: Needs, manifest: Manifest, stagedKey: string): Promise<void> => {
  const { objects } = needs
  const held = await objects.get(stagedKey)
  if (held === null) return // somebody else was done first
  const staged = new Map((await parseStaged(held.bytes)).map(({ key, line }) => [key, line]))
  const purged = await readPurged(objects)
  for (const part of toParts(manifest.entries)) {
    needs.stopping?.throwIfAborted()
    await finishPart(needs, manifest.head.number, part, staged, purged)
  }
  await objects.delete(stagedKey)
}

/** What is staged, with the number of the manifest that it is for. */
export async function* listStaged(objects: Pick<Objects, 'list'>): AsyncGenerator<Readonly<{ key: string; number: number }>> {
  for await (const page of listPages(objects, keys.archiveStagedPrefix))
    for (const { key } of page) yield { key, number: Number(/(\d+)-[0-9a-f]+\.jsonl$/.exec(key)?.[1]) }
}

/** Finishes what was closed and not packed, and removes what was staged for a manifest that somebody else's took the place of. `newest`: its number. */
export const finishPending = async (needs: Needs, newest: number): Promise<readonly Manifest[]> => {
  const { objects } = needs
  const finished: Manifest[] = []
  for await (const { key, number } of listStaged(objects)) {
    const manifest = number <= newest ? await readManifest(objects, number) : null
    if (manifest === null) continue
    if (keys.archiveStaged(number, manifest.head.stagedSha256) !== key) await objects.delete(key)
    else {
      await finish(needs, manifest, key)
      finished.push(manifest)
    }
  }
  return finished
}
