/** The sizes that are made of every picture: a small table. A changed row, or another encoder, is another recipe and so another key. */
import { sha256Hex } from '@newswire/events/ids'

export type Preset = Readonly<{ name: string; width: number; quality: number }>

/** JPEG baseline, widths in pixels; enough for `srcset`, and wide enough for aggregators that ask for 1200. */
export const presets: readonly Preset[] = [
  { name: 'w2048', width: 2048, quality: 80 },
  { name: 'w1280', width: 1280, quality: 80 },
  { name: 'w960', width: 960, quality: 80 },
  { name: 'w640', width: 640, quality: 80 },
  { name: 'w320', width: 320, quality: 80 },
]

/**
 * What is made of a picture this wide: every smaller preset, and the first that holds it whole, at its own width (nothing is enlarged).
 * Widest first, as they are cut from each other.
 */
export const planRenditions = (sourceWidth: number, table: readonly Preset[] = presets): readonly Preset[] => {
  const rising = [...table].sort((a, b) => a.width - b.width)
  const holdsWhole = rising.find(preset => preset.width >= sourceWidth)
  return rising
    .filter(preset => preset.width < sourceWidth || preset === holdsWhole)
    .map(preset => ({ ...preset, width: Math.min(preset.width, sourceWidth) }))
    .reverse()
}

/** The words written into the files. They are part of the recipe: the same picture with another credit is another rendition. */
export type Words = Readonly<{ caption: string; credit: string }>

/** A short hash of all that decides a rendition's bytes besides its source. */
export const recipeOf = (preset: Preset, encoder: string, words: Words): string =>
  sha256Hex(JSON.stringify([preset.name, preset.width, preset.quality, encoder, words.caption, words.credit])).slice(0, 12)
