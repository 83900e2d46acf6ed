/**
 * Packs: what a manifest lists of one day, in one object instead of many (`services/archive/README.md` describes the format for readers).
 *
 * A pack is the bytes of its entries, each followed by a line feed, in gzip members (RFC 1952 §2.2) of their own: `zcat` shows all of it, and
 * a reader seeks to one member. The index beside it says which object is the pack and where each entry lies in it. A pack is named by its
 * content and never changed; what counts is the index, which is put last, once: half a pack is never read.
 */
import { promisify } from 'node:util'
import { gunzipSync, gzip } from 'node:zlib'
import { canonicalJson } from '@newswire/events/canonical'
import { RejectError } from '@newswire/events/errors'
import { sha256Hex } from '@newswire/events/ids'
import { z } from 'zod'
import { createGiveWay, inTurns } from './in-turns.ts'
import { keys } from './keys.ts'
import { listPages } from './listing.ts'
import type { Objects, StoredObject } from './objects.ts'

/** What one gzip member holds at least before the next begins, bytes: small enough to be read for one version, large enough to compress. */
const FRAME_BYTES = 256 * 1024
const LINE_FEED = Buffer.from('\n')
/** Faster by half than the default, and a tenth larger. */
const GZIP_LEVEL = 4
const toGzip = promisify(gzip)

/** Where an entry lies: in the member `frame` of the pack (offset and length), at `offset` of what that unpacks to. */
const packedEntry = z.object({
  key: z.string(),
  sha256: z.string(),
  bytes: z.int().min(0),
  frame: z.tuple([z.int().min(0), z.int().min(1)]),
  offset: z.int().min(0),
})
export type PackedEntry = z.output<typeof packedEntry>

const indexHead = z.object({
  schema: z.literal('newswire.archive.index/1'),
  manifest: z.int().min(1),
  part: z.int().min(1),
  /** The pack's key; `null` when every entry was purged. */
  pack: z.string().nullable(),
  /** SHA-256 and length of the pack as it lies there. */
  sha256: z.string(),
  bytes: z.int().min(0),
  count: z.int().min(0),
})
export type PackIndex = z.output<typeof indexHead> & Readonly<{ entries: ReadonlyMap<string, PackedEntry> }>

export type ToPack = Readonly<{ key: string; sha256: string; content: Uint8Array }>
export type Pack = Readonly<{ bytes: Uint8Array; sha256: string; entries: readonly PackedEntry[] }>

/** Packs entries in the order given, and gives way to others meanwhile (`in-turns.ts`), as all here does that may take long. */
export const buildPack = async (given: Iterable<ToPack>): Promise<Pack> => {
  const giveWay = createGiveWay()
  const members: Buffer[] = []
  const entries: PackedEntry[] = []
  let frame: Omit<PackedEntry, 'frame'>[] = []
  let raw: Uint8Array[] = []
  let rawBytes = 0
  let packed = 0
  const endFrame = async () => {
    if (frame.length === 0) return
    const member = await toGzip(Buffer.concat(raw), { level: GZIP_LEVEL })
    for (const entry of frame) entries.push({ ...entry, frame: [packed, member.byteLength] })
    members.push(member)
    packed += member.byteLength
    ;[frame, raw, rawBytes] = [[], [], 0]
  }
  for (const { key, sha256, content } of given) {
    frame.push({ key, sha256, bytes: content.byteLength, offset: rawBytes })
    raw.push(content, LINE_FEED)
    rawBytes += content.byteLength + 1
    if (rawBytes >= FRAME_BYTES) await endFrame()
    const rest = giveWay()
    if (rest !== undefined) await rest
  }
  await endFrame()
  const bytes = Buffer.concat(members)
  return { bytes, sha256: sha256Hex(bytes), entries }
}

type Place = Readonly<{ manifest: number; part: number; pack: string | null }>

export const toIndexBytes = async ({ bytes, sha256, entries }: Pack, place: Place): Promise<Uint8Array> => {
  const head = { schema: 'newswire.archive.index/1', ...place, sha256, bytes: bytes.byteLength, count: entries.length }
  return Buffer.concat(await inTurns([head, ...entries], line => Buffer.from(`${canonicalJson(line)}\n`)))
}

/** Throws `RejectError` `NEWSWIRE_ARCHIVE_INDEX` for what is no index. */
export const parseIndex = async (bytes: Uint8Array, key: string): Promise<PackIndex> => {
  try {
    const [first = '', ...lines] = new TextDecoder('utf-8', { fatal: true }).decode(bytes).split('\n')
    const head = indexHead.parse(JSON.parse(first))
    const entries = new Map<string, PackedEntry>()
    await inTurns(lines, line => {
      if (line === '') return
      const entry = packedEntry.parse(JSON.parse(line))
      entries.set(entry.key, entry)
    })
    if (entries.size !== head.count) throw new Error(`it says ${head.count} entries and has ${entries.size}`)
    return { ...head, entries }
  } catch (cause) {
    throw noIndex(key, cause)
  }
}

/** A key in an index: the pack that holds it, and where. */
export type Found = Readonly<{ pack: string; entry: PackedEntry }>

const LINE = 10
const countLines = (bytes: Uint8Array): number => {
  let lines = 0
  for (let at = bytes.indexOf(LINE); at !== -1; at = bytes.indexOf(LINE, at + 1)) lines += 1
  return lines
}

