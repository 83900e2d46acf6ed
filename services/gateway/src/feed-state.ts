/**
 * One state of one file of a feed, as it is served: its bytes, the codings of them that were asked for, and which of its items are new to whom.
 *
 * Tags name the content first, then the coding and the very bytes: `"<content>"`, `"<content>-gz.<crc>"`. So a strong tag changes whenever
 * bytes do (a better compression of the same content has another one), and whoever holds any coding of the current content is told so.
 */
import { promisify } from 'node:util'
import { brotliCompress, constants, crc32, gzip, zstdCompress } from 'node:zlib'
import type { FeedOutput } from '@newswire/events/feed'
import type { Coding } from '@newswire/http/accept'
import { MAX_JOINED } from './frame.ts'
import { type Spliced, spliceGzip } from './gzip-splice.ts'
import { type Cuts, splitFeed } from './split.ts'

export type AnyCoding = Coding | 'identity'
export type Variant = Readonly<{
  coding: AnyCoding
  /** Strong, with its quotes. */
  tag: string
  bytes: Buffer
}>

export type FeedState = Readonly<{
  feedId: string
  output: FeedOutput
  content: string
  bytes: Buffer
  cuts: Cuts
  /** When what it shows last changed, as the build says; `null`: nobody has said, and no date is told. */
  lastModified: Date | null
  /** Rises with every state of this file that this process served. */
  sequence: number
  /** A checksum of each item. */
  sums: readonly number[]
  /** For each item, the sequence since which it has been in the file as it is. */
  since: readonly number[]
  /** Codings there are, the smallest first, without the plain bytes. */
  ready(): readonly Coding[]
  find(coding: AnyCoding): Variant | undefined
  /** Makes it when it is not there yet, once for all that ask. */
  variant(coding: AnyCoding): Promise<Variant>
  /** The best that these bytes can be made: costs many times as much, so only for what stays. Twice is once. */
  refine(): Promise<void>
  /** Changes whenever `ready()` does. */
  revision(): number
  /** Whether an opaque tag (with its quotes) names this content in any coding. */
  isNamed(opaque: string): boolean
  /** Whether this very tag was given out for it: those before a refinement are few, those that strangers make up are not among them. */
  hasGiven(opaque: string): boolean
  /** Bytes held, with the copies that the fast path keeps of what is not large. */
  weight(): number
  spliced(): Spliced | null
}>

const brotli = promisify(brotliCompress)
const zstd = promisify(zstdCompress)
const gzipWhole = promisify(gzip)

/** What is made at once: as much as a new item may cost. And what is made of a feed that has been quiet. */
const BROTLI = { soon: 2, quiet: 10 }
const ZSTD = { soon: 3, quiet: 15 }
const GZIP_QUIET = 9
const SUFFIX: Readonly<Record<Coding, string>> = { br: 'br', gzip: 'gz', zstd: 'zst' }

/** The smallest window that holds all of it: a larger one costs memory that has to be touched, and a quarter of the time. */
const windowFor = (bytes: number): number => Math.min(constants.BROTLI_DEFAULT_WINDOW, Math.max(16, Math.ceil(Math.log2(bytes + 16))))

const toBrotli = (plain: Buffer, quality: number): Promise<Buffer> =>
  brotli(plain, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: quality,
      [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
      [constants.BROTLI_PARAM_LGWIN]: windowFor(plain.length),
    },
  })

/** One after the other in the whole process: side by side each would touch fresh memory of its own, at several times the cost. */
let turn: Promise<unknown> = Promise.resolve()
const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
  const mine = turn.then(work)
  turn = mine.catch(() => undefined)
  return mine
}
/** Window and checksum as they are by default: RFC 9659 lets a decoder refuse windows above 8 MiB, which these levels never use. */
const toZstd = (plain: Buffer, level: number): Promise<Buffer> => zstd(plain, { params: { [constants.ZSTD_c_compressionLevel]: level } })

/**
 * The content that a tag of ours names, in any coding and however well compressed; `null` for one that we never give. Apache in front of us that compresses
 * by itself puts `-gzip` or `-br` behind a tag, and hands it back so (mod_deflate, `DeflateAlterETag`): without that its readers would never be unchanged.
 */
const contentOf = (opaque: string): string | null =>
  /^"([A-Za-z0-9._]+)(?:-(?:br|gz|zst)\.[0-9a-z]{1,7})?(?:-(?:gzip|br))?"$/.exec(opaque)?.[1] ?? null

