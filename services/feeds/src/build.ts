/**
 * Builds a feed: reads what is there and the state of what changed, decides, writes, says so.
 *
 * The order of the writing, and what a crash or a second builder does to it:
 *
 *   1. the bundle is read: the window, the files' hashes, and the tag that the swap is made under;
 *   2. the next one is swapped in (`feed-store.ts`): the window with the next counter, and all files, or nothing of them;
 *   3. `feed.built` and the milestones are published, then the log commits the intents.
 *
 * - Killed within 2: the bundle is there or it is not, and the intents come again.
 * - Killed after 2: the repeat finds nothing to write and publishes `feed.built`: same counter, same id, same data.
 * - A 412: somebody else built the feed; start over from 1. The window holds a counter, so no earlier bundle ever comes back under its tag: a builder
 *   that stalls before its swap loses it.
 * - The bytes follow from the window's entries, the articles' states and the configuration, never from the clock or from the intents: any
 *   repeat, early, late or elsewhere, writes the same bytes or none.
 * - The counter is above the window's and above the position of the newest intent in hand, so it rises even when a window is lost.
 *
 * A rule of the whole feed that is broken (`profiles.ts`) changes step 2 only: what is put are the last good files, without what was taken back
 * since (`last-good.ts`). The window moves on and says so, which is how the next build knows.
 *
 * What a process has written itself it keeps in mind (tag, hashes, window), so a build in a storm reads nothing of the feed; a swap that
 * fails, a lost partition or an intent without an article makes it read again.
 */
import type { RejectError } from '@newswire/events/errors'
import type { Fact } from '@newswire/events/fact'
import { type FeedOutput, feedOutputs } from '@newswire/events/feed'
import { toTagUri } from '@newswire/events/ids'
import type { Objects } from '@newswire/objects/objects'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { type Chosen, choose, factsIn, type SetAside } from './choose.ts'
import { readFeed, readLastGood, type StoredFeed, swapFeed } from './feed-store.ts'
import type { FragmentCache, Fragments } from './fragments.ts'
import { toFeedShell } from './history-links.ts'
import type { Profile } from './item.ts'
import { keepLastGood } from './last-good.ts'
import { type FeedFiles, judgeFiles, toFile, toFiles } from './outputs.ts'
import { toPageLink } from './pages.ts'
import type { Breach } from './profiles.ts'
import { noticeMsFor, readReaders } from './retention.ts'
import { NEVER } from './shell.ts'
import { toSitemapParts } from './sitemap.ts'
import type { States } from './states.ts'
import {
  applyToWindow,
  type Entry,
  emptyWindow,
  type Fault,
  type FeedWindow,
  isSameOutputs,
  isSameVerdict,
  isSameWindow,
  modifiedAfter,
  newestOf,
  type Outputs,
  type Rule,
  ruleOf,
} from './window.ts'

export type Wanted = Readonly<{
  feedId: string
  /** Article → the version that an intent named. */
  articles: ReadonlyMap<string, number>
  /** Set by an intent without an article: read the feed again, and count the age of notices from then. */
  lookedAt: string | null
  /** The highest position among the intents: floor of the counter. */
  position: number
  /** Article → version of all that should be in the window: it is made from these alone, whatever was in it before. */
  afresh?: ReadonlyMap<string, number>
}>

export type Built = Readonly<{
  window: FeedWindow
  outputs: Outputs
  items: number
  updatedAt: string
  /** False when everything was there already. */
  written: boolean
  /** What state says of each wanted article. */
  states: ReadonlyMap<string, Fact | null | RejectError>
  /** Wanted versions that the feed did not have before and has now. Empty on a feed's first build, which shows what is long released. */
  entered: readonly Fact[]
  /** Articles that are set aside, by id, each at the version that was looked at. */
  quarantined: ReadonlyMap<string, SetAside>
  /** Articles at the versions that are shown now and were not, for what was set aside or kept back, without an intent that asked for them. */
  recovered: ReadonlyMap<string, number>
  /** Work done on the event loop, without waiting, milliseconds. */
  busyMs: number
}>

