/**
 * Following a topic: every partition, no group. One loop per leader fetches and gives what it got before it fetches again; a change of
 * leaders or a broker that is away ends the round, and the next one begins with fresh metadata where each partition stands.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { messageOf, toError } from '@newswire/events/errors'
import { createByHand } from './kafka-by-hand.ts'
import type { KafkaClient } from './kafka-client.ts'
import { brokerErrorOf } from './kafka-errors.ts'
import { type FetchRule, isMuch, pauseMsOf, WITH_WHAT_IS_THERE } from './kafka-fetch.ts'
import { START_WITHIN_MS } from './kafka-persist.ts'
import { toOffset, toPosition } from './kafka-position.ts'
import { createQuiet } from './kafka-quiet.ts'
import { createKafkaReader, type Fetched, type KafkaReader, type OffsetRange } from './kafka-reader.ts'
import type { ToLogRecord } from './kafka-record.ts'
import { createUnread } from './kafka-unread.ts'
import type { Following, FollowOptions, LogRecord, Position, Start } from './log.ts'

export type KafkaFollowing = Following &
  Readonly<{
    /** Gives a record that was just written here, when it is the next one; else it comes with a fetch. */
    offer(record: LogRecord): void
    /** Why it stopped by itself, and since when (`performance.now()`) a partition that is asked for has not answered. */
    state(): Readonly<{ topic: string; failure: string | null; failingSinceMs: number | null; lastError: string | null }>
  }>

const MIN_PAUSE_MS = 50
const MAX_PAUSE_MS = 1000
/** For what `onRecords` has in hand. */
const MAX_STOP_MS = 2000
/** Nobody waits for a fetch of a follower to end, as its group would: four times fewer where nothing comes. Well below what health takes for an outage. */
const WHEN_SOMETHING_COMES: FetchRule = { maxWaitTimeInMs: 1000, minBytes: 1 }

/** Where reading begins in each partition, kept within what is there. */
export const startOffsets = (
  from: Start,
  ranges: readonly OffsetRange[],
  epoch: number,
  atTime: ReadonlyMap<number, number>,
): Map<number, number> => {
  const begin = ({ partition, start, end }: OffsetRange): number => {
    if (from === 'start') return start
    if (from === 'end') return end
    if ('timeMs' in from) return atTime.get(partition) ?? end
    const position = from.positions[partition]
    return position === undefined ? start : Math.min(Math.max(toOffset(epoch, position), start), end)
  }
  return new Map(ranges.map(range => [range.partition, begin(range)]))
}

/** The offsets at which `from` begins; asks the brokers for times only when it is one. */
export const resolveStart = async (reader: KafkaReader, topic: string, from: Start, epoch: number) => {
  const ranges = await reader.ranges(topic)
  const atTime = typeof from === 'object' && 'timeMs' in from ? await reader.offsetsAt(topic, from.timeMs) : new Map<number, number>()
  return { ranges, offsets: startOffsets(from, ranges, epoch, atTime) }
}

const nameOf = (partition: number, offset: number): string => `${partition}/${offset}`

type Wanted = Readonly<{
  client: KafkaClient
  epoch: number
  toLogRecord: ToLogRecord
  topic: string
  options: FollowOptions
  onDead?: ((error: Error) => void) | undefined
}>

/** Records of a partition: where it stands behind them, and those from an offset on, as some may have been given since they were asked for. */
type Arrived = Readonly<{ partition: number; next: number; recordsFrom(offset: number): readonly LogRecord[] }>

