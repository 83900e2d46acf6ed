/**
 * What a picture says it is, read from its structure before anything decodes it: the type, the size, whether it is whole, and whether it is made to
 * cost more than a picture may. Every length is a stranger's. Linear in the file's size, allocates next to nothing, decodes nothing. Pure.
 */
import { inspectAvif } from './inspect-avif.ts'
import { inspectGif } from './inspect-gif.ts'
import { inspectJpeg } from './inspect-jpeg.ts'
import { inspectPng } from './inspect-png.ts'
import { inspectWebp } from './inspect-webp.ts'
import { type PictureType, sniffPicture } from './sniff.ts'
import { contradiction, type Refusal, refusal, type Structure } from './structure.ts'

type Inspection = (Structure & Readonly<{ type: PictureType }>) | Refusal

const MAX_PIXELS = 100_000_000
const MAX_PROGRESSIVE_PIXELS = 60_000_000
/** Long panoramas are 12 to 1. */
const MAX_RATIO = 20
const MAX_FRAMES = 1_000
/** Real ones are up to 3 MB (printing presses). */
const MAX_PROFILE = 4_000_000

/**
 * Pictures above this many pixels must have so many bytes for each: a photograph at the lowest quality has more, an even surface fewer. Below it
 * whatever decodes costs little.
 */
const LARGE_PIXELS = 12_000_000
const MIN_BYTES_PER_PIXEL: Readonly<Record<PictureType, number>> = {
  'image/jpeg': 0.015,
  'image/png': 0.01,
  'image/webp': 0.006,
  'image/avif': 0.004,
  'image/gif': 0.01,
}
const MIN_BYTES_PER_PROGRESSIVE_PIXEL = 0.04

const inspectors: Readonly<Record<PictureType, (bytes: Buffer) => Structure | Refusal>> = {
  'image/jpeg': inspectJpeg,
  'image/png': inspectPng,
  'image/webp': inspectWebp,
  'image/avif': inspectAvif,
  'image/gif': inspectGif,
}

/** What follows a picture is often harmless (previews, a phone's video); these make one file two. */
const FOREIGN: ReadonlyArray<readonly [string, string]> = [
  ['a ZIP archive', 'PK\x05\x06'],
  ['a RAR archive', 'Rar!\x1a\x07'],
  ['a 7z archive', "7z\xbc\xaf'\x1c"],
  ['a PDF document', '%PDF-'],
  ['a PHP program', '<?php'],
  ['a script', '<script'],
  ['a web page', '<html'],
]
/** Readers of PDF look for their mark so far into a file. */
const PDF_WITHIN = 1024

const findOther = (bytes: Buffer, end: number): string | null => {
  if (bytes.subarray(0, PDF_WITHIN).includes('%PDF-', 0, 'latin1')) return 'a PDF document'
  const rest = bytes.subarray(end)
  return FOREIGN.find(([, mark]) => rest.includes(mark, 0, 'latin1'))?.[0] ?? null
}

const millions = (pixels: number): string => `${Math.round(pixels / 1e5) / 10} million`

const findExcess = ({ width, height, frames, progressive, profile }: Structure, type: PictureType, bytes: number): Refusal | null => {
  const pixels = width * height
  if (pixels === 0) return contradiction(`it is ${width} × ${height} pixels`)
  const most = progressive ? MAX_PROGRESSIVE_PIXELS : MAX_PIXELS
  if (pixels > most)
    return refusal(
      'NEWSWIRE_PICTURE_TOO_MANY_PIXELS',
      `${width} × ${height} pixels are ${millions(pixels)}; the limit is ${millions(most)}`,
    )
  if (Math.max(width / height, height / width) > MAX_RATIO)
    return refusal('NEWSWIRE_PICTURE_SHAPE', `${width} × ${height} pixels are a line; up to ${MAX_RATIO} to 1 is shown`)
  if (frames > MAX_FRAMES) return refusal('NEWSWIRE_PICTURE_FRAMES', `it has ${frames} frames; the limit is ${MAX_FRAMES}`)
  if (profile > MAX_PROFILE)
    return refusal('NEWSWIRE_PICTURE_PROFILE', `its colour profile has more than ${MAX_PROFILE} bytes; send it with sRGB or none`)
  const least = pixels * (progressive ? MIN_BYTES_PER_PROGRESSIVE_PIXEL : MIN_BYTES_PER_PIXEL[type])
  if (pixels > LARGE_PIXELS && bytes < least)
    return refusal('NEWSWIRE_PICTURE_BOMB', `${millions(pixels)} pixels in ${bytes} bytes: no picture packs that well; send it smaller`)
  return null
}

/** The structure of a picture that may be decoded, or why it may not. Never throws. */
export const inspectPicture = (picture: Uint8Array): Inspection => {
  const type = sniffPicture(picture)
  if (type === null)
    return refusal('NEWSWIRE_PICTURE_TYPE', 'it is no picture that can be shown: JPEG, PNG, WebP, AVIF and GIF are, by their first bytes')
  const bytes = Buffer.from(picture.buffer, picture.byteOffset, picture.byteLength)
  const found = inspectors[type](bytes)
  if (!found.ok) return found
  const other = findOther(bytes, found.end)
  if (other !== null) return refusal('NEWSWIRE_PICTURE_POLYGLOT', `the file is ${other} as well as a picture; export it once more`)
  return findExcess(found, type, bytes.byteLength) ?? { ...found, type }
}
