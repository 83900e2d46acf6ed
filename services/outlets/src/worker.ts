/** Takes intents to the actor of their outlet, for the partitions of `deliveries` that this process holds. */
import { RejectError } from '@newswire/events/errors'
import { isArticleId, isConfigId } from '@newswire/events/ids'
import type { EventContext, Handler } from '@newswire/log/events'
import type { LogRecord } from '@newswire/log/log'
import type { ActorStats } from './actor.ts'
import { DOUBT_MS } from './book.ts'
import { createHoldings } from './holdings.ts'
import type { PartitionNeeds } from './partition.ts'

export type WorkerNeeds = Omit<PartitionNeeds, 'ids'> &
  Readonly<{
    partitionOf: (outletId: string) => number
    /** Every outlet that the configuration knows, retired ones too. */
    outlets: () => ReadonlyMap<string, unknown>
  }>

export type Worker = Readonly<{
  onWanted: Handler<'delivery.wanted'>
  onAssigned(change: Readonly<{ gained: readonly number[]; lost: readonly number[] }>): Promise<void>
  /** The configuration changed: other addresses, new outlets. */
  pump(): void
  /** What is kept of an outlet changed. Nothing when it is not this process's. */
  refresh(outletId: string): Promise<void>
  /** Whether its partition is this process's now. */
  holds(outletId: string): boolean
  stats(): readonly (ActorStats & Readonly<{ id: string }>)[]
  /** Deletes what is finished for good in the store. */
  sweep(): Promise<void>
  /** Hands over everything that is still held. Twice is once. */
  stop(): Promise<void>
}>

/** Of each partition: ten thousand outlets that have nothing to do must not take 10 KB each. */
const IDLE_KEPT = 64

/** What is handled one after the other: an outlet and an article. What cannot be read goes by its key, to be refused. */
export const laneOf = (record: LogRecord): string => {
  try {
    const { outletId, articleId } = JSON.parse(Buffer.from(record.value ?? []).toString()) as { outletId?: unknown; articleId?: unknown }
    return `${outletId}/${articleId}`
  } catch {
    return record.key ?? ''
  }
}

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

export const createWorker = (needs: WorkerNeeds): Worker => {
  const { partitionOf, outlets, createActor, onError, keepIdle = IDLE_KEPT } = needs
  const idsOf = (number: number) => [...outlets().keys()].filter(id => partitionOf(id) === number)
  const holdings = createHoldings({
    ...needs,
    topic: 'deliveries',
    keepIdle,
    tenureOf: number => ({ createActor, ids: () => idsOf(number) }),
  })

  const check = ({ outletId, articleId }: { outletId: string; articleId: string }, record: LogRecord) => {
    if (isConfigId(outletId) && isArticleId(articleId) && partitionOf(outletId) === record.partition) return
    throw new RejectError(
      'NEWSWIRE_OUTLETS_INTENT',
      `this intent names no outlet and article of partition ${record.partition}, so its order could not be kept; look at who wrote it`,
    )
  }

  return {
    onWanted: async (event, { record }: EventContext) => {
      const { outletId, articleId, version, kill = false, first = false, again, since } = event.data
      check(event.data, record)
      const { partition, clean, sinceMs } = await holdings.of(record.partition)
      if (!outlets().has(outletId))
        throw new Error(`outlet ${outletId} is not in the configuration of this process; if it exists, it will be soon`)
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
      await partition.use(outletId, actor => actor.want(articleId, intent, cause))
    },
    onAssigned: holdings.onAssigned,
    pump: holdings.pump,
    refresh: async outletId => {
      const number = partitionOf(outletId)
      const partition = holdings.partitions().find(([held]) => held === number)?.[1]
      if (partition?.isKnown(outletId)) await partition.use(outletId, actor => actor.refresh())
    },
    holds: outletId => holdings.isHeld(partitionOf(outletId)),
    stats: holdings.stats,
    sweep: async () => {
      for (const [, partition] of holdings.partitions())
        for (const id of [...[...partition.actors()].map(([id]) => id), ...partition.rested()])
          if (partition.isHeld()) await partition.use(id, actor => actor.sweep()).catch(onError)
    },
    stop: holdings.stop,
  }
}
