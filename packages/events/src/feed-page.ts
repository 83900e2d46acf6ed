/** The archive pages of a feed (RFC 5005 §4): a page is a UTC day of first releases, split by hundreds. */
import { z } from 'zod'
import { type FeedFormat, feedFiles, feedFormats } from './feed.ts'

/** Articles on a page. */
export const PAGE_SLOTS = 100

/** `part` counts from 1: the first hundred of the day, the second, and so on. */
export type FeedPage = Readonly<{ day: string; part: number }>

/** `2026-03-01` for the first part of a day, `2026-03-01-2` for the second. */
export const toPageName = ({ day, part }: FeedPage): string => (part === 1 ? day : `${day}-${part}`)

const PAGE_NAME = /^(\d{4}-\d{2}-\d{2})(?:-([1-9]\d{0,5}))?$/

/** What `toPageName` made a name of; `null` for a name that it would not make. */
export const parsePageName = (name: string): FeedPage | null => {
  const [, day, part = '1'] = PAGE_NAME.exec(name) ?? []
  if (day === undefined || Number.isNaN(Date.parse(day))) return null
  const page = { day, part: Number(part) }
  return toPageName(page) === name ? page : null
}

const ENDINGS = { rss: '.rss.xml', atom: '.atom.xml', json: '.json' } as const satisfies Record<FeedFormat, string>

/** The file of a page in one format, below `feeds/<feed id>/pages/` in the store and in addresses alike. */
export const toPageFile = (page: FeedPage, format: FeedFormat): string => `${toPageName(page)}${ENDINGS[format]}`

/** What `toPageFile` made; `null` for anything else. */
export const parsePageFile = (file: string): Readonly<{ page: FeedPage; format: FeedFormat }> | null => {
  for (const format of feedFormats) {
    if (!file.endsWith(ENDINGS[format])) continue
    const page = parsePageName(file.slice(0, -ENDINGS[format].length))
    return page === null ? null : { page, format }
  }
  return null
}

export const pageType = (format: FeedFormat): string => feedFiles[format].type

/**
 * What an operator asked for (`feeds/<feed id>/rebuild.json`): the feed made again from state. The console swaps a wish in, the builder says how
 * far it is; a wish that is not `done` is taken up again by the next sweep.
 */
export const feedRebuild = z.object({
  /** Counts the swaps, because a tag is a hash of the body. */
  n: z.int(),
  /** Of the request; one request may be for many feeds. */
  id: z.string(),
  feedId: z.string(),
  requestedAt: z.string(),
  /** `wanted`: nobody has begun; `pages`: the feed itself is done, its pages are being looked at; `done`. */
  state: z.enum(['wanted', 'pages', 'done']),
  /** Whether bytes that the public reads had to change. Equal state gives `false`: nothing was written, no tag and no date moved. */
  changed: z.boolean(),
  pages: z.object({ total: z.int(), looked: z.int(), written: z.int() }),
  finishedAt: z.string().optional(),
})
export type FeedRebuild = z.output<typeof feedRebuild>
