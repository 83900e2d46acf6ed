/**
 * One file of a feed as the store has it now, for who serves it. While the log tells, its builds are what may be served; while it does not, nobody has told
 * what was taken back since the file was written, so each article in it is looked up first.
 */
import { type FeedBuilt, type FeedOutput, feedFiles } from '@newswire/events/feed'
import { sha256Hex } from '@newswire/events/ids'
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
}>

const toContent = (etag: string): string => etag.replace(/[^A-Za-z0-9]/g, '').slice(0, 32)

/** Facts written before there was a date for each file say only when the newest thing in the feed was released. */
const modifiedOf = (built: FeedBuilt, output: FeedOutput): Date => new Date(built.outputs[output]?.modifiedAt ?? built.updatedAt)

/** `null`: there is no such file. Throws `UnavailableError`. */
export const readFeedFile = async (
  { objects, mayShow }: Readonly<{ objects: Pick<Objects, 'get'>; mayShow: MayShow }>,
  { feedId, output, built, isTold }: Wanted,
): Promise<FeedFile | 'refused' | null> => {
  const told = built?.outputs[output]?.sha256
  // Cut off, nobody knows whether the bytes that the log told of last are what the store has now.
  const found = await getUnpacked(objects, keys.feed(feedId, feedFiles[output].name), { sha256: isTold ? told : undefined })
  if (found === null) return null
  const { bytes, etag, lastModified } = found
  if (!isTold && !(await mayShow(output, bytes))) return 'refused'
  // What a view from before this start knows may be of older bytes, and their date would make these look unchanged. That of their writing is later than
  // the build's, so the next build would look unchanged by it.
  const isOfBuild = built !== null && (isTold || told === sha256Hex(bytes))
  return {
    bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    content: toContent(etag),
    lastModified: isOfBuild ? modifiedOf(built, output) : null,
    writtenAt: lastModified.getTime(),
  }
}
