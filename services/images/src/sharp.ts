/**
 * The only importer of sharp. It is loaded at the first picture, because it costs 30 MB that a process without pictures need not spend.
 * Decoded once to a raw master (shrink on load), every rendition cut from that: less work and less blur than one pipeline each
 * (research: half the CPU, a fifth for progressive files).
 */
import type { Preset, Words } from './presets.ts'
import { toXmp } from './xmp.ts'

export type RenderedFile = Readonly<{ preset: Preset; bytes: Buffer; width: number; height: number }>
export type RenderResult = Readonly<{ ok: true; files: readonly RenderedFile[] }> | Readonly<{ ok: false; reason: string }>
export type PictureSize = Readonly<{ ok: true; width: number; height: number }> | Readonly<{ ok: false; reason: string }>

/** A decoded progressive JPEG costs four times its pixels; others once (research/images §1.3). */
const MAX_PIXELS = 100_000_000
const MAX_PROGRESSIVE_PIXELS = 60_000_000
const MASTER_WIDTH = 2048
const DECODE_TIMEOUT_S = 20
const LOADERS = ['VipsForeignLoadJpeg', 'VipsForeignLoadPng', 'VipsForeignLoadWebp', 'VipsForeignLoadHeif', 'VipsForeignLoadNsgif']

export type Renderer = Readonly<{
  /** Names the encoder and its version: part of every recipe. */
  encoder: string
  /** The size as shown (orientation applied), without decoding; refuses what would cost too much. */
  measure(bytes: Uint8Array): Promise<PictureSize>
  /** All files of the plan, widest first. A picture that cannot be decoded is `ok: false`; nothing it does throws. */
  render(bytes: Uint8Array, plan: readonly Preset[], wordsOf: Words): Promise<RenderResult>
}>

const reasonOf = (error: unknown): string => (error instanceof Error ? (error.message.split('\n')[0] ?? 'unreadable') : 'unreadable')

/** Loads sharp, with its loaders cut down to an allow-list (no SVG, no PDF, no ImageMagick), its cache off and one thread a picture. */
export const loadRenderer = async (): Promise<Renderer> => {
  const { default: sharp } = await import('sharp')
  sharp.block({ operation: ['VipsForeignLoad'] })
  sharp.unblock({ operation: LOADERS })
  sharp.cache(false)
  sharp.concurrency(1)
  const options = { autoOrient: true, limitInputPixels: MAX_PIXELS, failOn: 'warning' } as const

  const measure = async (bytes: Uint8Array): Promise<PictureSize> => {
    try {
      const found = await sharp(bytes, options).metadata()
      const { width, height } = found.autoOrient
      const limit = found.isProgressive ? MAX_PROGRESSIVE_PIXELS : MAX_PIXELS
      if (width * height > limit)
        return { ok: false, reason: `${width} × ${height} pixels are more than the limit of ${limit / 1_000_000} million` }
      return { ok: true, width, height }
    } catch (error) {
      return { ok: false, reason: `the picture cannot be read: ${reasonOf(error)}` }
    }
  }

  const render = async (bytes: Uint8Array, plan: readonly Preset[], words: Words): Promise<RenderResult> => {
    try {
      const master = await sharp(bytes, options)
        .timeout({ seconds: DECODE_TIMEOUT_S })
        .resize({ width: MASTER_WIDTH, withoutEnlargement: true })
        .flatten({ background: '#ffffff' })
        .toColourspace('srgb')
        .raw()
        .toBuffer({ resolveWithObject: true })
      const { width, height, channels } = master.info
      const xmp = toXmp(words)
      const files: RenderedFile[] = []
      for (const preset of plan) {
        const file = await sharp(master.data, { raw: { width, height, channels } })
          .resize({ width: preset.width, withoutEnlargement: true })
          .jpeg({ quality: preset.quality, progressive: false })
          .withXmp(xmp)
          .toBuffer({ resolveWithObject: true })
        files.push({ preset, bytes: file.data, width: file.info.width, height: file.info.height })
      }
      return { ok: true, files }
    } catch (error) {
      return { ok: false, reason: `the picture cannot be decoded: ${reasonOf(error)}` }
    }
  }

  return { encoder: `sharp ${sharp.versions.sharp ?? ''} vips ${sharp.versions.vips}`, measure, render }
}
