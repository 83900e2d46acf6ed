/** Consumer groups at rest: how far they are, and setting where they go on. */
import { codeOf } from '@newswire/events/errors'
import { brokerErrorOf } from './kafka-errors.ts'
import { resolveStart } from './kafka-follow.ts'
import { START_WITHIN_MS } from './kafka-persist.ts'
import { toPosition } from './kafka-position.ts'
import type { KafkaReader, OffsetRange } from './kafka-reader.ts'
import type { Lag, Start } from './log.ts'
import { groupActive } from './refusals.ts'

/** A commit from outside the group is allowed only while it has no members; the brokers say so with one of these. */
const ACTIVE_ERRORS: ReadonlySet<string> = new Set([
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'REBALANCE_IN_PROGRESS',
  'FENCED_INSTANCE_ID',
])

const isActive = (error: unknown): boolean => ACTIVE_ERRORS.has(brokerErrorOf(error) ?? '')

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
    if (!isActive(error)) throw error
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

/** The timestamp of the first record at or after an offset; `null` when nothing is there. */
const timestampAt = async (reader: KafkaReader, topic: string, range: OffsetRange, offset: number): Promise<number | null> => {
  const [leader] = reader.byLeader(topic, [range.partition]).keys()
  let from = offset
  while (leader !== undefined && from < range.end) {
    const [fetched] = await reader.fetch(leader, topic, [{ partition: range.partition, offset: from }])
    const [message] = fetched?.messages ?? []
    if (message) return Number(message.timestamp)
    if (!fetched || fetched.next === from) return null
    from = fetched.next
  }
  return null
}

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
    const timestamp = from < range.end ? await timestampAt(reader, topic, range, from) : null
    lags.push({
      topic: topic.slice(options.prefix.length),
      partition: range.partition,
      committed: offset < 0 ? null : toPosition(options.epoch, offset),
      end: toPosition(options.epoch, range.end),
      records: Math.max(0, range.end - from),
      oldestMs: timestamp === null ? null : Math.max(0, options.nowMs - timestamp),
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
