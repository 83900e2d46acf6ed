/**
 * Settles one picture: bytes, original, renditions, all under their content's hash. Doing it again finds what is there; two processes
 * doing it at once write the same bytes under the same keys.
 */
import { type Picture, rendition } from '@newswire/events/article'
import { sha256Hex } from '@newswire/events/ids'
import { getDocument, swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import type { Outbound } from '@newswire/outbound/outbound'
import { z } from 'zod'
import type { Limit } from './limit.ts'
import { obtainPicture } from './obtain.ts'
import { type Preset, planRenditions, recipeOf, type Words } from './presets.ts'
import type { Renderer } from './sharp.ts'
import { sniffPicture } from './sniff.ts'

export type Settled = Readonly<{ outcome: 'settled'; picture: Picture }> | Readonly<{ outcome: 'later'; reason: string }>
export type SettleNeeds = Readonly<{ objects: Objects; outbound: Outbound; renderer: () => Promise<Renderer>; limit: Limit }>

/** What was made of a source with one set of words: written last, so its presence means that every file of it is there. */
const renditionSet = z.object({ renditions: z.array(rendition) })
const JPEG = 'image/jpeg'
const CACHE_A_DAY = 'public, max-age=86400, immutable'

const refuse = (picture: Picture, reason: string, sha256?: string): Settled => ({
  outcome: 'settled',
  picture: { ...picture, state: 'refused', renditions: [], reason, ...(sha256 === undefined ? {} : { sha256 }) },
})

/** The set's own recipe covers every preset, the encoder and the words. */
const setKey = (sha256: string, plan: readonly Preset[], encoder: string, words: Words): string =>
  keys.rendition(sha256, 'set', sha256Hex(plan.map(preset => recipeOf(preset, encoder, words)).join()).slice(0, 12), 'json')

const renderAll = async (
  { objects, limit }: SettleNeeds,
  renderer: Renderer,
  picture: Picture,
  bytes: Uint8Array,
  sha256: string,
): Promise<Settled> => {
  const size = await renderer.measure(bytes)
  if (!size.ok) return refuse(picture, size.reason, sha256)
  const words: Words = { caption: picture.caption, credit: picture.credit }
  const plan = planRenditions(size.width)
  const ready = (renditions: Picture['renditions']): Settled => {
    const { reason: _, ...rest } = picture
    return { outcome: 'settled', picture: { ...rest, state: 'ready', sha256, renditions } }
  }
  const key = setKey(sha256, plan, renderer.encoder, words)
  const known = await getDocument(objects, key, renditionSet)
  if (known !== null) return ready(known.value.renditions)
  const rendered = await limit(() => renderer.render(bytes, plan, words))
  if (!rendered.ok) return refuse(picture, rendered.reason, sha256)
  const renditions = rendered.files.map(({ preset, bytes: file, width, height }) => ({
    preset: preset.name,
    key: keys.rendition(sha256, preset.name, recipeOf(preset, renderer.encoder, words), 'jpg'),
    type: JPEG,
    width,
    height,
    bytes: file.byteLength,
  }))
  await Promise.all(
    rendered.files.map(({ bytes: file }, index) =>
      objects.put(renditions[index]?.key ?? '', file, { contentType: JPEG, cacheControl: CACHE_A_DAY, ifNoneMatch: '*' }),
    ),
  )
  await swapDocument(objects, key, { renditions }, null)
  return ready(renditions)
}

/** `later` when the source cannot be had now; a picture that can never be shown is settled as `refused`, with the reason, alone. */
export const settlePicture = async (needs: SettleNeeds, picture: Picture, signal: AbortSignal): Promise<Settled> => {
  const obtained = await obtainPicture(needs, picture, signal)
  if (obtained.outcome === 'later') return { outcome: 'later', reason: obtained.reason }
  if (obtained.outcome === 'never') return refuse(picture, obtained.reason)
  const { bytes } = obtained
  const type = sniffPicture(bytes)
  if (type === null) return refuse(picture, 'not a picture that can be shown: JPEG, PNG, WebP, AVIF and GIF are')
  const sha256 = sha256Hex(bytes)
  if (!picture.url.startsWith('newswire:')) await needs.objects.put(keys.original(sha256), bytes, { contentType: type, ifNoneMatch: '*' })
  return renderAll(needs, await needs.renderer(), picture, bytes, sha256)
}