type Needs = Readonly<{
  objects: Pick<Objects, 'get' | 'put'>
  states: States
  fragments: FragmentCache
  profileOf: (snapshot: ConfigSnapshot, feed: Rule['feed']) => Profile
  /** The newest page that may be linked, as far as it is known; `undefined` when it is not, and the link stays as it is. */
  archiveOf?: (feedId: string) => FeedWindow['archive'] | undefined
  onRendered?: (output: FeedOutput, ms: number) => void
}>

export type Builder = Readonly<{
  /** `null` when the feed is not in force. Safe to repeat. Throws when another builder keeps winning. */
  build(wanted: Wanted, snapshot: ConfigSnapshot, signal: AbortSignal): Promise<Built | null>
  /** Whether it is known how a feed stands in the store, as far as only this process builds it: false also while it is being built. */
  isInMind(feedId: string): boolean
  /** Forgets what is in mind of one feed, or of all. */
  forget(feedId?: string): void
}>

/** What this process wrote last, and under which configuration: as long as both stand, a window that is the same gives the same bytes. */
type InMind = Readonly<{ stored: StoredFeed; snapshot: ConfigSnapshot; built: Built }>

type Look = Readonly<{ read: ReadonlyMap<string, Fact | null | RejectError>; spent: (ms: number) => void }>
type Made = Readonly<{ window: FeedWindow; files: FeedFiles; shown: readonly Entry[]; quarantined: Map<string, SetAside> }>

/** Losing this often in a row means that two processes believe that they own the feed; the log's retry waits before the next try. */
const ROUNDS = 10
/** What the store's own work costs the event loop a build, milliseconds: buffers, promises, system calls. */
const STORE_MS = 1.5

