/**
 * All that is kept of a feed as one object, `feeds/<feed id>/feed.bundle`: its window and its files. A build is one swap, whole or not at all, and costs the
 * store one write where it was five. Whoever reads a file goes on asking for it by its own key (`readFromBundles`), and of feeds that were written before
 * there were bundles gets the object of that key.
 *
 *   newswire feed bundle 1\n   {"parts":[{"name":"rss.xml","bytes":81234,"sha256":"…"},…]}\n   the parts, one after the other
 */
import { UnavailableError } from '@newswire/events/errors'
import { feedFiles } from '@newswire/events/feed'
import { z } from 'zod'
import type { ObjectHead, Objects, StoredObject } from './objects.ts'
import { damagedCode } from './packed.ts'

const FILES = Object.values(feedFiles)
/** What a bundle holds; the window is the builder's own. */
export const bundled = ['window.json', ...FILES.map(({ name }) => name)] as const
export type BundledName = (typeof bundled)[number]

export const bundleType = 'application/vnd.newswire.feed-bundle'

export type NewPart = Readonly<{
  name: BundledName
  /** Side by side they are the part, which may be gzip. */
  pieces: readonly Uint8Array[]
  /** Of what it says, unpacked: names the content. */
  sha256: string
}>
export type Part = Readonly<{ bytes: Uint8Array; sha256: string }>

const MAGIC = Buffer.from('newswire feed bundle 1\n')
/** Five parts are named in a few hundred bytes. */
const MAX_HEAD = 4_096
const LINE_FEED = 0x0a
const head = z.object({ parts: z.array(z.object({ name: z.string(), bytes: z.int().min(0), sha256: z.string() })) })

/** Pure. */
export const toBundle = (parts: readonly NewPart[]): Uint8Array => {
  const named = parts.map(({ name, pieces, sha256 }) => ({ name, bytes: pieces.reduce((sum, one) => sum + one.byteLength, 0), sha256 }))
  return Buffer.concat([MAGIC, Buffer.from(`${JSON.stringify({ parts: named })}\n`), ...parts.flatMap(({ pieces }) => pieces)])
}

const parseHead = (line: Buffer): z.output<typeof head> | null => {
  try {
    return head.safeParse(JSON.parse(line.toString())).data ?? null
  } catch {
    // No JSON: the same as no bundle.
    return null
  }
}

/** The parts by name, as views of `bytes`; `null` when it is no bundle, or not whole. */
export const partsOf = (bytes: Uint8Array): ReadonlyMap<string, Part> | null => {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (!all.subarray(0, MAGIC.length).equals(MAGIC)) return null
  const end = all.subarray(0, MAX_HEAD).indexOf(LINE_FEED, MAGIC.length)
  const named = end === -1 ? null : parseHead(all.subarray(MAGIC.length, end))
  if (named === null) return null
  const parts = new Map<string, Part>()
  let at = end + 1
  for (const one of named.parts) {
    parts.set(one.name, { bytes: all.subarray(at, at + one.bytes), sha256: one.sha256 })
    at += one.bytes
  }
  return at === all.length ? parts : null
}

/** The tag of a file that is read from a bundle: it names the content, whatever else the bundle holds. */
export const toTag = (sha256: string): string => `"${sha256}"`

type Place = Readonly<{ bundle: string; name: BundledName }>

/** Where a key's file is bundled; `null` for what never is. */
const placeOf = (key: string): Place | null => {
  const [folder, feedId = '', file, ...others] = key.split('/')
  const name = folder === 'feeds' && others.length === 0 ? bundled.find(one => one === file) : undefined
  return name === undefined ? null : { bundle: `feeds/${feedId}/feed.bundle`, name }
}

const typeOf = (name: BundledName): string => FILES.find(one => one.name === name)?.type ?? 'application/json'

/** `undefined`: there is no bundle. `null`: it has no such file. */
const find = async (
  objects: Pick<Objects, 'get'>,
  { bundle, name }: Place,
  signal?: AbortSignal,
): Promise<StoredObject | null | undefined> => {
  const found = await objects.get(bundle, signal === undefined ? {} : { signal })
  if (found === null) return undefined
  const parts = partsOf(found.bytes)
  if (parts === null) throw new UnavailableError(damagedCode, `${bundle} is damaged; the feed's next look writes it again`)
  const part = parts.get(name)
  return part === undefined
    ? null
    : { bytes: part.bytes, etag: toTag(part.sha256), contentType: typeOf(name), lastModified: found.lastModified }
}

/**
 * `get` that finds a feed's files and window in its bundle, under a tag that is their content's hash. Throws `UnavailableError` `NEWSWIRE_OBJECTS_DAMAGED`
 * of a bundle that is not whole, and what `get` throws.
 */
export const getBundled =
  (objects: Pick<Objects, 'get'>): Objects['get'] =>
  async (key, options = {}) => {
    const place = placeOf(key)
    if (place === null) return objects.get(key, options)
    const first = await find(objects, place, options.signal)
    if (first !== undefined) return first
    // A feed's first bundle may take the place of its files between these two.
    return (await objects.get(key, options)) ?? (await find(objects, place, options.signal)) ?? null
  }

/** A store whose feeds are read file by file, wherever they are kept. What is written and deleted by such a key is the object of that key. */
export const readFromBundles = (objects: Objects): Objects => {
  const get = getBundled(objects)
  const head = async (key: string): Promise<ObjectHead | null> => {
    if (placeOf(key) === null) return objects.head(key)
    const found = await get(key)
    return found === null ? null : { ...found, size: found.bytes.byteLength }
  }
  return { ...objects, get, head }
}
