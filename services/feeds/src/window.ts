/**
 * The window of a feed: which articles are in it. Pure; `window.json` keeps it, with the hashes of the outputs written last.
 *
 * It holds twice the feed's limit, newest release first, so that a removal refills the feed at once; and notices of what was taken back,
 * for at least seven days and as long as the slowest reader takes, so that everybody has time to take the copy down. Applying the same states in any order gives the same
 * window, as long as no more than `limit` entries leave between two sweeps.
 */
import { type CategoryConfig, type FeedConfig, matches } from '@newswire/events/config'
import { type Facets, type Fact, isPublic, type LiveFact } from '@newswire/events/fact'
import { type FeedOutput, feedOutputs } from '@newswire/events/feed'
import { sha256Hex } from '@newswire/events/ids'
import { z } from 'zod'
import { isSameReach } from './pages.ts'
import { NEVER } from './shell.ts'

const entry = z.object({
  articleId: z.string(),
  version: z.int(),
  kind: z.enum(['item', 'notice']),
  firstReleasedAt: z.string(),
  /** When this version was released. */
  releasedAt: z.string(),
})
export type Entry = z.output<typeof entry>

const output = z.object({ sha256: z.string(), bytes: z.int(), modifiedAt: z.string().optional() })

/** An article that a feed is shown without. */
const setAside = z.object({ articleId: z.string(), version: z.int(), code: z.string(), reason: z.string() })
/** Why the newest state is not shown, and since when by the window's own time. */
const fault = z.object({ code: z.string(), reason: z.string(), since: z.string() })
export type Fault = z.output<typeof fault>
/** How long a notice stays at least, milliseconds. */
export const NOTICE_MS = 7 * 86_400_000

export const feedWindow = z.object({
  /** Names this layout. */
  schema: z.literal('newswire.feed.window/1'),
  feedId: z.string(),
  /** Rises with every writing of the feed and never goes back; what `feed.built` carries. */
  counter: z.int().min(0),
  /** Under which rule (`ruleOf`) the entries were chosen: another rule means that all must be looked at again. */
  rule: z.string(),
  /** The newest time this window knows of, from releases and daily ticks; ages of notices are counted from it. No clock is read. */
  asOf: z.string(),
  /** How long notices stay, milliseconds: what the last look took from the feed's slowest reader. */
  noticeMs: z.int().min(NOTICE_MS).default(NOTICE_MS),
  /** The newest of the feed's pages that it links to (`pages.ts`); `null` while there is none, or while the chain of them is not whole. */
  archive: z
    .object({ page: z.object({ day: z.string(), part: z.int().min(1) }), slots: z.int() })
    .nullable()
    .default(null),
  /** Newest first. */
  entries: z.array(entry),
  /** `null` until the feed is written for the first time. */
  outputs: z.object({ rss: output, atom: output, json: output, sitemap: output.optional() }).nullable(),
  /** What the outputs show: when the newest thing in them was released, and how many items. While there is a fault they stay behind the entries. */
  good: z.object({ updatedAt: z.string(), items: z.int() }).nullable().default(null),
  quarantined: z.array(setAside).default([]),
  fault: fault.nullable().default(null),
})
export type FeedWindow = z.output<typeof feedWindow>
/** `sitemap` is missing only in windows written before there was one. */
export type Outputs = NonNullable<FeedWindow['outputs']>

export type Rule = Readonly<{ feed: FeedConfig; categories: ReadonlyMap<string, CategoryConfig> }>

/** A mass retraction must not make a feed that nobody can read. The newest are kept. */
export const MAX_NOTICES = 500

export const emptyWindow = (feedId: string): FeedWindow => ({
  schema: 'newswire.feed.window/1',
  feedId,
  counter: 0,
  rule: '',
  asOf: NEVER,
  noticeMs: NOTICE_MS,
  archive: null,
  entries: [],
  outputs: null,
  good: null,
  quarantined: [],
  fault: null,
})

const rules = new WeakMap<FeedConfig, Readonly<{ categories: Rule['categories']; hash: string }>>()

/** A hash of all that decides what is in: filters, limit, the tree of categories. Kept as long as the configuration is the same object. */
export const ruleOf = ({ feed, categories }: Rule): string => {
  const known = rules.get(feed)
  if (known?.categories === categories) return known.hash
  const tree = [...categories.values()].map(one => [one.id, one.parent ?? null]).sort()
  // What was chosen when a language did not take its regions is looked at again.
  const ranges = feed.match.languages === undefined ? [] : ['ranges']
  const hash = sha256Hex(JSON.stringify([feed.match, feed.limit, tree, ...ranges])).slice(0, 16)
  rules.set(feed, { categories, hash })
  return hash
}

/** What an article is now, in the shape that filters match. */
export const facetsOf = (fact: LiveFact): Facets => ({
  categories: [...fact.article.categories],
  languages: [fact.article.language],
  publishers: [fact.publisher],
  types: [fact.article.type],
  public: isPublic(fact),
})

