/** Takes intents to the actor of their outlet, for the partitions of `deliveries` that this process holds. */
import { RejectError, UnavailableError } from '@newswire/events/errors'
import type { NewswireEvent } from '@newswire/events/events'
import { isArticleId, isConfigId } from '@newswire/events/ids'
import { leftOf } from '@newswire/log/dead-letter'
import type { EventContext, Handler } from '@newswire/log/events'
import type { LogRecord } from '@newswire/log/log'
import type { ActorStats } from './actor.ts'
import { DOUBT_MS } from './book.ts'
import { createHoldings, type Holdings } from './holdings.ts'
import type { PartitionNeeds } from './partition.ts'

type WorkerNeeds = Omit<PartitionNeeds, 'ids'> &
  Readonly<{
    partitionOf: (outletId: string) => number
    /** Every outlet that the configuration knows, retired ones too. */
    outlets: () => ReadonlyMap<string, unknown>
  }>

export type Worker = Readonly<{
  onWanted: Handler<'delivery.wanted'>
  onAssigned(change: Readonly<{ gained: readonly number[]; lost: readonly number[] }>): Promise<void>
  /** Ends when intents of a partition that was gained may be handled, or when it is lost. */
  ready(partition: number): Promise<unknown>
  /** The configuration changed: other addresses, new outlets. */
  pump(): void
  /** What is kept of an outlet changed. Nothing when it is not this process's. */
  refresh(outletId: string): Promise<void>
  /** Whether its partition is this process's now. */
  holds(outletId: string): boolean
  stats(): readonly (ActorStats & Readonly<{ id: string }>)[]
  isMuchLeft: Holdings['isMuchLeft']
  /** Deletes what is finished for good in the store. */
  sweep(): Promise<void>
  /** Hands over everything that is still held. Twice is once. */
  stop(): Promise<void>
}>

/** A new outlet's first intents may be here before its configuration. Longer is for the schedule of the log. */
const HEARD_OF_WITHIN_MS = 1_000

/** Versions that one intent wants of an outlet of every version: a list of them is made, which a stranger's numbers must not make endless. */
const MOST_PASSED_OVER = 10_000

type Wanted = NewswireEvent<'delivery.wanted'>['data']

/** Of each partition: ten thousand outlets that have nothing to do must not take 10 KB each. */
const IDLE_KEPT = 64

/**
 * After an end that was not clean something may have been sent that nobody remembers, and may still arrive: a kill is then repeated once
 * (`maybeSent` 0). Not of an article that first came to the outlet since: nobody else can have sent anything of it.
 */
export const forgotten = (
  { clean, sinceMs }: Readonly<{ clean: boolean; sinceMs: number }>,
  { timestamp, first }: Readonly<{ timestamp: number; first: boolean }>,
): number | null => {
  const isOfSince = first && timestamp > sinceMs
  return !clean && !isOfSince && timestamp <= sinceMs + DOUBT_MS ? 0 : null
}

/** What the log goes by when an intent of several failed in several ways: it waits before it counts tries, and gives up at once last of all. */
const failureOf = (ended: readonly PromiseSettledResult<unknown>[]): Readonly<{ error: unknown }> | null => {
  const errors = ended.flatMap(one => (one.status === 'rejected' ? [{ error: one.reason as unknown }] : []))
  const isAway = errors.find(({ error }) => error instanceof UnavailableError)
  return isAway ?? errors.find(({ error }) => !(error instanceof RejectError)) ?? errors[0] ?? null
}

