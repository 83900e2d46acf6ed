/**
 * Reading without a group: offsets and fetches straight from the leaders. No joining, no heartbeats, nothing to delete afterwards, and
 * ready within one round trip, which a consumer of kafkajs never is.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Cluster } from 'kafkajs'
import type { KafkaClient } from './kafka-client.ts'
import { brokerErrorOf, unknownTopic, within } from './kafka-errors.ts'
import { AT_ONCE, type FetchRule } from './kafka-fetch.ts'
import { ASK_WITHIN_MS, pauseBeforeNext } from './kafka-persist.ts'
import { type BatchedMessage, behindBatch, type FetchedMessage } from './kafka-record.ts'
import { closed } from './refusals.ts'

export type OffsetRange = Readonly<{ partition: number; start: number; end: number }>
type FetchFrom = Readonly<{ partition: number; offset: number }>

/** What one partition gave. `next` lies behind holes that were passed; `end` is where the partition ended then. */
export type Fetched = Readonly<{
  partition: number
  messages: readonly FetchedMessage[]
  next: number
  end: number
  /** Nothing came although the partition goes on: ask for it alone. */
  stalled: boolean
}>

type RawMessage = BatchedMessage & Readonly<{ isControlRecord?: boolean }>
type RawPartition = { partition: number; highWatermark: string; messages: RawMessage[] }
type RawFetch = { responses: { topicName: string; partitions: RawPartition[] }[] }

export type KafkaReader = Readonly<{
  /** Connects and learns about the topic. Throws `RejectError` when there is none. Safe to repeat. */
  open(topic: string): Promise<void>
  partitions(topic: string): readonly number[]
  /** First kept and next offset of every partition, in order of partition. */
  ranges(topic: string): Promise<readonly OffsetRange[]>
  /** The first offset at or after a time, by partition; the end where there is none. */
  offsetsAt(topic: string, timeMs: number): Promise<ReadonlyMap<number, number>>
  /** The partitions by the broker that leads them. */
  byLeader(topic: string, partitions: readonly number[]): ReadonlyMap<string, readonly number[]>
  /** One fetch from one leader, answered when `rule` says (default: at once, of no loop). */
  fetch(leader: string, topic: string, from: readonly FetchFrom[], rule?: FetchRule): Promise<readonly Fetched[]>
  /**
   * Runs `work` with the topic opened, and again with fresh metadata when it failed, for `withinMs` (default 10 s), or until this is closed. `null`:
   * about no topic.
   */
  persist<T>(topic: string | null, work: () => Promise<T>, withinMs?: number): Promise<T>
  /** The cluster now in use, for requests of a group's coordinator. */
  cluster(): Cluster
  close(): Promise<void>
}>

const EARLIEST = -2
const LATEST = -1
const MIB = 1_048_576
const MAX_FETCH_BYTES = 8 * MIB
const READ_UNCOMMITTED = 0

/**
 * What to make of a partition's answer. Asked for alone and still without a record, although the partition goes on: the broker always
 * gives the first batch whole, so that batch is one that compaction left without records, and it is stepped through. In company it may
 * only have found no room.
 */
export const toFetched = (raw: RawPartition, offset: number, alone: boolean): Fetched => {
  const end = Number(raw.highWatermark)
  const last = raw.messages.at(-1)
  if (last === undefined) {
    const goesOn = offset < end
    return { partition: raw.partition, messages: [], next: alone && goesOn ? offset + 1 : offset, end, stalled: !alone && goesOn }
  }
  const messages = raw.messages.filter(message => Number(message.offset) >= offset && !message.isControlRecord)
  return { partition: raw.partition, messages, next: Math.max(behindBatch(last), offset + 1), end, stalled: false }
}

/** The time that passes between two tries. */
type Pauses = Readonly<{ nowMs(): number; wait(ms: number): Promise<unknown> }>
const realPauses: Pauses = { nowMs: () => performance.now(), wait }

