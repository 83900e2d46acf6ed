/**
 * Settles one picture: bytes, original, renditions, all under their content's hash. Doing it again finds what is there. Two at once in one process
 * are one; in two processes both do it, and the first to write the set names what both announce: that is rarer and cheaper than a claim, which
 * somebody would have to wait for when its holder dies.
 */
import { type Article, type Picture, picture as pictureSchema, rendition } from '@newswire/events/article'
import { sha256Hex } from '@newswire/events/ids'
import { type PictureOutcome, withOutcome } from '@newswire/events/picture-outcome'
import { isPurged } from '@newswire/objects/article-pictures'
import { getDocument, swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { markGiven } from '@newswire/objects/picture-mark'
import { takePicture } from '@newswire/objects/picture-use'
import type { Outbound } from '@newswire/outbound/outbound'
import type { Shared } from '@newswire/runtime/shared'
import { z } from 'zod'
import type { DecodedFile, Decoder, Lane } from './decoder.ts'
import { inspectPicture } from './inspect.ts'
import { obtainPicture } from './obtain.ts'
import { extensions, mediaTypes, type Planned, type Recipe, recipeOf, setRecipeOf } from './presets.ts'
import { wordsOf } from './words.ts'

export type Settled = Readonly<{ outcome: 'settled'; picture: Picture }> | Readonly<{ outcome: 'later'; reason: string }>
export type SettleNeeds = Readonly<{
  objects: Objects
  outbound: Outbound
  decoder: Decoder
  /** The table in force. */
  plan: () => readonly Planned[]
  /** One render at a time of equal ones. */
  shared: Shared<Settled>
  now: () => number
}>
/** What a picture is settled for. */
export type SettleFor = Readonly<{ articleId: string; lane: Lane; rights: Article['rights'] }>

export type Settle = (picture: Picture, settleFor: SettleFor, signal: AbortSignal) => Promise<Settled>

/** What was made of a source with one recipe: written last, so its presence means that every file of it is there. */
const renditionSet = z.object({ renditions: z.array(rendition), preview: pictureSchema.shape.preview })
type RenditionSet = z.output<typeof renditionSet>
const BEING_REMOVED = 'what was made of it before, and nobody used, is being removed; it is made again in a moment'
const PURGED = 'its article was purged for good'
/**
 * A mark that is older, ms, is written anew before files are, and once more when it has grown that old until they were: a purge waits for who marked a
 * picture, and not for ever (`picture-mark.ts`). Who stood still in between finds the purge here, or leaves what the sweep finds his files by.
 */
const MARK_AGAIN_MS = 60_000
const CACHE_A_DAY = 'public, max-age=86400, immutable'

const settled = (picture: Picture, outcome: PictureOutcome): Settled => ({ outcome: 'settled', picture: withOutcome(picture, outcome) })
const refuse = (picture: Picture, code: string, reason: string, sha256?: string): Settled =>
  settled(picture, { state: 'refused', renditions: [], code, reason, ...(sha256 === undefined ? {} : { sha256 }) })
const ready = (picture: Picture, sha256: string, { renditions, preview }: RenditionSet): Settled =>
  settled(picture, { state: 'ready', sha256, renditions, ...(preview === undefined ? {} : { preview }) })

const toRendition = ({ name, encoding, width, height, bytes }: DecodedFile, sha256: string, recipe: Recipe, encoder: string) => {
  // The preset's own width: two sources of different sizes have one recipe.
  const planned = recipe.plan.find(one => one.name === name) ?? { name, width, shape: null }
  return {
    preset: name,
    key: keys.rendition(sha256, name, recipeOf(planned, encoding, recipe, encoder), extensions[encoding.format]),
    type: mediaTypes[encoding.format],
    width,
    height,
    bytes: bytes.byteLength,
  }
}

const keepFiles = async (
  { objects }: SettleNeeds,
  renditions: RenditionSet['renditions'],
  files: readonly DecodedFile[],
): Promise<void> => {
  await Promise.all(
    files.map(async ({ bytes }, index) => {
      const { key, type } = renditions[index] ?? { key: '', type: '' }
      await objects.put(key, bytes, { contentType: type, cacheControl: CACHE_A_DAY, ifNoneMatch: '*' })
    }),
  )
}

/** The set under this key: the one that is there, also when another process put it there while this one worked. */
const keepSet = async (objects: Objects, key: string, set: RenditionSet): Promise<RenditionSet> => {
  const { ok } = await swapDocument(objects, key, set, null)
  return ok ? set : ((await getDocument(objects, key, renditionSet))?.value ?? set)
}

/** What is made of a source: by one recipe, all of it named by a set. `markedMs`: when it was marked. */
type Wanted = Readonly<{ sha256: string; recipe: Recipe; setRecipe: string; markedMs: number }>

/**
 * Before any of its files are looked for, and in this order: neither a purge of another article nor the sweep removes what is marked and taken; and
 * who marks before he asks whether the article is purged is either told so, or found by the purge.
 */
const takeIntoUse = async (
  { objects, now }: SettleNeeds,
  { sha256, setRecipe }: Omit<Wanted, 'markedMs'>,
  articleId: string,
): Promise<'taken' | 'being-removed' | 'purged'> => {
  await markGiven(objects, { sha256, articleId }, setRecipe, now())
  if (await isPurged(objects, articleId)) return 'purged'
  return (await takePicture(objects, sha256, now())) ? 'taken' : 'being-removed'
}

/** The mark in force, a new one when it had grown old; `null` when the files may not be relied on. That is no refusal: others may wait for the same. */
const takeAgain = async (needs: SettleNeeds, wanted: Wanted, articleId: string): Promise<Wanted | null> => {
  const markedMs = needs.now()
  if (Math.abs(markedMs - wanted.markedMs) <= MARK_AGAIN_MS) return wanted
  return (await takeIntoUse(needs, wanted, articleId)) === 'taken' ? { ...wanted, markedMs } : null
}

const renderAll = async (
  needs: SettleNeeds,
  picture: Picture,
  bytes: Uint8Array,
  wanted: Wanted,
  { lane, articleId }: SettleFor,
): Promise<Settled> => {
  const { objects, decoder } = needs
  const { sha256, recipe, setRecipe } = wanted
  const key = keys.rendition(sha256, 'set', setRecipe, 'json')
  const result = await needs.shared(key, async () => {
    const known = await getDocument(objects, key, renditionSet)
    if (known !== null) return ready(picture, sha256, known.value)
    const decoded = await decoder.render(bytes, recipe, lane)
    if (decoded.outcome === 'later') return decoded
    if (decoded.outcome === 'refused') return refuse(picture, decoded.code, decoded.reason, sha256)
    const before = await takeAgain(needs, wanted, articleId)
    if (before === null) return { outcome: 'later', reason: BEING_REMOVED }
    const renditions = decoded.files.map(file => toRendition(file, sha256, recipe, decoder.encoder))
    await keepFiles(needs, renditions, decoded.files)
    const set = await keepSet(objects, key, { renditions, preview: decoded.preview })
    if ((await takeAgain(needs, before, articleId)) === null) return { outcome: 'later', reason: BEING_REMOVED }
    return ready(picture, sha256, set)
  })
  return result.outcome === 'settled' ? settled(picture, result.picture) : result
}

/** `later` when the source cannot be had now; a picture that can never be shown is settled as `refused`, with the reason, alone. */
export const settlePicture = async (needs: SettleNeeds, picture: Picture, settleFor: SettleFor, signal: AbortSignal): Promise<Settled> => {
  const { articleId } = settleFor
  // Also before the mark: one that is sent again and again leaves none.
  if (await isPurged(needs.objects, articleId)) return refuse(picture, 'NEWSWIRE_PICTURE_PURGED', PURGED)
  const obtained = await obtainPicture(needs, picture, signal)
  if (obtained.outcome === 'later') return { outcome: 'later', reason: obtained.reason }
  if (obtained.outcome === 'never') return refuse(picture, 'NEWSWIRE_PICTURE_SOURCE', obtained.reason)
  const { bytes } = obtained
  const inspected = inspectPicture(bytes)
  if (!inspected.ok) return refuse(picture, inspected.code, inspected.reason)
  const sha256 = sha256Hex(bytes)
  const recipe: Recipe = { plan: needs.plan(), words: wordsOf(picture, settleFor.rights), focus: picture.focus ?? null }
  const wanted: Wanted = { sha256, recipe, setRecipe: setRecipeOf(recipe, needs.decoder.encoder), markedMs: needs.now() }
  const taken = await takeIntoUse(needs, wanted, articleId)
  if (taken === 'purged') return refuse(picture, 'NEWSWIRE_PICTURE_PURGED', PURGED)
  if (taken === 'being-removed') return { outcome: 'later', reason: BEING_REMOVED }
  const isUpload = picture.url.startsWith('newswire:') && (await needs.objects.head(keys.original(sha256))) !== null
  if (!isUpload) await needs.objects.put(keys.original(sha256), bytes, { contentType: inspected.type, ifNoneMatch: '*' })
  return renderAll(needs, picture, bytes, wanted, settleFor)
}
