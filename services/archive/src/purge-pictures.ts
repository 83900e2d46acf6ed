/**
 * Pictures of a purged article: originals that no other article ever showed are deleted with all that was made of them. Of a picture that others show
 * what was made for the purged article goes, because its words are written into it; other words make other files, so nobody else's are missing then.
 * Who else showed what is asked of the archive itself, all of it, and of the articles that images marked: slow, and right, and a purge is rare. Who
 * takes a picture into use meanwhile is asked for once more, when nobody else can any longer (`claimPicture`).
 *
 * Who marked a picture for the article before it was purged may write files when all this has looked. So a mark stays until it is so old that its
 * writer has ended, and the purge is looked at again while one is there.
 */
import { RejectError } from '@newswire/events/errors'
import { entriesOf, openPack, parseIndex } from '@newswire/objects/archive-pack'
import { inTurns } from '@newswire/objects/in-turns'
import { keys, parseArchiveKey, parsePictureKey } from '@newswire/objects/keys'
import { listKeys, listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import { mayBeMaking, setsMadeFor } from '@newswire/objects/picture-mark'
import { claimPicture, REMOVE_WITHIN_MS } from '@newswire/objects/picture-use'

type Finder = (key: string, content: Uint8Array) => void

/** Takes from `left`, hashes of pictures and keys of renditions, what another article's version names. */
const keepsIn =
  (articleId: string, left: readonly Set<string>[]): Finder =>
  (key, content) => {
    if (parseArchiveKey(key)?.articleId === articleId || content.byteLength === 0) return
    const text = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
    for (const names of left) for (const name of names) if (text.includes(name, 0, 'latin1')) names.delete(name)
  }

const searchPack = async (objects: Objects, key: string, look: Finder): Promise<void> => {
  const held = await objects.get(key)
  if (held === null) return
  const index = await parseIndex(held.bytes, key)
  if (![...index.entries.keys()].some(one => parseArchiveKey(one) !== null)) return
  const pack = await openPack(objects, { key, index })
  if (pack === null) return
  await inTurns(entriesOf(pack.bytes, pack.index), entry => {
    if (parseArchiveKey(entry.key) !== null) look(entry.key, entry.content)
  })
}

const searchPacks = async (objects: Objects, look: Finder, isOver: () => boolean): Promise<void> => {
  for await (const page of listPages(objects, keys.archivePackPrefix))
    for (const { key } of page) {
      if (isOver()) return
      if (!key.endsWith('.index.jsonl')) continue
      await searchPack(objects, key, look).catch(error => {
        // Missing or damaged: for the verifier to name. What is out has its marks, and a purge is not kept from its work.
        if (!(error instanceof RejectError)) throw error
      })
    }
}

/** Versions that are not packed yet, and submissions of others that wait for a picture. */
const searchLoose = async (objects: Objects, articleId: string, look: Finder, isOver: () => boolean): Promise<void> => {
  const own = keys.parkedOf(articleId)
  for (const prefix of [keys.archivePrefix, keys.parkedPrefix])
    for await (const page of listPages(objects, prefix))
      for (const { key } of page) {
        if (isOver()) return
        if (key.startsWith(own) || (prefix === keys.archivePrefix && parseArchiveKey(key) === null)) continue
        look(key, (await objects.get(key))?.bytes ?? new Uint8Array())
      }
}

/** Articles that were given it, whatever became of them: one that is held, or on its way, is in no archived version yet. */
const othersGiven = async (objects: Objects, articleId: string, sha256: string): Promise<readonly string[]> => {
  const given = (await listKeys(objects, keys.pictureUsePrefix(sha256))).map(key => parsePictureKey(key)?.articleId ?? null)
  return given.filter(other => other !== null).filter(other => other !== articleId)
}

type Needs = Readonly<{ objects: Objects; now: () => number }>
type Left = Readonly<{ pictures: Set<string>; renditions: Set<string> }>

/**
 * Takes out what articles have that were given the picture, and what was made of it for them, also on its way to the desk. `false`: one of them may
 * be having files made whose set is not there yet, and nobody can say which.
 */
const keepGiven = async ({ objects, now }: Needs, articleId: string, sha256: string, left: Left, look: Finder): Promise<boolean> => {
  let isKnown = true
  const others = await othersGiven(objects, articleId, sha256)
  if (others.length > 0) left.pictures.delete(sha256)
  for (const other of others) {
    const given = { sha256, articleId: other }
    look(keys.current(other), (await objects.get(keys.current(other)))?.bytes ?? new Uint8Array())
    for (const key of await setsMadeFor(objects, given)) {
      const set = await objects.get(key)
      if (set === null) isKnown &&= !(await mayBeMaking(objects, given, now()))
      else look(key, set.bytes)
    }
  }
  return isKnown
}

/** What goes of a picture, in this order: first the sets that name files, so that whoever wants the same again makes it again. */
const filesOf = async (objects: Objects, sha256: string, { pictures, renditions }: Left): Promise<readonly string[]> => {
  const all = await listKeys(objects, keys.renditionPrefix(sha256))
  const sets = all.filter(key => key.endsWith('.json'))
  const files = all.filter(key => !key.endsWith('.json'))
  if (pictures.has(sha256)) {
    const original = keys.original(sha256)
    return [...sets, ...files, ...((await objects.head(original)) === null ? [] : [original])]
  }
  const worded = files.filter(key => renditions.has(key))
  const naming: string[] = []
  for (const key of worded.length === 0 ? [] : sets) {
    const set = Buffer.from((await objects.get(key))?.bytes ?? []).toString('latin1')
    if (worded.some(one => set.includes(one))) naming.push(key)
  }
  return [...naming, ...worded]
}

/** Gives whether all of it is gone; `false`: it is looked at again. */
const removeFiles = async (needs: Needs, articleId: string, sha256: string, left: Left, look: Finder): Promise<boolean> => {
  const { objects, now } = needs
  if ((await filesOf(objects, sha256, left)).length === 0) return true
  const untilMs = performance.now() + REMOVE_WITHIN_MS
  const claimedMs = now()
  const giveUp = await claimPicture(objects, { sha256, articleId }, claimedMs)
  if (giveUp === null)
    throw new Error(`the files of picture ${sha256} are being removed by another at the same moment; it is looked at again`)
  const isKnown = await keepGiven(needs, articleId, sha256, left, look)
  for (const key of isKnown ? await filesOf(objects, sha256, left) : []) {
    const isLate = performance.now() > untilMs || Math.abs(now() - claimedMs) > REMOVE_WITHIN_MS
    if (isLate) throw new Error(`removing the files of picture ${sha256} takes too long; it is gone on with`)
    await objects.delete(key)
  }
  await giveUp()
  return isKnown
}

type Shown = Readonly<{ pictures: readonly string[]; renditions: readonly string[] }>

/**
 * Gives the pictures that were deleted whole, and whether something may be left or still come, so that it must be looked at again. `beganMs`: when
 * the marks were read, at the latest. Throws when another removes the same picture at the moment. Safe to repeat.
 */
export const purgePictures = async (
  needs: Needs,
  articleId: string,
  shown: Shown,
  beganMs: number,
): Promise<Readonly<{ deleted: readonly string[]; isOpen: boolean }>> => {
  const { objects } = needs
  const left: Left = { pictures: new Set(shown.pictures), renditions: new Set(shown.renditions) }
  const all = [...left.pictures]
  const look = keepsIn(articleId, [left.pictures, left.renditions])
  const isOver = () => left.pictures.size === 0 && left.renditions.size === 0
  for (const sha256 of all) await keepGiven(needs, articleId, sha256, left, look)
  await searchLoose(objects, articleId, look, isOver)
  await searchPacks(objects, look, isOver)
  const done = new Set<string>()
  for (const sha256 of all) if (await removeFiles(needs, articleId, sha256, left, look)) done.add(sha256)
  let isOpen = done.size < all.length
  for (const sha256 of done)
    if (await mayBeMaking(objects, { sha256, articleId }, beganMs)) isOpen = true
    else await objects.delete(keys.pictureUse(sha256, articleId))
  return { deleted: [...left.pictures], isOpen }
}
