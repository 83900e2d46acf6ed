/**
 * Nothing falls between configuration and fact (architecture §6.7): at start, after every change of configuration and of held partitions, and
 * every few minutes, each feed is compared with what all articles are, and differences become intents. Each sweep also sends an intent
 * without an article: it makes a feed be built that never was, reads files again that somebody may have damaged, ends old notices, and takes up
 * a rebuild that was asked for. Pages are compared with what is claimed of them, and feeds that are no longer in force come to their end.
 *
 * Only whoever holds a feed's partition of `feed-changes` sweeps it. Sweeping twice, or while intents are on their way, only causes looks.
 */
import type { NewswireEvent } from '@newswire/events/events'
import { deriveId } from '@newswire/events/ids'
import type { Publish } from '@newswire/log/events'
import type { Objects } from '@newswire/objects/objects'
import type { Configuration } from '@newswire/runtime/configuration'
import { sideBySide } from '@newswire/runtime/side-by-side'
import type { FacetView, KnownArticle } from './facets.ts'
import { deleteLoose, readWindow, retireFeed } from './feed-store.ts'
import type { History } from './history.ts'
import type { Slot } from './places.ts'
import { wantedRebuild } from './rebuild.ts'
import { type FeedWindow, MAX_NOTICES, type Rule } from './window.ts'

/** Article → version that a feed should be asked to look at. Pure. */
export const differencesOf = (
  window: FeedWindow,
  shouldBeIn: readonly Slot[],
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

/** The articles that should be in a feed's window: items up to twice its limit, and the notices of its time. */
export const collect = (
  { places }: Pick<FacetView, 'places'>,
  { feed }: Rule,
  since: Pick<FeedWindow, 'asOf' | 'noticeMs'>,
): readonly Slot[] => [
  ...places.newest(feed.id, 2 * feed.limit),
  ...places.notices(feed.id, new Date(Date.parse(since.asOf) - since.noticeMs).toISOString(), MAX_NOTICES),
]

const intent = (feedId: string, articleId: string, version: number, at: string): NewswireEvent => ({
  type: 'feed.changed',
  id: deriveId('feed.changed', feedId, articleId, version),
  source: '/services/feeds',
  subject: feedId,
  time: at,
  data: { feedId, articleId, version },
})

type Look = Readonly<{ rebuild?: string | undefined; quiet?: true }>

/** `why` tells looks of one moment apart. `quiet`: nobody is told of what it alone finds. */
export const lookAt = (feedId: string, at: string, why: string, { rebuild, quiet }: Look = {}): NewswireEvent => ({
  type: 'feed.changed',
  id: deriveId('feed.changed', feedId, at, why),
  source: '/services/feeds',
  subject: feedId,
  time: at,
  data: { feedId, articleId: null, version: 0, ...(rebuild === undefined ? {} : { rebuild }), ...(quiet === undefined ? {} : { quiet }) },
})

type SweepNeeds = Readonly<{
  objects: Pick<Objects, 'get' | 'put' | 'list' | 'delete'>
  view: FacetView
  history: Pick<History, 'check'>
  configuration: Pick<Configuration, 'current'>
  publish: Publish
  /** Whether this process holds the feed's partition. */
  isHeld: (feedId: string) => boolean
  now: () => number
}>

/** Feeds compared at once: their windows and the listings of their pages are waited for side by side. */
const AT_ONCE = 8

const sweepFeed = async (rule: Rule, { objects, view, history, publish, now }: SweepNeeds): Promise<number> => {
  const feedId = rule.feed.id
  const [{ window, tag }, rebuild] = await Promise.all([readWindow(objects, feedId), wantedRebuild(objects, feedId)])
  if (tag !== null) await deleteLoose(objects, feedId)
  await history.check(feedId)
  const differences = differencesOf(window, collect(view, rule, window), view.find)
  const at = new Date(now()).toISOString()
  const intents = [...differences].map(([articleId, version]) => intent(feedId, articleId, version, at))
  // The differences first: the look that follows may end in the same build, and a feed is first seen full, not empty.
  await publish([...intents, lookAt(feedId, at, rebuild?.id ?? '', { rebuild: rebuild?.id })])
  return intents.length
}

/** One sweep over all held feeds; resolves with the number of intents about articles. */
export const sweep = async (needs: SweepNeeds): Promise<number> => {
  const { objects, view, configuration, isHeld } = needs
  await view.projection.ready
  const { feeds, categories } = configuration.current()
  for (const feedId of view.kept()) {
    if (feeds.has(feedId)) continue
    if (!isHeld(feedId) || (await retireFeed(objects, feedId))) view.forget(feedId)
  }
  const held = [...feeds.values()].filter(feed => isHeld(feed.id)).map((feed): Rule => ({ feed, categories }))
  await view.ensure(held)
  const counts = await sideBySide(held, AT_ONCE, rule => sweepFeed(rule, needs))
  return counts.reduce((sum, one) => sum + one, 0)
}