/** What `parseIndex` would say of one key, without parsing the lines of all others; `null` when it is not in it. Throws the same. */
export const findInIndex = (given: Uint8Array, indexKey: string, key: string): Found | null => {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength)
  try {
    const head = indexHead.parse(JSON.parse(bytes.toString('utf8', 0, bytes.indexOf(LINE))))
    if (countLines(bytes) !== head.count + 1) throw new Error(`it says ${head.count} entries and has ${countLines(bytes) - 1}`)
    const at = bytes.indexOf(`"key":${JSON.stringify(key)},`)
    if (at === -1 || head.pack === null) return null
    const line = bytes.toString('utf8', bytes.lastIndexOf(LINE, at) + 1, bytes.indexOf(LINE, at))
    return { pack: head.pack, entry: packedEntry.parse(JSON.parse(line)) }
  } catch (cause) {
    throw noIndex(indexKey, cause)
  }
}

const noIndex = (key: string, cause: unknown) =>
  new RejectError('NEWSWIRE_ARCHIVE_INDEX', `${key} is no index of a pack; \`newswire rebuild archive-index\` makes it again`, { cause })

/** The content of an entry in its pack. Throws `RejectError` `NEWSWIRE_ARCHIVE_PACK` when it is not what the index says. */
export const cutFrom = (pack: Uint8Array, { frame: [at, length], offset, bytes, sha256, key }: PackedEntry): Uint8Array => {
  const content = unpack(pack.subarray(at, at + length), key).subarray(offset, offset + bytes)
  checkPacked({ key, sha256, content })
  return content
}

/** Throws `RejectError` `NEWSWIRE_ARCHIVE_PACK` when what lies in the pack is not what the index says. */
export const checkPacked = ({ key, sha256, content }: ToPack): void => {
  if (sha256Hex(content) !== sha256)
    throw new RejectError('NEWSWIRE_ARCHIVE_PACK', `${key} in its pack is not what the index says; \`newswire archive verify\` tells more`)
}

const unpack = (member: Uint8Array, key: string): Uint8Array => {
  try {
    return gunzipSync(member)
  } catch (cause) {
    throw new RejectError('NEWSWIRE_ARCHIVE_PACK', `the pack that holds ${key} cannot be unpacked`, { cause })
  }
}

/** Every entry of a pack in its order; one member is unpacked at a time. `checkPacked` says whether it is what was packed. */
export function* entriesOf(pack: Uint8Array, index: PackIndex): Generator<PackedEntry & { content: Uint8Array }> {
  let at = -1
  let raw: Uint8Array = new Uint8Array()
  for (const entry of index.entries.values()) {
    const [offset, length] = entry.frame
    if (offset !== at) raw = unpack(pack.subarray(offset, offset + length), entry.key)
    at = offset
    yield { ...entry, content: raw.subarray(entry.offset, entry.offset + entry.bytes) }
  }
}

export type FoundIndex = Readonly<{ key: string; etag: string; index: PackIndex }>

/** How often a pack may be replaced under a reader's hands: a purge makes it anew. */
export const PACK_ROUNDS = 3

export const packMissing = (what: string) =>
  new RejectError('NEWSWIRE_ARCHIVE_PACK', `the pack that holds ${what} is missing; \`newswire archive verify\` tells more`)

/** The pack of an index with the index that it fits; `null` when all in it was purged. Throws `RejectError` `NEWSWIRE_ARCHIVE_PACK` when it is missing. */
export const openPack = async (
  objects: Pick<Objects, 'get'>,
  { key, index: known }: Pick<FoundIndex, 'key' | 'index'>,
): Promise<Readonly<{ index: PackIndex; bytes: Uint8Array }> | null> => {
  let index = known
  for (let round = 0; round < PACK_ROUNDS; round++) {
    if (index.pack === null) return null
    const pack = await objects.get(index.pack)
    if (pack !== null) return { index, bytes: pack.bytes }
    const again = await objects.get(key)
    if (again === null) break
    index = await parseIndex(again.bytes, key)
  }
  throw packMissing(key)
}

/** The indexes of a day's packs (`yyyy/mm/dd`) as they lie there, in the order in which the packs were made. */
export async function* storedIndexes(
  objects: Pick<Objects, 'get' | 'list'>,
  folder: string,
): AsyncGenerator<StoredObject & { key: string }> {
  for await (const page of listPages(objects, keys.archivePacksOf(folder)))
    for (const { key } of page) {
      const held = key.endsWith('.index.jsonl') ? await objects.get(key) : null
      if (held !== null) yield { key, ...held }
    }
}

/** All packs of a day. */
export const indexesOf = async (objects: Pick<Objects, 'get' | 'list'>, folder: string): Promise<readonly FoundIndex[]> => {
  const found: FoundIndex[] = []
  for await (const { key, etag, bytes } of storedIndexes(objects, folder)) found.push({ key, etag, index: await parseIndex(bytes, key) })
  return found
}

/** Where a key is packed, among the packs of its day. */
export const findEntry = (indexes: readonly FoundIndex[], key: string): Readonly<{ in: FoundIndex; entry: PackedEntry }> | null => {
  for (const found of indexes) {
    const entry = found.index.entries.get(key)
    if (entry !== undefined) return { in: found, entry }
  }
  return null
}

/** Key → SHA-256 of what the pack of an index holds for sure: it was read just now, and every entry is what the index says. `null` when it is not whole. */
export const readProven = async (objects: Pick<Objects, 'get'>, index: PackIndex): Promise<ReadonlyMap<string, string> | null> => {
  const held = index.pack === null ? null : await objects.get(index.pack)
  if (index.pack !== null && (held === null || sha256Hex(held.bytes) !== index.sha256)) return null
  try {
    if (held !== null) await inTurns(entriesOf(held.bytes, index), checkPacked)
  } catch (error) {
    if (error instanceof RejectError) return null
    throw error
  }
  return new Map([...index.entries.values()].map(entry => [entry.key, entry.sha256]))
}
