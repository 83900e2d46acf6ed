/** The chunks of a PNG (W3C PNG third edition §5), to IEND. */
import { inflateSync } from 'node:zlib'
import { contradiction, type Refusal, refusal, type Structure, truncated } from './structure.ts'

/** What a compressed text or profile may unpack to; one that is larger is refused while it unpacks. */
const MAX_UNPACKED = 4_000_000
const MAX_PACKED_CHUNKS = 64
/** Deflate packs a thousand to one at the very best. */
const MAX_DEFLATE = 1_040
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }

/** Where the compressed data of a chunk begin, after its name and flags; `null` when they are not compressed. */
const packedAt = (type: string, data: Buffer): number | null => {
  const name = data.indexOf(0)
  if (name < 0) return null
  if (type !== 'iTXt') return name + 2
  if (data[name + 1] !== 1) return null
  const language = data.indexOf(0, name + 3)
  const translated = language < 0 ? -1 : data.indexOf(0, language + 1)
  return translated < 0 ? null : translated + 1
}

const unpacksTooFar = (packed: Buffer): boolean => {
  try {
    inflateSync(packed, { maxOutputLength: MAX_UNPACKED })
    return false
  } catch (error) {
    // What cannot be unpacked at all the decoder passes over.
    return (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE'
  }
}

export const inspectPng = (bytes: Buffer): Structure | Refusal => {
  let header: { width: number; height: number; bitsPerPixel: number } | null = null
  let packedChunks = 0
  let data = 0
  let frames = 1
  for (let at = 8; ; ) {
    if (at + 12 > bytes.byteLength) return truncated('a chunk')
    const length = bytes.readUInt32BE(at)
    const type = bytes.toString('latin1', at + 4, at + 8)
    const next = at + 12 + length
    if (next > bytes.byteLength) return truncated(`a chunk (${JSON.stringify(type)})`)
    const body = bytes.subarray(at + 8, at + 8 + length)
    if (header === null) {
      if (type !== 'IHDR' || length !== 13) return contradiction('it does not begin with its size')
      const bits = (CHANNELS[body[9] ?? 0] ?? 0) * (body[8] ?? 0)
      header = { width: body.readUInt32BE(0), height: body.readUInt32BE(4), bitsPerPixel: bits }
    } else if (type === 'IHDR') return contradiction('it says its size twice')
    if (type === 'IDAT') data += length
    if (type === 'acTL' && length >= 4) frames = body.readUInt32BE(0)
    if (type === 'iCCP' || type === 'zTXt' || type === 'iTXt') {
      const from = packedAt(type, body)
      packedChunks += from === null ? 0 : 1
      if (packedChunks > MAX_PACKED_CHUNKS || (from !== null && unpacksTooFar(body.subarray(from))))
        return refusal(
          type === 'iCCP' ? 'NEWSWIRE_PICTURE_PROFILE' : 'NEWSWIRE_PICTURE_BOMB',
          `what is packed in it (${type}) unpacks to more than ${MAX_UNPACKED} bytes`,
        )
    }
    if (type === 'IEND') {
      const { width, height, bitsPerPixel } = header
      const wanted = height * Math.ceil((width * bitsPerPixel) / 8 + 1)
      if (data * MAX_DEFLATE < wanted && width * height <= 100_000_000)
        return contradiction(`it says that it is ${width} × ${height} pixels and has data for fewer`)
      return { ok: true, width, height, frames, progressive: false, end: next, profile: 0 }
    }
    at = next
  }
}
