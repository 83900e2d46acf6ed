/**
 * Where the items of a feed begin: for what is compressed piece by piece a wrong cut does no harm, for a delta it must be right. It is: our
 * renderer begins every item with these bytes, and nothing inside an item can look like them, because `<` is only ever written for the tags
 * of cleaned HTML, which knows no `item` and no `entry`, and JSON writes no newline within a string.
 */
import type { FeedOutput } from '@newswire/events/feed'

/** Offsets: 0 (head), each item, the foot, the end. `null` marks where nothing could be cut: head and foot are then one piece. */
export type Cuts = Readonly<{
  /** Rising; `bounds[0]` is 0 and the last is the length. Piece i lies between bounds i and i+1; the first is the head, the last the foot. */
  bounds: readonly number[]
  items: number
}>

type Marks = Readonly<{
  /** What all items begin with, so that a file is searched once; then one of `rest`. */
  start: Buffer
  rest: readonly Buffer[]
  foot: Buffer
}>
const marks = (start: string, rest: readonly string[], foot: string): Marks => ({
  start: Buffer.from(start),
  rest: rest.map(one => Buffer.from(one)),
  foot: Buffer.from(foot),
})

const MARKS: Readonly<Record<FeedOutput, Marks>> = {
  rss: marks('\n        <item>', [''], '\n    </channel>'),
  atom: marks('\n    <', ['entry>', 'entry ', 'at:deleted-entry '], '\n</feed>'),
  json: marks('\n{"id":', [''], '\n]}'),
  sitemap: marks('\n    <url>', [''], '\n</urlset>'),
}

const isAt = (bytes: Buffer, at: number, part: Buffer): boolean => bytes.subarray(at, at + part.length).equals(part)

const findAll = (bytes: Buffer, { start, rest }: Marks): number[] => {
  const found: number[] = []
  for (let at = bytes.indexOf(start); at > 0; at = bytes.indexOf(start, at + start.length))
    if (rest.some(part => isAt(bytes, at + start.length, part))) found.push(at)
  return found
}

export const splitFeed = (bytes: Buffer, output: FeedOutput): Cuts => {
  const { foot } = MARKS[output]
  const begins = findAll(bytes, MARKS[output])
  const end = bytes.lastIndexOf(foot)
  const whole = end > (begins.at(-1) ?? 0)
  return whole ? { bounds: [0, ...begins, end, bytes.length], items: begins.length } : { bounds: [0, bytes.length], items: 0 }
}
