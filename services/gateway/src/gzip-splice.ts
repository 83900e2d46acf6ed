/**
 * gzip of a feed, made anew only where the feed is new. Each piece is deflated alone, with the 24 KiB before it as its dictionary, and ends at
 * a byte (RFC 1951 §3.2.4, an empty stored block); such pieces joined are one deflate stream, because a dictionary is nothing but what a
 * decoder has in its window. So a piece is as good as before while it and what lies before it are the same bytes: one more item in front of
 * fifty costs the pieces within 24 KiB of it, and the file is 6 % larger than one deflated whole.
 */
import { setImmediate } from 'node:timers/promises'
import { constants, crc32, deflateRawSync } from 'node:zlib'
import type { Cuts } from './split.ts'

/** Deflate can point 32 KiB back; the last quarter saves 1.4 % and costs two pieces more with every new item. */
const WINDOW = 24_576
/** 6 is 2 % smaller and takes an eighth longer. A feed that stays is compressed whole (`refine` of its state). */
const LEVEL = 5
/** Milliseconds of the loop that one go may take. */
const TURN_MS = 3

/** RFC 1952 §2.3: deflate, no name, no time, made on Unix. */
const HEAD = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])
/** A last block with nothing in it. */
const LAST_BLOCK = Buffer.from([3, 0])

export type Spliced = Readonly<{
  /** One gzip member. */
  bytes: Buffer
  /** Where each piece lies in `bytes`, and where the last one ends. */
  offsets: readonly number[]
  plain: Buffer
  cuts: Cuts
}>

const pieceOf = (plain: Buffer, cuts: Cuts, index: number): Buffer => plain.subarray(cuts.bounds[index], cuts.bounds[index + 1])
const beforeOf = (plain: Buffer, cuts: Cuts, index: number): Buffer => {
  const begin = cuts.bounds[index] ?? 0
  return plain.subarray(Math.max(0, begin - WINDOW), begin)
}

/** Finds pieces of an earlier state again: by their checksum, then by their bytes. */
const findIn = ({ plain, cuts, bytes, offsets }: Spliced) => {
  const known = new Map<number, number>()
  for (let index = 0; index + 1 < cuts.bounds.length; index++) known.set(crc32(pieceOf(plain, cuts, index)), index)
  return (piece: Buffer, before: Buffer): Buffer | null => {
    const index = known.get(crc32(piece))
    if (index === undefined || !piece.equals(pieceOf(plain, cuts, index)) || !before.equals(beforeOf(plain, cuts, index))) return null
    return bytes.subarray(offsets[index], offsets[index + 1])
  }
}

const deflate = (piece: Buffer, dictionary: Buffer): Buffer =>
  deflateRawSync(piece, { level: LEVEL, finishFlush: constants.Z_SYNC_FLUSH, ...(dictionary.length === 0 ? {} : { dictionary }) })

const trailerOf = (plain: Buffer): Buffer => {
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc32(plain), 0)
  trailer.writeUInt32LE(plain.length >>> 0, 4)
  return trailer
}

/** `before`: an earlier state of the same feed, whose pieces are taken where they fit. The same plain bytes give the same gzip whatever it was. */
export const spliceGzip = async (plain: Buffer, cuts: Cuts, before: Spliced | null): Promise<Spliced> => {
  const find = before === null ? () => null : findIn(before)
  const parts: Buffer[] = [HEAD]
  const offsets = [HEAD.length]
  let turnBegan = performance.now()
  for (let index = 0; index + 1 < cuts.bounds.length; index++) {
    const [piece, dictionary] = [pieceOf(plain, cuts, index), beforeOf(plain, cuts, index)]
    const part = find(piece, dictionary) ?? deflate(piece, dictionary)
    parts.push(part)
    offsets.push((offsets.at(-1) ?? 0) + part.length)
    if (performance.now() - turnBegan < TURN_MS) continue
    await setImmediate()
    turnBegan = performance.now()
  }
  parts.push(LAST_BLOCK, trailerOf(plain))
  return { bytes: Buffer.concat(parts), offsets, plain, cuts }
}
