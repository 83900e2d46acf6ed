/**
 * The port of the object store: S3, or a folder on a disk. Both pass `objects.contract.ts`.
 * One object per thing; whatever has more than one possible writer is changed by compare-and-swap only.
 * Anything but an answer (store away, timeout, 5xx) throws `UnavailableError` `NEWSWIRE_OBJECTS_UNAVAILABLE`.
 */

export type StoredObject = Readonly<{
  bytes: Uint8Array
  /**
   * Opaque. Equal bytes may have equal tags, so swapped documents carry a counter. Read while it is overwritten, a body may come under the tag
   * of one before it, never of one after it: a swap under that tag fails, and is tried again (seen on versitygw 1.8.0, 2 of 15,000 reads).
   */
  etag: string
  contentType: string
  lastModified: Date
}>

export type ObjectHead = Readonly<{ size: number; etag: string; contentType: string; lastModified: Date }>

/** What somebody reads under `key`, unpacked; asked for its bytes only then. The tag is the hash. */
type AtHand = Readonly<{ key: string; contentType: string; bytes: () => Uint8Array; size: number; sha256: string }>

export type PutOptions = Readonly<{
  /** Default: from the key's ending (`.json`, `.xml`, `.jpg`…), else `application/octet-stream`. */
  contentType?: string
  cacheControl?: string
  /** `'*'`: only if there is nothing yet. */
  ifNoneMatch?: '*'
  /** Only if it is still this. */
  ifMatch?: string
  /** `false`: may be lost at a power cut (never at a kill): for what is made again from something durable. Default true. */
  durable?: boolean
  /** The SHA-256 of the bytes as hex, from who has it already: a store whose tags are hashes need not make it again. Never a guess. */
  sha256?: string
  /** What can be read of it under these keys, for somebody of this process who does so soon (`at-hand.ts`). */
  atHand?: readonly AtHand[]
}>

/** `exists`: `ifNoneMatch` failed. `stale`: `ifMatch` failed, also when the object is gone. */
export type PutResult = Readonly<{ ok: true; etag: string }> | Readonly<{ ok: false; reason: 'exists' | 'stale' }>

export type ListedObject = Readonly<{ key: string; size: number; etag: string; lastModified: Date }>

export type Objects = Readonly<{
  kind: 's3' | 'disk'
  /** `sha256`: what has this hash is wanted, unpacked; it need not be read again when it is at hand (`at-hand.ts`). Anything may come all the same. */
  get(key: string, options?: { signal?: AbortSignal; sha256?: string | undefined }): Promise<StoredObject | null>
  head(key: string): Promise<ObjectHead | null>
  /**
   * Whole or not at all; durable when it resolves. A repeat after a lost answer is told from a lost race by the bytes: the same bytes
   * are a success. Throws `RejectError` `NEWSWIRE_OBJECTS_KEY` for a key that `keys.ts` would not make.
   */
  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<PutResult>
  /** Deleting what is not there succeeds. Never a fence: what others may write ends as a swapped tombstone (architecture §6.20). */
  delete(key: string): Promise<void>
  /** Keys that begin with `prefix`, in UTF-8 byte order, after `startAfter`; at most `limit` (default 1000). */
  list(prefix: string, options?: { startAfter?: string; limit?: number }): Promise<readonly ListedObject[]>
  close(): Promise<void>
}>
