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
