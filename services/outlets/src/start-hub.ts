/** Wiring: the distribution of feeds to their WebSub subscribers. */
import { createSecretKey, type KeyObject, randomUUID } from 'node:crypto'
import { messageOf, UnavailableError } from '@newswire/events/errors'
import { topics } from '@newswire/events/topics'
import { byType } from '@newswire/log/events'
import type { Subscription } from '@newswire/log/log'
import { keys } from '@newswire/objects/keys'
import { createFeedHub, type FeedHub } from '@newswire/runtime/feed-hub'
import type { ServiceContext } from '@newswire/runtime/service'
import { openSubscriptions, type Subscriptions } from '@newswire/runtime/subscriptions'
import { createActor } from './actor.ts'
import { type Engine, INTENTS_AT_ONCE } from './engine.ts'
import { createBodies, createFeedView } from './feed-view.ts'
import { createHandover } from './handover.ts'
import { createHub, type Hub } from './hub.ts'
import { createHubMeters } from './meters.ts'
import { hubShelf } from './pending.ts'
import { type KeyOf, websubKind } from './websub.ts'

/** Making a key costs more than signing with it. A secret is never changed, so each is opened once; forgotten when there are too many. */
const MOST_KEYS = 20_000

const openKeys = ({ sealing, logger }: Pick<ServiceContext, 'sealing' | 'logger'>): KeyOf => {
  const known = new Map<string, KeyObject>()
  return async secretId => {
    const key = known.get(secretId)
    if (key !== undefined) return key
    try {
      const secret = await sealing?.get(secretId)
      if (secret == null) return 'unknown'
      if (known.size >= MOST_KEYS) known.clear()
      const made = createSecretKey(secret)
      known.set(secretId, made)
      return made
    } catch (error) {
      if (error instanceof UnavailableError) throw error
      logger.error({ secretId, reason: messageOf(error) }, 'hub.secret-unreadable')
      return 'unknown'
    }
  }
}

/** Builds are many, and most installations have nobody to tell of them: how late it may be noticed then that somebody is to be told, ms. */
const UNREAD_PATIENCE_MS = 1_000
const isAny = (all: Iterable<unknown>): boolean => all[Symbol.iterator]().next().done !== true

export const startHub = async (
  context: ServiceContext,
  engine: Engine,
): Promise<Readonly<{ hub: Hub; subscription: Subscription; subscriptions: Subscriptions }>> => {
  const { log, objects, configuration, logger, metrics, now } = context
  const { clock, scale, post } = engine
  const meters = createHubMeters(metrics, now)
  let subscription: Subscription | undefined
  const isAlive = engine.fence(() => subscription)
  const subscriptions = await openSubscriptions({ objects, log, logger, now, source: '/services/outlets' })
  const view = createFeedView(objects, clock)
  const onError = (error: unknown) => logger.error({ reason: messageOf(error) }, 'hub.failed')
  const feedHub = createFeedHub({ feeds: () => configuration.current().feeds, sealing: context.sealing })
  const warned = new Set<string>()
  const isServed: FeedHub['isServed'] = one => {
    if (feedHub.isServed(one)) return true
    const { feedId, tokenId } = one
    const isInForce =
      configuration
        .current()
        .feeds.get(feedId)
        ?.access?.tokens.some(({ id }) => id === tokenId) ?? false
    if (isInForce && !warned.has(feedId)) {
      warned.add(feedId)
      const why = 'its token was given anew, or NEWSWIRE_SECRET_KEY here is not the one of the gateway that took it'
      logger.warn({ feedId, tokenId, reason: `a subscription to a private feed is not served: ${why}` }, 'hub.subscription-not-served')
    }
    return false
  }
  const distributing = {
    find: subscriptions.get,
    isServed,
    publicUrl: () => configuration.current().site.publicUrl,
    view,
    bodies: createBodies(),
    keyOf: openKeys(context),
    post,
    end: (id: string) => subscriptions.amend(id, before => (before?.lease ? { ...before, lease: null } : null)),
    now: () => clock.now(),
    onAttempt: meters.onAttempt,
  }
  const shared = {
    ...engine.commonOfStrangers(),
    // Nobody is called because a stranger's callback answers 404.
    healthLogger: { info: logger.debug.bind(logger), warn: logger.debug.bind(logger), error: logger.debug.bind(logger) },
  }
  const hub = createHub({
    handover: createHandover(objects, randomUUID(), keys.hubHandover),
    clock,
    scale,
    shared: log.kind === 'kafka',
    partitionOf: feedId => log.partitionOf(topics.feeds.name, feedId),
    feeds: () => configuration.current().feeds,
    isServed,
    subscriptions,
    view,
    pending: engine.pendingOn(hubShelf),
    createActor: ({ feedId, subscriptionId }, pending, isHeld) =>
      createActor(feedId, {
        ...shared,
        pending,
        kind: websubKind(feedId, subscriptionId, distributing),
        owns: () => isHeld() && isAlive(),
        isAlive,
      }),
    now: () => clock.now(),
    onError,
  })
  subscription = await log.subscribe({
    topic: topics.feeds.name,
    group: 'outlets-hub',
    concurrency: INTENTS_AT_ONCE,
    maxBuffered: 2 * INTENTS_AT_ONCE,
    // A build does not wait for the one before it: whoever is slow with that must not keep the others from this one.
    lane: record => String(record.position),
    patienceMs: () => (isAny(subscriptions.all()) ? 0 : UNREAD_PATIENCE_MS),
    sessionTimeoutMs: engine.sessionTimeoutMs,
    onAssigned: hub.onAssigned,
    handle: byType({ 'feed.built': hub.onBuilt }),
  })
  meters.watch(hub.stats)
  return { hub, subscription, subscriptions }
}
