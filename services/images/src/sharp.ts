/**
 * The only importer of sharp; loaded in the decoding process alone (`decoder-child.ts`). Decoded once (shrink on load), every width cut from the
 * one above it, every format encoded from the same pixels: less work and less blur than a pipeline each (research: half the CPU, a fifth for
 * progressive files).
 */
import type { Sharp } from 'sharp'
import { toBlurHash } from './blur-hash.ts'
import { cropBox, cropSize, type Focus, type Size } from './crop.ts'
import { smallFirstFrame } from './inspect-gif.ts'
import { readIptc, withIptc } from './iptc.ts'
import { type Encoding, type Planned, planFor, type Recipe } from './presets.ts'
import { readXmp } from './read-xmp.ts'
import { type FileWords, mergeWords, noWords } from './words.ts'
import { toXmp } from './xmp.ts'

export type RenderedFile = Readonly<{ name: string; encoding: Encoding; width: number; height: number; bytes: Buffer }>
type Preview = Readonly<{ color: string; blurHash: string }>
type Rendered = Readonly<{ ok: true; preview: Preview }> | Readonly<{ ok: false; reason: string }>

/** The masters' widest, and the height that crops of wide pictures need. */
const MASTER: Size = { width: 2048, height: 1200 }
/** Pixels of a master at most: 72 MB. */
const MAX_MASTER_PIXELS = 24_000_000
const MAX_PIXELS = 100_000_000
const DECODE_TIMEOUT_S = 15
const LOADERS = ['VipsForeignLoadJpeg', 'VipsForeignLoadPng', 'VipsForeignLoadWebp', 'VipsForeignLoadHeif', 'VipsForeignLoadNsgif']
const PROBE_WIDTH = 320
const PREVIEW_WIDTH = 32
const CENTRE: Focus = { x: 0.5, y: 0.5 }
const WHITE = '#ffffff'

type Placed = Size & Readonly<{ left: number; top: number; screen: Size }>
type Raw = Readonly<{ data: Buffer; info: Readonly<{ width: number; height: number; channels: 1 | 2 | 3 | 4 }> }>

const reasonOf = (error: unknown): string => (error instanceof Error ? (error.message.split('\n')[0] ?? 'unreadable') : 'unreadable')

/** How much smaller the master is than the picture: wide enough for the widest preset, high enough for the highest crop, and no larger than memory allows. */
export const masterWidth = ({ width, height }: Size, plan: readonly Planned[]): number => {
  const wide = Math.max(MASTER.width, ...plan.filter(one => one.shape === null).map(one => one.width))
  const scale = Math.min(1, Math.max(wide / width, MASTER.height / height), Math.sqrt(MAX_MASTER_PIXELS / (width * height)))
  return Math.max(1, Math.round(width * scale))
}

const readWords = ({ xmp, iptc }: Readonly<{ xmp?: Buffer | undefined; iptc?: Buffer | undefined }>): FileWords => ({
  ...noWords,
  ...(iptc === undefined ? {} : readIptc(iptc)),
  ...(xmp === undefined ? {} : readXmp(xmp)),
})

/** libvips takes AVIF by its first brand, and does not know that of a sequence (`avis`), whose still picture it can read all the same. */
const asStill = (bytes: Uint8Array): Uint8Array => {
  if (Buffer.from(bytes.subarray(4, 12)).toString('latin1') !== 'ftypavis') return bytes
  const still = Buffer.from(bytes)
  still.write('avif', 8, 'latin1')
  return still
}

type Renderer = Readonly<{
  /** Hands over file after file, widest first. A picture that cannot be decoded is `ok: false`; nothing it does throws. */
  render(bytes: Uint8Array, recipe: Recipe, onFile: (file: RenderedFile) => void): Promise<Rendered>
}>

