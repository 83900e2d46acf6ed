/**
 * How the fetch loops of a kafkajs cluster ask: in sessions (`kafka-session.ts`), when their pace says so, and from where they really are.
 * kafkajs can write a session's fields and leaves them out; it is asked here through an object that adds them.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { createAttached } from '@newswire/events/attached'
import type { Cluster } from 'kafkajs'
import { brokerErrorOf } from './kafka-errors.ts'
import { createQuiet, QUIET_WAIT_MS } from './kafka-quiet.ts'
import { createFetchSession, type WantedTopic } from './kafka-session.ts'
import { patienceOf, type SubscribeOptions } from './log.ts'

/** A fetch answers at the first byte. A partition that resumes is late by as much, and what goes by the same connection behind it; in a quiet loop the latter by `QUIET_WAIT_MS`. Stopping is not (`ended`). */
export const MAX_WAIT_MS = 250
/** No loop is left alone for longer, however patient it is: as with a fetch that waits, a member learns of a rebalance so much later at most. */
const MOST_PATIENCE_MS = QUIET_WAIT_MS
/** Less than one partition may give in a fetch, or a backlog in one would wait in vain. */
const MUCH_BYTES = 262_144

/** When the brokers answer. */
export type FetchRule = Readonly<{ maxWaitTimeInMs: number; minBytes: number }>
/** With what is there, and without a session. */
export const AT_ONCE: FetchRule = { maxWaitTimeInMs: 0, minBytes: 1 }
/** In a loop: with what is there, or when something comes. */
export const WITH_WHAT_IS_THERE: FetchRule = { maxWaitTimeInMs: MAX_WAIT_MS, minBytes: 0 }

/** How a loop of kafkajs asks. */
export type Pace = Readonly<{
  /** How long to leave the brokers alone before a fetch that is answered at once; 0: a fetch that waits at the brokers for the first byte. */
  pauseMs(): number
  /**
   * Whether a fetch of a quiet loop must not wait longer than others (default: no). Where all is handed on it would be answered with each of it again; where a partition
   * is paused, that one goes on with the next fetch.
   */
  isRestless?(): boolean
  /** Resolves once nothing that is fetched is wanted any more: then a fetch that waits is not waited for (default: never). */
  ended?: Promise<void>
  /** ms, monotonic (default: the process's). */
  nowMs?(): number
  /** Where a partition is read from when that is further than kafkajs knows, `null` when it is not. Topics by the name on the brokers. */
  nextOf(topic: string, partition: number): number | null
}>

/** How long a loop leaves the brokers alone, ms. `isAll`: whether all of it comes by hand just now. */
export const pauseMsOf = (wanted: Pick<SubscribeOptions, 'patienceMs'>, isAll: () => boolean): number => {
  const patienceMs = patienceOf(wanted)
  if (patienceMs > 0) return Math.min(patienceMs, MOST_PATIENCE_MS)
  return isAll() ? MAX_WAIT_MS : 0
}

export const plainPace: Pace = { pauseMs: () => 0, nextOf: () => null }

type Wanted = Readonly<{ maxWaitTime: number; minBytes: number; topics: readonly WantedTopic[] }>
type FetchedPartition = Readonly<{ messages: readonly Readonly<{ value: Uint8Array | null }>[] }>
type AnsweredPartition = FetchedPartition & Readonly<{ partition: number }>
type Answer = Readonly<{
  errorCode?: number
  sessionId?: number
  responses: readonly Readonly<{ topicName: string; partitions: readonly AnsweredPartition[] }>[]
}>
type Fetch = (wanted: Wanted) => Promise<Answer>
type Lookup = (apiKey: number, definitions: unknown) => (request: object) => unknown
type Broker = { fetch: Fetch; readonly lookupRequest: Lookup }

/** kafkajs' own fetch, whose request has these fields as well. */
const fetchWith = (broker: Broker, fetch: Fetch, fields: object, wanted: Wanted): Promise<Answer> => {
  const lookupRequest: Lookup = (...asked) => {
    const toRequest = broker.lookupRequest(...asked)
    return request => toRequest({ ...request, ...fields })
  }
  return fetch.call(Object.create(broker, { lookupRequest: { value: lookupRequest } }), wanted)
}

/** Whether there was so much that the next fetch does not wait for company. */
export const isMuch = (fetched: readonly FetchedPartition[]): boolean => {
  let bytes = 0
  for (const { messages } of fetched) for (const { value } of messages) bytes += value?.byteLength ?? 0
  return bytes >= MUCH_BYTES
}

