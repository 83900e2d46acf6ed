/** What the store has of a feed's pages, compared with what is claimed of them; and the end of pages that are none any more. */
import { feedFormats } from '@newswire/events/feed'
import { parsePageFile, toPageFile, toPageName } from '@newswire/events/feed-page'
import { keys } from '@newswire/objects/keys'
import { listKeys, listPages } from '@newswire/objects/listing'
import type { ListedObject, Objects } from '@newswire/objects/objects'
import { parseClaim } from './page-writer.ts'
import { isWithin, type Reach } from './pages.ts'
import type { Places } from './places.ts'

/** A tombstone stays until no writer that held the page's tag can still be alive. */
const TOMBSTONE_MS = 3_600_000

const listAll = async (objects: Pick<Objects, 'list'>, prefix: string): Promise<Map<string, ListedObject>> => {
  const found = new Map<string, ListedObject>()
  for await (const page of listPages(objects, prefix)) for (const one of page) found.set(one.key, one)
  return found
}

/** Puts an empty body where a page was: the public is told that it is gone, and a late writer of the old page finds another tag. */
const endPage = async (
  objects: Pick<Objects, 'put' | 'delete'>,
  { key, size, etag, lastModified }: ListedObject,
  nowMs: number,
): Promise<void> => {
  if (size > 0) await objects.put(key, new Uint8Array(), { ifMatch: etag, durable: false })
  else if (nowMs - lastModified.getTime() > TOMBSTONE_MS) await objects.delete(key)
}

type Options = Readonly<{ feedId: string; places: Places; reach: Reach | null; shape: string; nowMs: number }>

/** Marks the days of pages that are not as they were claimed: lost, damaged, written by another, or of another shape. Ends those that no longer exist. */
export const comparePages = async (
  objects: Pick<Objects, 'list' | 'put' | 'delete'>,
  { feedId, places, reach, shape, nowMs }: Options,
): Promise<void> => {
  const listed = await listAll(objects, keys.feedPagePrefix(feedId))
  const claims = places.claims(feedId)
  const pages = reach === null ? [] : places.pagesBetween(feedId, '', reach.page.day, reach)
  for (const [index, page] of pages.entries()) {
    const claim = parseClaim(claims.get(toPageName(page)))
    const isThere = (format: 'rss' | 'atom' | 'json') =>
      claim?.files[format].etag === listed.get(keys.feedPage(feedId, toPageFile(page, format)))?.etag
    if (claim?.shape !== shape || !feedFormats.every(isThere)) {
      places.dropClaim(feedId, toPageName(page))
      places.soil(feedId, page.day)
    }
    if (index % 500 === 499) await new Promise(setImmediate)
  }
  const prefix = keys.feedPagePrefix(feedId)
  for (const one of listed.values()) {
    const found = parsePageFile(one.key.slice(prefix.length))
    const isPage = found !== null && isWithin(found.page, reach) && places.slotsOf(feedId, found.page, 1).length > 0
    if (isPage) continue
    if (found !== null) places.dropClaim(feedId, toPageName(found.page))
    await endPage(objects, one, nowMs)
  }
}

/** Deletes all pages of a feed that is no longer in force; its window is fenced by then. */
export const deletePages = async (objects: Pick<Objects, 'list' | 'delete'>, feedId: string): Promise<void> => {
  for (const key of await listKeys(objects, keys.feedPagePrefix(feedId))) await objects.delete(key)
}
