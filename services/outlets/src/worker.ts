/** Takes intents to the actor of their outlet, for the partitions of `deliveries` that this process holds. */
import { RejectError, UnavailableError } from '@newswire/events/errors'
import { isArticleId, isConfigId } from '@newswire/events/ids'
import type { EventContext, Handler } from '@newswire/log/events'
import type { LogRecord } from '@newswire/log/log'
import type { Actor, ActorStats } from './actor.ts'
import { DOUBT_MS } from './book.ts'
import { holdPartition, type Partition, type PartitionNeeds } from './partition.ts'

export type WorkerNeeds = Omit<PartitionNeeds, 'outletIds'> &
  Readonly<{
    partitionOf: (outletId: string) => number
    /** Every outlet that the configuration knows, retired ones too. */
    outlets: () => ReadonlyMap<string, unknown>
    sweep: (outletId: string, mayStill: () => boolean) => Promise<void>
  }>

export type Worker = Readonly<{
  onWanted: Handler<'delivery.wanted'>
  onAssigned(change: Readonly<{ gained: readonly number[]; lost: readonly number[] }>): Promise<void>
  /** The configuration changed: other addresses, new outlets. */
  pump(): void
  stats(): readonly (ActorStats & Readonly<{ outletId: string }>)[]
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
 * (`maybeSent` 0).
 */
const forgotten = (clean: boolean, takenAtMs: number, record: LogRecord): number | null =>
  !clean && record.timestamp <= takenAtMs + DOUBT_MS ? 0 : null

export const createWorker = (needs: WorkerNeeds): Worker => {
  const { partitionOf, outlets, sweep, clock, onError } = needs
  const partitions = new Map<number, { partition: Partition; sinceMs: number }>()
  const releases = new Set<Promise<void>>()

  const gain = (number: number) => {
    const partition = holdPartition(number, { ...needs, outletIds: () => [...outlets().keys()].filter(id => partitionOf(id) === number) })
    partitions.set(number, { partition, sinceMs: clock.now() })
  }
  const lose = (number: number) => {
    const held = partitions.get(number)
    if (held === undefined) return
    partitions.delete(number)
    const release = held.partition.release().finally(() => releases.delete(release))
    releases.add(release)
  }

  const actorFor = async (outletId: string, { partition }: { partition: Partition }): Promise<Actor> => {
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
      const { outletId, articleId, version, kill = false } = event.data
      check(event.data, record)
      const held = partitions.get(record.partition)
      if (held === undefined)
        throw new UnavailableError('NEWSWIRE_OUTLETS_LOST', `partition ${record.partition} of deliveries is not this process's now`)
      const { clean } = await held.partition.ready
      const actor = await actorFor(outletId, held)
      const intent = { version, kill, sequence: record.position, maybeSent: forgotten(clean, held.sinceMs, record) }
      await actor.want(articleId, intent, { id: event.id, correlationid: event.correlationid, traceparent: event.traceparent })
    },
    onAssigned: async ({ gained, lost }) => {
      for (const number of lost) lose(number)
      for (const number of gained) gain(number)
    },
    pump: () => {
      for (const { partition } of partitions.values()) for (const [, actor] of partition.actors()) actor.pump()
    },
    stats: () =>
      [...partitions.values()].flatMap(({ partition }) =>
        [...partition.actors()].map(([outletId, actor]) => ({ outletId, ...actor.stats() })),
      ),
    sweep: async () => {
      for (const { partition } of [...partitions.values()])
        for (const [outletId] of partition.actors()) if (partition.isHeld()) await sweep(outletId, partition.isHeld).catch(onError)
    },
    stop: async () => {
      for (const number of [...partitions.keys()]) lose(number)
      await Promise.all(releases)
    },
  }
}
