/** Everything that the archive holds of an article: listed in manifests, or not yet. Reads only. */
import { RejectError } from '@newswire/events/errors'
import { isSha256, sha256Hex } from '@newswire/events/ids'
import type { Log } from '@newswire/log/log'
import { readArchived } from '@newswire/objects/archived'
import { archiveDayOf, keys, parseArchiveKey, parsePictureKey } from '@newswire/objects/keys'
import { listKeys, listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import { setsMadeFor } from '@newswire/objects/picture-mark'
import { newestManifest, readManifest } from './finish.ts'
import { goneFromStore } from './gone.ts'
import { type LedgerLine, type Milestone, nativesIn, readMilestones, withoutWords } from './ledger.ts'
import { type Entry, parseManifest } from './manifest.ts'
import { isLedgerKey, type PurgeWish, type Removed } from './purged.ts'

type Needs = Readonly<{ objects: Objects; log: Pick<Log, 'ends' | 'read'> }>
export type Found = Readonly<{
  removed: readonly Removed[]
  /** What the lines of the ledger say that go, without words. */
  milestones: readonly Milestone[]
  /** SHA-256 of the source pictures that it was given, or that a version shows that could still be read; and the keys of what was made of them for it, with its words in them. */
  pictures: readonly string[]
  renditions: readonly string[]
}>

/** Milestones at once, when those since the newest manifest are searched. */
const SLICE = 10_000

/** Entries of an article in all manifests, one manifest in memory at a time. */
async function* listedOf(objects: Objects, articleId: string): AsyncGenerator<{ entry: Entry; manifest: number }> {
  const newest = await newestManifest(objects)
  const needle = Buffer.from(`"article":"${articleId}"`)
  for (let number = 1; number <= newest; number++) {
    const key = keys.archiveManifest(number)
    const held = await objects.get(key)
    // What it lists of the article would stay, and be said to be gone.
    if (held === null) throw goneFromStore(key, 'nothing is purged')
    if (!Buffer.from(held.bytes.buffer, held.bytes.byteOffset, held.bytes.byteLength).includes(needle)) continue
    for (const entry of (await parseManifest(held.bytes, key)).entries)
      if (entry.article === articleId && archiveDayOf(entry.key) !== null) yield { entry, manifest: number }
  }
}

/** Versions and native payloads that lie loose, whether a manifest lists them or not. */
const looseOf = async ({ objects, log }: Needs, { articleId, keeps }: PurgeWish): Promise<readonly Removed[]> => {
  const ofDay = await listKeys(objects, keeps.slice(0, keeps.lastIndexOf('/') + 1))
  const found = ofDay.filter(key => parseArchiveKey(key)?.articleId === articleId)
  const last = await readManifest(objects, await newestManifest(objects))
  for (let from = last?.head.cut.milestones ?? {}, isWhole = false; !isWhole; ) {
    const slice = await readMilestones(log, from, SLICE)
    found.push(...(await nativesIn(slice.records.filter(record => record.key === articleId))).map(one => one.key))
    ;({ cut: from, isWhole } = slice)
  }
  const removed: Removed[] = []
  for (const key of found) {
    const held = key === keeps ? null : await objects.get(key)
    if (held !== null) removed.push({ key, sha256: sha256Hex(held.bytes), bytes: held.bytes.byteLength, manifest: null })
  }
  return removed
}

type Shown = Readonly<{ pictures: Set<string>; renditions: Set<string> }>

/** Pictures that it was given and that no version may ever have shown, of what was held or never came out, with what was made of them for it. */
const addGiven = async (objects: Objects, articleId: string, { pictures, renditions }: Shown): Promise<void> => {
  for await (const page of listPages(objects, keys.pictureUsesPrefix))
    for (const { key } of page) {
      const mark = parsePictureKey(key)
      if (mark?.articleId !== articleId) continue
      const { sha256 } = mark
      pictures.add(sha256)
      for (const set of await setsMadeFor(objects, { sha256, articleId })) addMade(await readJson(objects, set), sha256, renditions)
    }
}

/** Without a schema: what another build wrote differently must not keep a purge from its work. */
const addMade = (content: Awaited<ReturnType<typeof readJson>>, sha256: string, renditions: Set<string>): void => {
  if (content === null || content === 'unknown') return
  const made = (content.json as { renditions?: unknown } | null)?.renditions
  for (const one of Array.isArray(made) ? made : []) {
    const key: unknown = one?.key
    if (typeof key === 'string' && key.startsWith(keys.renditionPrefix(sha256))) renditions.add(key)
  }
}

/** What lies under a key, as JSON; `null` for nothing. `unknown`: a pack is missing or damaged, which must not keep a purge from its work. */
const readJson = async (objects: Objects, key: string): Promise<Readonly<{ json: unknown }> | null | 'unknown'> => {
  try {
    const content = await readArchived(objects, key)
    return content === null ? null : { json: JSON.parse(Buffer.from(content).toString('utf8')) }
  } catch (error) {
    if (error instanceof RejectError || error instanceof SyntaxError) return 'unknown'
    throw error
  }
}

/** Read without a schema: a version that another build wrote differently must not keep a purge from its work. */
const addShown = async (objects: Objects, key: string, { pictures, renditions }: Shown): Promise<void> => {
  const content = await readJson(objects, key)
  if (content === null || content === 'unknown') return
  const images = (content.json as { fact?: { article?: { images?: unknown } } } | null)?.fact?.article?.images
  for (const one of Array.isArray(images) ? images : []) {
    const sha256: unknown = one?.sha256
    if (typeof sha256 !== 'string' || !isSha256(sha256)) continue
    pictures.add(sha256)
    addMade({ json: one }, sha256, renditions)
  }
}

/** Of a line of the ledger whose milestones have words; none of one that cannot be read, and `null` for one without words, which may stay. */
const wordsIn = async (objects: Objects, key: string): Promise<readonly Milestone[] | null> => {
  const content = await readJson(objects, key)
  if (content === 'unknown') return []
  if (content === null) return null
  const { milestones } = content.json as LedgerLine
  return milestones.some(one => Object.keys(withoutWords(one).data).length < Object.keys(one.data).length) ? milestones : null
}

export const findAll = async (needs: Needs, wish: PurgeWish): Promise<Found> => {
  const { objects } = needs
  const removed = new Map<string, Removed>()
  const milestones: Milestone[] = []
  const shown: Shown = { pictures: new Set(), renditions: new Set() }
  const add = (one: Removed) => {
    if (!removed.has(`${one.key} ${one.sha256}`)) removed.set(`${one.key} ${one.sha256}`, one)
  }
  for await (const { entry, manifest } of listedOf(objects, wish.articleId)) {
    const { key, sha256, bytes } = entry
    if (key === wish.keeps) continue
    if (isLedgerKey(key)) {
      const worded = await wordsIn(objects, key)
      if (worded === null) continue
      milestones.push(...worded.map(withoutWords))
    } else if (parseArchiveKey(key) !== null) await addShown(objects, key, shown)
    add({ key, sha256, bytes, manifest })
  }
  for (const one of await looseOf(needs, wish)) {
    if (parseArchiveKey(one.key) !== null) await addShown(objects, one.key, shown)
    add(one)
  }
  await addGiven(objects, wish.articleId, shown)
  return { removed: [...removed.values()], milestones, pictures: [...shown.pictures].sort(), renditions: [...shown.renditions].sort() }
}