const raise = ({ topic, partitions }: WantedTopic, nextOf: Pace['nextOf']): WantedTopic => ({
  topic,
  partitions: partitions.map(one => {
    const next = nextOf(topic, one.partition)
    return next === null || next <= Number(one.fetchOffset) ? one : { ...one, fetchOffset: String(next) }
  }),
})

/** By the messages that a fetch brought: the offset that the brokers were asked from. */
const began = createAttached<object, number>('began')

/** Where the fetch of these messages really began: kafkajs tells where it would have begun by itself. */
export const beganAt = (messages: object): number => began.get(messages) ?? 0

const remember = (topics: readonly WantedTopic[], { responses }: Answer): void => {
  for (const { topicName, partitions } of responses) {
    const asked = topics.find(one => one.topic === topicName)?.partitions
    for (const { partition, messages } of partitions) {
      const offset = asked?.find(one => one.partition === partition)?.fetchOffset
      if (offset !== undefined) began.set(messages, Number(offset))
    }
  }
}

const NOTHING: Answer = { responses: [] }
/** kafkajs asks on until it knows that it is stopped. */
const ENDED_PAUSE_MS = 50

const hasRecords = ({ responses }: Answer): boolean =>
  responses.some(({ partitions }) => partitions.some(({ messages }) => messages.length > 0))

/** A fetch that does not wait is no loop's, and has no session; nor has one beside another. */
const toLoop = (broker: Broker, pace: Pace): Fetch => {
  const { pauseMs, nextOf, isRestless = () => false, nowMs = () => performance.now() } = pace
  const plain = broker.fetch
  const session = createFetchSession()
  let isAsking = false
  let goesOn = false
  /** Where a consumer has come to by hand lies behind the end when the brokers lost what they had acknowledged: then kafkajs' own place counts. */
  let isLost = false
  const quiet = createQuiet(nowMs())
  const end = new AbortController()
  let give: (answer: Answer) => void = () => undefined
  void pace.ended?.then(() => {
    end.abort()
    give(NOTHING)
  })
  /** Not a race with `ended`: that would keep every answer for as long as it is open. */
  const orNothing = (asking: Promise<Answer>): Promise<Answer> =>
    new Promise((resolve, reject) => {
      give = resolve
      asking.then(resolve, reject)
    })

  const ask = async (wanted: Wanted): Promise<Answer> => {
    for (;;) {
      const { topics, ...fields } = session.ask(wanted.topics)
      const answer = await fetchWith(broker, plain, fields, { ...wanted, topics })
      if (!session.answered(answer)) continue
      if (answer.errorCode) throw new Error(`the brokers refused a fetch with error ${answer.errorCode}`)
      return answer
    }
  }
  return async wanted => {
    if (wanted.maxWaitTime === 0 || isAsking) return plain.call(broker, wanted)
    if (end.signal.aborted) return wait(ENDED_PAUSE_MS, NOTHING)
    isAsking = true
    try {
      const isQuiet = quiet.isQuiet(nowMs()) && !isRestless()
      const ms = goesOn || isQuiet ? 0 : pauseMs()
      if (ms > 0) await wait(ms, undefined, { signal: end.signal }).catch(() => undefined)
      if (end.signal.aborted) return NOTHING
      const topics = isLost ? wanted.topics : wanted.topics.map(one => raise(one, nextOf))
      const asking = ask({ ...wanted, topics, ...(ms > 0 && { minBytes: 0 }), ...(isQuiet && { maxWaitTime: QUIET_WAIT_MS }) })
      const answer = await orNothing(asking)
      quiet.answered(hasRecords(answer), nowMs())
      remember(topics, answer)
      goesOn = answer.responses.some(({ partitions }) => isMuch(partitions))
      return answer
    } catch (error) {
      session.lost()
      if (brokerErrorOf(error) === 'OFFSET_OUT_OF_RANGE') isLost = true
      throw error
    } finally {
      isAsking = false
    }
  }
}

/** Changes how the brokers of this cluster are asked; gives it back. */
export const fetchInSessions = (cluster: Cluster, pace: Pace = plainPace): Cluster => {
  const changed = new WeakSet<object>()
  const find = cluster.findBroker.bind(cluster)
  cluster.findBroker = async asked => {
    const found = await find(asked)
    if (!changed.has(found)) {
      const broker = found as unknown as Broker
      broker.fetch = toLoop(broker, pace)
      changed.add(found)
    }
    return found
  }
  return cluster
}
