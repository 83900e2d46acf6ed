/** Handles intents: all that wait for one feed become one build. */
import { setTimeout } from 'node:timers/promises'
import { RejectError } from '@newswire/events/errors'
import { follow, fromRecord, type NewswireEvent } from '@newswire/events/events'
import type { Fact } from '@newswire/events/fact'
import { type FeedBuilt, feedFiles, feedOutputs } from '@newswire/events/feed'
import { deriveId, isArticleId } from '@newswire/events/ids'
import type { Milestone } from '@newswire/events/milestone'
import type { Publish } from '@newswire/log/events'
import type { LogRecord, SubscribeOptions } from '@newswire/log/log'
import { keys } from '@newswire/objects/keys'
import type { Configuration } from '@newswire/runtime/configuration'
import type { Logger } from '@newswire/runtime/logger'
import { type Builder, type Built, MAX_REASON, type Wanted } from './build.ts'
import { restAfter } from './pace.ts'
import { createTurns } from './turns.ts'

type Intent = NewswireEvent<'feed.changed'>

/** The intent of a record; `null` for an event of another type. Throws `RejectError` for what is none of ours. */
const parse = (record: LogRecord): Intent | null => {
  const event = fromRecord(record)
  if (event?.type !== 'feed.changed') return null
  const { articleId } = event.data
  if (articleId !== null && !isArticleId(articleId))
    throw new RejectError('NEWSWIRE_FEEDS_INTENT', `intent ${event.id} names no article: ${JSON.stringify(articleId.slice(0, 200))}`)
  return event
}

/** Merges what waits for one feed. */
export const toWanted = (intents: readonly Intent[], position: number): Wanted | null => {
  const feedId = intents[0]?.data.feedId
  if (feedId === undefined) return null
  const articles = new Map<string, number>()
  let lookedAt: string | null = null
  for (const { data, time } of intents) {
    if (data.articleId !== null) articles.set(data.articleId, Math.max(data.version, articles.get(data.articleId) ?? 0))
    else if (lookedAt === null || time > lookedAt) lookedAt = time
  }
  return { feedId, articles, lookedAt, position }
}

export const toFeedBuilt = (feedId: string, built: Built, isQuiet = false): FeedBuilt => ({
  feedId,
  counter: built.window.counter,
  updatedAt: built.updatedAt,
  items: built.items,
  outputs: Object.fromEntries(
    feedOutputs.map(output => [output, { key: keys.feed(feedId, feedFiles[output].name), ...built.outputs[output] }]),
  ) as FeedBuilt['outputs'],
  ...(isQuiet ? { quiet: true } : {}),
  ...(built.window.quarantined.length === 0 ? {} : { quarantined: built.window.quarantined }),
  ...(built.window.fault === null ? {} : { fault: built.window.fault }),
})

/** What was asked for and is no item of the feed now: taken back, or left it. */
const removedIn = (wanted: Wanted, built: Built): Fact[] => {
  const items = new Set(built.window.entries.flatMap(one => (one.kind === 'item' ? [one.articleId] : [])))
  return [...wanted.articles.keys()].flatMap(articleId => {
    const state = built.states.get(articleId)
    return state && !(state instanceof RejectError) && !items.has(articleId) ? [state] : []
  })
}

type Sunk = Pick<Extract<Milestone, { kind: 'sink' }>, 'version' | 'state'> & { reason?: string }

/** What became of each article that was asked for: as state says, at the version that state has. */
const outcomeOf = (articleId: string, version: number, state: Fact | null | RejectError, built: Built): Sunk | null => {
  if (state === null) return null
  if (state instanceof RejectError) return { version, state: 'rejected', reason: `${state.code}: ${state.message}` }
  // What was taken back is taken back even while a fault keeps everything else as it is.
  const fault = built.quarantined.get(articleId) ?? (state.state === 'live' ? built.window.fault : null)
  return fault
    ? { version: state.version, state: 'rejected', reason: `${fault.code}: ${fault.reason}` }
    : { version: state.version, state: 'done' }
}