/** Loads sharp, with its loaders cut down to an allow-list (no SVG, no PDF, no ImageMagick), its cache off and one thread a picture. */
export const loadRenderer = async (): Promise<Renderer> => {
  const { default: sharp } = await import('sharp')
  sharp.block({ operation: ['VipsForeignLoad'] })
  sharp.unblock({ operation: LOADERS })
  sharp.cache(false)
  sharp.concurrency(1)

  const of = ({ data, info: { width, height, channels } }: Raw): Sharp => sharp(data, { raw: { width, height, channels } })
  const toRaw = (pipeline: Sharp): Promise<Raw> => pipeline.raw().toBuffer({ resolveWithObject: true })

  const encode = (pipeline: Sharp, { format, quality, effort }: Encoding): Sharp => {
    switch (format) {
      case 'jpeg':
        return pipeline.jpeg({ quality, progressive: false, chromaSubsampling: '4:2:0' })
      case 'avif':
        return pipeline.avif({ quality, effort, chromaSubsampling: '4:2:0' })
      case 'webp':
        return pipeline.webp({ quality, effort })
      default:
        return format satisfies never
    }
  }

  /** Where eyes go, found once on a small copy. */
  const findFocus = async (raw: Raw): Promise<Focus> => {
    const { width, height } = raw.info
    const small = await toRaw(of(raw).resize({ width: PROBE_WIDTH, withoutEnlargement: true }))
    const side = Math.min(small.info.width, small.info.height)
    if (side < 16 || width === height) return CENTRE
    const { info } = await of(small)
      .resize({ width: side, height: side, fit: 'cover', position: sharp.strategy.attention })
      .raw()
      .toBuffer({ resolveWithObject: true })
    const { attentionX, attentionY } = info
    if (attentionX === undefined || attentionY === undefined) return CENTRE
    return { x: Math.min(1, Math.max(0, attentionX / small.info.width)), y: Math.min(1, Math.max(0, attentionY / small.info.height)) }
  }

  const findPreview = async (raw: Raw): Promise<Preview> => {
    const small = await toRaw(of(raw).resize({ width: PREVIEW_WIDTH, height: PREVIEW_WIDTH, fit: 'inside' }))
    const { dominant } = await of(small).stats()
    const hex = (value: number) => value.toString(16).padStart(2, '0')
    const { width, height, channels } = small.info
    return {
      color: `#${hex(dominant.r)}${hex(dominant.g)}${hex(dominant.b)}`,
      blurHash: toBlurHash({ data: small.data, width, height, channels }),
    }
  }

  const decode = async (given: Uint8Array, recipe: Recipe): Promise<{ master: Raw; words: FileWords }> => {
    const frame = smallFirstFrame(given)
    const bytes = frame?.bytes ?? asStill(given)
    const options = { autoOrient: true, limitInputPixels: MAX_PIXELS, failOn: 'warning', pages: 1 } as const
    const found = await sharp(bytes, options).metadata()
    const whole = frame?.screen ?? found.autoOrient
    const width = masterWidth(whole, recipe.plan)
    const decoded = sharp(bytes, options).timeout({ seconds: DECODE_TIMEOUT_S }).flatten({ background: WHITE }).toColourspace('srgb')
    const master = await toRaw(
      frame === null
        ? decoded.resize({ width, withoutEnlargement: true })
        : placed(decoded, width / whole.width, { ...frame, width: found.width, height: found.height }),
    )
    return { master, words: mergeWords(recipe.words, readWords(found)) }
  }

  /** A part of a larger picture at its place in that, which is otherwise white. */
  const placed = (part: Sharp, scale: number, { screen, ...box }: Placed): Sharp => {
    const scaled = (length: number, most: number) => Math.min(most, Math.max(1, Math.round(length * scale)))
    const [width, height] = [scaled(screen.width, screen.width), scaled(screen.height, screen.height)]
    const inner = { width: scaled(box.width, width), height: scaled(box.height, height) }
    const left = Math.min(Math.round(box.left * scale), width - inner.width)
    const top = Math.min(Math.round(box.top * scale), height - inner.height)
    const around = { left, top, right: width - inner.width - left, bottom: height - inner.height - top }
    return part.resize({ ...inner, fit: 'fill' }).extend({ ...around, background: WHITE })
  }

  const cutRaw = (raw: Raw, shape: Size, focus: Focus): Promise<Raw> => {
    const box = cropBox(raw.info, shape, focus)
    const { width, height } = cropSize(box, shape)
    const cut = of(raw).extract(box)
    return toRaw(width === box.width ? cut : cut.resize({ width, height, fit: 'fill' }))
  }

  /** The height from the master, or rounding would add up from width to width. */
  const narrowed = async (raw: Raw, width: number, { info: whole }: Raw): Promise<Raw> => {
    if (raw.info.width <= width) return raw
    const height = Math.max(1, Math.round((width * whole.height) / whole.width))
    return toRaw(of(raw).resize({ width, height, fit: 'fill' }))
  }

  const renderAll = async (bytes: Uint8Array, recipe: Recipe, onFile: (file: RenderedFile) => void): Promise<Preview> => {
    const { master, words } = await decode(bytes, recipe)
    const xmp = toXmp(words)
    const plan = planFor(master.info.width, recipe.plan)
    const focus = recipe.focus ?? (plan.some(one => one.shape !== null) ? await findFocus(master) : CENTRE)
    let above = master
    for (const { name, width, shape, encodings } of plan) {
      const raw = shape === null ? await narrowed(above, width, master) : await cutRaw(master, shape, focus)
      if (shape === null) above = raw
      for (const encoding of encodings) {
        const { data, info } = await encode(of(raw), encoding).withXmp(xmp).toBuffer({ resolveWithObject: true })
        const file = encoding.format === 'jpeg' ? withIptc(data, words) : data
        onFile({ name, encoding, width: info.width, height: info.height, bytes: file })
      }
    }
    return findPreview(above)
  }

  return {
    render: async (bytes, recipe, onFile) => {
      try {
        return { ok: true, preview: await renderAll(bytes, recipe, onFile) }
      } catch (error) {
        return { ok: false, reason: reasonOf(error) }
      }
    },
  }
}