export const createKafkaReader = (client: KafkaClient, { nowMs, wait }: Pauses = realPauses): KafkaReader => {
  let cluster = client.cluster()
  let isClosed = false

  /** One topic that is gone makes every refresh of a cluster fail (kafkajs #1622), so a new one forgets it. */
  const renew = async () => {
    const old = cluster
    cluster = client.cluster()
    await old.disconnect().catch(() => undefined)
  }

  const connect = async (): Promise<void> => {
    await cluster.connect()
    await cluster.refreshMetadataIfNecessary()
  }

  const open = async (topic: string): Promise<void> => {
    try {
      await cluster.connect()
      await cluster.addTargetTopic(topic)
      await cluster.refreshMetadataIfNecessary()
    } catch (error) {
      if (brokerErrorOf(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
      await renew()
      throw unknownTopic(topic, error)
    }
  }

  const partitions = (topic: string): number[] =>
    cluster
      .findTopicPartitionMetadata(topic)
      .map(one => one.partitionId)
      .sort((a, b) => a - b)

  const persist: KafkaReader['persist'] = async (topic, work, withinMs = ASK_WITHIN_MS) => {
    const beganMs = nowMs()
    for (let attempt = 1; ; attempt += 1) {
      try {
        await (topic === null ? connect() : open(topic))
        return await work()
      } catch (error) {
        const pauseMs = pauseBeforeNext(error, { attempt, elapsedMs: nowMs() - beganMs, withinMs })
        if (pauseMs === null) throw error
        if (!isClosed) await wait(pauseMs)
        if (isClosed) throw closed()
        await cluster.refreshMetadata().catch(() => undefined)
      }
    }
  }

  const list = async (topic: string, timestamp: number): Promise<Map<number, number>> => {
    const asked = partitions(topic).map(partition => ({ partition }))
    const found = await cluster.fetchTopicsOffset([{ topic, partitions: asked, fromTimestamp: timestamp }])
    const offsets = new Map(found[0]?.partitions.map(one => [one.partition, Number(one.offset)]) ?? [])
    for (const { partition } of asked)
      if (!offsets.has(partition)) throw new Error(`partition ${partition} of ${topic} has no leader that answers`)
    return offsets
  }

  const ranges = async (topic: string): Promise<OffsetRange[]> => {
    const [starts, ends] = await Promise.all([list(topic, EARLIEST), list(topic, LATEST)])
    return [...ends]
      .map(([partition, end]) => ({ partition, start: starts.get(partition) ?? 0, end }))
      .sort((a, b) => a.partition - b.partition)
  }

  const offsetsAt = async (topic: string, timeMs: number): Promise<Map<number, number>> => {
    const [found, ends] = await Promise.all([list(topic, Math.max(0, Math.floor(timeMs))), list(topic, LATEST)])
    return new Map([...ends].map(([partition, end]) => [partition, (found.get(partition) ?? -1) < 0 ? end : (found.get(partition) ?? end)]))
  }

  const fetch: KafkaReader['fetch'] = async (leader, topic, from, rule = AT_ONCE) => {
    const broker = await cluster.findBroker({ nodeId: leader })
    const answer = (await broker.fetch({
      maxWaitTime: rule.maxWaitTimeInMs,
      minBytes: rule.minBytes,
      maxBytes: MAX_FETCH_BYTES,
      isolationLevel: READ_UNCOMMITTED,
      topics: [{ topic, partitions: from.map(one => ({ partition: one.partition, fetchOffset: String(one.offset), maxBytes: MIB })) }],
    })) as RawFetch
    const offsets = new Map(from.map(one => [one.partition, one.offset]))
    return answer.responses
      .filter(one => one.topicName === topic)
      .flatMap(one => one.partitions)
      .map(raw => toFetched(raw, offsets.get(raw.partition) ?? 0, from.length === 1))
  }

  return {
    open,
    partitions,
    ranges,
    offsetsAt,
    byLeader: (topic, wanted) => new Map(Object.entries(cluster.findLeaderForPartitions(topic, [...wanted]))),
    fetch,
    persist,
    cluster: () => cluster,
    close: async () => {
      isClosed = true
      await within(5000, 'closing connections', cluster.disconnect()).catch(() => undefined)
    },
  }
}

/** The first record from `start` on, which may lie behind `end`; `null` when there is none up to there, `undefined` when nobody can tell. */
export const findFirst = async (
  reader: KafkaReader,
  topic: string,
  { partition, start, end }: OffsetRange,
): Promise<FetchedMessage | null | undefined> => {
  const [leader] = reader.byLeader(topic, [partition]).keys()
  for (let offset = start; leader !== undefined; ) {
    if (offset >= end) return null
    const [fetched] = await reader.fetch(leader, topic, [{ partition, offset }])
    const [first] = fetched?.messages ?? []
    if (first) return first
    if (!fetched || fetched.next === offset) return undefined
    offset = fetched.next
  }
  return undefined
}

/** True when no record lies from `from` up to `to`: compaction or retention took them all. */
export const isHole = (reader: KafkaReader, topic: string, partition: number, from: number, to: number): Promise<boolean> =>
  reader.persist(topic, async () => {
    const start = (await reader.ranges(topic)).find(range => range.partition === partition)?.start ?? 0
    const first = await findFirst(reader, topic, { partition, start: Math.max(from, start), end: to })
    return first === null || (first !== undefined && Number(first.offset) >= to)
  })