/** How an article stands to a feed: shown, shown as taken back, or not at all. */
export const placeOf = (
  article: Readonly<{ state: Fact['state']; now: Facets | null; ever: Facets }>,
  { feed, categories }: Rule,
): Entry['kind'] | 'out' => {
  if (article.state === 'live') return article.now?.public && matches(feed.match, article.now, categories) ? 'item' : 'out'
  return article.ever.public && matches(feed.match, article.ever, categories) ? 'notice' : 'out'
}

const byRelease = (a: Entry, b: Entry): number =>
  a.firstReleasedAt === b.firstReleasedAt ? compare(a.articleId, b.articleId) : compare(b.firstReleasedAt, a.firstReleasedAt)
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const isOld = (notice: Entry, asOf: string, noticeMs: number): boolean => Date.parse(asOf) - Date.parse(notice.releasedAt) > noticeMs

const trim = (entries: readonly Entry[], { asOf, noticeMs }: Pick<FeedWindow, 'asOf' | 'noticeMs'>, limit: number): Entry[] => {
  const items = entries.filter(one => one.kind === 'item').sort(byRelease)
  const notices = entries
    .filter(one => one.kind === 'notice' && !isOld(one, asOf, noticeMs))
    .sort((a, b) => compare(b.releasedAt, a.releasedAt) || compare(a.articleId, b.articleId))
  return [...items.slice(0, 2 * limit), ...notices.slice(0, MAX_NOTICES)].sort(byRelease)
}

const isInstant = (value: string): boolean => !Number.isNaN(Date.parse(value))
const later = (a: string, b: string): string => (isInstant(b) && Date.parse(b) > Date.parse(a) ? b : a)

/**
 * The window after articles were looked at. `null` stands for an article of which nothing is released. A state older than the one in
 * the window changes nothing. `tickAt` moves the time that ages are counted from.
 */
export const applyToWindow = (
  window: FeedWindow,
  states: ReadonlyMap<string, Fact | null>,
  rule: Rule,
  tickAt: string = NEVER,
): FeedWindow => {
  const entries = new Map(window.entries.map(one => [one.articleId, one]))
  let asOf = later(window.asOf, tickAt)
  for (const [articleId, fact] of states) {
    if (fact !== null && fact.version < (entries.get(articleId)?.version ?? 0)) continue
    entries.delete(articleId)
    if (fact === null) continue
    const kind = placeOf({ state: fact.state, now: fact.state === 'live' ? facetsOf(fact) : null, ever: fact.facetsEver }, rule)
    if (kind === 'out') continue
    asOf = later(asOf, fact.releasedAt)
    entries.set(articleId, { articleId, version: fact.version, kind, firstReleasedAt: fact.firstReleasedAt, releasedAt: fact.releasedAt })
  }
  return { ...window, rule: ruleOf(rule), asOf, entries: trim([...entries.values()], { asOf, noticeMs: window.noticeMs }, rule.feed.limit) }
}

/** Whether two windows hold the same: `asOf` alone is no difference, and must not make a feed be written again. */
export const isSameWindow = (a: FeedWindow, b: FeedWindow): boolean =>
  a.rule === b.rule &&
  a.noticeMs === b.noticeMs &&
  isSameReach(a.archive, b.archive) &&
  a.entries.length === b.entries.length &&
  a.entries.every((one, index) => {
    const other = b.entries[index]
    return other?.articleId === one.articleId && other.version === one.version && other.kind === one.kind
  })

/** Whether two windows say the same of what is wrong. */
export const isSameVerdict = (a: FeedWindow, b: FeedWindow): boolean =>
  JSON.stringify([a.fault, a.quarantined]) === JSON.stringify([b.fault, b.quarantined])

/** When bytes last changed, whole seconds: later than before by a second at least when they did, else as it was. `updatedAt`: of what is shown. */
export const modifiedAfter = (before: Outputs['rss'] | undefined, sha256: string, updatedAt: string): string => {
  if (before?.modifiedAt !== undefined && before.sha256 === sha256) return before.modifiedAt
  const earliest = before?.modifiedAt === undefined ? Number.NEGATIVE_INFINITY : Date.parse(before.modifiedAt) + 1000
  return new Date(Math.max(Math.floor(Date.parse(updatedAt) / 1000) * 1000, earliest)).toISOString()
}

export const isSameOutputs = (a: Outputs | null, b: Outputs): boolean =>
  a !== null && feedOutputs.every((output: FeedOutput) => a[output]?.sha256 === b[output]?.sha256)

/** When the newest thing that is shown was released; `NEVER` when nothing is. */
export const newestOf = (shown: readonly Pick<Entry, 'releasedAt'>[]): string =>
  shown.reduce((newest, one) => later(newest, one.releasedAt), NEVER)
