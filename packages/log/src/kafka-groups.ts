/** Consumer groups at rest: how far they are, and setting where they go on. */
import { codeOf } from '@newswire/events/errors'
import { brokerErrorOf, isOfMembership } from './kafka-errors.ts'
import { resolveStart } from './kafka-follow.ts'
import { START_WITHIN_MS } from './kafka-persist.ts'
import { toPosition } from './kafka-position.ts'
import { findFirst, type KafkaReader } from './kafka-reader.ts'
import type { Lag, Start } from './log.ts'
import { groupActive } from './refusals.ts'

/** What the brokers answer for a partition in which a group has no place; kafkajs itself commits -2 for "begin at the start". */
const NEVER = -1

/** Committed offsets of a group in one topic, or in all when none is named; a negative one means never committed. */
export const fetchCommitted = async (reader: KafkaReader, groupId: string, topic?: string): Promise<Map<string, Map<number, number>>> => {
  const coordinator = await reader.cluster().findGroupCoordinator({ groupId })
  const topics = topic === undefined ? [] : [{ topic, partitions: reader.partitions(topic).map(partition => ({ partition, offset: '0' })) }]
  const { responses } = await coordinator.offsetFetch({ groupId, topics })
  return new Map(responses.map(one => [one.topic, new Map(one.partitions.map(({ partition, offset }) => [partition, Number(offset)]))]))
}

/** Sets offsets of a group that has no members. Throws `RejectError` `NEWSWIRE_LOG_GROUP_ACTIVE` when it has. */
const commitFor = async (reader: KafkaReader, groupId: string, topic: string, offsets: ReadonlyMap<number, number>): Promise<void> => {
  if (offsets.size === 0) return
  const coordinator = await reader.cluster().findGroupCoordinator({ groupId })
  try {
    await coordinator.offsetCommit({
      groupId,
      groupGenerationId: -1,
      memberId: '',
      topics: [{ topic, partitions: [...offsets].map(([partition, offset]) => ({ partition, offset: String(offset) })) }],
    })
  } catch (error) {
    if (!isOfMembership(error)) throw error
    throw groupActive(groupId, error)
  }
}

/**
 * Gives a new group a place in every partition before it joins, so that it does not depend on when its first commit happens: one that
 * starts at the end would otherwise begin at another end after a crash. A group with members has had it done by them.
 */
export const placeNewGroup = (reader: KafkaReader, groupId: string, topic: string, from: 'start' | 'end'): Promise<void> => {
  const place = async () => {
    const committed = (await fetchCommitted(reader, groupId, topic)).get(topic)
    const { offsets } = await resolveStart(reader, topic, from, 0)
    const missing = new Map([...offsets].filter(([partition]) => (committed?.get(partition) ?? NEVER) === NEVER))
    await commitFor(reader, groupId, topic, missing).catch(error => {
      if (codeOf(error) !== 'NEWSWIRE_LOG_GROUP_ACTIVE') throw error
    })
  }
  return reader.persist(topic, place, START_WITHIN_MS)
}

/** What the brokers say of a member that is gone already. */
const GONE = 'UNKNOWN_MEMBER_ID'

/** kafkajs has it, and does not tell in its types. */
type Leaving = Readonly<{ leaveGroup(of: Readonly<{ groupId: string; memberId: string }>): Promise<unknown> }>

/** Takes a member out of its group, which then waits for its session no longer. Of one that lives on, the next heartbeat is refused. Repeat-safe. */
export const leaveFor = async (reader: KafkaReader, groupId: string, memberId: string): Promise<void> => {
  const coordinator = await reader.cluster().findGroupCoordinator({ groupId })
  await (coordinator as unknown as Leaving).leaveGroup({ groupId, memberId }).catch(error => {
    if (brokerErrorOf(error) !== GONE) throw error
  })
}

export const replayGroup = (reader: KafkaReader, groupId: string, topic: string, from: Start, epoch: number): Promise<void> =>
  reader.persist(topic, async () => {
    const { offsets } = await resolveStart(reader, topic, from, epoch)
    await commitFor(reader, groupId, topic, offsets)
  })

type LagOptions = Readonly<{ groupId: string; prefix: string; epoch: number; nowMs: number }>

const lagOfTopic = async (
  reader: KafkaReader,
  topic: string,
  committed: ReadonlyMap<number, number>,
  options: LagOptions,
): Promise<Lag[]> => {
  const lags: Lag[] = []
  for (const range of await reader.ranges(topic)) {
    const offset = committed.get(range.partition) ?? -1
    const from = Math.max(offset, range.start)
    const first = await findFirst(reader, topic, { ...range, start: from })
    lags.push({
      topic: topic.slice(options.prefix.length),
      partition: range.partition,
      committed: offset < 0 ? null : toPosition(options.epoch, offset),
      end: toPosition(options.epoch, range.end),
      records: Math.max(0, range.end - from),
      oldestMs: first == null ? null : Math.max(0, options.nowMs - Number(first.timestamp)),
    })
  }
  return lags
}

/** See `Log.lag`. Counts holes as records: an upper bound on compacted topics. */
export const lagOfGroup = async (reader: KafkaReader, options: LagOptions): Promise<Lag[]> => {
  const lags: Lag[] = []
  const places = await reader.persist(null, () => fetchCommitted(reader, options.groupId))
  for (const [topic, committed] of places)
    if (topic.startsWith(options.prefix)) lags.push(...(await reader.persist(topic, () => lagOfTopic(reader, topic, committed, options))))
  return lags
}
