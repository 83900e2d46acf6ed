/** What a pack holds, found without its index: by what the manifest lists of its part. Pure. */
import { inflateRawSync } from 'node:zlib'
import { sha256Hex } from '@newswire/events/ids'
import type { PackedEntry } from '@newswire/objects/archive-pack'
import type { Entry } from './manifest.ts'

type Salvaged = Readonly<{
  entries: readonly PackedEntry[]
  contents: ReadonlyMap<string, Uint8Array>
  /** Every byte of the pack is of an entry that was found. */
  isWhole: boolean
}>

/** RFC 1952 §2.3: the head of a member as `gzipSync` writes it, without optional fields, and what follows its data. */
const MAGIC = Buffer.from([0x1f, 0x8b, 0x08, 0x00])
const [HEAD_BYTES, TAIL_BYTES] = [10, 8]
const LINE_FEED = 10

type Member = Readonly<{ at: number; length: number; raw: Uint8Array }>

/** `null`: no member begins here that can be unpacked, to `mostBytes` at most. */
const readMember = (pack: Buffer, at: number, mostBytes: number): Member | null => {
  if (pack.compare(MAGIC, 0, MAGIC.length, at, at + MAGIC.length) !== 0) return null
  try {
    const { buffer, engine } = inflateRawSync(pack.subarray(at + HEAD_BYTES), { info: true, maxOutputLength: mostBytes }) as unknown as {
      buffer: Buffer
      engine: { bytesWritten: number }
    }
    const length = HEAD_BYTES + engine.bytesWritten + TAIL_BYTES
    return at + length <= pack.byteLength ? { at, length, raw: buffer } : null
  } catch {
    // Damaged from here on; the next one may not be.
    return null
  }
}

/** The first entry from `from` on that lies at `offset`; -1 for none. Its hash says so, not its place. */
const findAt = (raw: Uint8Array, offset: number, entries: readonly Entry[], from: number): number => {
  for (let index = from; index < entries.length; index++) {
    const entry = entries[index]
    if (entry === undefined || raw[offset + entry.bytes] !== LINE_FEED) continue
    if (sha256Hex(raw.subarray(offset, offset + entry.bytes)) === entry.sha256) return index
  }
  return -1
}

/** `entries`: of the part, in the manifest's order, which is the pack's. Those that were purged are not in it, and passed over; no member is longer than all of them. */
export const salvage = (bytes: Uint8Array, entries: readonly Entry[]): Salvaged => {
  const pack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found: PackedEntry[] = []
  const contents = new Map<string, Uint8Array>()
  const mostBytes = Math.max(
    1,
    entries.reduce((sum, one) => sum + one.bytes + 1, 0),
  )
  let [isWhole, next] = [true, 0]
  for (let at = 0; at < pack.byteLength; ) {
    const member = readMember(pack, at, mostBytes)
    if (member === null) {
      isWhole = false
      const later = pack.indexOf(MAGIC, at + 1)
      if (later === -1) break
      at = later
      continue
    }
    for (let offset = 0; offset < member.raw.byteLength; ) {
      const index = findAt(member.raw, offset, entries, next)
      const entry = entries[index]
      if (entry === undefined) {
        isWhole = false
        break
      }
      const { key, sha256, bytes: length } = entry
      found.push({ key, sha256, bytes: length, frame: [member.at, member.length], offset })
      contents.set(key, member.raw.subarray(offset, offset + length))
      offset += length + 1
      next = index + 1
    }
    at += member.length
  }
  return { entries: found, contents, isWhole }
}
