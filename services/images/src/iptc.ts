/**
 * IPTC-IIM 4.2 in a JPEG: the older home of caption, credit and copyright, which agencies' systems still read first. Written into an APP13 segment
 * as a Photoshop image resource; read from one of strangers without believing a length. Pure.
 */
import { cleanLine } from '@newswire/events/text'
import type { FileWords } from './words.ts'

const APP13 = 0xed
const IDENTIFIER = Buffer.from('Photoshop 3.0\0', 'latin1')
const RESOURCE = Buffer.from('8BIM', 'latin1')
const IIM_RESOURCE = 0x0404
const RECORD_MARK = 0x1c
/** `ESC % G`: what follows is UTF-8 (1:90). */
const UTF8 = Buffer.from([0x1b, 0x25, 0x47])

/** Data sets of record 2 and the bytes they may hold. */
const DATA_SETS = [
  { number: 80, field: 'creator', maxBytes: 32 },
  { number: 110, field: 'credit', maxBytes: 32 },
  { number: 116, field: 'copyright', maxBytes: 128 },
  { number: 120, field: 'caption', maxBytes: 2000 },
] as const satisfies ReadonlyArray<{ number: number; field: keyof FileWords; maxBytes: number }>

/** At most so many bytes of UTF-8, no character cut. */
const cut = (text: string, maxBytes: number): Buffer => {
  const bytes = Buffer.from(text)
  if (bytes.byteLength <= maxBytes) return bytes
  let end = maxBytes
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return bytes.subarray(0, end)
}

const dataSet = (record: number, number: number, bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from([RECORD_MARK, record, number, bytes.byteLength >> 8, bytes.byteLength & 255]), bytes])

/** An APP13 segment; `null` when there is nothing to say. */
const toSegment = (words: FileWords): Buffer | null => {
  const sets = DATA_SETS.filter(({ field }) => words[field] !== '').map(({ number, field, maxBytes }) =>
    dataSet(2, number, cut(words[field], maxBytes)),
  )
  if (sets.length === 0) return null
  const iim = Buffer.concat([dataSet(1, 90, UTF8), dataSet(2, 0, Buffer.from([0, 4])), ...sets])
  const size = Buffer.alloc(4)
  size.writeUInt32BE(iim.byteLength)
  const padding = Buffer.alloc(iim.byteLength % 2)
  const resource = Buffer.concat([RESOURCE, Buffer.from([IIM_RESOURCE >> 8, IIM_RESOURCE & 255, 0, 0]), size, iim, padding])
  const length = 2 + IDENTIFIER.byteLength + resource.byteLength
  return Buffer.concat([Buffer.from([0xff, APP13, length >> 8, length & 255]), IDENTIFIER, resource])
}

/** The JPEG with the words in it, after its JFIF segment, which must stay the first. */
export const withIptc = (jpeg: Buffer, words: FileWords): Buffer => {
  const segment = toSegment(words)
  if (segment === null) return jpeg
  const at = jpeg[3] === 0xe0 ? 4 + jpeg.readUInt16BE(4) : 2
  return Buffer.concat([jpeg.subarray(0, at), segment, jpeg.subarray(at)])
}

const decode = (bytes: Buffer): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    // Before UTF-8 there were code pages, mostly this one, and most do not say which.
    return bytes.toString('latin1')
  }
}

const readDataSets = (iim: Buffer): Partial<FileWords> => {
  const found: Partial<Record<keyof FileWords, string>> = {}
  for (let at = 0; at + 5 <= iim.byteLength && iim[at] === RECORD_MARK; ) {
    const size = iim.readUInt16BE(at + 3)
    const end = at + 5 + size
    // The highest bit says that the length is longer than two bytes: nothing wanted here is.
    if (size >= 0x8000 || end > iim.byteLength) break
    const known = iim[at + 1] === 2 ? DATA_SETS.find(one => one.number === iim[at + 2]) : undefined
    const words = known === undefined ? '' : cleanLine(decode(iim.subarray(at + 5, end)))
    if (known !== undefined && words !== '' && found[known.field] === undefined) found[known.field] = words
    at = end
  }
  return found
}

/** What the image resources of a file say (with or without Photoshop's identifier before them). Never throws. */
export const readIptc = (resources: Uint8Array): Partial<FileWords> => {
  const bytes = Buffer.from(resources.buffer, resources.byteOffset, resources.byteLength)
  let at = bytes.indexOf(RESOURCE)
  while (at >= 0 && at + 8 <= bytes.byteLength && bytes.subarray(at, at + 4).equals(RESOURCE)) {
    const name = (bytes[at + 6] ?? 0) + 1
    const start = at + 6 + name + (name % 2)
    if (start + 4 > bytes.byteLength) break
    const size = bytes.readUInt32BE(start)
    if (bytes.readUInt16BE(at + 4) === IIM_RESOURCE) return readDataSets(bytes.subarray(start + 4, start + 4 + size))
    at = start + 4 + size + (size % 2)
  }
  return bytes[0] === RECORD_MARK ? readDataSets(bytes) : {}
}
