/**
 * A store that keeps at hand what this process has just put, for who reads exactly those bytes in it: feeds writes files that the gateway beside it
 * serves a moment later. Told by key and hash, so nothing can be out of date: whoever asks says which bytes it wants, and other bytes are read.
 */
import { toTag } from './feed-bundle.ts'
import type { Objects, StoredObject } from './objects.ts'
import { createRecent } from './recent.ts'

/** The files of some thirty feeds; whoever serves them holds the same memory. */
const MAX_BYTES = 32 * 1_048_576

type Kept = Readonly<{ sha256: string; size: number; read: () => StoredObject }>

/** Whatever is not put with `atHand` and read with its hash goes straight to the store. `maxBytes`: the longest not read goes first (default 32 MiB). */
export const keepAtHand = (objects: Objects, { maxBytes = MAX_BYTES }: { maxBytes?: number } = {}): Objects => {
  const kept = createRecent<Kept>({ maxBytes, sizeOf: one => one.size })
  return {
    ...objects,
    get: async (key, options = {}) => {
      const one = options.sha256 === undefined ? undefined : kept.get(key)
      return one !== undefined && one.sha256 === options.sha256 ? one.read() : objects.get(key, options)
    },
    put: async (key, body, options = {}) => {
      const put = await objects.put(key, body, options)
      const lastModified = new Date()
      for (const { key, contentType, bytes, size, sha256 } of (put.ok && options.atHand) || [])
        kept.set(key, { sha256, size, read: () => ({ etag: toTag(sha256), contentType, lastModified, bytes: bytes() }) })
      return put
    },
    delete: async key => {
      kept.delete(key)
      await objects.delete(key)
    },
  }
}