export const createBuilder = (needs: Needs): Builder => {
  const { objects, states, fragments, profileOf, archiveOf = () => undefined, onRendered = () => undefined } = needs
  const inMind = new Map<string, InMind>()

  /** The window to begin with. Pages of another rule are other pages, so the link to them ends with it. */
  const beginOf = async (wanted: Wanted, window: FeedWindow, isSameRule: boolean): Promise<FeedWindow> => {
    const known = archiveOf(wanted.feedId)
    const archive = known === undefined ? (isSameRule ? window.archive : null) : known
    const noticeMs = wanted.lookedAt === null ? window.noticeMs : noticeMsFor(await readReaders(objects, wanted.feedId), wanted.lookedAt)
    return { ...(wanted.afresh ? { ...emptyWindow(wanted.feedId), counter: window.counter } : window), archive, noticeMs }
  }

  const apply = async (wanted: Wanted, { window }: StoredFeed, rule: Rule) => {
    const isSameRule = window.rule === ruleOf(rule)
    const again = isSameRule || wanted.afresh ? [] : window.entries
    const asked = [...again.map(one => [one.articleId, one.version] as const), ...(wanted.afresh ?? []), ...wanted.articles]
    const [begin, read] = await Promise.all([beginOf(wanted, window, isSameRule), states.getAll(new Map(asked))])
    return { read, window: applyToWindow(begin, factsIn(read), rule, wanted.lookedAt ?? undefined) }
  }

  const render = async (before: StoredFeed, begin: FeedWindow, snapshot: ConfigSnapshot, rule: Rule, look: Look): Promise<Made> => {
    const chosen = await choose(begin, rule, profileOf(snapshot, rule.feed), { states, fragments, spent: look.spent })
    const { window, shown, fragments: found, quarantined } = chosen
    const timed = (output: FeedOutput, ms: number) => {
      look.spent(ms)
      onRendered(output, ms)
    }
    const good = { updatedAt: newestOf(shown), items: shown.filter(one => one.kind === 'item').length }
    const archive = window.archive === null ? null : toPageLink(window.archive.page, window.archive)
    const make = (fragments: readonly Fragments[]) =>
      toFiles(toFeedShell(rule.feed, snapshot.site, good.updatedAt, archive), fragments, { asOf: window.asOf, timed })
    const judged = judgeFiles(rule.feed, () => make(found))
    const named = namedOf(quarantined)
    if (judged.ok) return { files: judged.files, shown, quarantined, window: { ...window, good, quarantined: named, fault: null } }
    const fault = faultOf(judged.breach, before.window, window.asOf)
    const kept = await goOnWith(before.window, chosen, snapshot, look.read, () => make([]))
    return { files: kept.files, shown, quarantined, window: { ...window, good: kept.good, quarantined: named, fault } }
  }

  /** The last good files while there is a fault, without what was taken back; a feed that never was good is shown empty. */
  const goOnWith = async (
    before: FeedWindow,
    chosen: Chosen,
    { site }: ConfigSnapshot,
    read: Built['states'],
    makeEmpty: () => FeedFiles,
  ) => {
    const lastGood = before.outputs === null ? null : await readLastGood(objects, before.feedId)
    if (lastGood === null) return { files: makeEmpty(), good: { updatedAt: NEVER, items: 0 } }
    const gone = goneFrom(chosen, read, site.id)
    const { files, isCut, items } = keepLastGood(lastGood, gone)
    const was = before.good?.updatedAt ?? newestOf(before.entries)
    const updatedAt = isCut ? newestOf([{ releasedAt: was }, ...chosen.shown.filter(one => one.kind === 'notice')]) : was
    return { files: { ...files, sitemap: toFile(toSitemapParts(chosen.fragments, chosen.window.asOf)) }, good: { updatedAt, items } }
  }

  const outputsOf = (files: FeedFiles, before: FeedWindow, updatedAt: string): Outputs =>
    Object.fromEntries(
      feedOutputs.map(output => {
        const { sha256, size } = files[output]
        return [output, { sha256, bytes: size, modifiedAt: modifiedAfter(before.outputs?.[output], sha256, updatedAt) }]
      }),
    ) as Outputs

  /** `null` when somebody else wrote in between. */
  const write = async (stored: StoredFeed, next: FeedWindow, files: FeedFiles, position: number) => {
    const outputs = outputsOf(files, stored.window, next.good?.updatedAt ?? NEVER)
    const isThere =
      stored.tag !== null &&
      isSameWindow(stored.window, next) &&
      isSameVerdict(stored.window, next) &&
      isSameOutputs(stored.window.outputs, outputs) &&
      feedOutputs.every(output => stored.files[output] === files[output].sha256)
    if (isThere) return { stored, outputs, written: false }
    const window = { ...next, counter: Math.max(stored.window.counter, position) + 1, outputs }
    const tag = await swapFeed(objects, window, files, stored.tag)
    const hashes = Object.fromEntries(feedOutputs.map(output => [output, files[output].sha256])) as StoredFeed['files']
    return tag === null ? null : { stored: { window, tag, files: hashes }, outputs, written: true }
  }

  const buildOnce = async (wanted: Wanted, snapshot: ConfigSnapshot, rule: Rule): Promise<Built | null> => {
    let busyMs = STORE_MS
    const spent = (ms: number) => {
      busyMs += ms
    }
    const mind = inMind.get(wanted.feedId)
    // Forgotten until it is known again: a throw in the middle leaves an outcome that only the store can tell.
    inMind.delete(wanted.feedId)
    const before = mind?.stored ?? (await readFeed(objects, wanted.feedId))
    const applied = await apply(wanted, before, rule)
    if (mind?.snapshot === snapshot && isSameWindow(before.window, applied.window)) {
      inMind.set(wanted.feedId, mind)
      return { ...mind.built, states: applied.read, entered: [], recovered: new Map(), written: false, busyMs: 0 }
    }
    const made = await render(before, applied.window, snapshot, rule, { read: applied.read, spent })
    const done = await write(before, made.window, made.files, wanted.position)
    if (done === null) return null
    const built: Built = {
      window: done.stored.window,
      outputs: done.outputs,
      items: made.window.good?.items ?? 0,
      updatedAt: made.window.good?.updatedAt ?? NEVER,
      written: done.written,
      states: applied.read,
      entered: before.tag === null || made.window.fault !== null ? [] : enteredOf(before.window, made.shown, applied.read),
      quarantined: made.quarantined,
      recovered: recoveredIn(before.window, made),
      busyMs,
    }
    inMind.set(wanted.feedId, { stored: done.stored, snapshot, built })
    return built
  }

  return {
    build: async (wanted, snapshot, signal) => {
      if (wanted.lookedAt !== null) inMind.delete(wanted.feedId)
      for (let round = 1; round <= ROUNDS; round += 1) {
        signal.throwIfAborted()
        const feed = snapshot.feeds.get(wanted.feedId)
        if (feed === undefined) return null
        const built = await buildOnce(wanted, snapshot, { feed, categories: snapshot.categories })
        if (built !== null) return built
      }
      throw new Error(
        `feed ${wanted.feedId} was written by another builder ${ROUNDS} times in a row; look at which processes hold its partition`,
      )
    },
    isInMind: feedId => inMind.has(feedId),
    forget: feedId => (feedId === undefined ? inMind.clear() : void inMind.delete(feedId)),
  }
}