/** `topic` is the name on the brokers; records carry the one in `options`. */
export const followTopic = async ({ client, epoch, toLogRecord, topic, options, onDead }: Wanted): Promise<KafkaFollowing> => {
  const reader = createKafkaReader(client)
  const { ranges, offsets } = await reader
    .persist(topic, () => resolveStart(reader, topic, options.from, epoch), START_WITHIN_MS)
    .catch(async error => {
      await reader.close()
      throw error
    })
  const targets = new Map(
    ranges.filter(range => (offsets.get(range.partition) ?? 0) < range.end).map(range => [range.partition, range.end]),
  )
  const ready = Promise.withResolvers<void>()
  ready.promise.catch(() => undefined)
  let stopped = false
  let failure: Error | null = null
  const unread = createUnread()
  const byHand = createByHand()
  let lastError: string | null = null
  let lastErrorCause: unknown = null
  let giving: Promise<void> = Promise.resolve()
  let hurrying = new AbortController()
  const hurry = () => {
    hurrying.abort()
    hurrying = new AbortController()
  }

  const reached = (partition: number, offset: number) => {
    const target = targets.get(partition)
    if (target !== undefined && offset >= target) targets.delete(partition)
    if (targets.size === 0) ready.resolve()
  }

  const give = async (arrived: readonly Arrived[]): Promise<void> => {
    const fresh = arrived.filter(one => one.next > (offsets.get(one.partition) ?? 0))
    const records = fresh.flatMap(one => one.recordsFrom(offsets.get(one.partition) ?? 0))
    if (stopped || failure) return
    if (records.length > 0)
      try {
        await options.onRecords(records)
      } catch (error) {
        failure = toError(error)
        ready.reject(failure)
        onDead?.(failure)
        return
      }
    for (const one of fresh) {
      offsets.set(one.partition, one.next)
      reached(one.partition, one.next)
    }
  }

  /** Batches of different leaders wait for one another: a follower is told one thing at a time. */
  const inTurn = (arrived: () => readonly Arrived[]): Promise<void> => {
    giving = giving.then(() => give(arrived()))
    return giving
  }

  const toArrived = ({ partition, next, messages }: Fetched): Arrived => ({
    partition,
    next,
    recordsFrom: offset => {
      const fresh = messages.filter(message => Number(message.offset) >= offset)
      byHand.fetched(() => fresh.map(message => nameOf(partition, Number(message.offset))), performance.now())
      return fresh.map(message => toLogRecord(options.topic, partition, message))
    },
  })

  const offer = (record: LogRecord): void => {
    const offset = toOffset(epoch, record.position)
    const { partition } = record
    void inTurn(() => {
      const isNext = offsets.get(partition) === offset
      byHand.offered(nameOf(partition, offset), isNext, performance.now())
      return isNext ? [{ partition, next: offset + 1, recordsFrom: () => [record] }] : []
    })
  }

  const isAll = () => byHand.isAll(performance.now())

  const followLeader = async (leader: string, partitions: readonly number[], round: AbortSignal): Promise<void> => {
    const stalled: number[] = []
    let goesOn = true
    const quiet = createQuiet(performance.now())
    while (!stopped && !failure && !round.aborted) {
      const isQuiet = quiet.isQuiet(performance.now()) && !isAll()
      const ms = goesOn || isQuiet || stalled.length > 0 || targets.size > 0 ? 0 : pauseMsOf(options, isAll)
      if (ms > 0) await wait(ms, undefined, { signal: hurrying.signal }).catch(() => undefined)
      const single = stalled.shift()
      const asked = single === undefined ? partitions : [single]
      const from = asked.map(partition => ({ partition, offset: offsets.get(partition) ?? 0 }))
      const rule = ms > 0 ? WITH_WHAT_IS_THERE : WHEN_SOMETHING_COMES
      unread.asked(asked, performance.now())
      const fetched = await (single === undefined ? reader.fetch(leader, topic, from, rule) : reader.fetch(leader, topic, from))
      unread.answered(asked)
      goesOn = isMuch(fetched)
      quiet.answered(
        fetched.some(({ messages }) => messages.length > 0),
        performance.now(),
      )
      for (const one of fetched) if (one.stalled && !stalled.includes(one.partition)) stalled.push(one.partition)
      await inTurn(() => fetched.map(toArrived))
    }
  }

  /** A partition whose offset is gone (retention was faster) goes on where it now begins. */
  const backToStart = async () => {
    for (const { partition, start, end } of await reader.ranges(topic)) {
      const offset = offsets.get(partition) ?? 0
      if (offset < start || offset > end) {
        offsets.set(partition, start)
        reached(partition, start)
      }
    }
  }

  const runRound = async (): Promise<void> => {
    unread.asked(offsets.keys(), performance.now())
    await reader.open(topic)
    if (brokerErrorOf(lastErrorCause) === 'OFFSET_OUT_OF_RANGE') await backToStart()
    lastErrorCause = null
    const round = new AbortController()
    const loops = [...reader.byLeader(topic, [...offsets.keys()])].map(([leader, partitions]) =>
      followLeader(leader, partitions, round.signal).finally(() => round.abort()),
    )
    const ended = await Promise.allSettled(loops)
    for (const one of ended) if (one.status === 'rejected') throw one.reason
  }

  const run = async (): Promise<void> => {
    let pauseMs = MIN_PAUSE_MS
    while (!stopped && !failure) {
      const beganMs = performance.now()
      try {
        await runRound()
      } catch (error) {
        lastErrorCause = error
        lastError = messageOf(error)
        if (stopped) return
        pauseMs = performance.now() - beganMs > MAX_PAUSE_MS ? MIN_PAUSE_MS : Math.min(pauseMs * 2, MAX_PAUSE_MS)
        await wait(pauseMs)
        if (stopped) return
        await reader
          .cluster()
          .refreshMetadata()
          .catch(() => undefined)
      }
    }
  }

  for (const [partition, offset] of offsets) reached(partition, offset)
  if (offsets.size === 0) ready.resolve()
  const running = run()

  return {
    offer,
    ready: ready.promise,
    cursor: () => Object.fromEntries([...offsets].map(([partition, offset]): [number, Position] => [partition, toPosition(epoch, offset)])),
    state: () => ({ topic: options.topic, failure: failure ? messageOf(failure) : null, failingSinceMs: unread.sinceMs(), lastError }),
    hurry,
    stop: async () => {
      stopped = true
      hurry()
      await Promise.race([giving, wait(MAX_STOP_MS, undefined, { ref: false })])
      // When the fetch that is under way has ended, which nobody waits for.
      void running.then(reader.close)
    },
  }
}
