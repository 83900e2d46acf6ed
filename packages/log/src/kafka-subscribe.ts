/**
 * A subscription on Kafka: a consumer of kafkajs that only fetches, in front of the lanes that do the work. It hands records over and
 * returns at once, so heartbeats never wait for a handler. Offsets are checked here, not believed: a batch counts only if it continues
 * where the partition stands, whatever rebalances happened while it was under way.
 */
import { messageOf } from '@newswire/events/errors'
import type { Batch, EachBatchPayload } from 'kafkajs'
import type { DeadRecord } from './dead-letter.ts'
import { createByHand } from './kafka-by-hand.ts'
import type { KafkaClient } from './kafka-client.ts'
import { createKafkaCommits } from './kafka-commits.ts'
import { endsForGood, unavailable, within } from './kafka-errors.ts'
import { beganAt, pauseMsOf } from './kafka-fetch.ts'
import type { Ghosts } from './kafka-ghosts.ts'
import { leaveFor, placeNewGroup } from './kafka-groups.ts'
import { changeOfAssignment } from './kafka-members.ts'
import { createPlaces, type Held } from './kafka-places.ts'
import { toOffset, toPosition } from './kafka-position.ts'
import type { KafkaReader } from './kafka-reader.ts'
import { type BatchedMessage, behindBatch, type ToLogRecord } from './kafka-record.ts'
import { createLanes, type LaneObservers } from './lanes.ts'
import type { LogRecord, SubscribeOptions, Subscription } from './log.ts'

export type KafkaSubscription = Subscription &
  Readonly<{
    /** Takes a record that was just written here, when it is the next one of a partition held; else it comes with a fetch. */
    offer(record: LogRecord): void
    state(): Readonly<{
      group: string
      topic: string
      failure: string | null
      commitFailingSinceMs: number | null
      lastError: string | null
    }>
  }>

type Wanted = Readonly<{
  client: KafkaClient
  /** For offsets outside the consumer; shared, not closed here. */
  reader: KafkaReader
  epoch: number
  toLogRecord: ToLogRecord
  /** The names on the brokers. */
  topic: string
  groupId: string
  options: SubscribeOptions
  bury: (dead: DeadRecord) => Promise<void>
  ghosts: Ghosts
  retryScale: number
  observers: LaneObservers
  onCrash?: ((error: Error) => void) | undefined
}>

/** What a batch of kafkajs has beside what its types say. */
type FullBatch = Batch & Readonly<{ fetchedOffset: string; rawMessages: readonly BatchedMessage[] }>

const COMMIT_EVERY_MS = 500
const SESSION_TIMEOUT_MS = 10_000
const REBALANCE_TIMEOUT_MS = 15_000
const LEAVE_TIMEOUT_MS = 5000
const RESTART_PAUSE_MS = 500
const LAST_COMMIT_MS = 3000
/** kafkajs wakes all of them for every fetch; a handover waits for nothing but the first look at a partition. */
const CONCURRENT_HANDOVERS = 8

