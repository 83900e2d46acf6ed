/**
 * A store that keeps at hand what this process has just put, for who reads exactly those bytes in it: feeds writes files that the gateway beside it
 * serves a moment later. Told by key and hash, so nothing can be out of date: whoever asks says which bytes it wants, and other bytes are read.
 */
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
      const { atHand, contentType = 'application/octet-stream' } = options
      if (put.ok && atHand !== undefined) {
        const about = { etag: put.etag, contentType, lastModified: new Date() }
        kept.set(key, { sha256: atHand.sha256, size: atHand.size, read: () => ({ ...about, bytes: atHand.bytes() }) })
      }
      return put
    },
    delete: async key => {
      kept.delete(key)
      await objects.delete(key)
    },
  }
}
