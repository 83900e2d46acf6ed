/**
 * One request to the brokers at a time, whatever waits meanwhile goes together in the next. More than one in flight loses acknowledged
 * records with kafkajs. A request that failed takes its producer with it: its sequence numbers were rolled
 * back, and with them the next request could be taken for a repeat of this one.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { messageOf, RejectError, UnavailableError } from '@newswire/events/errors'
import type { Message, Producer, RecordMetadata } from 'kafkajs'
import { countForBatch, type Waiting } from './kafka-batch.ts'
import { CompressionTypes, type KafkaClient } from './kafka-client.ts'
import { createCompany, waitMsOf } from './kafka-company.ts'
import { brokerErrorOf, isRefusal, unavailable, unknownTopic } from './kafka-errors.ts'
import type { TopicBook } from './kafka-topics.ts'
import { closed } from './refusals.ts'

/** A record whose partition and size are known; `topic` is the name on the brokers. */
export type Prepared = Readonly<{
  topic: string
  partition: number
  bytes: number
  maxBatchBytes: number
  message: Message
  /** What `message` says, ms since 1970. */
  writtenAtMs: number
}>

type Written = Readonly<{ partition: number; offset: number }>

/** `patienceMs`: how long they may wait for records that are not patient, or for many that are; they go along with those. */
type SendOptions = Readonly<{ timeoutMs: number; patienceMs?: number; signal?: AbortSignal | undefined }>

type KafkaProducer = Readonly<{
  /** Resolves with partition and offset of each record, in order, once all copies in sync have it. */
  send(records: readonly Prepared[], options: SendOptions): Promise<readonly Written[]>
  /** What waits, since when nothing has gone through, and why. */
  state(): Readonly<{ queuedBytes: number; failingSinceMs: number | null; lastError: string | null }>
  /** Sends what waits, up to `drainMs`, then rejects the rest. */
  close(drainMs: number): Promise<void>
}>

type Call = {
  readonly results: Written[]
  readonly settle: (outcome: Error | readonly Written[]) => void
  left: number
  settled: boolean
  /** After a refusal of a request with several calls each is tried by itself, so that only the one at fault is told no. */
  alone: boolean
}

type Entry = Waiting<Call> & Readonly<{ message: Message }>

/** Of one partition, as each is packed by itself. An article alone goes as it is: packing it once and unpacking it in every consumer costs more than its bytes do. */
const COMPRESS_ABOVE_BYTES = 16 * 1024
const RECONNECT_PAUSE_MS = 200
const SUSPICIOUS_AFTER_MS = 1000

const busy = (bytes: number, limit: number): UnavailableError =>
  new UnavailableError(
    'NEWSWIRE_LOG_BUSY',
    `${bytes} bytes wait for the brokers already, the limit is ${limit}; try again when they have caught up`,
  )

