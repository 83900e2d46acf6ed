/**
 * The log on Kafka: the port put together from its parts. Nothing here is thrown into kafkajs, and nothing of kafkajs comes out.
 * The README of this package says why each part is as it is, and how it fails.
 */
import { RejectError } from '@newswire/events/errors'
import { isMade } from '@newswire/events/events'
import type { TopicSpec } from '@newswire/events/topics'
import { buryWith, type StoreBytes } from './dead-letter.ts'
import { recordBytes } from './kafka-batch.ts'
import { createKafkaClient, type KafkaSettings } from './kafka-client.ts'
import { isHopeless, refusedConnection, translate, unknownTopic, within } from './kafka-errors.ts'
import { followTopic, type KafkaFollowing, resolveStart } from './kafka-follow.ts'
import { createGhosts } from './kafka-ghosts.ts'
import { lagOfGroup, replayGroup } from './kafka-groups.ts'
import { ASK_WITHIN_MS } from './kafka-persist.ts'
import { checkEpoch, toPosition } from './kafka-position.ts'
import { createKafkaProducer, type Prepared } from './kafka-producer.ts'
import { createKafkaReader } from './kafka-reader.ts'
import { createToLogRecord } from './kafka-record.ts'
import { type KafkaSubscription, subscribeToTopic } from './kafka-subscribe.ts'
import { createTopicBook, setUpTopics } from './kafka-topics.ts'
import { isCurrent } from './kafka-unread.ts'
import type { LaneObservers } from './lanes.ts'
import { type Log, type LogRecord, type NewRecord, type Published, patienceOf, type Start, type SubscribeOptions } from './log.ts'
import { partitionOf } from './partition.ts'
import { closed, tooLarge } from './refusals.ts'

export type KafkaLogOptions = KafkaSettings &
  LaneObservers &
  Readonly<{
    /** Put before every topic and group on the brokers, so that several installations (or tests) share them. Default none. */
    topicPrefix?: string
    /** Raised when the brokers were replaced by empty ones (architecture §6.19). 0 to 511, default 0. */
    epoch?: number
    /** Copies of each partition of new topics. Default the lower of 3 and the number of brokers. */
    replication?: number
    /** Multiplies every wait between tries, for tests. Default 1. */
    retryScale?: number
    /** Called when a subscription or follower has stopped for good: health is red, the process should end. */
    onCrash?: (error: Error) => void
    /** Published and not yet acknowledged, above which `publish` is `NEWSWIRE_LOG_BUSY` at once. Default 64 MiB. */
    maxWaitingBytes?: number
    /**
     * A file of this process alone, where it keeps under which names it joined groups (default none). Who names one says that no process of this machine that
     * used it before lives: their members are taken out of their groups, which otherwise wait for their sessions. Asked when a group is joined.
     */
    membersFile?: () => string | null
    /** Keeps the bytes of dead letters above 1 MiB and gives back where; without it they stay in the record. */
    storeBytes?: StoreBytes
  }>

const PUBLISH_TIMEOUT_MS = 15_000
const HEALTH_TIMEOUT_MS = 3000
const DRAIN_MS = 10_000
const MIB = 1_048_576
const MAX_WAITING_BYTES = 64 * MIB

/** Takes what comes in batches just now, and so nothing by hand. */
const isPatient = (options: Pick<SubscribeOptions, 'patienceMs'>): boolean => patienceOf(options) > 0

/**
 * Connects and reads the topics. Throws `UnavailableError` `NEWSWIRE_LOG_UNAVAILABLE` when no broker answers within about 15 s, `RejectError`
 * `NEWSWIRE_LOG_REFUSED` when one does and refuses us (credentials, protocol).
 */