/** An item as a delta compares it: in JSON without the comma that all but the last have. */
export const itemOf = ({ bytes, cuts, output }: Pick<FeedState, 'bytes' | 'cuts' | 'output'>, index: number): Buffer => {
  const item = bytes.subarray(cuts.bounds[index + 1], cuts.bounds[index + 2])
  return output === 'json' && item.at(-1) === 0x2c ? item.subarray(0, -1) : item
}

type Items = Pick<FeedState, 'bytes' | 'cuts' | 'output' | 'sums'>

/** An item that was there before, byte for byte, keeps its number; all others are of this sequence. */
const sinceOf = (state: Items & Pick<FeedState, 'sequence'>, before: FeedState | null): number[] => {
  const known = new Map<number, number>()
  for (const [index, sum] of (before?.sums ?? []).entries()) known.set(sum, index)
  return state.sums.map((sum, index) => {
    const earlier = known.get(sum)
    if (before === null || earlier === undefined || !itemOf(state, index).equals(itemOf(before, earlier))) return state.sequence
    return before.since[earlier] ?? state.sequence
  })
}

type NewState = Readonly<{
  feedId: string
  output: FeedOutput
  bytes: Buffer
  /** Names the content: the same on every gateway. Letters, digits, `.` and `_`. */
  content: string
  lastModified: Date | null
  before: FeedState | null
}>

export const createFeedState = ({ feedId, output, bytes, content, lastModified, before }: NewState): FeedState => {
  const cuts = splitFeed(bytes, output)
  const sequence = (before?.sequence ?? 0) + 1
  const sums = Array.from({ length: cuts.items }, (_, index) => crc32(itemOf({ bytes, cuts, output }, index)))
  const since = sinceOf({ bytes, cuts, output, sums, sequence }, before)
  const made = new Map<AnyCoding, Variant>([['identity', { coding: 'identity', tag: `"${content}"`, bytes }]])
  const given = new Set([`"${content}"`])
  const making = new Map<Coding, Promise<Variant>>()
  let spliced: Spliced | null = null
  // The state before is let go of as soon as it is not needed: else every state would hold all that ever were.
  let splicedBefore = before?.spliced() ?? null
  let order: readonly Coding[] = []
  let revision = 0
  let refined: Promise<void> | undefined

  const keep = (coding: Coding, encoded: Buffer): Variant => {
    const variant: Variant = { coding, bytes: encoded, tag: `"${content}-${SUFFIX[coding]}.${crc32(encoded).toString(36)}"` }
    made.set(coding, variant)
    given.add(variant.tag)
    order = [...made.values()].sort((a, b) => a.bytes.length - b.bytes.length).flatMap(one => (one.coding === 'identity' ? [] : one.coding))
    revision += 1
    return variant
  }
  const encode = async (coding: Coding): Promise<Buffer> => {
    if (coding === 'br') return inTurn(() => toBrotli(bytes, BROTLI.soon))
    if (coding === 'zstd') return inTurn(() => toZstd(bytes, ZSTD.soon))
    spliced = await spliceGzip(bytes, cuts, splicedBefore)
    splicedBefore = null
    return spliced.bytes
  }
  const refine = async (): Promise<void> => {
    if (made.has('gzip')) keep('gzip', await gzipWhole(bytes, { level: GZIP_QUIET }))
    if (made.has('br')) keep('br', await toBrotli(bytes, BROTLI.quiet))
    if (made.has('zstd')) keep('zstd', await toZstd(bytes, ZSTD.quiet))
  }
  return {
    feedId,
    output,
    content,
    bytes,
    cuts,
    lastModified,
    sequence,
    sums,
    since,
    ready: () => order,
    find: coding => made.get(coding),
    variant: async coding => {
      const found = made.get(coding)
      if (found !== undefined || coding === 'identity') return found as Variant
      let one = making.get(coding)
      if (one === undefined) {
        one = encode(coding)
          .then(encoded => keep(coding, encoded))
          .finally(() => making.delete(coding))
        making.set(coding, one)
      }
      return one
    },
    refine: () => {
      refined ??= refine()
      return refined
    },
    revision: () => revision,
    hasGiven: opaque => given.has(opaque),
    isNamed: opaque => contentOf(opaque) === content,
    weight: () =>
      [...made.values()].reduce(
        (sum, { bytes: held }) => sum + held.length * (held.length <= MAX_JOINED ? 2 : 1),
        spliced?.bytes.length ?? 0,
      ),
    spliced: () => spliced ?? splicedBefore,
  }
}
