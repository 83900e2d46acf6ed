/**
 * One file of a feed as the store has it now, for who serves it. While the log tells, its builds are what may be served; while it does not, nobody has told
 * what was taken back since the file was written, so each article in it is looked up first.
 */
import { type FeedBuilt, type FeedOutput, feedFiles } from '@newswire/events/feed'
import { sha256Hex } from '@newswire/events/ids'
import { hashOfTag } from '@newswire/objects/feed-bundle'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { getUnpacked } from '@newswire/objects/packed'

export type FeedFile = Readonly<{
  bytes: Buffer
  /** Names the bytes: the store's own tag, which is a hash of them, as far as a tag of ours can carry it. */
  content: string
  /** When what it shows last changed, as the build says; `null`: it is not known which build it is of. */
  lastModified: Date | null
  /** ms since 1970 */
  writtenAt: number
}>

/** Whether everything that these bytes show may be shown. */
export type MayShow = (output: FeedOutput, bytes: Uint8Array) => Promise<boolean>

type Wanted = Readonly<{
  feedId: string
  output: FeedOutput
  /** What was last told of the feed. */
  built: FeedBuilt | null
  /** Whether the log tells now. */
  isTold: boolean
  /** `built` may be of other bytes than it says (`built-feeds.ts`). */
  isDoubted: boolean
  /** What was read before. */
  held: Pick<FeedFile, 'bytes' | 'content'> | null
}>

const toContent = (etag: string): string => etag.replace(/[^A-Za-z0-9]/g, '').slice(0, 32)

/** Facts written before there was a date for each file say only when the newest thing in the feed was released. */
const modifiedOf = (built: FeedBuilt, output: FeedOutput): Date => new Date(built.outputs[output]?.modifiedAt ?? built.updatedAt)

type Needs = Readonly<{ objects: Pick<Objects, 'get' | 'head'>; mayShow: MayShow }>
type Found = Readonly<{ bytes: Uint8Array; etag: string; lastModified: Date }>

/** Cut off, nobody knows whether the bytes that the log told of last are what the store has now; those that were read before it may have still. */
const findUntold = async (objects: Needs['objects'], key: string, held: Wanted['held']): Promise<Found | null> => {
  const there = held === null ? null : await objects.head(key)
  return held !== null && there !== null && toContent(there.etag) === held.content
    ? { ...there, bytes: held.bytes }
    : getUnpacked(objects, key, { sha256: there === null ? undefined : hashOfTag(there.etag) })
}

/** A sitemap does not say whose the pages are that it names; the feed that it is of has told once it was looked through. */
const mayShowUntold = async ({ objects, mayShow }: Needs, { feedId, output }: Wanted, bytes: Uint8Array): Promise<boolean> => {
  const feed = output === 'sitemap' ? await getUnpacked(objects, keys.feed(feedId, feedFiles.rss.name)) : null
  if (feed !== null) await mayShow('rss', feed.bytes)
  return mayShow(output, bytes)
}

/** `null`: there is no such file. Throws `UnavailableError`. */
export const readFeedFile = async (needs: Needs, wanted: Wanted): Promise<FeedFile | 'refused' | null> => {
  const { feedId, output, built, isTold, isDoubted, held } = wanted
  const told = built?.outputs[output]?.sha256
  const key = keys.feed(feedId, feedFiles[output].name)
  const found = await (isTold ? getUnpacked(needs.objects, key, { sha256: told }) : findUntold(needs.objects, key, held))
  if (found === null) return null
  const { bytes, etag, lastModified } = found
  if (!isTold && !(await mayShowUntold(needs, wanted, bytes))) return 'refused'
  // What a view from before this start knows may be of older bytes, and their date would make these look unchanged. That of their writing is later than
  // the build's, so the next build would look unchanged by it.
  const isOfBuild = built !== null && ((isTold && !isDoubted) || told === sha256Hex(bytes))
  return {
    bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    content: toContent(etag),
    lastModified: isOfBuild ? modifiedOf(built, output) : null,
    writtenAt: lastModified.getTime(),
  }
}
