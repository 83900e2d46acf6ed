/** Takes intents to the actor of their outlet, for the partitions of `deliveries` that this process holds. */
import { RejectError } from '@newswire/events/errors'
import { isArticleId, isConfigId } from '@newswire/events/ids'
import type { EventContext, Handler } from '@newswire/log/events'
import type { LogRecord } from '@newswire/log/log'
import type { Actor, ActorStats } from './actor.ts'
import { DOUBT_MS } from './book.ts'
import { createHoldings } from './holdings.ts'
import type { Partition, PartitionNeeds } from './partition.ts'

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
  const { partitionOf, outlets, createActor, onError } = needs
  const idsOf = (number: number) => [...outlets().keys()].filter(id => partitionOf(id) === number)
  const holdings = createHoldings({
    ...needs,
    topic: 'deliveries',
    tenureOf: number => ({ createActor, ids: () => idsOf(number) }),
  })

  const actorFor = async (outletId: string, partition: Partition): Promise<Actor> => {
    if (!outlets().has(outletId))
      throw new Error(`outlet ${outletId} is not in the configuration of this process; if it exists, it will be soon`)
    return partition.actor(outletId)
  }

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
      const actor = await actorFor(outletId, partition)
      const intent = {
        version,
        kill,
        first,
        again: again !== undefined,
        ...(since === undefined ? {} : { since }),
        sequence: record.position,
        maybeSent: forgotten({ clean, sinceMs }, { timestamp: record.timestamp, first }),
      }
      await actor.want(articleId, intent, { id: event.id, correlationid: event.correlationid, traceparent: event.traceparent })
    },
    onAssigned: holdings.onAssigned,
    pump: holdings.pump,
    refresh: async outletId => {
      const number = partitionOf(outletId)
      const partition = holdings.partitions().find(([held]) => held === number)?.[1]
      const actor = [...(partition?.actors() ?? [])].find(([id]) => id === outletId)?.[1]
      await actor?.refresh()
    },
    holds: outletId => holdings.isHeld(partitionOf(outletId)),
    stats: holdings.stats,
    sweep: async () => {
      for (const [, partition] of holdings.partitions())
        for (const [, actor] of partition.actors()) if (partition.isHeld()) await actor.sweep().catch(onError)
    },
    stop: holdings.stop,
  }
}
