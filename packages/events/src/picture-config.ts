/** What the configuration says of pictures (`pictures`): which renditions are made of every one, and how. */
import { z } from 'zod'

/** What renditions are made in; JPEG is what every reader and aggregator takes. */
const pictureFormats = ['jpeg', 'avif', 'webp'] as const
export type PictureFormat = (typeof pictureFormats)[number]

const picturePreset = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'expected lower-case letters, digits and hyphens, at most 32'),
    /** Pixels. Nothing is enlarged. */
    width: z.int().min(16).max(4096),
    /** Makes it a crop of this shape, around the focus point; without it the whole picture is shown. */
    height: z.int().min(16).max(4096).optional(),
    formats: z
      .array(z.enum(pictureFormats))
      .min(1)
      .transform(formats => [...new Set(formats)])
      .default(['jpeg']),
  })
  .refine(({ name, width, height }) => (height === undefined ? name === `w${width}` : !/^w\d/.test(name) && name !== 'set'), {
    path: ['name'],
    error: 'expected w<width> for a width, and for a crop (with a height) another name',
  })
export type PicturePreset = z.output<typeof picturePreset>

/**
 * Cost decides which size is worth which format (bench/pictures.ts): AVIF at effort 0 is smaller than WebP and cheaper; WebP is for the few readers
 * that take it and not AVIF; crops are for partners and social networks, which take JPEG.
 */
export const defaultPicturePresets: readonly PicturePreset[] = [
  { name: 'w2048', width: 2048, formats: ['jpeg'] },
  { name: 'w1280', width: 1280, formats: ['jpeg', 'avif', 'webp'] },
  { name: 'w960', width: 960, formats: ['jpeg', 'avif'] },
  { name: 'w640', width: 640, formats: ['jpeg', 'avif', 'webp'] },
  { name: 'w320', width: 320, formats: ['jpeg', 'avif'] },
  { name: 'landscape', width: 1200, height: 675, formats: ['jpeg'] },
  { name: 'square', width: 900, height: 900, formats: ['jpeg'] },
  { name: 'social', width: 1200, height: 630, formats: ['jpeg'] },
]

/** What is made of every picture. A changed table makes the renditions of current articles again, behind live work. */
export const picturesConfig = z.strictObject({
  presets: z
    .array(picturePreset)
    .max(32)
    .refine(all => new Set(all.map(one => one.name)).size === all.length, 'expected every name once')
    .refine(
      all => all.some(one => one.height === undefined && one.formats.includes('jpeg')),
      'expected a width in jpeg, for who takes nothing else',
    )
    .default([...defaultPicturePresets]),
  quality: z
    .strictObject({
      jpeg: z.int().min(1).max(100).default(80),
      avif: z.int().min(1).max(100).default(60),
      webp: z.int().min(1).max(100).default(75),
    })
    .prefault({}),
  /** CPU for bytes; AVIF at 4 costs forty times what it costs at 0. */
  effort: z.strictObject({ avif: z.int().min(0).max(9).default(0), webp: z.int().min(0).max(6).default(4) }).prefault({}),
  /**
   * Files of a picture are removed when no article has used it for so many days. Not before the public has it no more (at once, 410), and not
   * sooner than what is on its way may take: `prepared` is kept for 7 days.
   */
  keepUnusedDays: z.int().min(8).max(36_500).default(30),
})
export type PicturesConfig = z.output<typeof picturesConfig>
