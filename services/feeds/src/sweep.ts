/**
 * Nothing falls between configuration and fact (architecture §6.7): at start, after every change of configuration and of held partitions, and
 * every few minutes, each feed is compared with what all articles are, and differences become intents. Each sweep also sends an intent
 * without an article: it makes a feed be built that never was, reads files again that somebody may have damaged, and ends old notices.
 *
 * Only whoever holds a feed's partition of `feed-changes` sweeps it. Sweeping twice, or while intents are on their way, only causes looks.
 */
import type { NewswireEvent } from '@newswire/events/events'
import { deriveId } from '@newswire/events/ids'
import type { Publish } from '@newswire/log/events'
import type { Objects } from '@newswire/objects/objects'
import type { Configuration } from '@newswire/runtime/configuration'
import type { FacetView, KnownArticle } from './facets.ts'
import { readWindow } from './feed-store.ts'
import { type FeedWindow, MAX_NOTICES, NOTICE_MS, placeOf, type Rule } from './window.ts'

/** Ends the page's turn on the event loop. */
const takeTurns = () => new Promise(setImmediate)

/** Article → version that a feed should be asked to look at. Pure. */
export const differencesOf = (
  window: FeedWindow,
  shouldBeIn: readonly KnownArticle[],
  find: (articleId: string) => KnownArticle | null,
): Map<string, number> => {
  const held = new Map(window.entries.map(one => [one.articleId, one]))
  const wanted = new Set(shouldBeIn.map(one => one.articleId))
  const missing = shouldBeIn.filter(one => (held.get(one.articleId)?.version ?? 0) < one.version)
  // What was held and is no longer wanted has left, was taken back, or is simply older than what fills the window: the build finds out.
  const leaving = window.entries.flatMap(one => {
    const known = wanted.has(one.articleId) ? null : find(one.articleId)
    return known !== null && known.version >= one.version ? [known] : []
  })
  return new Map([...missing, ...leaving].map(one => [one.articleId, one.version]))
}

/** The articles that should be in each feed's window. One pass over all of them, which ends when every feed has twice its limit. */
export const collect = async (
  view: Pick<FacetView, 'live' | 'gone'>,
  feeds: readonly Readonly<{ rule: Rule; asOf: string }>[],
): Promise<readonly (readonly KnownArticle[])[]> => {
  const items = feeds.map((): KnownArticle[] => [])
  const room = (index: number) => 2 * (feeds[index]?.rule.feed.limit ?? 0) - (items[index]?.length ?? 0)
  for (const page of view.live()) {
    feeds.forEach(({ rule }, index) => {
      if (room(index) <= 0) return
      items[index]?.push(...page.filter(article => placeOf(article, rule) === 'item').slice(0, room(index)))
    })
    if (feeds.every((_, index) => room(index) <= 0)) break
    await takeTurns()
  }
  return feeds.map(({ rule, asOf }, index) => [...(items[index] ?? []), ...noticesFor(view, rule, asOf)])
}

const noticesFor = (view: Pick<FacetView, 'gone'>, rule: Rule, asOf: string): KnownArticle[] =>
  view.gone(new Date(Date.parse(asOf) - NOTICE_MS).toISOString(), MAX_NOTICES).filter(article => placeOf(article, rule) === 'notice')

const intent = (feedId: string, articleId: string, version: number, at: string): NewswireEvent => ({
  type: 'feed.changed',
  id: deriveId('feed.changed', feedId, articleId, version),
  source: '/services/feeds',
  subject: feedId,
  time: at,
  data: { feedId, articleId, version },
})

const look = (feedId: string, at: string): NewswireEvent => ({
  type: 'feed.changed',
  id: deriveId('feed.changed', feedId, at),
  source: '/services/feeds',
  subject: feedId,
  time: at,
  data: { feedId, articleId: null, version: 0 },
})

export type SweepNeeds = Readonly<{
  objects: Pick<Objects, 'get'>
  view: FacetView
  configuration: Pick<Configuration, 'current'>
  publish: Publish
  /** Whether this process holds the feed's partition. */
  isHeld: (feedId: string) => boolean
  now: () => number
}>

/** One sweep over all held feeds; resolves with the number of intents about articles. */
export const sweep = async ({ objects, view, configuration, publish, isHeld, now }: SweepNeeds): Promise<number> => {
  await view.projection.ready
  const { feeds, categories } = configuration.current()
  const held = [...feeds.values()].filter(feed => isHeld(feed.id))
  const windows = await Promise.all(held.map(feed => readWindow(objects, feed.id)))
  const swept = held.flatMap((feed, index) => {
    const window = windows[index]?.window
    return window === undefined ? [] : [{ rule: { feed, categories }, window, asOf: window.asOf }]
  })
  const shouldBeIn = await collect(view, swept)
  const at = new Date(now()).toISOString()
  let count = 0
  for (const [index, { rule, window }] of swept.entries()) {
    const differences = differencesOf(window, shouldBeIn[index] ?? [], view.find)
    const intents = [...differences].map(([articleId, version]) => intent(rule.feed.id, articleId, version, at))
    count += intents.length
    // The differences first: the look that follows may end in the same build, and a feed is first seen full, not empty.
    await publish([...intents, look(rule.feed.id, at)])
  }
  return count
}

export type Sweeper = Readonly<{
  /** Sweeps soon: now when idle, once more after the one under way. */
  request(): void
  stop(): Promise<void>
}>

/** Runs sweeps, one at a time: when asked to, and every `everyMs`. A sweep that fails is told and tried again `retryMs` later. */
export const createSweeper = (options: {
  run: () => Promise<unknown>
  everyMs: number
  retryMs: number
  onError: (error: unknown) => void
}): Sweeper => {
  const { run, everyMs, retryMs, onError } = options
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | null = null
  let again = false
  let stopped = false

  const schedule = (ms: number) => {
    clearTimeout(timer)
    if (stopped) return
    timer = setTimeout(request, ms)
    timer.unref()
  }
  const once = async (): Promise<void> => {
    try {
      await run()
      schedule(everyMs)
    } catch (error) {
      onError(error)
      schedule(retryMs)
    }
  }
  const request = () => {
    if (stopped) return
    if (running) {
      again = true
      return
    }
    running = once().finally(() => {
      running = null
      if (!again) return
      again = false
      request()
    })
  }
  return {
    request,
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await running
    },
  }
}