const refused = (error: unknown, topics: readonly string[]): RejectError => {
  const topic = topics.join(', ')
  const type = brokerErrorOf(error)
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') return unknownTopic(topic, error)
  if (type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE')
    return new RejectError('NEWSWIRE_LOG_TOO_LARGE', `the brokers found a record for ${topic} too large; see max.message.bytes`, {
      cause: error,
    })
  return new RejectError('NEWSWIRE_LOG_REFUSED', `the brokers refused a record for ${topic}: ${messageOf(error)}`, { cause: error })
}

type TopicMessages = { topic: string; messages: Message[] }

const toTopicMessages = (batch: readonly Entry[]): TopicMessages[] => {
  const byTopic = new Map<string, Message[]>()
  for (const { topic, message } of batch) {
    const messages = byTopic.get(topic)
    if (messages) messages.push(message)
    else byTopic.set(topic, [message])
  }
  return [...byTopic].map(([topic, messages]) => ({ topic, messages }))
}

/**
 * Records of one partition get the offsets from the base on, in the order in which they were sent. Gives back those that no answer is
 * about: when a partition moves to a leader that has answered already, kafkajs calls the request done without having sent them.
 */
const giveOffsets = (batch: readonly Entry[], written: readonly RecordMetadata[]): Entry[] => {
  const next = new Map(written.map(one => [`${one.topicName}/${one.partition}`, Number(one.baseOffset)]))
  const unanswered: Entry[] = []
  for (const entry of batch) {
    const key = `${entry.topic}/${entry.partition}`
    const offset = next.get(key)
    if (offset === undefined) {
      unanswered.push(entry)
      continue
    }
    next.set(key, offset + 1)
    entry.call.results[entry.index] = { partition: entry.partition, offset }
    entry.call.left -= 1
    if (entry.call.left === 0) entry.call.settle(entry.call.results)
  }
  return unanswered
}

const mostOfAPartition = (batch: readonly Entry[]): number => {
  const bytes = new Map<string, number>()
  for (const entry of batch) {
    const key = `${entry.topic}/${entry.partition}`
    bytes.set(key, (bytes.get(key) ?? 0) + entry.bytes)
  }
  return Math.max(...bytes.values())
}

type ProducerOptions = Readonly<{
  /** Looked at again when a request fails or takes suspiciously long. */
  book: Pick<TopicBook, 'known' | 'refresh'>
  /** Published and not yet acknowledged; more is refused at once. */
  maxWaitingBytes: number
}>

export const createKafkaProducer = (client: KafkaClient, { book, maxWaitingBytes }: ProducerOptions): KafkaProducer => {
  /** Topics that were deleted while a request for them was being tried. */
  const gone = new Set<string>()
  const calls = new Set<Call>()
  const company = createCompany()
  let queue: Entry[] = []
  let queuedBytes = 0
  let producer: Producer | null = null
  let pumping: Promise<void> | null = null
  let isClosed = false
  let failingSinceMs: number | null = null
  let lastError: string | null = null

  const connected = async (): Promise<Producer> => {
    if (producer) return producer
    const fresh = client.producer(topic => gone.has(topic))
    try {
      await fresh.connect()
    } catch (error) {
      await fresh.disconnect().catch(() => undefined)
      throw error
    }
    producer = fresh
    return fresh
  }

  const retire = () => {
    const old = producer
    producer = null
    old?.disconnect().catch(error => {
      lastError = messageOf(error)
    })
  }

  const failed = (error: unknown) => {
    failingSinceMs ??= performance.now()
    lastError = messageOf(error)
  }

  const leaderOf = ({ topic, partition }: Entry): number | undefined => book.known(topic)?.leaders[partition]

  /**
   * All for one leader: of a request to several, kafkajs repeats to those that have not answered yet when another fails, and what they
   * took the first time is then there twice.
   */
  const takeBatch = (): readonly Entry[] => {
    queue = queue.filter(entry => !entry.call.settled)
    const nowMs = performance.now()
    const first = queue.find(({ dueMs }) => dueMs <= nowMs) ?? queue[0]
    if (!first) return []
    const leader = leaderOf(first)
    const candidates = queue.filter(entry => leaderOf(entry) === leader && (!first.call.alone || entry.call === first.call))
    const batch = candidates.slice(0, countForBatch(candidates))
    const taken = new Set(batch)
    queue = queue.filter(entry => !taken.has(entry))
    return batch
  }

  /** What is still wanted goes to the front again: in order, before everything that came later. */
  const putBack = (batch: readonly Entry[]) => {
    queue = [...batch.filter(entry => !entry.call.settled), ...queue]
  }

  const findGone = async (batch: readonly Entry[]): Promise<void> => {
    await book.refresh()
    for (const { topic } of batch) if (!book.known(topic)) gone.add(topic)
  }

  /** A request that takes long may be for a topic that is no more. */
  const watch = (batch: readonly Entry[]): NodeJS.Timeout =>
    setInterval(() => void findGone(batch).catch(failed), SUSPICIOUS_AFTER_MS).unref()

  const recover = async (batch: readonly Entry[], error: unknown): Promise<void> => {
    retire()
    failed(error)
    const calls = new Set(batch.map(entry => entry.call))
    if (isRefusal(error) && calls.size === 1) {
      for (const call of calls) call.settle(refused(error, [...new Set(batch.map(entry => entry.topic))]))
      failingSinceMs = null
      return
    }
    if (isRefusal(error)) for (const call of calls) call.alone = true
    if (!isRefusal(error)) await findGone(batch).catch(failed)
    for (const { topic, call } of batch) if (gone.has(topic)) call.settle(unknownTopic(topic))
    gone.clear()
    putBack(batch)
    if (!isRefusal(error)) await wait(RECONNECT_PAUSE_MS)
  }

  const sendOne = async (): Promise<void> => {
    let ready: Producer
    try {
      ready = await connected()
    } catch (error) {
      failed(error)
      await wait(RECONNECT_PAUSE_MS)
      return
    }
    const batch = takeBatch()
    if (batch.length === 0) return
    const watching = watch(batch)
    try {
      const written = await ready.sendBatch({
        topicMessages: toTopicMessages(batch),
        acks: -1,
        compression: mostOfAPartition(batch) > COMPRESS_ABOVE_BYTES ? CompressionTypes.ZSTD : CompressionTypes.None,
      })
      const unanswered = giveOffsets(batch, written)
      if (unanswered.length > 0) await recover(unanswered, new Error(`${unanswered.length} records were not sent: their partitions moved`))
      else failingSinceMs = null
    } catch (error) {
      await recover(batch, error)
    } finally {
      clearInterval(watching)
    }
  }

  const pump = async () => {
    while (queue.length > 0) {
      const ms = isClosed ? 0 : waitMsOf(queue, performance.now())
      await (ms > 0 ? company.wait(ms) : sendOne())
      queue = queue.filter(entry => !entry.call.settled)
    }
    pumping = null
  }

  const start = () => {
    company.tell()
    pumping ??= pump()
  }

  const send: KafkaProducer['send'] = (records, { timeoutMs, patienceMs = 0, signal }) => {
    const bytes = records.reduce((sum, record) => sum + record.bytes, 0)
    if (isClosed) return Promise.reject(closed())
    if (queuedBytes > 0 && queuedBytes + bytes > maxWaitingBytes) return Promise.reject(busy(queuedBytes, maxWaitingBytes))
    if (signal?.aborted) return Promise.reject(unavailable('publishing', signal.reason))
    if (records.length === 0) return Promise.resolve([])
    return new Promise((resolve, reject) => {
      const settle = (outcome: Error | readonly Written[]) => {
        if (call.settled) return
        call.settled = true
        calls.delete(call)
        queuedBytes -= bytes
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        if (outcome instanceof Error) reject(outcome)
        else resolve(outcome)
      }
      const call: Call = { results: [], settle, left: records.length, settled: false, alone: false }
      const onAbort = () => settle(unavailable('publishing', signal?.reason))
      const why = () => new Error(`not acknowledged within ${timeoutMs} ms${lastError ? ` (${lastError})` : ''}; it may still be written`)
      const timer = setTimeout(() => settle(unavailable('publishing', why())), timeoutMs)
      signal?.addEventListener('abort', onAbort, { once: true })
      calls.add(call)
      queuedBytes += bytes
      const dueMs = performance.now() + patienceMs
      for (const [index, record] of records.entries()) queue.push({ ...record, call, index, dueMs })
      start()
    })
  }

  return {
    send,
    state: () => ({ queuedBytes, failingSinceMs, lastError }),
    close: async drainMs => {
      isClosed = true
      company.tell()
      if (pumping) await Promise.race([pumping, wait(drainMs, undefined, { ref: false })])
      for (const call of calls) call.settle(unavailable('publishing', new Error('the log was closed before it was acknowledged')))
      queue = []
      await producer?.disconnect().catch(() => undefined)
      producer = null
    },
  }
}
