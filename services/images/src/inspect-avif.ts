/** The boxes of an AVIF (ISO/IEC 14496-12, 23008-12): the largest size that any of its items says, because decoding may touch each. */
import { contradiction, type Refusal, type Structure, truncated } from './structure.ts'

type Box = Readonly<{ type: string; from: number; end: number }>

/** Boxes from here to there; `null` when one reaches further. */
const boxesIn = (bytes: Buffer, from: number, to: number): readonly Box[] | null => {
  const found: Box[] = []
  for (let at = from; at < to; ) {
    if (at + 8 > to) return null
    const type = bytes.toString('latin1', at + 4, at + 8)
    const short = bytes.readUInt32BE(at)
    const isLong = short === 1
    if (isLong && at + 16 > to) return null
    const size = short === 0 ? to - at : isLong ? Number(bytes.readBigUInt64BE(at + 8)) : short
    const head = isLong ? 16 : 8
    if (size < head || at + size > to) return null
    found.push({ type, from: at + head, end: at + size })
    at += size
  }
  return found
}

const inside = (bytes: Buffer, boxes: readonly Box[] | null, type: string, skip = 0): readonly Box[] | null => {
  const box = boxes?.find(one => one.type === type)
  return box === undefined ? null : boxesIn(bytes, box.from + skip, box.end)
}

export const inspectAvif = (bytes: Buffer): Structure | Refusal => {
  const boxes = boxesIn(bytes, 0, bytes.byteLength)
  if (boxes === null) return truncated('a box')
  const properties = inside(bytes, inside(bytes, inside(bytes, boxes, 'meta', 4), 'iprp'), 'ipco')
  if (properties === null) return contradiction('it does not say what is in it')
  const sizes = properties
    .filter(one => one.type === 'ispe' && one.end - one.from >= 12)
    .map(({ from }) => ({ width: bytes.readUInt32BE(from + 4), height: bytes.readUInt32BE(from + 8) }))
  const [first] = sizes.sort((a, b) => b.width * b.height - a.width * a.height)
  if (first === undefined) return contradiction('it does not say its size')
  const profile = Math.max(0, ...properties.filter(one => one.type === 'colr').map(one => one.end - one.from))
  return { ok: true, ...first, frames: 1, progressive: false, end: bytes.byteLength, profile }
}
