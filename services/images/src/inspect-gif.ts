/** The blocks of a GIF (GIF89a specification), to its trailer or its last whole frame. */
import { contradiction, type Refusal, type Structure, truncated } from './structure.ts'

const tableBytes = (flags: number): number => ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1))

/** After the sub-blocks that begin here; `-1` when the file ends within them. */
const afterSubBlocks = (bytes: Buffer, from: number): number => {
  for (let at = from; ; ) {
    const size = bytes[at]
    if (size === undefined) return -1
    at += 1 + size
    if (size === 0) return at
  }
}

/** The bytes of a GIF as if its first frame were all of it, and where on the screen that frame lies. */
type Frame = Readonly<{ bytes: Buffer; left: number; top: number; screen: Readonly<{ width: number; height: number }> }>

/**
 * The first frame of a GIF where that leaves some of the screen free, else `null`. Browsers show nothing there; libvips shows black, unless the frame
 * has a transparent colour.
 */
export const smallFirstFrame = (gif: Uint8Array): Frame | null => {
  const given = Buffer.from(gif.buffer, gif.byteOffset, gif.byteLength)
  if (given.toString('latin1', 0, 3) !== 'GIF' || given.byteLength < 13) return null
  let at = 13 + tableBytes(given[10] ?? 0)
  while (given[at] === 0x21) at = afterSubBlocks(given, at + 2)
  if (given[at] !== 0x2c || at + 11 > given.byteLength) return null
  const [width, height] = [given.readUInt16LE(6), given.readUInt16LE(8)]
  const [left, top] = [given.readUInt16LE(at + 1), given.readUInt16LE(at + 3)]
  const [frameWidth, frameHeight] = [given.readUInt16LE(at + 5), given.readUInt16LE(at + 7)]
  if (frameWidth === width && frameHeight === height) return null
  // Only what is changed is copied: every picture comes by here.
  const bytes = Buffer.from(given)
  bytes.writeUInt16LE(frameWidth, 6)
  bytes.writeUInt16LE(frameHeight, 8)
  bytes.fill(0, at + 1, at + 5)
  return { bytes, left, top, screen: { width, height } }
}

export const inspectGif = (bytes: Buffer): Structure | Refusal => {
  if (bytes.byteLength < 13) return truncated('its header')
  const [width, height] = [bytes.readUInt16LE(6), bytes.readUInt16LE(8)]
  let frames = 0
  let at = 13 + tableBytes(bytes[10] ?? 0)
  for (;;) {
    const introducer = bytes[at]
    if (introducer === undefined || introducer === 0x3b) {
      if (frames === 0) return introducer === undefined ? truncated('its header') : contradiction('it has no picture')
      return { ok: true, width, height, frames, progressive: false, end: Math.min(at + 1, bytes.byteLength), profile: 0 }
    }
    if (introducer === 0x21) at = afterSubBlocks(bytes, at + 2)
    else if (introducer === 0x2c) {
      if (at + 11 > bytes.byteLength) return truncated('a frame')
      const right = bytes.readUInt16LE(at + 1) + bytes.readUInt16LE(at + 5)
      const bottom = bytes.readUInt16LE(at + 3) + bytes.readUInt16LE(at + 7)
      if (right > width || bottom > height) return contradiction(`a frame reaches to ${right} × ${bottom} of ${width} × ${height}`)
      frames += 1
      at = afterSubBlocks(bytes, at + 11 + tableBytes(bytes[at + 9] ?? 0))
    } else return contradiction('a block ends where none begins')
    if (at < 0) return truncated('a frame')
  }
}
