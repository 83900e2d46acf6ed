/** The files of a feed from its fragments: shell, fragments, shell, with their hashes. Pure, but for what it keeps of the last shell. */
import type { FeedConfig } from '@newswire/events/config'
import { RejectError } from '@newswire/events/errors'
import { type FeedFormat, type FeedOutput, feedOutputs } from '@newswire/events/feed'
import { sha256Hex } from '@newswire/events/ids'
import { createRecent } from '@newswire/objects/recent'
import { renderShell, type Shell, type XmlFormat } from './feed.ts'
import type { Fragments } from './fragments.ts'
import { type LinkedShell, withLinks } from './history-links.ts'
import { renderJsonShell } from './json-feed.ts'
import { startWork } from './pace.ts'
import { join, layOut, type Part, pack } from './packing.ts'
import { type Breach, findFeedBreach } from './profiles.ts'
import { toSitemapParts } from './sitemap.ts'
import { findXmlFault } from './xml.ts'

export type FeedFile = Readonly<{
  /** Of what it says, bytes. */
  size: number
  /** Of what it says. */
  sha256: string
  /** What it says, put together anew each time: of most files that are built nobody in this process reads a byte. */
  bytes(): Uint8Array
  /** As the store keeps it, in pieces: as gzip, or plain. */
  kept: readonly Uint8Array[]
}>
export type FeedFiles = Readonly<Record<FeedOutput, FeedFile>>

/** An item a line, so that a reader of the file can split it without parsing. */
const BETWEEN_JSON = Buffer.from(',\n')

const render = (shell: LinkedShell, format: FeedFormat): Shell => {
  const made = withLinks(format === 'json' ? renderJsonShell(shell) : renderShell(shell, format), shell, format)
  const fault = format === 'json' ? null : findXmlFault(made.head + made.foot, 'document')
  if (fault === null) return made
  throw new RejectError(
    'NEWSWIRE_FEEDS_MALFORMED',
    `the ${format} of feed ${shell.feedId} would not be well-formed (${fault}); the last good one stays`,
  )
}

/** Rendered once with a moment that no feed has, because the moment is all that changes in a shell from build to build. */
const STAND_IN = new Date('9999-12-31T23:59:59.000Z')
/** How the moment is written; nothing else in a head is, because no text there can hold a tag. */
const MOMENTS: Readonly<Record<XmlFormat, readonly ((date: Date) => string)[]>> = {
  rss: [date => `<pubDate>${date.toUTCString()}</pubDate>`, date => `<lastBuildDate>${date.toUTCString()}</lastBuildDate>`],
  atom: [date => `<updated>${date.toISOString()}</updated>`],
}
/** Those of some hundred feeds, and of the pages written last. */
const SHELLS_BYTES = 4 * 1_048_576
const shells = createRecent<Shell>({ maxBytes: SHELLS_BYTES, sizeOf: ({ head, foot }) => 4 * (head.length + foot.length) })

const nameOf = ({ updated: _, links, ...shell }: LinkedShell, format: XmlFormat): string =>
  JSON.stringify([format, shell, links?.isPage, links?.prev?.(format), links?.next?.(format), links?.current(format)])

/**
 * Head and foot of a format. Throws `RejectError` `NEWSWIRE_FEEDS_MALFORMED` when they are not well-formed: with fragments that were
 * checked one by one, that is all that could make a feed malformed, and then the last good one stays.
 */
export const toCheckedShell = (shell: LinkedShell, format: FeedFormat): Shell => {
  if (format === 'json') return render(shell, format)
  const name = nameOf(shell, format)
  const timeless = shells.get(name) ?? render({ ...shell, updated: STAND_IN }, format)
  shells.set(name, timeless)
  return {
    ...timeless,
    head: MOMENTS[format].reduce((head, write) => head.replace(write(STAND_IN), () => write(shell.updated)), timeless.head),
  }
}

/** An article as it is joined into a file. */
export type Joinable = Readonly<{ kind: Fragments['kind']; bytes: Readonly<Record<FeedFormat, Part>> }>

/** In Atom, notices (RFC 6721) come before entries. */
const inOrder = (fragments: readonly Joinable[], format: FeedFormat): readonly Joinable[] =>
  format === 'atom' ? [...fragments.filter(one => one.kind === 'notice'), ...fragments.filter(one => one.kind === 'item')] : fragments

/** What a format is joined from. `fragments` are in the order of the feed. */
const partsOf = (shell: Shell, fragments: readonly Joinable[], format: FeedFormat): Part[] => {
  const parts = inOrder(fragments, format).map(one => one.bytes[format])
  const separated = format === 'json' ? parts.flatMap((part, index) => (index === 0 ? [part] : [BETWEEN_JSON, part])) : parts
  return [shell.head, ...separated, shell.foot]
}

/** The bytes of one format. `fragments` are in the order of the feed. */
export const joinFeed = (shell: Shell, fragments: readonly Joinable[], format: FeedFormat): Uint8Array =>
  Buffer.from(layOut(partsOf(shell, fragments, format)))

export const toFile = (parts: readonly Part[]): FeedFile => {
  const plain = layOut(parts)
  const about = { size: plain.length, sha256: sha256Hex(plain) }
  const packed = pack(parts, plain)
  return { ...about, kept: packed ?? parts.map(part => (typeof part === 'string' ? Buffer.from(part) : part)), bytes: () => join(parts) }
}

type FilesOptions = Readonly<{
  /** The window's time, from which the sitemap counts its two days. */
  asOf: string
  /** Is told what each file took of this thread, milliseconds. */
  timed?: (output: FeedOutput, ms: number) => void
}>

/** All files of a feed. */
export const toFiles = (
  shell: LinkedShell,
  fragments: readonly Fragments[],
  { asOf, timed = () => undefined }: FilesOptions,
): FeedFiles => {
  const joined = (output: FeedOutput): Part[] =>
    output === 'sitemap' ? toSitemapParts(fragments, asOf) : partsOf(toCheckedShell(shell, output), fragments, output)
  const file = (output: FeedOutput): FeedFile => {
    const spent = startWork()
    const made = toFile(joined(output))
    timed(output, spent())
    return made
  }
  return Object.fromEntries(feedOutputs.map(output => [output, file(output)])) as FeedFiles
}

/** All files of a feed when they may be published, or what keeps them back: a rule of the feed's profile, or a shell that is not well-formed. */
export const judgeFiles = (
  feed: FeedConfig,
  make: () => FeedFiles,
): Readonly<{ ok: true; files: FeedFiles }> | Readonly<{ ok: false; breach: Breach }> => {
  try {
    const files = make()
    const sizes = { rss: files.rss.size, atom: files.atom.size, json: files.json.size, sitemap: files.sitemap.size }
    const breach = findFeedBreach(feed, sizes)
    return breach === null ? { ok: true, files } : { ok: false, breach }
  } catch (error) {
    if (error instanceof RejectError) return { ok: false, breach: { code: error.code, reason: error.message } }
    throw error
  }
}
