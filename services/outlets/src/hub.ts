/**
 * Distributes feeds to their WebSub subscribers: `feed.built` itself is the intent, one record whatever the number of subscribers, and the owner of
 * its partition fans it out to an actor for each subscription, the same engine as for outlets. Its record is done once every subscriber has
 * the feed, or the store says who has still to get it.
 */

import type { FeedConfig } from '@newswire/events/config'
import { RejectError } from '@newswire/events/errors'
import { isConfigId } from '@newswire/events/ids'
import { isLive, isSubscriptionId, type Subscription } from '@newswire/events/subscription'
import type { EventContext, Handler } from '@newswire/log/events'
import type { Subscriptions } from '@newswire/runtime/subscriptions'
import type { Actor, ActorStats } from './actor.ts'
import type { FeedView } from './feed-view.ts'
import { createHoldings, type Tenure } from './holdings.ts'
import type { PartitionNeeds } from './partition.ts'
import type { Cause, Held, Pending, PendingStore } from './pending.ts'

type HubNeeds = Omit<PartitionNeeds, keyof Tenure> &
  Readonly<{
    partitionOf: (feedId: string) => number
    feeds: () => ReadonlyMap<string, FeedConfig>
    /** As `websubKind` asks it. */
    isServed: (one: Subscription) => boolean
    subscriptions: Pick<Subscriptions, 'get' | 'all' | 'onChange'>
    view: FeedView
    pending: PendingStore
    /** Keeps its state under the feed; loads only what is its own. */
    createActor: (one: Readonly<{ feedId: string; subscriptionId: string }>, pending: PendingStore, owns: () => boolean) => Actor
    now: () => number
  }>

export type Hub = Readonly<{
  onBuilt: Handler<'feed.built'>
  onAssigned(change: Readonly<{ gained: readonly number[]; lost: readonly number[] }>): Promise<void>
  pump(): void
  stats(): readonly (ActorStats & Readonly<{ id: string; feedId: string }>)[]
  /** Deletes what is finished for good in the store, and forgets subscriptions that are over. */
  sweep(): Promise<void>
  /** Hands over everything that is still held. Twice is once. */
  stop(): Promise<void>
}>

type Entry = Readonly<{ pending: Pending; held: Held }>

/** What is pending of whole feeds, read once for all their subscriptions and given out to each. */
const createShelves = (pending: PendingStore, isWanted: (subscriptionId: string) => boolean) => {
  const shelves = new Map<string, Promise<Map<string, Entry>>>()
  const read = async (feedId: string) => {
    const found = new Map<string, Entry>()
    for (let after: string | null | undefined; after !== null; ) {
      const page = await pending.page(feedId, after)
      for (const entry of page.stored) {
        if (isWanted(entry.pending.subject)) found.set(entry.pending.subject, entry)
        else await pending.clear(feedId, entry.pending, entry.held)
      }
      after = page.after
    }
    return found
  }
  return {
    of: (feedId: string, subscriptionId: string): PendingStore => ({
      ...pending,
      page: async () => {
        const reading = shelves.get(feedId) ?? read(feedId)
        shelves.set(feedId, reading)
        try {
          const shelf = await reading
          const entry = shelf.get(subscriptionId)
          shelf.delete(subscriptionId)
          return { stored: entry === undefined ? [] : [entry], after: null }
        } catch (error) {
          shelves.delete(feedId)
          throw error
        }
      },
    }),
  }
}

/**
 * Further ahead than this the store, which has a build before it is told of, is asked whether there is such a build: once it was believed, whoever is
 * subscribed would hold it, and be told of no real one. Builds are numbered by the intents of many feeds, so few follow each other without a gap.
 */
const LEAP = 100

export const createHub = (needs: HubNeeds): Hub => {
  const { partitionOf, feeds, isServed, subscriptions, view, pending, createActor, now, onError } = needs
  /** What a subscriber is told of who comes after a build: the newest of each feed. */
  const builds = new Map<string, Readonly<{ counter: number; sequence: number; cause: Cause }>>()

  const liveOf = (isOf: (feedId: string) => boolean): Subscription[] =>
    [...subscriptions.all()].filter(one => isOf(one.feedId) && isLive(one, now()))
  const isWanted = (id: string): boolean => {
    const one = subscriptions.get(id)
    return one !== null && isLive(one, now()) && isServed(one)
  }

  const holdings = createHoldings({
    ...needs,
    topic: 'feeds',
    tenureOf: number => {
      const shelves = createShelves(pending, isWanted)
      return {
        ids: () => liveOf(feedId => partitionOf(feedId) === number).map(one => one.id),
        createActor: (id, owns) => {
          const feedId = subscriptions.get(id)?.feedId ?? ''
          return createActor({ feedId, subscriptionId: id }, shelves.of(feedId, id), owns)
        },
      }
    },
  })

  const tell = async (one: Subscription, number: number): Promise<void> => {
    const build = builds.get(one.feedId)
    if (build === undefined) return
    const { partition } = await holdings.of(number)
    const intent = { version: build.counter, kill: false, sequence: build.sequence, maybeSent: null }
    await partition.use(one.id, actor => actor.want(one.id, intent, build.cause))
  }

  /** Whoever was verified after a build was fanned out, and before it was built, would else hear of it with the next one only. */
  const stopListening = subscriptions.onChange(one => {
    const number = partitionOf(one.feedId)
    const counter = builds.get(one.feedId)?.counter ?? 0
    if (!holdings.isHeld(number) || !isLive(one, now()) || (one.lease?.since ?? 0) >= counter) return
    tell(one, number).catch(onError)
  })

  return {
    onBuilt: async (event, { record }: EventContext) => {
      const { feedId, counter, quiet } = event.data
      if (!isConfigId(feedId) || partitionOf(feedId) !== record.partition)
        throw new RejectError('NEWSWIRE_OUTLETS_FEED', `this build names no feed of partition ${record.partition}; look at who wrote it`)
      await holdings.of(record.partition)
      const stored = counter - view.known(feedId) > LEAP ? await view.stored(feedId) : null
      if (stored !== null && counter > stored)
        throw new RejectError(
          'NEWSWIRE_OUTLETS_FEED',
          `this is build ${counter} of ${feedId}, and the store has ${stored}; look at who wrote it`,
        )
      view.note(event.data)
      if (quiet) return // who is pinged for something else later gets it with that
      const cause = { id: event.id, correlationid: event.correlationid, traceparent: event.traceparent }
      if (counter >= (builds.get(feedId)?.counter ?? 0)) builds.set(feedId, { counter, sequence: record.position, cause })
      const told = liveOf(of => of === feedId).filter(isServed)
      await Promise.all(told.map(one => tell(one, record.partition)))
    },
    onAssigned: holdings.onAssigned,
    pump: holdings.pump,
    stats: () => holdings.stats().map(one => ({ ...one, feedId: subscriptions.get(one.id)?.feedId ?? '' })),
    sweep: async () => {
      for (const [number, partition] of holdings.partitions()) {
        for (const [id, actor] of [...partition.actors()])
          if (isSubscriptionId(id) && !isWanted(id) && actor.stats().backlog === 0) partition.forget(id)
        const feedIds = [...feeds().keys()].filter(id => partitionOf(id) === number)
        for (const feedId of feedIds) if (partition.isHeld()) await pending.sweep(feedId, partition.isHeld).then(() => undefined, onError)
      }
    },
    stop: async () => {
      stopListening()
      await holdings.stop()
    },
  }
}
