/**
 * All that is kept of a feed as one object, `feeds/<feed id>/feed.bundle`: its window and its files. A build is one swap, whole or not at all, and costs the
 * store one write where it was five. Whoever reads a file goes on asking for it by its own key (`bundle-reader.ts`), and of feeds that were written before
 * there were bundles gets the object of that key.
 *
 *   newswire feed bundle 1\n   {"parts":[{"name":"rss.xml","bytes":81234,"sha256":"…"},…]}\n   the parts, one after the other
 */
import { UnavailableError } from '@newswire/events/errors'
import { feedFiles } from '@newswire/events/feed'
import { z } from 'zod'
import type { Objects, StoredObject } from './objects.ts'
import { damagedCode, isPacked } from './packed.ts'

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
type Part = Readonly<{ bytes: Uint8Array; sha256: string }>

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

/** The hash that such a tag is; `undefined` of another one. */
export const hashOfTag = (etag: string): string | undefined => /^"([0-9a-f]{64})"$/.exec(etag)?.[1]

export type Place = Readonly<{ bundle: string; name: BundledName }>

/** Where a key's file is bundled; `null` for what never is. */
export const placeOf = (key: string): Place | null => {
  const [folder, feedId = '', file, ...others] = key.split('/')
  const name = folder === 'feeds' && others.length === 0 ? bundled.find(one => one === file) : undefined
  return name === undefined ? null : { bundle: `feeds/${feedId}/feed.bundle`, name }
}

export const typeOf = (name: string): string => FILES.find(one => one.name === name)?.type ?? 'application/json'

/** A bundle as it was read. */
export type Bundle = Readonly<{ etag: string; lastModified: Date; size: number; parts: ReadonlyMap<string, Part> }>

/** `null`: there is none. Throws `UnavailableError` `NEWSWIRE_OBJECTS_DAMAGED` of one that is not whole, and what `get` throws. */
export const readBundle = async (objects: Pick<Objects, 'get'>, key: string, signal?: AbortSignal): Promise<Bundle | null> => {
  const found = await objects.get(key, signal === undefined ? {} : { signal })
  if (found === null) return null
  const parts = partsOf(found.bytes)
  if (parts === null) throw new UnavailableError(damagedCode, `${key} is damaged; the feed's next look writes it again`)
  return { etag: found.etag, lastModified: found.lastModified, size: found.bytes.byteLength, parts }
}

/** `null`: it has no such file. What is kept plain is copied: a sitemap of 10 KB that somebody serves would keep a bundle of megabytes. What is packed is unpacked, and let go of. */
export const fileIn = ({ parts, lastModified }: Pick<Bundle, 'parts' | 'lastModified'>, name: string): StoredObject | null => {
  const part = parts.get(name)
  if (part === undefined) return null
  const bytes = isPacked(part.bytes) ? part.bytes : new Uint8Array(part.bytes)
  return { bytes, etag: toTag(part.sha256), contentType: typeOf(name), lastModified }
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
    const first = await readBundle(objects, place.bundle, options.signal)
    if (first !== null) return fileIn(first, place.name)
    const loose = await objects.get(key, options)
    if (loose !== null) return loose
    // A feed's first bundle may take the place of its files between these two.
    const second = await readBundle(objects, place.bundle, options.signal)
    return second === null ? null : fileIn(second, place.name)
  }
