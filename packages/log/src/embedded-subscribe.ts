/** Subscriptions of the embedded log: members of a group share the partitions of a topic, records go to the lanes of whoever holds them. */
import { setTimeout as wait } from 'node:timers/promises'
import { toError } from '@newswire/events/errors'
import type { DeadRecord } from './dead-letter.ts'
import type { PartitionState, TopicState } from './embedded-file.ts'
import type { Groups } from './embedded-groups.ts'
import type { EmbeddedReader } from './embedded-reader.ts'
import { createLanes, type LaneObservers, type Lanes } from './lanes.ts'
import type { Position, SubscribeOptions, Subscription } from './log.ts'
import { retentionGap } from './refusals.ts'

type EmbeddedSubscriptions = Readonly<{
  subscribe(options: SubscribeOptions): Promise<Subscription>
  /** There may be new records in this topic. */
  wake(topic: string): void
  hasMembers(group: string): boolean
  /** The last thing that went wrong with reading, until it goes right again. */
  failure(): Error | null
  stop(options: { drainMs?: number }): Promise<void>
}>

type Needs = LaneObservers &
  Readonly<{
    topics: ReadonlyMap<string, TopicState>
    topicOf: (name: string) => TopicState
    reader: EmbeddedReader
    groups: Groups
    bury: (dead: DeadRecord) => Promise<void>
    retryScale: number
    now: () => number
  }>

type Member = {
  readonly options: SubscribeOptions
  readonly topic: TopicState
  readonly lanes: Lanes
  readonly cursors: Map<number, Position>
  isScheduled: boolean
  subscription: Subscription
}

const FETCH_RECORDS = 200
const READ_AGAIN_MS = 500
/** How long a lost partition waits for the call that still runs in it before the next member begins. */
const QUIET_MS = 10_000