const enteredOf = (before: FeedWindow, shown: readonly Entry[], states: Built['states']): Fact[] => {
  const had = new Set(before.entries.map(one => `${one.version}/${one.articleId}`))
  const has = new Set(shown.map(one => `${one.version}/${one.articleId}`))
  return [...factsIn(states).values()].flatMap(fact => {
    const key = fact === null ? '' : `${fact.version}/${fact.articleId}`
    return fact !== null && has.has(key) && !had.has(key) ? [fact] : []
  })
}

/** A feed of a thousand bad articles must not make window and fact too large; the first are named. */
const MAX_NAMED = 200
/** A reason is for a person; a hostile article must not fill the log with it. */
export const MAX_REASON = 500

const namedOf = (quarantined: ReadonlyMap<string, SetAside>): FeedWindow['quarantined'] =>
  [...quarantined]
    .slice(0, MAX_NAMED)
    .map(([articleId, { version, code, reason }]) => ({ articleId, version, code, reason: reason.slice(0, MAX_REASON) }))

/** A fault that was there already keeps its beginning, though its words may change (a size does with every article). */
const faultOf = ({ code, reason }: Breach, before: FeedWindow, asOf: string): Fault => ({
  code,
  reason: reason.slice(0, MAX_REASON),
  since: before.fault?.code === code ? before.fault.since : asOf,
})

/** What the last good files must no longer show: identity to the notice in its stead, if there is one. */
const goneFrom = ({ window, shown, fragments }: Chosen, read: Built['states'], siteId: string): Map<string, Fragments | null> => {
  const kinds = new Map(window.entries.map(one => [one.articleId, one.kind]))
  const left = [...factsIn(read).keys()].filter(articleId => kinds.get(articleId) !== 'item')
  const notices = window.entries.filter(one => one.kind === 'notice').map(one => one.articleId)
  const noticeOf = new Map(shown.map((one, index) => [one.articleId, one.kind === 'notice' ? (fragments[index] ?? null) : null]))
  return new Map([...left, ...notices].map(articleId => [toTagUri(siteId, articleId), noticeOf.get(articleId) ?? null]))
}

/** Whoever waits for an article that was kept back hears of it without another intent. */
const recoveredIn = (before: FeedWindow, { window, shown }: Made): Map<string, number> => {
  if (window.fault !== null) return new Map()
  const wasAside = new Set(before.quarantined.map(one => one.articleId))
  return new Map(shown.filter(one => before.fault !== null || wasAside.has(one.articleId)).map(one => [one.articleId, one.version]))
}
