/**
 * Bodies that may be kept as gzip: a fraction of what the store must write. Told by how they begin, so bodies
 * that were written plain stay readable; only for what can never begin so itself, such as XML and JSON.
 */
import { promisify } from 'node:util'
import { gunzip, gunzipSync } from 'node:zlib'
import { UnavailableError } from '@newswire/events/errors'
import type { Objects, StoredObject } from './objects.ts'

const unzip = promisify(gunzip)
/** A body of a few KiB can be made to unpack to gigabytes. Bytes. */
const MAX_BYTES = 256 * 1_048_576

/** zlib hands over so much at a time, unless told: for each piece a thread is woken and a buffer made. Bytes. */
const PIECE = { least: 16 * 1024, most: 4 * 1_048_576 } as const

/**
 * One piece for all of it, and a byte more, so that zlib sees that it ended: a file of 250 KB costs a quarter of the CPU. The last four bytes say how long it
 * is (RFC 1952 §2.3.1); what they say is a hint.
 */
const pieceFor = (said: number): number => Math.min(Math.max(said + 1, PIECE.least), PIECE.most)
const saidLength = (packed: Uint8Array): number =>
  Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength).readUInt32LE(packed.byteLength - 4)

/**
 * As large as most feeds: unpacked at once it takes this thread half a millisecond, and handing it to another one and back costs as much again (0.24 against
 * 0.11 CPU-ms for 120 KB). Bytes.
 */
const AT_ONCE = 512 * 1024
/** `null`: it is longer than it says, or not whole; what is wrong is told by who unpacks it to the end. */
const unpackAtOnce = (packed: Uint8Array, said: number): Uint8Array | null => {
  try {
    return gunzipSync(packed, { maxOutputLength: Math.max(said, 1), chunkSize: pieceFor(said) })
  } catch {
    return null
  }
}

export const damagedCode = 'NEWSWIRE_OBJECTS_DAMAGED'

/** RFC 1952 §2.3.1, and deflate. */
export const isPacked = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8

/**
 * What was packed, or what was not, as it is. Throws `UnavailableError` `NEWSWIRE_OBJECTS_DAMAGED` when it is damaged or unpacks to more than 256 MiB:
 * reading it again gives the same until whoever made it writes it anew.
 */
export const unpack = async (key: string, bytes: Uint8Array): Promise<Uint8Array> => {
  if (!isPacked(bytes)) return bytes
  const said = bytes.byteLength < 4 ? 0 : saidLength(bytes)
  const atOnce = said <= AT_ONCE && bytes.byteLength <= AT_ONCE ? unpackAtOnce(bytes, said) : null
  if (atOnce !== null) return atOnce
  try {
    return await unzip(bytes, { maxOutputLength: MAX_BYTES, chunkSize: pieceFor(said) })
  } catch (error) {
    throw new UnavailableError(damagedCode, `${key} cannot be unpacked: it is damaged, or unpacks to more than 256 MiB`, { cause: error })
  }
}

/** `get`, with the body unpacked: throws what both throw. */
export const getUnpacked = async (
  objects: Pick<Objects, 'get'>,
  key: string,
  options: Parameters<Objects['get']>[1] = {},
): Promise<StoredObject | null> => {
  const found = await objects.get(key, options)
  return found === null ? null : { ...found, bytes: await unpack(key, found.bytes) }
}
