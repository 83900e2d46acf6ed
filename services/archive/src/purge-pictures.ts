/**
 * Pictures of a purged article: originals and renditions that no other article ever showed are deleted. Who else showed one is asked of the archive
 * itself, all of it, and of the marks that images leaves for each article it gives one to: slow, and right, and a purge is rare.
 */
import { entriesOf, parseIndex } from '@newswire/objects/archive-pack'
import { keys, parseArchiveKey } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'

type Finder = (key: string, content: Uint8Array) => void

/** Takes from `left` what another article's version names. */
const keepsIn =
  (articleId: string, left: Set<string>): Finder =>
  (key, content) => {
    if (parseArchiveKey(key)?.articleId === articleId || content.byteLength === 0) return
    const text = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
    for (const sha256 of left) if (text.includes(sha256, 0, 'latin1')) left.delete(sha256)
  }

const searchPacks = async (objects: Objects, look: Finder, isOver: () => boolean): Promise<void> => {
  for await (const page of listPages(objects, keys.archivePackPrefix))
    for (const { key } of page) {
      if (isOver()) return
      const held = key.endsWith('.index.jsonl') ? await objects.get(key) : null
      const index = held === null ? null : parseIndex(held.bytes, key)
      const hasVersions = index !== null && [...index.entries.keys()].some(one => parseArchiveKey(one) !== null)
      const pack = hasVersions && index.pack !== null ? await objects.get(index.pack) : null
      if (index === null || pack === null) continue
      for (const entry of entriesOf(pack.bytes, index)) if (parseArchiveKey(entry.key) !== null) look(entry.key, entry.content)
    }
}

/** Versions that are not packed yet, and submissions that wait for a picture. */
const searchLoose = async (objects: Objects, look: Finder, isOver: () => boolean): Promise<void> => {
  for (const prefix of [keys.archivePrefix, keys.parkedPrefix])
    for await (const page of listPages(objects, prefix))
      for (const { key } of page) {
        if (isOver()) return
        if (prefix === keys.archivePrefix && parseArchiveKey(key) === null) continue
        look(key, (await objects.get(key))?.bytes ?? new Uint8Array())
      }
}

/** Articles that were given it, whatever became of them: one that is held, or on its way, is in no archived version yet. */
const isGivenToOthers = async (objects: Objects, articleId: string, sha256: string): Promise<boolean> => {
  for await (const page of listPages(objects, keys.pictureUsePrefix(sha256)))
    if (page.some(({ key }) => key !== keys.pictureUse(sha256, articleId))) return true
  return false
}

/** Gives the pictures that were deleted. */
export const purgePictures = async (objects: Objects, articleId: string, pictures: readonly string[]): Promise<readonly string[]> => {
  const left = new Set(pictures)
  const look = keepsIn(articleId, left)
  const isOver = () => left.size === 0
  for (const sha256 of pictures) if (await isGivenToOthers(objects, articleId, sha256)) left.delete(sha256)
  await searchLoose(objects, look, isOver)
  await searchPacks(objects, look, isOver)
  for (const sha256 of left) {
    for await (const page of listPages(objects, keys.renditionPrefix(sha256))) for (const { key } of page) await objects.delete(key)
    await objects.delete(keys.original(sha256))
    await objects.delete(keys.pictureUse(sha256, articleId))
  }
  return [...left]
}
