/** What the store has of a feed: its window and its files, in one object that is swapped. */
import { UnavailableError } from '@newswire/events/errors'
import { type FeedOutput, feedFiles, feedFormats, feedOutputs } from '@newswire/events/feed'
import { sha256Hex } from '@newswire/events/ids'
import { type BundledName, bundleType, getBundled, partsOf, toBundle } from '@newswire/objects/feed-bundle'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { damagedCode, getUnpacked, unpack } from '@newswire/objects/packed'
import type { LastGood } from './last-good.ts'
import type { FeedFiles } from './outputs.ts'
import { deletePages } from './page-listing.ts'
import { emptyWindow, type FeedWindow, feedWindow } from './window.ts'

export type StoredFeed = Readonly<{
  window: FeedWindow
  /** Of the bundle; `null` when there is none yet. */
  tag: string | null
  /** The hash of each file: of what is there, unpacked, not of what a window says should be. */
  files: Readonly<Record<FeedOutput, string | null>>
}>

const fileKey = (feedId: string, output: FeedOutput): string => keys.feed(feedId, feedFiles[output].name)

const parseWindow = (bytes: Uint8Array | undefined, feedId: string): FeedWindow | null => {
  try {
    const parsed = feedWindow.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
    return parsed.success && parsed.data.feedId === feedId ? parsed.data : null
  } catch {
    // Neither UTF-8 nor JSON: the same as no window, see below.
    return null
  }
}

/** Of what a file says. One that is damaged has the hash of nothing that is ever wanted, so it is written again. */
const hashOf = async (key: string, bytes: Uint8Array | undefined): Promise<string | null> =>
  bytes === undefined ? null : sha256Hex(await unpack(key, bytes).catch(() => bytes))

type Stored = Readonly<{ tag: string | null; bytesOf: (name: BundledName) => Promise<Uint8Array | undefined> }>

/** The bundle of a feed; of one that was last written before there were bundles, the objects that it had then. */
const readStored = async (objects: Pick<Objects, 'get'>, feedId: string): Promise<Stored> => {
  const found = await objects.get(keys.feed(feedId, 'feed.bundle'))
  if (found === null) return { tag: null, bytesOf: async name => (await objects.get(keys.feed(feedId, name)))?.bytes }
  const parts = partsOf(found.bytes)
  return { tag: found.etag, bytesOf: async name => parts?.get(name)?.bytes }
}

const windowIn = async ({ bytesOf }: Stored, feedId: string): Promise<FeedWindow | null> =>
  parseWindow(await bytesOf('window.json'), feedId)

/**
 * The window, and the tag of its bundle. One that cannot be read is taken for an empty one with a tag: it is derived, and the sweep fills it again
 * (invariant 8). Its counter is lost with it; the next one is above, because counters follow the positions of the log.
 */
export const readWindow = async (objects: Pick<Objects, 'get'>, feedId: string): Promise<Pick<StoredFeed, 'window' | 'tag'>> => {
  const stored = await readStored(objects, feedId)
  return { window: (await windowIn(stored, feedId)) ?? emptyWindow(feedId), tag: stored.tag }
}

export const readFeed = async (objects: Pick<Objects, 'get'>, feedId: string): Promise<StoredFeed> => {
  const stored = await readStored(objects, feedId)
  const hash = async (output: FeedOutput) =>
    [output, await hashOf(fileKey(feedId, output), await stored.bytesOf(feedFiles[output].name))] as const
  return {
    window: (await windowIn(stored, feedId)) ?? emptyWindow(feedId),
    tag: stored.tag,
    files: Object.fromEntries(await Promise.all(feedOutputs.map(hash))) as StoredFeed['files'],
  }
}

/**
 * The bytes that readers have now, for a build that may not be published; `null` when a format was never written or cannot be read: what is taken
 * back must leave the feed whatever became of its file. Throws `UnavailableError`.
 */
export const readLastGood = async (objects: Pick<Objects, 'get'>, feedId: string): Promise<LastGood | null> => {
  const found = await Promise.all(
    feedFormats.map(async format => {
      const file = await getUnpacked({ get: getBundled(objects) }, fileKey(feedId, format)).catch(error => {
        if (error instanceof UnavailableError && error.code === damagedCode) return null
        throw error
      })
      return [format, file?.bytes] as const
    }),
  )
  return found.every(([, bytes]) => bytes !== undefined) ? (Object.fromEntries(found) as unknown as LastGood) : null
}

/**
 * Swaps a feed in, window and files: its new tag, or `null` when somebody else was there first. Not synced: after a power cut the first sweep reads what is
 * there and makes it again from state.
 */
export const swapFeed = async (
  objects: Pick<Objects, 'put'>,
  window: FeedWindow,
  files: FeedFiles | null,
  replaces: string | null,
): Promise<string | null> => {
  const { feedId } = window
  const own = Buffer.from(JSON.stringify(window))
  const outputs = files === null ? [] : feedOutputs.map(output => ({ ...feedFiles[output], ...files[output] }))
  const bundle = toBundle([
    { name: 'window.json', pieces: [own], sha256: sha256Hex(own) },
    ...outputs.map(({ name, kept, sha256 }) => ({ name, pieces: kept, sha256 })),
  ])
  const put = await objects.put(keys.feed(feedId, 'feed.bundle'), bundle, {
    contentType: bundleType,
    durable: false,
    atHand: outputs.map(({ name, type, bytes, size, sha256 }) => ({
      key: keys.feed(feedId, name),
      contentType: type,
      bytes,
      size,
      sha256,
    })),
    ...(replaces === null ? { ifNoneMatch: '*' } : { ifMatch: replaces }),
  })
  return put.ok ? put.etag : null
}

/** Whether there is something left of what a feed was kept as before there were bundles. */
const isLoose = async (objects: Pick<Objects, 'list'>, feedId: string): Promise<boolean> =>
  (await objects.list(keys.feed(feedId, 'window.json'), { limit: 1 })).length > 0

/** Deletes what nobody reads once there is a bundle. Safe to repeat, and to be killed within: the window, which tells of the others, goes last. */
export const deleteLoose = async (objects: Pick<Objects, 'list' | 'delete'>, feedId: string): Promise<void> => {
  if (!(await isLoose(objects, feedId))) return
  for (const output of feedOutputs) await objects.delete(fileKey(feedId, output))
  await objects.delete(keys.feed(feedId, 'window.json'))
}

/**
 * Ends a feed that is no longer in force, so that nothing old is there should it come back: an empty window without files under the next counter, which
 * a builder that still holds the feed loses to, then its pages. `false` when somebody else wrote the feed meanwhile: to be tried again. Safe to repeat.
 */
export const retireFeed = async (objects: Pick<Objects, 'get' | 'put' | 'list' | 'delete'>, feedId: string): Promise<boolean> => {
  const { window, tag } = await readWindow(objects, feedId)
  if (tag === null && !(await isLoose(objects, feedId))) return true
  const fence = { ...emptyWindow(feedId), counter: window.counter + 1 }
  // A window that cannot be read counts as an empty one, of no build yet; the fence's counter is above 0.
  const isFenced = tag !== null && window.rule === '' && window.counter > 0
  if (!isFenced && (await swapFeed(objects, fence, null, tag)) === null) return false
  await deleteLoose(objects, feedId)
  await deletePages(objects, feedId)
  return true
}