export const createEmbeddedSubscriptions = (needs: Needs): EmbeddedSubscriptions => {
  const { reader, groups, onError } = needs
  const members = new Map<string, Member[]>()
  /** Changes of one group and topic happen one after the other. */
  const turns = new Map<string, Promise<void>>()
  let failure: Error | null = null
  let isClosing = false

  const keyOf = ({ group, topic }: SubscribeOptions): string => `${group}\0${topic}`

  const commit = (member: Member) => {
    for (const [number, position] of member.lanes.done()) {
      const partition = member.topic.partitions[number]
      if (partition) groups.commit(member.options.group, partition, position)
    }
  }

  const reportGap = (member: Member, partition: PartitionState, cursor: Position) => {
    const { topic, number, start } = partition
    onError?.(retentionGap(member.options.group, `${topic}/${number}`, cursor, start))
  }

  /** One slice of one partition; true when there is more to fetch. */
  const fetch = (member: Member, partition: PartitionState): boolean => {
    const { lanes, cursors } = member
    const cursor = cursors.get(partition.number)
    if (cursor === undefined || cursor >= partition.next || lanes.isFull(partition.number)) return false
    if (cursor < partition.start) reportGap(member, partition, cursor)
    const { records, next } = reader.slice(partition, cursor, FETCH_RECORDS)
    cursors.set(partition.number, next)
    lanes.add(partition.number, records, next)
    return next < partition.next
  }

  const poll = (member: Member) => {
    let hasMore = false
    try {
      for (const partition of member.topic.partitions) if (fetch(member, partition)) hasMore = true
      failure = null
    } catch (error) {
      failure = toError(error)
      onError?.(failure)
      setTimeout(poll, READ_AGAIN_MS, member).unref()
      return
    }
    if (hasMore) schedule(member)
  }

  const schedule = (member: Member) => {
    if (member.isScheduled) return
    member.isScheduled = true
    setImmediate(() => {
      member.isScheduled = false
      poll(member)
    })
  }

  const lose = async (member: Member, lost: readonly number[]): Promise<void> => {
    if (lost.length === 0) return
    commit(member)
    for (const number of lost) member.cursors.delete(number)
    // Not awaited: that a subscriber takes its time with the news must not keep the partition from the next one.
    void member.lanes.assign({ gained: [], lost })
    const timer = new AbortController()
    const quiet = Promise.all(lost.map(number => member.lanes.quiet(number)))
    await Promise.race([quiet, wait(QUIET_MS, undefined, { signal: timer.signal }).catch(() => undefined)])
    timer.abort()
  }

  const gain = (member: Member, gained: readonly number[]) => {
    const { group, from = 'start' } = member.options
    for (const number of gained) {
      const partition = member.topic.partitions[number]
      if (!partition) continue
      const committed = groups.committed(group, partition)
      const position = Math.min(committed ?? reader.resolve(partition, from), partition.next)
      if (committed === null) groups.commit(group, partition, position)
      member.cursors.set(number, position)
    }
    void member.lanes.assign({ gained, lost: [] })
    schedule(member)
  }

  const share = async (key: string): Promise<void> => {
    const sharing = members.get(key) ?? []
    const wanted = (member: Member) => {
      const index = sharing.indexOf(member)
      return member.topic.partitions.map(partition => partition.number).filter(number => number % sharing.length === index)
    }
    await Promise.all(
      sharing.map(member =>
        lose(
          member,
          [...member.cursors.keys()].filter(number => !wanted(member).includes(number)),
        ),
      ),
    )
    for (const member of sharing) {
      const gained = wanted(member).filter(number => !member.cursors.has(number))
      if (gained.length > 0) gain(member, gained)
    }
  }

  const inTurn = (key: string, work: () => Promise<void>): Promise<void> => {
    const turn = (turns.get(key) ?? Promise.resolve()).then(work)
    turns.set(
      key,
      // Whoever asked for this turn gets its error; the next turn begins all the same.
      turn.catch(() => undefined),
    )
    return turn
  }

  const leave = async (member: Member, options: { drainMs?: number } | undefined): Promise<void> => {
    await member.lanes.stop(options)
    const key = keyOf(member.options)
    await inTurn(key, async () => {
      commit(member)
      member.cursors.clear()
      const left = (members.get(key) ?? []).filter(one => one !== member)
      if (left.length > 0) members.set(key, left)
      else members.delete(key)
      try {
        groups.save()
      } catch (error) {
        // A full disk. They are written with the next commit, or by `close`; after that they are only handled once more.
        onError?.(error instanceof Error ? error : new Error(String(error)))
      }
      if (!isClosing) await share(key)
    })
  }

  const join = (options: SubscribeOptions): Member => {
    const { bury, retryScale, now, onHandled } = needs
    const member: Member = {
      options,
      topic: needs.topicOf(options.topic),
      lanes: createLanes({
        subscription: options,
        bury,
        retryScale,
        now,
        flow: { pause: () => undefined, resume: () => schedule(member) },
        onProgress: () => commit(member),
        ...(onHandled ? { onHandled } : {}),
        ...(onError ? { onError } : {}),
      }),
      cursors: new Map(),
      isScheduled: false,
      subscription: {
        partitions: () => member.lanes.partitions(),
        lastHeartbeatMs: () => performance.now(),
        stats: () => member.lanes.stats(),
        pause: () => member.lanes.pause(),
        resume: () => member.lanes.resume(),
        stop: stopOptions => {
          leaving ??= leave(member, stopOptions)
          return leaving
        },
      },
    }
    let leaving: Promise<void> | null = null
    return member
  }

  return {
    subscribe: async options => {
      const member = join(options)
      const key = keyOf(options)
      await inTurn(key, async () => {
        members.set(key, [...(members.get(key) ?? []), member])
        await share(key)
      })
      return member.subscription
    },
    wake: topic => {
      for (const sharing of members.values()) for (const member of sharing) if (member.options.topic === topic) poll(member)
    },
    hasMembers: group => [...members.values()].some(sharing => sharing.some(member => member.options.group === group)),
    failure: () => failure,
    stop: async options => {
      isClosing = true
      await Promise.all([...members.values()].flat().map(member => member.subscription.stop(options)))
    },
  }
}
