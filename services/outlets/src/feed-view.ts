/**
 * Feeds as they stand, read when they are distributed. One read serves every subscriber that wants this build or an older one, for at most a
 * second, and its bytes are never copied: what a thousand requests in flight hold is one body. Of a build that is known the store is asked for these very
 * bytes, so its formats, which lie in one bundle, are one read as well.
 */
import { type FeedBuilt, type FeedFormat, feedFiles } from '@newswire/events/feed'
import { sha256Hex } from '@newswire/events/ids'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { getUnpacked } from '@newswire/objects/packed'
import type { Clock } from './clock.ts'

const SHARED_FOR_MS = 1_000
/** The window of a feed begins with whose it is and which build; its entries, which may be many, are not parsed for that. */
const HEAD_BYTES = 500
const COUNTER = /"counter":(\d+)/

/** The bytes of a feed. `version`: the newest build that was known when they were read; they are of that one or a newer one. */
export type FeedBody = Readonly<{ bytes: Uint8Array; sha256: string; version: number }>

type Built = Pick<FeedBuilt, 'feedId' | 'counter' | 'outputs'>

export type FeedView = Readonly<{
  /** This build of the feed is known: what is read from now on is not older. */
  note(built: Built): void
  /** The newest build that is known; 0 when none is. */
  known(feedId: string): number
  /** The newest build that the store has; `null` when it does not say. Throws what the store throws. */
  stored(feedId: string): Promise<number | null>
  /** `null` when there is no such file. Throws what the store throws. */
  read(feedId: string, format: FeedFormat, want: number): Promise<FeedBody | null>
}>

type Shared = Readonly<{ version: number; body: Promise<FeedBody | null> }>

export const createFeedView = (objects: Pick<Objects, 'get'>, { after }: Pick<Clock, 'after'>): FeedView => {
  const newest = new Map<string, Built>()
  const shared = new Map<string, Shared>()

  const begin = (feedId: string, format: FeedFormat, version: number): Shared => {
    const key = `${feedId}/${format}`
    const built = newest.get(feedId)
    const sha256 = built?.counter === version ? built.outputs[format].sha256 : undefined
    const body = getUnpacked(objects, keys.feed(feedId, feedFiles[format].name), { sha256 }).then(found =>
      found === null ? null : { bytes: found.bytes, sha256: sha256Hex(found.bytes), version },
    )
    const one: Shared = { version, body }
    const forget = () => {
      if (shared.get(key) === one) shared.delete(key)
    }
    body.then(() => after(SHARED_FOR_MS, forget), forget)
    shared.set(key, one)
    return one
  }

  const known = (feedId: string): number => newest.get(feedId)?.counter ?? 0
  return {
    note: built => {
      if (built.counter > known(built.feedId)) newest.set(built.feedId, built)
    },
    known,
    stored: async feedId => {
      const found = await getUnpacked(objects, keys.feed(feedId, 'window.json'))
      const counter = found === null ? undefined : COUNTER.exec(Buffer.from(found.bytes.subarray(0, HEAD_BYTES)).toString())?.[1]
      return counter === undefined ? null : Number(counter)
    },
    read: (feedId, format, want) => {
      const version = Math.max(want, known(feedId))
      const one = shared.get(`${feedId}/${format}`)
      return (one !== undefined && one.version >= version ? one : begin(feedId, format, version)).body
    },
  }
}

/** Bytes of all bodies that requests in flight hold; the last one may go beyond. */
const MOST_BYTES = 64 * 1024 * 1024

export type Bodies = Readonly<{
  /** Counts a body as held until what is returned is called; `null`: there is no room for another one now. */
  hold(body: FeedBody): (() => void) | null
  bytes(): number
}>

export const createBodies = ({ mostBytes = MOST_BYTES } = {}): Bodies => {
  const holders = new Map<FeedBody, number>()
  let bytes = 0
  return {
    hold: body => {
      const count = holders.get(body) ?? 0
      if (count === 0 && bytes >= mostBytes) return null
      if (count === 0) bytes += body.bytes.byteLength
      holders.set(body, count + 1)
      return () => {
        const left = (holders.get(body) ?? 0) - 1
        if (left > 0) holders.set(body, left)
        else if (holders.delete(body)) bytes -= body.bytes.byteLength
      }
    },
    bytes: () => bytes,
  }
}
