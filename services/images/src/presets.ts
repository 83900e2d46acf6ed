/** What is made of a picture, and what names it: a changed row, setting or encoder is another recipe and so another key. Pure. */

import { sha256Hex } from '@newswire/events/ids'
import type { PictureFormat, PicturePreset, PicturesConfig } from '@newswire/events/picture-config'
import type { Focus, Size } from './crop.ts'
import type { Words } from './words.ts'

/** The settings of an encoder. */
export type Encoding = Readonly<{ format: PictureFormat; quality: number; effort: number }>
/** One preset in all of its formats. `shape`: a crop; else the whole picture at `width`. */
export type Planned = Readonly<{ name: string; width: number; shape: Size | null; encodings: readonly Encoding[] }>
/** All that decides the bytes of a picture's renditions, besides its source. */
export type Recipe = Readonly<{
  plan: readonly Planned[]
  words: Words
  /** Where crops are cut; where eyes go (`attention`), when nobody has said. */
  focus: Focus | null
}>

const toPlanned = ({ name, width, height, formats }: PicturePreset, { quality, effort }: PicturesConfig): Planned => ({
  name,
  width,
  shape: height === undefined ? null : { width, height },
  encodings: formats.map(format => ({ format, quality: quality[format], effort: format === 'jpeg' ? 0 : effort[format] })),
})

/** Widest first, as they are cut from each other; crops after them. */
export const toPlan = (config: PicturesConfig): readonly Planned[] => {
  const all = config.presets.map(preset => toPlanned(preset, config))
  const widths = all.filter(one => one.shape === null).sort((a, b) => b.width - a.width)
  return [...widths, ...all.filter(one => one.shape !== null)]
}

/**
 * What is made of a picture this wide: every smaller width, and the first that holds it whole, at its own width; every crop. Nothing is
 * enlarged.
 */
export const planFor = (sourceWidth: number, plan: readonly Planned[]): readonly Planned[] => {
  const widths = plan.filter(one => one.shape === null)
  const holdsWhole = widths.findLast(one => one.width >= sourceWidth)
  return plan
    .filter(one => one.shape !== null || one.width < sourceWidth || one === holdsWhole)
    .map(one => (one.shape === null ? { ...one, width: Math.min(one.width, sourceWidth) } : one))
}

export const extensions = { jpeg: 'jpg', avif: 'avif', webp: 'webp' } as const satisfies Record<PictureFormat, string>
export const mediaTypes = { jpeg: 'image/jpeg', avif: 'image/avif', webp: 'image/webp' } as const satisfies Record<PictureFormat, string>

const short = (value: unknown): string => sha256Hex(JSON.stringify(value)).slice(0, 12)
const wordsList = (words: Words) => Object.entries(words).sort(([a], [b]) => (a < b ? -1 : 1))

/** A short hash of all that decides a rendition's bytes besides its source. `width`: the preset's own, not what came of it. */
export const recipeOf = (
  { name, width, shape }: Pick<Planned, 'name' | 'width' | 'shape'>,
  { format, quality, effort }: Encoding,
  { words, focus }: Pick<Recipe, 'words' | 'focus'>,
  encoder: string,
): string => short([name, width, shape, format, quality, effort, encoder, wordsList(words), shape === null ? null : focus])

/** Names a table: what is made of pictures where nothing is said of them. Another encoder is no other table. */
export const tableOf = (plan: readonly Planned[]): string => short(plan)

/** The recipe of all that is made of a picture together. */
export const setRecipeOf = (recipe: Recipe, encoder: string): string =>
  short(recipe.plan.flatMap(planned => planned.encodings.map(encoding => recipeOf(planned, encoding, recipe, encoder))))
