/** The chunks of a WebP (RFC 9649), to the end that its header tells. */
import { contradiction, type Refusal, type Structure, truncated } from './structure.ts'

type Size = Readonly<{ width: number; height: number }>

/** RFC 6386 §9.1. */
const lossySize = (data: Buffer): Size | null =>
  data.byteLength >= 10 && data[3] === 0x9d && data[4] === 0x01 && data[5] === 0x2a
    ? { width: data.readUInt16LE(6) & 0x3fff, height: data.readUInt16LE(8) & 0x3fff }
    : null

/** RFC 9649 §3.4: fourteen bits each, less one. */
const losslessSize = (data: Buffer): Size | null => {
  if (data.byteLength < 5 || data[0] !== 0x2f) return null
  const bits = data.readUInt32LE(1)
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
}

const canvasSize = (data: Buffer): Size | null =>
  data.byteLength < 10 ? null : { width: data.readUIntLE(4, 3) + 1, height: data.readUIntLE(7, 3) + 1 }

export const inspectWebp = (bytes: Buffer): Structure | Refusal => {
  const end = 8 + bytes.readUInt32LE(4)
  if (end > bytes.byteLength) return truncated('the picture')
  let canvas: Size | null = null
  let image: Size | null = null
  let frames = 0
  let profile = 0
  for (let at = 12; at + 8 <= end; ) {
    const type = bytes.toString('latin1', at, at + 4)
    const length = bytes.readUInt32LE(at + 4)
    if (at + 8 + length > end) return truncated(`a chunk (${JSON.stringify(type)})`)
    const data = bytes.subarray(at + 8, at + 8 + length)
    if (type === 'VP8X') canvas = canvasSize(data)
    if (type === 'VP8 ') image ??= lossySize(data)
    if (type === 'VP8L') image ??= losslessSize(data)
    if (type === 'ANMF') frames += 1
    if (type === 'ICCP') profile += length
    at += 8 + length + (length % 2)
  }
  if (frames === 0 && image === null) return contradiction('it has no picture')
  const size = canvas ?? image
  if (size === null) return contradiction('it does not say its size')
  if (frames === 0 && image !== null && (image.width !== size.width || image.height !== size.height))
    return contradiction(`${size.width} × ${size.height} pixels are said, ${image.width} × ${image.height} are there`)
  return { ok: true, ...size, frames: Math.max(1, frames), progressive: false, end, profile }
}