export const createWorker = (needs: WorkerNeeds): Worker => {
  const { partitionOf, outlets, createActor, onError, keepIdle = IDLE_KEPT, clock, scale } = needs
  /** Outlets that this process has still to hear of: their intents go on together then, in the order in which they came. */
  const unheardOf = new Map<string, PromiseWithResolvers<void>>()
  const idsOf = (number: number) => [...outlets().keys()].filter(id => partitionOf(id) === number)
  const holdings = createHoldings({
    ...needs,
    topic: 'deliveries',
    keepIdle,
    tenureOf: number => ({ createActor, ids: () => idsOf(number) }),
  })

  const check = (ids: readonly string[], { articleId, version, since = version }: Wanted, record: LogRecord) => {
    const isOurs = (id: string) => isConfigId(id) && partitionOf(id) === record.partition
    if (version - since > MOST_PASSED_OVER)
      throw new RejectError(
        'NEWSWIRE_OUTLETS_INTENT',
        `this intent wants every version from ${since} to ${version}, and more than ${MOST_PASSED_OVER} are none of ours; look at who wrote it`,
      )
    if (isArticleId(articleId) && ids.every(isOurs)) return
    throw new RejectError(
      'NEWSWIRE_OUTLETS_INTENT',
      `this intent names no outlet and article of partition ${record.partition}, so its order could not be kept; look at who wrote it`,
    )
  }

  const hearOf = (outletId: string): Promise<void> => {
    const known = unheardOf.get(outletId)
    if (known !== undefined) return known.promise
    const heard = Promise.withResolvers<void>()
    unheardOf.set(outletId, heard)
    clock.after(HEARD_OF_WITHIN_MS * scale, () => {
      if (unheardOf.get(outletId) === heard) unheardOf.delete(outletId)
      heard.reject(new Error(`outlet ${outletId} is not in the configuration of this process; if it exists, it will be soon`))
    })
    return heard.promise
  }

  return {
    onWanted: async (event, { record, leave }: EventContext) => {
      const { outletId, also = [], articleId, version, kill = false, first = false, again, since } = event.data
      const named = [...new Set([outletId, ...also])]
      check(named, event.data, record)
      const left = leftOf(record)
      const ids = left === null ? named : named.filter(id => left.includes(id))
      const { partition, clean, sinceMs } = await holdings.of(record.partition)
      const intent = {
        version,
        kill,
        first,
        again: again !== undefined,
        ...(since === undefined ? {} : { since }),
        sequence: record.position,
        maybeSent: forgotten({ clean, sinceMs }, { timestamp: record.timestamp, first }),
      }
      const cause = { id: event.id, correlationid: event.correlationid, traceparent: event.traceparent }
      const use = (id: string) => partition.use(id, actor => actor.want(articleId, intent, cause))
      const want = (id: string) => (unheardOf.has(id) || !outlets().has(id) ? hearOf(id).then(() => use(id)) : use(id))
      // Also of those that cannot have it: when the intent comes again nothing of it is under way any more.
      const ended = await Promise.allSettled(ids.map(want))
      const failure = failureOf(ended)
      if (failure === null) return
      leave?.(ids.filter((_, index) => ended[index]?.status === 'rejected'))
      throw failure.error
    },
    onAssigned: holdings.onAssigned,
    ready: holdings.of,
    pump: () => {
      for (const [outletId, heard] of unheardOf)
        if (outlets().has(outletId)) {
          heard.resolve()
          // Whoever comes until those who wait have gone on goes behind them.
          void heard.promise.then(() => unheardOf.delete(outletId))
        }
      holdings.pump()
    },
    refresh: async outletId => {
      const number = partitionOf(outletId)
      const partition = holdings.partitions().find(([held]) => held === number)?.[1]
      if (partition?.isKnown(outletId)) await partition.use(outletId, actor => actor.refresh())
    },
    holds: outletId => holdings.isHeld(partitionOf(outletId)),
    stats: holdings.stats,
    isMuchLeft: holdings.isMuchLeft,
    sweep: async () => {
      for (const [, partition] of holdings.partitions())
        for (const id of [...[...partition.actors()].map(([id]) => id), ...partition.rested()])
          if (partition.isHeld()) await partition.use(id, actor => actor.sweep()).catch(onError)
    },
    stop: holdings.stop,
  }
}
