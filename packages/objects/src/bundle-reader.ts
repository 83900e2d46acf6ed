/**
 * A store whose feeds are read file by file, wherever they are kept. Of a bundle that somebody read, the files that come next are not read again: a gateway
 * serves three or four of each build, and looks every few seconds whether they are still the same.
 */
import { type Bundle, fileIn, getBundled, type Place, placeOf, readBundle, toTag, typeOf } from './feed-bundle.ts'
import type { ObjectHead, Objects, StoredObject } from './objects.ts'
import { createRecent } from './recent.ts'

/** Of some hundred bundles; those of feeds that change are one each. */
const MAX_BYTES = 32 * 1_048_576
/** What is remembered of a bundle to answer `head`: five names and hashes. Of some eight thousand feeds. */
const HEADS = { each: 1_024, most: 8 * 1_048_576 } as const

type Heads = Readonly<{ tag: string; files: ReadonlyMap<string, Omit<ObjectHead, 'lastModified'>> }>

const headsOf = ({ etag, parts }: Bundle): Heads => ({
  tag: etag,
  files: new Map(
    [...parts].map(([name, { bytes, sha256 }]) => [name, { size: bytes.byteLength, etag: toTag(sha256), contentType: typeOf(name) }]),
  ),
})
/** The same bytes may have been written again, so it says when. */
const headIn = ({ files }: Heads, name: string, lastModified: Date): ObjectHead | null => {
  const file = files.get(name)
  return file === undefined ? null : { ...file, lastModified }
}

/**
 * What is written and deleted by a file's key is the object of that key. `get` with a hash takes the file from the bundle read last, when it is that one there,
 * and shares a read under way; without, it asks the store, as it does for what is there now. `head` reads the bundle only when its tag is new. `maxBytes` of
 * bundles, and 8 MiB of heads, are kept, the longest not asked for dropped first (default 32 MiB).
 */
export const readFromBundles = (objects: Objects, { maxBytes = MAX_BYTES }: { maxBytes?: number } = {}): Objects => {
  const getPlain = getBundled(objects)
  const read = createRecent<Bundle>({ maxBytes, sizeOf: ({ size }) => size })
  const heads = createRecent<Heads>({ maxBytes: HEADS.most, sizeOf: () => HEADS.each })
  const reading = new Map<string, Promise<Bundle | null>>()

  const readNow = async (key: string): Promise<Bundle | null> => {
    const bundle = await readBundle(objects, key)
    if (bundle !== null) {
      read.set(key, bundle)
      heads.set(key, headsOf(bundle))
    }
    return bundle
  }
  const readShared = (key: string): Promise<Bundle | null> => {
    const one = reading.get(key) ?? readNow(key).finally(() => reading.delete(key))
    reading.set(key, one)
    return one
  }
  const findRead = ({ bundle, name }: Place, sha256: string): StoredObject | null => {
    const known = read.get(bundle)
    return known?.parts.get(name)?.sha256 === sha256 ? fileIn(known, name) : null
  }
  /** `undefined`: there is no bundle. */
  const getWanted = async (place: Place, sha256: string): Promise<StoredObject | null | undefined> => {
    const before = findRead(place, sha256)
    if (before !== null) return before
    // What is under way may be of before this was asked for: good for these very bytes, and else the next read is, whoever begins it.
    const underWay = reading.get(place.bundle)
    if (underWay !== undefined) await underWay.catch(() => undefined)
    const meanwhile = underWay === undefined ? null : findRead(place, sha256)
    if (meanwhile !== null) return meanwhile
    const bundle = await readShared(place.bundle)
    return bundle === null ? undefined : fileIn(bundle, place.name)
  }
  /** `undefined`: there is no bundle. */
  const headNow = async ({ bundle, name }: Place): Promise<ObjectHead | null | undefined> => {
    const there = await objects.head(bundle)
    if (there === null) return undefined
    const known = heads.get(bundle)
    if (known?.tag === there.etag) return headIn(known, name, there.lastModified)
    const found = await readNow(bundle)
    return found === null ? undefined : headIn(headsOf(found), name, found.lastModified)
  }
  return {
    ...objects,
    get: async (key, options = {}) => {
      const place = options.sha256 === undefined || options.signal !== undefined ? null : placeOf(key)
      const found = place === null || options.sha256 === undefined ? undefined : await getWanted(place, options.sha256)
      if (found !== undefined) return found
      return (place === null ? null : await objects.get(key, options)) ?? getPlain(key, options)
    },
    head: async key => {
      const place = placeOf(key)
      if (place === null) return objects.head(key)
      const first = await headNow(place)
      if (first !== undefined) return first
      // A feed's first bundle may take the place of its files between these two.
      return (await objects.head(key)) ?? (await headNow(place)) ?? null
    },
  }
}
