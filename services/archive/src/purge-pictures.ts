/**
 * Pictures of a purged article: originals that no other article ever showed are deleted with all that was made of them. Of a picture that others show
 * what was made for the purged article goes, because its words are written into it; other words make other files, so nobody else's are missing then.
 * Who else showed what is asked of the archive itself, all of it, and of the articles that images marked: slow, and right, and a purge is rare.
 */
import { entriesOf, parseIndex } from '@newswire/objects/archive-pack'
import { keys, parseArchiveKey, parsePictureKey } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'

type Finder = (key: string, content: Uint8Array) => void

/** Takes from `left`, hashes of pictures and keys of renditions, what another article's version names. */
const keepsIn =
  (articleId: string, left: readonly Set<string>[]): Finder =>
  (key, content) => {
    if (parseArchiveKey(key)?.articleId === articleId || content.byteLength === 0) return
    const text = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
    for (const names of left) for (const name of names) if (text.includes(name, 0, 'latin1')) names.delete(name)
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
const othersGiven = async (objects: Objects, articleId: string, sha256: string): Promise<readonly string[]> => {
  const found: string[] = []
  for await (const page of listPages(objects, keys.pictureUsePrefix(sha256)))
    found.push(...page.map(({ key }) => parsePictureKey(key)?.articleId ?? null).filter(other => other !== null))
  return found.filter(other => other !== articleId)
}

/** Files with the article's words in them, and first the sets that name them: whoever wants the same again makes it again. */
const deleteRenditions = async (objects: Objects, renditions: ReadonlySet<string>): Promise<void> => {
  const folders = new Set([...renditions].map(key => key.slice(0, key.lastIndexOf('/') + 1)))
  for (const folder of folders)
    for await (const page of listPages(objects, `${folder}set-`))
      for (const { key } of page) {
        const set = Buffer.from((await objects.get(key))?.bytes ?? []).toString('latin1')
        if ([...renditions].some(one => set.includes(one))) await objects.delete(key)
      }
  for (const key of renditions) await objects.delete(key)
}

type Shown = Readonly<{ pictures: readonly string[]; renditions: readonly string[] }>

/** Gives the pictures that were deleted whole. */
export const purgePictures = async (objects: Objects, articleId: string, shown: Shown): Promise<readonly string[]> => {
  const [pictures, renditions] = [new Set(shown.pictures), new Set(shown.renditions)]
  const look = keepsIn(articleId, [pictures, renditions])
  const isOver = () => pictures.size === 0 && renditions.size === 0
  for (const sha256 of shown.pictures) {
    const others = await othersGiven(objects, articleId, sha256)
    if (others.length > 0) pictures.delete(sha256)
    for (const other of others) look(keys.current(other), (await objects.get(keys.current(other)))?.bytes ?? new Uint8Array())
  }
  await searchLoose(objects, look, isOver)
  await searchPacks(objects, look, isOver)
  await deleteRenditions(objects, renditions)
  for (const sha256 of pictures) {
    for await (const page of listPages(objects, keys.renditionPrefix(sha256))) for (const { key } of page) await objects.delete(key)
    await objects.delete(keys.original(sha256))
  }
  for (const sha256 of shown.pictures) await objects.delete(keys.pictureUse(sha256, articleId))
  return [...pictures]
}
