/** The segments of a JPEG (ITU-T T.81 Annex B), to its end. */
import { contradiction, type Refusal, refusal, type Structure, truncated } from './structure.ts'

/** Encoders write about ten; libjpeg decodes the whole picture once for each. */
const MAX_SCANS = 100
const ICC = 'ICC_PROFILE\0'

const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
const isProgressive = (marker: number) => [0xc2, 0xc6, 0xca, 0xce].includes(marker)
/** Neither a stuffed byte nor a restart: where coded data end. */
const findMarker = (bytes: Buffer, from: number): number => {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1]
    if (next === undefined) return -1
    if (next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return at
  }
  return -1
}

export const inspectJpeg = (bytes: Buffer): Structure | Refusal => {
  let size: { width: number; height: number } | null = null
  let progressive = false
  let profile = 0
  let scans = 0
  for (let at = 2; ; ) {
    while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at++
    const marker = bytes[at + 1]
    if (marker === undefined) return truncated('its header')
    if (bytes[at] !== 0xff) return contradiction('a segment ends where none begins')
    if (marker === 0xd9) {
      if (size === null || scans === 0) return contradiction('it has no picture')
      return { ok: true, ...size, frames: 1, progressive, end: at + 2, profile }
    }
    if (at + 4 > bytes.byteLength) return truncated('its header')
    const length = bytes.readUInt16BE(at + 2)
    const next = at + 2 + length
    if (length < 2) return contradiction('a segment is shorter than its own length')
    if (next > bytes.byteLength) return truncated('a segment')
    if (isFrame(marker)) {
      if (size !== null) return contradiction('it says its size twice')
      if (length < 8) return contradiction('its size is cut short')
      size = { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) }
      progressive = isProgressive(marker)
    }
    if (marker === 0xe2 && bytes.toString('latin1', at + 4, at + 4 + ICC.length) === ICC) profile += length
    at = next
    if (marker !== 0xda) continue
    scans += 1
    if (scans > MAX_SCANS) return refusal('NEWSWIRE_PICTURE_BOMB', `it is drawn in more than ${MAX_SCANS} scans`)
    at = findMarker(bytes, next)
    if (at < 0) return truncated('the picture')
  }
}
