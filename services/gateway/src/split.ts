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

type Marks = Readonly<{ items: readonly Buffer[]; foot: Buffer }>
const marks = (items: readonly string[], foot: string): Marks => ({ items: items.map(one => Buffer.from(one)), foot: Buffer.from(foot) })

const MARKS: Readonly<Record<FeedOutput, Marks>> = {
  rss: marks(['\n        <item>'], '\n    </channel>'),
  atom: marks(['\n    <entry>', '\n    <entry ', '\n    <at:deleted-entry '], '\n</feed>'),
  json: marks(['\n{"id":'], '\n]}'),
  sitemap: marks(['\n    <url>'], '\n</urlset>'),
}

const findAll = (bytes: Buffer, mark: Buffer): number[] => {
  const found: number[] = []
  for (let at = bytes.indexOf(mark); at > 0; at = bytes.indexOf(mark, at + mark.length)) found.push(at)
  return found
}

export const splitFeed = (bytes: Buffer, output: FeedOutput): Cuts => {
  const { items, foot } = MARKS[output]
  const begins = items.flatMap(mark => findAll(bytes, mark)).sort((a, b) => a - b)
  const end = bytes.lastIndexOf(foot)
  const whole = end > (begins.at(-1) ?? 0)
  return whole ? { bounds: [0, ...begins, end, bytes.length], items: begins.length } : { bounds: [0, bytes.length], items: 0 }
}
