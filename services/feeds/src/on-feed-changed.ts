/** Handles intents: all that wait for one feed become one build. */
import { setTimeout } from 'node:timers/promises'
import { messageOf, RejectError } from '@newswire/events/errors'
import { follow, fromRecord, type NewswireEvent } from '@newswire/events/events'
import type { Fact } from '@newswire/events/fact'
import { deriveId, isArticleId } from '@newswire/events/ids'
import type { Publish } from '@newswire/log/events'
import type { LogRecord, SubscribeOptions } from '@newswire/log/log'
import type { Configuration } from '@newswire/runtime/configuration'
import { createKeyedLimit, createLimit } from '@newswire/runtime/limit'
import type { Logger } from '@newswire/runtime/logger'
import { type Builder, type Built, MAX_REASON, type Wanted } from './build.ts'
import { type Intent, removedIn, toFeedBuilt, toMilestone, toMilestones, toWanted } from './build-words.ts'
import { createPace } from './pace.ts'

/** The intent of a record; `null` for an event of another type. Throws `RejectError` for what is none of ours. */
const parse = (record: LogRecord): Intent | null => {
  const event = fromRecord(record)
  if (event?.type !== 'feed.changed') return null
  const { articleId } = event.data
  if (articleId !== null && !isArticleId(articleId))
    throw new RejectError('NEWSWIRE_FEEDS_INTENT', `intent ${event.id} names no article: ${JSON.stringify(articleId.slice(0, 200))}`)
  return event
}

/** `null` also for poison, which is told when it is handled. */
const parsedOrNull = (record: LogRecord): Intent | null => {
  try {
    return parse(record)
  } catch {
    return null
  }
}

/** Builds under way: one uses the event loop while others wait for the store. Each has a megabyte in hand. */
const AT_ONCE = 32

/** Nobody is told of it: an import, as long as it does not ask for deliveries. */
const isQuiet = ({ data }: Intent): boolean => data.quiet === true

/** So many intents of a feed are kept to be begun; what comes beyond is done when it comes from the log. */
const MOST_AHEAD = 1_000

/** What subscribers are sent: all but the sitemap, which an article leaves with time. */
const toFormats = ({ rss, atom, json }: Built['outputs']): string => [rss, atom, json].map(({ sha256 }) => sha256).join()

/** What is beside the feed itself: its pages. */
export type Beside = Readonly<{
  /** Rewrites the pages that still show what the feed no longer does. */
  takeDown(feedId: string, facts: readonly Fact[]): Promise<void>
  /** Forgets what is known of a feed; resolves with what should be in it. */
  forget(feedId: string): Promise<ReadonlyMap<string, number>>
  /** The feed itself is made again; its pages are next. */
  remade(feedId: string, rebuild: string, changed: boolean): Promise<void>
}>

type Needs = Readonly<{
  builder: Builder
  beside: Beside
  publish: Publish
  configuration: Pick<Configuration, 'current'>
  logger: Pick<Logger, 'info' | 'warn' | 'debug'>
  now: () => number
  /** The part of the event loop that all building may take now, 0 to 1. */
  share: () => number
  /** How long a feed rests after a build that nobody is told of, as of an import, ms: the next ones become one build. */
  quietRestMs: number
  /** Ends rests at once when the service stops. */
  stopping: AbortSignal
  onBuilt?: (feedId: string, built: Built) => void
  /** Told how many feeds are being built, or rest from a build for news; and how many for something that nobody is told of. */
  onActive?: (told: number, untold: number) => void
}>

type FeedWork = Readonly<{
  /**
   * The `handle` of `feed-changes`. Builds at once, publishes, then rests before it resolves: what arrives meanwhile is the next batch. Safe to
   * repeat. When the subscription stops the rest ends at once; the work is done by then.
   */
  handle: SubscribeOptions['handle']
  /**
   * Builds for intents that are only being published: what a feed shows is read from state, so a build need not wait until the brokers have what it is for. The
   * intent comes all the same, and does what was not done, or what a rebuild may have undone, which is made from the view. For feeds that are held here; never throws.
   */
  begin(intents: readonly Intent[]): void
  /** The `onWaiting` of `feed-changes`: a feed of which somebody is to be told rests no more for an import's sake. */
  onWaiting(record: LogRecord): void
  /** What was begun counts no more: its intents do it. */
  forget(): void
  /** Resolves once nothing is built. */
  idle(): Promise<void>
}>