export const subscribeToTopic = async (wanted: Wanted): Promise<KafkaSubscription> => {
  const { client, reader, epoch, toLogRecord, topic, groupId, options, observers, ghosts } = wanted
  const sessionTimeoutMs = options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS
  await placeNewGroup(reader, groupId, topic, options.from ?? 'start')
  // A member that is silent in a rebalance is put out after the rebalance timeout: never sooner than its session promises.
  const rebalanceTimeoutMs = Math.max(REBALANCE_TIMEOUT_MS, sessionTimeoutMs)
  const held = new Map<number, Held>()
  const byHand = createByHand()
  const isAll = () => byHand.isAll(performance.now())
  const ended = Promise.withResolvers<void>()
  const nextOf = (_: string, partition: number) => held.get(partition)?.next ?? null
  const pace = { pauseMs: () => pauseMsOf(options, isAll), isRestless: () => isAll() || lanes.isHalted(), ended: ended.promise, nextOf }
  const consumer = client.consumer({ groupId, sessionTimeoutMs, rebalanceTimeoutMs, pace })
  let memberId: string | null = null
  /** Whom the brokers count until they are told, or its session is over: to begin with one of the process before. */
  let ghost = ghosts.of(groupId)
  let hasLeft = false
  let joins = 0
  let requestSentMs = performance.now()
  let heartbeatMs = performance.now()
  let lastError: string | null = null
  let failure: Error | null = null
  /** Why it has no group just now; it is being joined again. */
  let down: Error | null = null
  let restart: NodeJS.Timeout | undefined
  let stopping: Promise<void> | null = null

  const note = (error: unknown) => {
    lastError = messageOf(error)
  }
  /** kafkajs throws when it has no group just now; then there is nothing to pause, and joining begins unpaused. */
  const quietly = (act: () => void) => {
    try {
      act()
    } catch (error) {
      note(error)
    }
  }
  const flow = {
    pause: (partition: number) => quietly(() => consumer.pause([{ topic, partitions: [partition] }])),
    resume: (partition: number) => quietly(() => consumer.resume([{ topic, partitions: [partition] }])),
  }
  const seek = (partition: number, offset: number) => quietly(() => consumer.seek({ topic, partition, offset: String(offset) }))

  const places = createPlaces({
    reader,
    epoch,
    topic,
    groupId,
    options,
    onGap: error => quietly(() => observers.onError?.(error)),
    seek,
  })
  const lanes = createLanes({
    ...observers,
    subscription: options,
    bury: wanted.bury,
    flow,
    retryScale: wanted.retryScale,
  })
  const { commit, ...commits } = createKafkaCommits({
    topic,
    done: () => new Map([...lanes.done()].map(([partition, position]) => [partition, toOffset(epoch, position)])),
    isHeld: partition => held.has(partition),
    onError: note,
  })

  const onJoin = (joined: { memberId: string; memberAssignment: Readonly<Record<string, readonly number[]>> }) => {
    const now = joined.memberAssignment[topic] ?? []
    // Whoever was away for a generation, or came back as somebody else, may have missed that others held its partitions.
    const stayed = joined.memberId === memberId && joins === 1
    const change = changeOfAssignment([...held.keys()], now, stayed)
    memberId = joined.memberId
    ghost = memberId
    hasLeft = false
    ghosts.joined(groupId, memberId)
    joins = 0
    places.forget()
    down = null
    heartbeatMs = requestSentMs
    for (const partition of change.lost) {
      held.delete(partition)
      commits.forget(partition)
    }
    for (const partition of change.gained) held.set(partition, { next: null })
    for (const partition of change.kept) {
      const next = held.get(partition)?.next
      if (typeof next === 'number') seek(partition, next)
    }
    if (stopping) quietly(() => consumer.pause([{ topic }]))
    else for (const partition of change.gained) flow.resume(partition)
    void lanes.assign(change)
  }

  const loseAll = () => {
    const lost = [...held.keys()]
    held.clear()
    lost.forEach(commits.forget)
    memberId = null
    void lanes.assign({ gained: [], lost })
  }

  const handOver = async (payload: EachBatchPayload): Promise<void> => {
    const batch = payload.batch as FullBatch
    const { partition } = batch
    const state = held.get(partition)
    commits.use(payload.commitOffsetsIfNecessary)
    if (!state || stopping || payload.isStale()) return
    const isHeld = () => held.get(partition) === state
    const fetchedOffset = Math.max(Number(batch.fetchedOffset), beganAt(batch.rawMessages))
    if (!(await places.continues(partition, state, { fetchedOffset, isHeld }))) return
    const from = state.next ?? 0
    const last = batch.rawMessages.at(-1)
    const next = Math.max(from, Number(batch.lastOffset()) + 1, last === undefined ? 0 : behindBatch(last))
    state.next = next
    payload.resolveOffset(String(next - 1))
    const fresh = batch.messages.filter(message => Number(message.offset) >= from)
    byHand.fetched(() => fresh.map(message => `${partition}/${message.offset}`), performance.now())
    const records = fresh.map(message => toLogRecord(options.topic, partition, message))
    lanes.add(partition, records, toPosition(epoch, next))
  }

  const offer = (record: LogRecord): void => {
    const { partition, position } = record
    const state = held.get(partition)
    if (!state || stopping) return
    const offset = toOffset(epoch, position)
    const isNext = state.next === offset && !lanes.isFull(partition)
    byHand.offered(`${partition}/${offset}`, isNext, performance.now())
    if (!isNext) return
    state.next = offset + 1
    lanes.add(partition, [record])
  }

  const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
    try {
      await handOver(payload)
    } catch (error) {
      // Nothing was resolved, so the same batch is fetched again; an error thrown from here would stop every partition.
      note(error)
    }
  }

  const { events } = consumer
  consumer.on(events.REQUEST, ({ payload }) => {
    if (payload.apiName === 'JoinGroup') joins += 1
    if (payload.apiName === 'LeaveGroup') hasLeft = true
    if (payload.apiName === 'Heartbeat' || payload.apiName === 'SyncGroup') requestSentMs = performance.now() - payload.duration
  })
  consumer.on(events.HEARTBEAT, () => {
    heartbeatMs = requestSentMs
  })
  consumer.on(events.GROUP_JOIN, ({ payload }) => onJoin(payload))
  consumer.on(events.REBALANCING, () => void commit())
  consumer.on(events.CRASH, ({ payload }) => {
    loseAll()
    note(payload.error)
    if (stopping) return
    down = unavailable(`the subscription of ${options.group} to ${options.topic}`, payload.error)
    if (payload.restart) return
    if (!endsForGood(payload.error)) return startAgain()
    failure = down
    wanted.onCrash?.(failure)
  })

  const leave = async (): Promise<void> => {
    const member = ghost
    const left = consumer.disconnect().then(() => {
      // kafkajs disconnects just as well when the brokers did not hear of it, and then they wait for the session.
      if (hasLeft && member !== null) ghosts.left(groupId, member)
    })
    await within(LEAVE_TIMEOUT_MS, `leaving ${groupId}`, left).catch(note)
  }

  const consume = () =>
    consumer.run({ autoCommit: false, eachBatchAutoResolve: false, partitionsConsumedConcurrently: CONCURRENT_HANDOVERS, eachBatch })

  /** What kafkajs gives up on although it passes: the same consumer, connected and run once more. */
  const startAgain = () => {
    restart = setTimeout(async () => {
      try {
        await consumer.connect()
        if (!stopping) await consume()
      } catch (error) {
        note(error)
        if (!stopping) startAgain()
      }
      if (stopping) await leave()
    }, RESTART_PAUSE_MS)
  }

  // When it cannot be done, its session ends by itself.
  if (ghost !== null) await within(LEAVE_TIMEOUT_MS, `taking a dead member out of ${groupId}`, leaveFor(reader, groupId, ghost)).catch(note)
  await consumer
    .connect()
    .then(() => consumer.subscribe({ topics: [topic], fromBeginning: true }))
    .then(consume)
    .catch(async error => {
      await leave()
      throw error
    })
  const timer = setInterval(() => void commit(), COMMIT_EVERY_MS)

  const stop = async (drainMs?: number): Promise<void> => {
    clearTimeout(restart)
    quietly(() => consumer.pause([{ topic }]))
    await lanes.stop(drainMs === undefined ? {} : { drainMs })
    clearInterval(timer)
    const lastCommit = async () => {
      await commit()
      await commit()
    }
    await within(LAST_COMMIT_MS, `the last commit of ${groupId}`, lastCommit()).catch(note)
    ended.resolve()
    await leave()
    held.clear()
  }

  return {
    offer,
    partitions: lanes.partitions,
    lastHeartbeatMs: () => heartbeatMs,
    stats: lanes.stats,
    pause: lanes.pause,
    resume: lanes.resume,
    stop: ({ drainMs } = {}) => {
      stopping ??= stop(drainMs)
      return stopping
    },
    state: () => ({
      group: options.group,
      topic: options.topic,
      failure: failure || down ? messageOf(failure ?? down) : null,
      commitFailingSinceMs: commits.failingSinceMs(),
      lastError,
    }),
  }
}
