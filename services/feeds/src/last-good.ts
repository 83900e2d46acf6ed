/**
 * What a feed shows while its newest state may not be published (a rule of the whole feed is broken): the last good files, minus what has
 * been taken back since (architecture §6.11), which no rule may keep up. The files are cut where items begin on a line of their own, so
 * nothing of what is at fault is needed for it.
 */
import { type FeedFormat, feedFormats } from '@newswire/events/feed'
import type { Fragments } from './fragments.ts'
import { type FeedFile, toFile } from './outputs.ts'

/** Where the fragments of a format begin and end. In JSON a fragment is a line. */
const BOUNDS: Record<'rss' | 'atom', readonly Readonly<{ start: string; end: string }>[]> = {
  rss: [{ start: '\n        <item>', end: '\n        </item>' }],
  atom: [
    { start: '\n    <entry', end: '\n    </entry>' },
    { start: '\n    <at:deleted-entry', end: '\n    </at:deleted-entry>' },
  ],
}

type CutFeed = Readonly<{ head: string; fragments: readonly string[]; foot: string }>

const nextOf = (xml: string, from: number, format: 'rss' | 'atom') =>
  BOUNDS[format]
    .map(({ start, end }) => ({ at: xml.indexOf(start, from), end }))
    .filter(one => one.at !== -1)
    .sort((a, b) => a.at - b.at)[0]

const cutXml = (xml: string, format: 'rss' | 'atom'): CutFeed => {
  const fragments: string[] = []
  let head: string | null = null
  let from = 0
  for (let next = nextOf(xml, 0, format); next !== undefined; next = nextOf(xml, from, format)) {
    head ??= xml.slice(0, next.at)
    const end = xml.indexOf(next.end, next.at)
    if (end === -1) break
    from = end + next.end.length
    fragments.push(xml.slice(next.at, from))
  }
  return { head: head ?? xml, fragments, foot: head === null ? '' : xml.slice(from) }
}

const cutJson = (json: string): CutFeed => {
  const lines = json.split('\n')
  const items = lines.slice(1, -2).filter(line => line !== '')
  return { head: `${lines[0]}\n`, fragments: items.map(line => line.replace(/,$/, '')), foot: `\n${lines.slice(-2).join('\n')}` }
}

/** A file as its items and what stands around them. */
export const cutFeed = (text: string, format: FeedFormat): CutFeed => (format === 'json' ? cutJson(text) : cutXml(text, format))

const isOf = (fragment: string, id: string, format: FeedFormat): boolean =>
  format === 'json'
    ? fragment.startsWith(`{"id":${JSON.stringify(id)},`)
    : fragment.includes(format === 'rss' ? `>${id}</guid>` : `<id>${id}</id>`) || (format === 'atom' && fragment.includes(`ref="${id}"`))

/**
 * The file without the articles named: each is left out, or gives its place to the notice in its stead. `gone`: identity (`tag:`) to the
 * notice in its stead, if there is one.
 */
export const withoutArticles = (bytes: Uint8Array, format: FeedFormat, gone: ReadonlyMap<string, Fragments | null>): Uint8Array => {
  if (gone.size === 0) return bytes
  const { head, fragments, foot } = cutFeed(Buffer.from(bytes).toString(), format)
  const kept = fragments.flatMap(fragment => {
    for (const [id, notice] of gone)
      if (isOf(fragment, id, format)) return notice === null ? [] : [Buffer.from(notice.bytes[format]).toString()]
    return [fragment]
  })
  return Buffer.from(head + kept.join(format === 'json' ? ',\n' : '') + foot)
}

export type LastGood = Readonly<Record<FeedFormat, Uint8Array>>
type StillGood = Readonly<{ files: Readonly<Record<FeedFormat, FeedFile>>; isCut: boolean; items: number }>

/** The files to go on showing, and whether anything had to leave them. Pure. */
export const keepLastGood = (lastGood: LastGood, gone: ReadonlyMap<string, Fragments | null>): StillGood => {
  const cut = feedFormats.map(format => [format, toFile([withoutArticles(lastGood[format], format, gone)])] as const)
  const files = Object.fromEntries(cut) as StillGood['files']
  const entries = cutFeed(Buffer.from(files.atom.bytes()).toString(), 'atom').fragments.filter(one => one.startsWith('\n    <entry'))
  return { files, isCut: cut.some(([format, file]) => Buffer.compare(file.bytes(), lastGood[format]) !== 0), items: entries.length }
}