const toMilestone = (wanted: Wanted, articleId: string, { reason, ...sunk }: Sunk, cause: Intent, at: string): NewswireEvent =>
  follow(cause, {
    type: 'milestone.reached',
    id: deriveId('feed', wanted.feedId, articleId, sunk.version, sunk.state),
    source: '/services/feeds',
    subject: articleId,
    time: at,
    data: {
      kind: 'sink',
      articleId,
      at,
      sink: { kind: 'feed', id: wanted.feedId },
      ...sunk,
      ...(reason === undefined ? {} : { reason: reason.slice(0, MAX_REASON) }),
    },
  })

const toMilestones = (wanted: Wanted, built: Built, cause: Intent, at: string): NewswireEvent[] => {
  const asked = [...wanted.articles].flatMap(([articleId, version]) => {
    const outcome = outcomeOf(articleId, version, built.states.get(articleId) ?? null, built)
    return outcome === null ? [] : toMilestone(wanted, articleId, outcome, cause, at)
  })
  const recovered = [...built.recovered].filter(([articleId]) => !wanted.articles.has(articleId))
  return [...asked, ...recovered.map(([articleId, version]) => toMilestone(wanted, articleId, { version, state: 'done' }, cause, at))]
}

/** Builds under way: one uses the event loop while others wait for the store. Each has a megabyte in hand. */
const AT_ONCE = 32

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
  /** Ends rests at once when the service stops. */
  stopping: AbortSignal
  onBuilt?: (feedId: string, built: Built) => void
  /** Told how many feeds are being built, or rest from a build for news. */
  onActive?: (active: number) => void
}>

/**
 * The `handle` of `feed-changes`. Builds at once, publishes, then rests before it resolves: what arrives meanwhile is the next batch. Safe to
 * repeat. When the subscription stops the rest ends at once; the work is done by then.
 */
export const onFeedChanged = (needs: Needs): SubscribeOptions['handle'] => {
  const { builder, beside, publish, configuration, logger, now, share, stopping, onBuilt, onActive = () => undefined } = needs
  const turns = createTurns(AT_ONCE)
  let active = 0
  let told = 0
  const tell = (change: number) => {
    told += change
    onActive(told)
  }
  /** What was said of each feed: by article, the version that was set aside. */
  const aside = new Map<string, Built['quarantined']>()
  /** The counter that was told of last, and whether anybody was pinged for it. */
  const announced = new Map<string, Readonly<{ counter: number; isQuiet: boolean }>>()

  const announce = async (wanted: Wanted, built: Built, intents: readonly Intent[]): Promise<void> => {
    const cause = intents.at(-1)
    if (cause === undefined) return
    const { feedId } = wanted
    const { counter } = built.window
    const milestones = toMilestones(wanted, built, cause, new Date(now()).toISOString())
    const before = announced.get(feedId)
    // A look that found nothing says nothing, but the first one here may be the repeat of one that died before it said something.
    const isLook = ({ data }: Intent) => data.articleId === null && !built.written && before !== undefined
    const isQuiet = intents.every(one => one.data.quiet === true || isLook(one))
    const announcement: NewswireEvent[] =
      before?.counter === counter && (isQuiet || !before.isQuiet)
        ? []
        : [
            follow(cause, {
              type: 'feed.built',
              id: deriveId('feed.built', feedId, counter, ...(isQuiet ? ['quiet'] : [])),
              source: '/services/feeds',
              subject: feedId,
              time: built.updatedAt,
              data: toFeedBuilt(feedId, built, isQuiet),
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
    announced.set(feedId, { counter, isQuiet: isQuiet && (before?.counter !== counter || before.isQuiet) })
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
    const built = await turns(() => builder.build(wanted, configuration.current(), signal))
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

  return async (records, { signal }) => {
    const intents = records.flatMap(record => parse(record) ?? [])
    if (intents.length === 0) return
    // What a sweep found comes once, and no more is to be expected after it.
    const isNews = intents.some(one => one.causationid !== undefined)
    active += 1
    tell(1)
    try {
      const busyMs = await build(intents, records.at(-1)?.position ?? 0, signal).finally(() => isNews || tell(-1))
      const restMs = restAfter({ busyMs, active, share: share() })
      // Stopping ends the rest early and nothing else: everything is written and said.
      if (restMs >= 1) await setTimeout(restMs, undefined, { signal: AbortSignal.any([signal, stopping]) }).catch(() => undefined)
    } finally {
      active -= 1
      if (isNews) tell(-1)
    }
  }
}