export const onFeedChanged = (needs: Needs): FeedWork => {
  const { builder, beside, publish, configuration, logger, now, share, quietRestMs, stopping, onBuilt, onActive = () => undefined } = needs
  const atOnce = createLimit(AT_ONCE)
  const pace = createPace(share)
  /** Of what somebody is to be told of alone: it does not rest for what an import's builds took. */
  const newsPace = createPace(share)
  /** Feeds that are being built or rest; `untold` of them for something that nobody is told of. */
  let active = 0
  let untold = 0
  let told = 0
  /** By feed what ends the rest from a build that nobody is told of. */
  const resting = new Map<string, AbortController>()
  /** Rises whenever partitions change hands. */
  let generation = 0
  const tell = (change: number) => {
    told += change
    onActive(told, untold)
  }
  /** What was said of each feed: by article, the version that was set aside. */
  const aside = new Map<string, Built['quarantined']>()
  /** The counter that was told of last, what the feed was then, and whether anybody was pinged for it. */
  const announced = new Map<string, Readonly<{ counter: number; formats: string; isQuiet: boolean }>>()

  const announce = async (wanted: Wanted, built: Built, intents: readonly Intent[]): Promise<void> => {
    const cause = intents.at(-1)
    if (cause === undefined) return
    const { feedId } = wanted
    const { counter } = built.window
    const milestones = toMilestones(wanted, built, cause, new Date(now()).toISOString())
    const before = announced.get(feedId)
    const formats = toFormats(built.outputs)
    // A look that found nothing new says nothing, but the first one here may be the repeat of one that died before it said something.
    const isLook = ({ data }: Intent) => data.articleId === null && before?.formats === formats
    const isUntold = intents.every(one => isQuiet(one) || isLook(one))
    const announcement: NewswireEvent[] =
      before?.counter === counter && (isUntold || !before.isQuiet)
        ? []
        : [
            follow(cause, {
              type: 'feed.built',
              id: deriveId('feed.built', feedId, counter, ...(isUntold ? ['quiet'] : [])),
              source: '/services/feeds',
              subject: feedId,
              time: built.updatedAt,
              data: toFeedBuilt(feedId, built, isUntold),
            }),
          ]
    const removed = removedIn(wanted, built)
    if (removed.length > 0) {
      // The feed is told of at once; `done` is said when the pages do not show it either.
      if (announcement.length > 0) await publish(announcement.splice(0))
      await beside.takeDown(feedId, removed)
    }
    const events = [...announcement, ...milestones]
    if (events.length > 0) await publish(events)
    announced.set(feedId, { counter, formats, isQuiet: isUntold && (before?.counter !== counter || before.isQuiet) })
  }

  /** The feed was retired, or is not known here yet; then the sweep that follows the configuration sends its intents again. */
  const skip = async (wanted: Wanted, intents: readonly Intent[]): Promise<void> => {
    const cause = intents.at(-1)
    if (cause === undefined || wanted.articles.size === 0) return
    const at = new Date(now()).toISOString()
    const reason = 'the feed is not in the configuration in force'
    await publish(
      [...wanted.articles].map(([articleId, version]) => toMilestone(wanted, articleId, { version, state: 'skipped', reason }, cause, at)),
    )
  }

  /** Each version once: a feed that keeps hundreds out would else say so of all of them at every build. */
  const tellAside = (feedId: string, quarantined: Built['quarantined']): void => {
    const before = aside.get(feedId)
    for (const [articleId, { version, code, reason }] of quarantined)
      if (before?.get(articleId)?.version !== version)
        logger.warn({ feedId, articleId, code, reason: reason.slice(0, MAX_REASON) }, 'article.quarantined')
    if (quarantined.size === 0) aside.delete(feedId)
    else aside.set(feedId, quarantined)
  }

  const build = async (intents: readonly Intent[], position: number, signal: AbortSignal): Promise<number> => {
    const asked = toWanted(intents, position)
    if (asked === null) return 0
    const rebuild = intents.findLast(one => one.data.rebuild !== undefined)?.data.rebuild
    const wanted = rebuild === undefined ? asked : { ...asked, afresh: await beside.forget(asked.feedId) }
    const built = await atOnce(() => builder.build(wanted, configuration.current(), signal))
    if (built === null) {
      await skip(wanted, intents)
      return 0
    }
    await announce(wanted, built, intents)
    if (built.window.fault !== null && built.written) logger.warn({ feedId: wanted.feedId, ...built.window.fault }, 'feed.kept-back')
    if (rebuild !== undefined) await beside.remade(wanted.feedId, rebuild, built.written)
    tellAside(wanted.feedId, built.quarantined)
    logger.debug(
      {
        feedId: wanted.feedId,
        articles: wanted.articles.size,
        items: built.items,
        counter: built.window.counter,
        written: built.written,
        busyMs: built.busyMs,
      },
      'feed.built',
    )
    onBuilt?.(wanted.feedId, built)
    return built.busyMs
  }

  /** By feed where its last intent lies that somebody waits for, as long as it is not handled. */
  const awaited = new Map<string, number>()

  /** What ends a rest early ends nothing else: everything is written and said. */
  const rest = (restMs: number, ...signals: AbortSignal[]): Promise<void> =>
    setTimeout(restMs, undefined, { signal: AbortSignal.any([stopping, ...signals]) }).catch(() => undefined)

  /** What somebody waits for ends this rest, and not the one that building for news has to take. */
  const restQuietly = async (feedId: string, restMs: number, signal: AbortSignal): Promise<void> => {
    if (restMs < 1 || awaited.has(feedId)) return
    const roused = new AbortController()
    resting.set(feedId, roused)
    await rest(restMs, signal, roused.signal)
    resting.delete(feedId)
  }

  const ofFeed = createKeyedLimit(1)
  const works = new Set<Promise<void>>()
  /** The work for one feed goes one after the other, in the order in which it came. */
  const inTurn = (feedId: string, work: () => Promise<void>): Promise<void> => {
    const mine = ofFeed(feedId, work).finally(() => works.delete(mine))
    works.add(mine)
    return mine
  }
  /** Intents that are still to come, and are done: their feeds by their ids. */
  const begun = new Map<string, string>()
  /** By feed what waits to be begun. */
  const waiting = new Map<string, Intent[]>()

  const work = async (
    feedId: string,
    intents: readonly Intent[],
    position: number,
    signal: AbortSignal,
    onDone: () => void = () => undefined,
  ): Promise<void> => {
    // What a sweep found comes once, and no more is to be expected after it.
    const isNews = intents.some(one => one.causationid !== undefined)
    const isUntold = intents.every(isQuiet)
    const since = generation
    active += 1
    if (isUntold) untold += 1
    tell(isUntold ? 0 : 1)
    try {
      const busyMs = await build(intents, position, signal).finally(() => {
        if (!isNews && !isUntold) tell(-1)
        // Somebody else may have built it meanwhile.
        if (since !== generation) builder.forget(feedId)
      })
      onDone()
      const ofAllMs = pace.restMs({ busyMs, active })
      if (isUntold) await restQuietly(feedId, Math.max(ofAllMs, quietRestMs), signal)
      else {
        const restMs = newsPace.restMs({ busyMs, active: active - untold })
        if (restMs >= 1) await rest(restMs, signal)
      }
    } finally {
      active -= 1
      if (isUntold) untold -= 1
      if (isNews || isUntold) tell(isUntold ? 0 : -1)
    }
  }

  const workAhead = async (feedId: string): Promise<void> => {
    await null // what is published at the same moment is one build
    const intents = waiting.get(feedId) ?? []
    waiting.delete(feedId)
    // Where they lie in the log is not known yet: the counter rises from what was told of last, which must be known.
    const counter = announced.get(feedId)?.counter
    if (counter === undefined || !builder.isInMind(feedId) || stopping.aborted) return
    const since = generation
    const onDone = () => {
      if (since === generation) for (const { id } of intents) begun.set(id, feedId)
    }
    try {
      await work(feedId, intents, counter, stopping, onDone)
    } catch (error) {
      logger.debug({ feedId, reason: messageOf(error) }, 'feed.left-to-its-intent')
    }
  }

  return {
    handle: async (records, { signal }) => {
      const intents = records.flatMap(record => parse(record) ?? [])
      const [first] = intents
      if (first === undefined) return
      const { feedId } = first.data
      const position = records.at(-1)?.position ?? 0
      if ((awaited.get(feedId) ?? Number.POSITIVE_INFINITY) <= position) awaited.delete(feedId)
      await inTurn(feedId, async () => {
        // A feed that is made again is made from the view, not from what was begun.
        if (intents.some(one => one.data.rebuild !== undefined)) for (const [id, of] of begun) if (of === feedId) begun.delete(id)
        const left = intents.filter(({ id }) => !begun.delete(id))
        if (left.length > 0) await work(feedId, left, position, signal)
      })
    },
    onWaiting: record => {
      const intent = parsedOrNull(record)
      if (intent === null || isQuiet(intent)) return
      const { feedId } = intent.data
      awaited.set(feedId, record.position)
      resting.get(feedId)?.abort()
    },
    begin: intents => {
      for (const intent of intents) {
        const { feedId } = intent.data
        const others = waiting.get(feedId)
        if (others !== undefined) {
          if (others.length < MOST_AHEAD) others.push(intent)
          continue
        }
        waiting.set(feedId, [intent])
        void inTurn(feedId, () => workAhead(feedId))
      }
    },
    forget: () => {
      generation += 1
      begun.clear()
      awaited.clear()
    },
    idle: async () => {
      while (works.size > 0) await Promise.allSettled(works)
    },
  }
}