export const createKafkaLog = async (options: KafkaLogOptions): Promise<Log> => {
  const epoch = checkEpoch(options.epoch ?? 0)
  const { topicPrefix: prefix = '' } = options
  const client = createKafkaClient(options)
  const toLogRecord = createToLogRecord(epoch)
  const admin = client.admin()
  const reader = createKafkaReader(client)
  const setup = { admin, prefix, replication: options.replication }
  const book = createTopicBook(setup)
  const producer = createKafkaProducer(client, { book, maxWaitingBytes: options.maxWaitingBytes ?? MAX_WAITING_BYTES })
  const subscriptions = new Set<KafkaSubscription>()
  const followings = new Set<KafkaFollowing>()
  /** Who gets records handed on, with what they want. */
  const consumers = new Map<Pick<KafkaSubscription, 'offer'>, Pick<SubscribeOptions, 'topic' | 'patienceMs'>>()
  const spread = new Map<string, number>()
  const ghosts = createGhosts(options.membersFile ?? (() => null))
  let closing: Promise<void> | null = null

  const ask = async <T>(doing: string, topic: string, work: () => Promise<T>): Promise<T> => {
    if (closing) throw closed()
    try {
      return await within(ASK_WITHIN_MS, doing, work())
    } catch (error) {
      throw translate(error, doing, topic)
    }
  }

  const nextSpread = (topic: string, partitions: number): number => {
    const next = ((spread.get(topic) ?? Math.floor(Math.random() * partitions)) + 1) % partitions
    spread.set(topic, next)
    return next
  }

  const prepare = (record: NewRecord): Prepared => {
    const topic = prefix + record.topic
    const known = book.known(topic)
    if (!known) throw unknownTopic(record.topic)
    const key = record.key === null ? null : Buffer.from(record.key)
    const value = record.value === null ? null : Buffer.from(record.value.buffer, record.value.byteOffset, record.value.byteLength)
    const headers = { ...record.headers }
    const bytes = recordBytes(key, value, headers)
    if (bytes > known.maxRecordBytes) throw tooLarge(record.topic, bytes, known.maxRecordBytes)
    const partition = record.key === null ? nextSpread(topic, known.partitions) : partitionOf(record.key, known.partitions)
    const writtenAtMs = Date.now()
    const message = { key, value, headers, partition, timestamp: String(writtenAtMs) }
    return { topic, partition, bytes, maxBatchBytes: Math.min(MIB, known.maxRecordBytes), message, writtenAtMs }
  }

  /** Without a pause when the topics are known, so that calls are queued in the order in which they were made. */
  const publish: Log['publish'] = async (records, { timeoutMs = PUBLISH_TIMEOUT_MS, patienceMs = 0, signal } = {}) => {
    for (const { topic } of records)
      if (!book.known(prefix + topic)) await ask('reading the topics', topic, () => book.find(prefix + topic))
    const prepared = records.map(prepare)
    const written = await producer.send(prepared, { timeoutMs, patienceMs, signal })
    const published = written.map(
      ({ partition, offset }, index): Published => ({
        topic: records[index]?.topic ?? '',
        partition,
        position: toPosition(epoch, offset),
      }),
    )
    for (const [index, one] of published.entries()) handOn(records[index], one, prepared[index])
    return published
  }

  /** The same record as a fetch would bring: to whoever it is the next one for. */
  const handOn = (given: NewRecord | undefined, at: Published, prepared: Prepared | undefined): void => {
    const takers = [...consumers].filter(([, wanted]) => wanted.topic === at.topic && !isPatient(wanted))
    if (given === undefined || prepared === undefined || takers.length === 0) return
    // Whoever publishes may use its bytes again; what `toRecord` made is nobody's to change.
    const value = given.value === null || isMade(given) ? given.value : new Uint8Array(given.value)
    const record: LogRecord = { ...at, key: given.key, value, headers: { ...given.headers }, timestamp: prepared.writtenAtMs }
    for (const [consumer] of takers) consumer.offer(record)
  }

  const bury = buryWith(publish, options.storeBytes)

  const readPartition = async (topic: string, partition: number, from: Start, limit: number) => {
    const name = prefix + topic
    const { ranges, offsets } = await resolveStart(reader, name, from, epoch)
    const end = ranges.find(range => range.partition === partition)?.end
    const [leader] = reader.byLeader(name, [partition]).keys()
    if (end === undefined || leader === undefined)
      throw new RejectError('NEWSWIRE_LOG_UNKNOWN_PARTITION', `${topic} has no partition ${partition}; it has 0 to ${ranges.length - 1}`)
    const records: LogRecord[] = []
    let offset = offsets.get(partition) ?? 0
    while (records.length < limit && offset < end) {
      const [fetched] = await reader.fetch(leader, name, [{ partition, offset }])
      if (!fetched) break
      const wanted = fetched.messages.slice(0, limit - records.length)
      records.push(...wanted.map(message => toLogRecord(topic, partition, message)))
      const last = wanted.at(-1)
      offset = wanted.length < fetched.messages.length && last ? Number(last.offset) + 1 : fetched.next
    }
    return { records, next: toPosition(epoch, offset), end: toPosition(epoch, Math.max(end, offset)) }
  }

  const checkTopic = async (topic: string): Promise<string> => {
    if (closing) throw closed()
    if (!(await book.find(prefix + topic))) throw unknownTopic(topic)
    return prefix + topic
  }

  const follow: Log['follow'] = async wanted => {
    const topic = await checkTopic(wanted.topic)
    const doing = `following ${wanted.topic}`
    const following = await followTopic({ client, epoch, toLogRecord, topic, options: wanted, onDead: options.onCrash }).catch(error => {
      throw translate(error, doing, wanted.topic)
    })
    followings.add(following)
    consumers.set(following, wanted)
    return {
      ...following,
      stop: async () => {
        await following.stop()
        followings.delete(following)
        consumers.delete(following)
      },
    }
  }

  const subscribe: Log['subscribe'] = async wanted => {
    const topic = await checkTopic(wanted.topic)
    const subscription = await subscribeToTopic({
      client,
      reader,
      epoch,
      toLogRecord,
      topic,
      groupId: prefix + wanted.group,
      options: wanted,
      bury,
      ghosts,
      retryScale: options.retryScale ?? 1,
      observers: options,
      onCrash: options.onCrash,
    }).catch(error => {
      throw translate(error, `subscribing to ${wanted.topic}`, wanted.topic)
    })
    subscriptions.add(subscription)
    consumers.set(subscription, wanted)
    return {
      ...subscription,
      stop: async stopOptions => {
        await subscription.stop(stopOptions)
        subscriptions.delete(subscription)
        consumers.delete(subscription)
      },
    }
  }

  /** One at a time: it is tried for longer than anybody waits for it. */
  let describing: Promise<unknown> | null = null
  const reachable = async (): Promise<string | null> => {
    describing ??= admin.describeCluster().finally(() => {
      describing = null
    })
    try {
      await within(HEALTH_TIMEOUT_MS, 'asking the brokers', describing)
      return null
    } catch (error) {
      return translate(error, 'asking the brokers', '').message
    }
  }

  const health: Log['health'] = async () => {
    if (closing) return { ok: false, detail: { kind: 'kafka', closed: true } }
    const unreachable = await reachable()
    const subscribed = [...subscriptions].map(one => one.state())
    const following = [...followings].map(one => one.state())
    const writing = producer.state()
    const isRead = following.every(one => isCurrent(one.failingSinceMs, performance.now()))
    const isWhole = [...subscribed, ...following].every(one => one.failure === null)
    const ok = unreachable === null && isWhole && isRead && writing.failingSinceMs === null
    return { ok, detail: { kind: 'kafka', unreachable, subscribed, following, writing, complaints: client.complaints() } }
  }

  const close = async (drainMs: number): Promise<void> => {
    await Promise.all([...subscriptions].map(one => one.stop({ drainMs })))
    await Promise.all([...followings].map(one => one.stop()))
    await producer.close(drainMs)
    await Promise.all([reader.close(), within(ASK_WITHIN_MS, 'closing connections', admin.disconnect()).catch(() => undefined)])
    client.end()
  }

  const start = async () => {
    await admin.connect()
    await book.refresh()
  }
  await within(PUBLISH_TIMEOUT_MS, 'connecting to the brokers', start()).catch(async error => {
    client.end()
    // What they still wait for can take long, and holds no connection any more.
    void Promise.all([reader.close(), admin.disconnect().catch(() => undefined)])
    throw isHopeless(error) ? refusedConnection(error) : translate(error, 'connecting to the brokers', '')
  })

  return {
    kind: 'kafka',
    topics: async (specs: readonly TopicSpec[], { apply = false } = {}) => {
      const reports = await ask('setting up the topics', '', () => setUpTopics(setup, specs, apply))
      const present = reports.filter(one => one.state !== 'missing').map(one => prefix + one.topic)
      await ask('reading the topics', '', () => book.expect(present))
      return reports
    },
    publish,
    subscribe,
    follow,
    read: ({ topic, partition, from, limit }) =>
      ask(`reading ${topic}`, topic, async () => {
        const name = await checkTopic(topic)
        return await reader.persist(name, () => readPartition(topic, partition, from, limit))
      }),
    ends: topic =>
      ask(`reading where ${topic} ends`, topic, async () => {
        const name = await checkTopic(topic)
        const ranges = await reader.persist(name, () => reader.ranges(name))
        return ranges.map(({ partition, start, end }) => ({
          partition,
          start: toPosition(epoch, start),
          end: toPosition(epoch, end),
        }))
      }),
    lag: group =>
      ask(`reading how far ${group} is`, '', () => lagOfGroup(reader, { groupId: prefix + group, prefix, epoch, nowMs: Date.now() })),
    replay: (group, topic, from) =>
      ask(`setting where ${group} goes on`, topic, async () => {
        const name = await checkTopic(topic)
        await replayGroup(reader, prefix + group, name, from, epoch)
      }),
    partitionOf: (topic, key) => {
      const known = book.known(prefix + topic)
      if (!known) throw unknownTopic(topic)
      return partitionOf(key, known.partitions)
    },
    health,
    close: ({ drainMs = DRAIN_MS } = {}) => {
      closing ??= close(drainMs)
      return closing
    },
  }
}
