/** What the store has of a feed: its window and its files, with the tags they are swapped by. */
import { UnavailableError } from '@newswire/events/errors'
import { type FeedOutput, feedFiles, feedFormats, feedOutputs } from '@newswire/events/feed'
import { sha256Hex } from '@newswire/events/ids'
import { swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { damagedCode, getUnpacked, unpack } from '@newswire/objects/packed'
import type { LastGood } from './last-good.ts'
import type { FeedFiles } from './outputs.ts'
import { deletePages } from './page-listing.ts'
import { emptyWindow, type FeedWindow, feedWindow } from './window.ts'

export type StoredFile = Readonly<{ etag: string; sha256: string }>
export type StoredFeed = Readonly<{
  window: FeedWindow
  /** `null` when there is no window yet. */
  windowTag: string | null
  /** The hash is of what is there, unpacked, not of what a window says should be. */
  files: Readonly<Record<FeedOutput, StoredFile | null>>
}>

const fileKey = (feedId: string, output: FeedOutput): string => keys.feed(feedId, feedFiles[output].name)

/**
 * The window, and its tag. One that cannot be read is taken for an empty one with a tag: it is derived, and the sweep fills it again
 * (invariant 8). Its counter is lost with it; the next one is above, because counters follow the positions of the log.
 */
export const readWindow = async (objects: Pick<Objects, 'get'>, feedId: string): Promise<Pick<StoredFeed, 'window' | 'windowTag'>> => {
  const found = await objects.get(keys.feed(feedId, 'window.json'))
  if (found === null) return { window: emptyWindow(feedId), windowTag: null }
  return { window: parseWindow(found.bytes, feedId) ?? emptyWindow(feedId), windowTag: found.etag }
}

const parseWindow = (bytes: Uint8Array, feedId: string): FeedWindow | null => {
  try {
    const parsed = feedWindow.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
    return parsed.success && parsed.data.feedId === feedId ? parsed.data : null
  } catch {
    // Neither UTF-8 nor JSON: the same as no window, see above.
    return null
  }
}

/** Of what a file says. One that is damaged has the hash of nothing that is ever wanted, so it is written again. */
const hashOf = async (key: string, bytes: Uint8Array): Promise<string> => sha256Hex(await unpack(key, bytes).catch(() => bytes))

/** Files first, the window after them (architecture §6.20): whoever writes a file in between makes our swap of it fail. */
export const readFeed = async (objects: Pick<Objects, 'get'>, feedId: string): Promise<StoredFeed> => {
  const found = await Promise.all(
    feedOutputs.map(async output => {
      const file = await objects.get(fileKey(feedId, output))
      return [output, file === null ? null : { etag: file.etag, sha256: await hashOf(fileKey(feedId, output), file.bytes) }] as const
    }),
  )
  return { files: Object.fromEntries(found) as StoredFeed['files'], ...(await readWindow(objects, feedId)) }
}

/**
 * The bytes that readers have now, for a build that may not be published; `null` when a format was never written or cannot be read: what is taken
 * back must leave the feed whatever became of its file. Throws `UnavailableError`.
 */
export const readLastGood = async (objects: Pick<Objects, 'get'>, feedId: string): Promise<LastGood | null> => {
  const found = await Promise.all(
    feedFormats.map(async format => {
      const file = await getUnpacked(objects, fileKey(feedId, format)).catch(error => {
        if (error instanceof UnavailableError && error.code === damagedCode) return null
        throw error
      })
      return [format, file?.bytes] as const
    }),
  )
  return found.every(([, bytes]) => bytes !== undefined) ? (Object.fromEntries(found) as unknown as LastGood) : null
}

/** Swaps the window in; its new tag, or `null` when somebody else was there first. */
export const swapWindow = async (objects: Pick<Objects, 'put'>, window: FeedWindow, replaces: string | null): Promise<string | null> => {
  const put = await swapDocument(objects, keys.feed(window.feedId, 'window.json'), window, replaces, { durable: false })
  return put.ok ? put.etag : null
}

/**
 * Writes the files whose bytes are not there yet, side by side. `null` when somebody else wrote one of them since it was read. Not synced:
 * after a power cut the first sweep reads what is there and makes it again from state.
 */
export const putFiles = async (
  objects: Pick<Objects, 'put'>,
  feedId: string,
  files: FeedFiles,
  stored: StoredFeed['files'],
): Promise<Record<FeedOutput, StoredFile> | null> => {
  const put = async (output: FeedOutput): Promise<StoredFile | null> => {
    const before = stored[output]
    const { sha256, size, bytes, kept, isPacked } = files[output]
    if (before?.sha256 === sha256) return before
    const result = await objects.put(fileKey(feedId, output), kept, {
      contentType: feedFiles[output].type,
      cacheControl: 'public, max-age=60',
      ...(isPacked ? { contentEncoding: 'gzip' } : { sha256 }),
      durable: false,
      atHand: { bytes, size, sha256 },
      ...(before === null ? { ifNoneMatch: '*' } : { ifMatch: before.etag }),
    })
    return result.ok ? { etag: result.etag, sha256 } : null
  }
  const [rss, atom, json, sitemap] = await Promise.all([put('rss'), put('atom'), put('json'), put('sitemap')])
  return rss && atom && json && sitemap ? { rss, atom, json, sitemap } : null
}

/**
 * Ends a feed that is no longer in force, so that nothing old is there should it come back: an empty window under the next counter first, which
 * a builder that still holds the feed loses to, then its files and pages. Safe to repeat.
 */
export const retireFeed = async (objects: Pick<Objects, 'get' | 'put' | 'list' | 'delete'>, feedId: string): Promise<void> => {
  const { window, windowTag } = await readWindow(objects, feedId)
  if (windowTag === null) return
  const fence = { ...emptyWindow(feedId), counter: window.counter + 1 }
  if (window.rule !== '' && (await swapWindow(objects, fence, windowTag)) === null) return
  for (const output of feedOutputs) await objects.delete(fileKey(feedId, output))
  await deletePages(objects, feedId)
}
