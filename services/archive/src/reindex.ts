/**
 * The index of the archive made again: for each part of each manifest the object that says which pack holds it and where each entry lies in that. From
 * what was signed, and from packs and loose objects as they were read just now; one that is as it should be is left. Safe to repeat, and beside closings
 * and purges: an index is swapped in against what was there, and what was purged meanwhile is looked for afterwards.
 */
import { RejectError } from '@newswire/events/errors'
import { sha256Hex } from '@newswire/events/ids'
import { buildPack, type Pack, parseIndex, readProven, type ToPack, toIndexBytes } from '@newswire/objects/archive-pack'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import type { Logger } from '@newswire/runtime/logger'
import { sideBySide } from '@newswire/runtime/side-by-side'
import { dropOrphans, listStaged, type Part, packsOf, putPack, readManifest, toParts } from './finish.ts'
import type { Entry } from './manifest.ts'
import { type Purged, readPurged } from './purged.ts'
import { salvage } from './salvage.ts'

type Needs = Readonly<{ objects: Objects; logger: Pick<Logger, 'error' | 'info'> }>

/** `made`: indexes that were made again for a pack that was there; `packed`: packs too. `lost`: entries that nothing holds any more. */
type Reindexed = Readonly<{ packs: number; made: number; packed: number; lost: number }>
export const NOTHING_REINDEXED: Reindexed = { packs: 0, made: 0, packed: 0, lost: 0 }

export const addReindexed = (a: Reindexed, b: Reindexed): Reindexed => ({
  packs: a.packs + b.packs,
  made: a.made + b.made,
  packed: a.packed + b.packed,
  lost: a.lost + b.lost,
})

const AT_ONCE = 16
/** How often a part may be changed by others under our hands. */
const ROUNDS = 8

type Held = Readonly<{ bytes: Uint8Array; etag: string }>

/** Key → SHA-256 of what the index says and its pack holds; `null` for an index that is none, or whose pack is not as it says. */
const provenBy = async (objects: Objects, key: string, held: Held | null): Promise<ReadonlyMap<string, string> | null> => {
  if (held === null) return null
  try {
    return await readProven(objects, await parseIndex(held.bytes, key))
  } catch (error) {
    if (error instanceof RejectError) return null
    throw error
  }
}

type Source = Readonly<{ pack: string | null; built: Pack; isNew: boolean; lost: readonly Entry[] }>

const toNew = async (number: number, { folder, part }: Part, contents: readonly ToPack[], lost: readonly Entry[]): Promise<Source> => {
  const built = await buildPack(contents)
  const pack = built.entries.length === 0 ? null : keys.archivePack(folder, number, part, built.sha256)
  return { pack, built, isNew: true, lost }
}

/** A pack that holds all that can still be had, and nothing else; else a new one of it. */
const findSource = async (objects: Objects, number: number, part: Part, wanted: readonly Entry[]): Promise<Source> => {
  const isWanted = new Set(wanted.map(one => one.key))
  const contents = new Map<string, Uint8Array>()
  const whole: Omit<Source, 'isNew' | 'lost'>[] = []
  for (const pack of await packsOf(objects, number, part)) {
    const held = await objects.get(pack)
    if (held === null) continue
    const found = salvage(held.bytes, part.entries)
    for (const [key, content] of found.contents) if (isWanted.has(key)) contents.set(key, content)
    const built = { bytes: held.bytes, sha256: sha256Hex(held.bytes), entries: found.entries }
    const isNamedSo = pack === keys.archivePack(part.folder, number, part.part, built.sha256)
    if (found.isWhole && isNamedSo && found.entries.every(one => isWanted.has(one.key))) whole.push({ pack, built })
  }
  await sideBySide(
    wanted.filter(one => !contents.has(one.key)),
    AT_ONCE,
    async ({ key, sha256 }) => {
      const loose = await objects.get(key)
      if (loose !== null && sha256Hex(loose.bytes) === sha256) contents.set(key, loose.bytes)
    },
  )
  const lost = wanted.filter(one => !contents.has(one.key))
  const fitting = whole.find(one => one.built.entries.length === contents.size)
  if (fitting !== undefined) return { ...fitting, isNew: false, lost }
  const toPack = wanted.flatMap(({ key, sha256 }) => {
    const content = contents.get(key)
    return content === undefined ? [] : [{ key, sha256, content }]
  })
  return toNew(number, part, toPack, lost)
}

const wantedOf = ({ entries }: Part, purged: Purged): readonly Entry[] => entries.filter(one => !purged.removes(one.article, one.key))

/** Exactly what is wanted, as far as it goes. */
const isAsWanted = (holds: ReadonlyMap<string, string>, wanted: readonly Entry[]): boolean =>
  holds.size === wanted.length && wanted.every(one => holds.get(one.key) === one.sha256)

const reindexPart = async ({ objects, logger }: Needs, number: number, part: Part): Promise<Reindexed> => {
  const indexKey = keys.archivePackIndex(part.folder, number, part.part)
  let done: Pick<Reindexed, 'made' | 'packed'> = { made: 0, packed: 0 }
  for (let round = 0; round < ROUNDS; round++) {
    const wanted = wantedOf(part, await readPurged(objects))
    const held = await objects.get(indexKey)
    const holds = await provenBy(objects, indexKey, held)
    if (holds !== null && isAsWanted(holds, wanted)) {
      if (done.made > 0) await dropOrphans(objects, number, part)
      return { packs: 1, ...done, lost: 0 }
    }
    const { pack, built, isNew, lost } = await findSource(objects, number, part, wanted)
    const index = await toIndexBytes(built, { manifest: number, part: part.part, pack })
    const isSame = holds !== null && held !== null && Buffer.compare(held.bytes, index) === 0
    // An index of nothing would say that all was purged. What is left in a damaged pack of others is for people to save, so nothing is tidied up.
    if (isSame || (pack === null && wanted.length > 0)) {
      for (const { key, sha256 } of lost) logger.error({ key, wanted: sha256, found: null }, 'archive.lost')
      return { packs: 1, ...done, lost: lost.length }
    }
    if (isNew && pack !== null) await putPack(objects, pack, built)
    const put = await objects.put(indexKey, index, held === null ? { ifNoneMatch: '*' } : { ifMatch: held.etag })
    // Looked at once more, whoever won: its pack may have been taken for left over before it was named, and something may have been purged.
    if (!put.ok) continue
    done = { made: 1, packed: isNew && pack !== null ? 1 : 0 }
    logger.info({ key: indexKey, entries: built.entries.length, isNew }, 'archive.reindexed')
  }
  throw new Error(`the pack of ${part.folder} in manifest ${number} is changed by others again and again; try once more`)
}

/** Whether a manifest's packs are still to be made: whoever closes next makes them, with their index. */
const isStaged = async (objects: Objects, wanted: number): Promise<boolean> => {
  for await (const { number } of listStaged(objects)) if (number === wanted) return true
  return false
}

/** One manifest. Throws `RejectError` for one that cannot be read, and what the store throws. */
export const reindexManifest = async (needs: Needs, number: number): Promise<Reindexed> => {
  const manifest = await readManifest(needs.objects, number)
  if (manifest === null || (await isStaged(needs.objects, number))) return NOTHING_REINDEXED
  let all = NOTHING_REINDEXED
  for (const part of toParts(manifest.entries)) all = addReindexed(all, await reindexPart(needs, number, part))
  return all
}
