/** The partitions of one topic that this process holds, and the actors in them. */
import { UnavailableError } from '@newswire/events/errors'
import type { Actor, ActorStats } from './actor.ts'
import type { Clock } from './clock.ts'
import { holdPartition, type Partition, type PartitionNeeds } from './partition.ts'

/** What a partition has in it, asked at each gain of it. */
export type Tenure = Pick<PartitionNeeds, 'ids' | 'createActor'>

type Held = Readonly<{ partition: Partition; sinceMs: number; clean: boolean }>

export type Holdings = Readonly<{
  onAssigned(change: Readonly<{ gained: readonly number[]; lost: readonly number[] }>): Promise<void>
  /** Once it may be worked in. Throws `UnavailableError` when it is not this process's, or not any more. */
  of(number: number): Promise<Held>
  isHeld(number: number): boolean
  partitions(): readonly (readonly [number: number, partition: Partition])[]
  /** Something outside changed: the configuration, a subscription. */
  pump(): void
  stats(): readonly (ActorStats & Readonly<{ id: string }>)[]
  /** Whether more than so much is still to be got out, or it is not known yet how much. */
  isMuchLeft(most: number): boolean
  /** Hands over everything that is still held. Twice is once. */
  stop(): Promise<void>
}>

type Needs = Omit<PartitionNeeds, keyof Tenure> & Readonly<{ topic: string; clock: Clock; tenureOf: (number: number) => Tenure }>

/** Of one that is not there, because it has nothing to do. */
const AT_REST: ActorStats = { backlog: 0, inFlight: 0, oldestSinceMs: null, suspended: false, open: false }

export const createHoldings = (needs: Needs): Holdings => {
  const { topic, clock, tenureOf } = needs
  const held = new Map<number, { partition: Partition; sinceMs: number }>()
  const releases = new Set<Promise<void>>()

  const lose = (number: number) => {
    const release = held.get(number)?.partition.release()
    if (release === undefined) return
    held.delete(number)
    const tracked = release.finally(() => releases.delete(tracked))
    releases.add(tracked)
  }
  const actors = (): readonly (readonly [string, Actor])[] => [...held.values()].flatMap(({ partition }) => [...partition.actors()])
  const rested = (): readonly string[] => [...held.values()].flatMap(({ partition }) => [...partition.rested()])

  return {
    onAssigned: async ({ gained, lost }) => {
      for (const number of lost) lose(number)
      for (const number of gained)
        held.set(number, { partition: holdPartition(number, { ...needs, ...tenureOf(number) }), sinceMs: clock.now() })
    },
    of: async number => {
      const one = held.get(number)
      if (one === undefined)
        throw new UnavailableError('NEWSWIRE_OUTLETS_LOST', `partition ${number} of ${topic} is not this process's now`)
      return { ...one, ...(await one.partition.ready) }
    },
    isHeld: number => held.has(number),
    partitions: () => [...held].map(([number, { partition }]) => [number, partition] as const),
    pump: () => {
      for (const [, actor] of actors()) actor.review()
    },
    stats: () => [...actors().map(([id, actor]) => ({ id, ...actor.stats() })), ...rested().map(id => ({ id, ...AT_REST }))],
    isMuchLeft: most => {
      let left = 0
      for (const [, actor] of actors()) {
        left += actor.backlog()
        if (left > most || !actor.isWhole()) return true
      }
      return false
    },
    stop: async () => {
      for (const number of [...held.keys()]) lose(number)
      await Promise.all(releases)
    },
  }
}
