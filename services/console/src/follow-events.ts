/** Fills the ring from the log: milestones as the trace applies them, dead letters as they come, and what was the newest before the start. */
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fromRecord } from '@newswire/events/events'
import { parseDeadLetter } from '@newswire/log/dead-letter'
import type { Log, LogRecord } from '@newswire/log/log'
import type { Trace } from '@newswire/trace/trace'
import { createEventRing } from './event-ring.ts'
import { createEventStreams } from './event-stream.ts'
import { type LiveEvent, liveTopics, toLiveDeadLetter, toLiveMilestone } from './live-events.ts'

/** Of each partition, from before the start: enough for who was cut by a restart. */
const FROM_BEFORE = 300
const WAIT_MS = 2_000

export type LiveEvents = Readonly<{
  /** A stream of events; `null` when there are as many as there may be. */
  open(lastEventId: string | undefined): Promise<Readable | null>
  clients(): number
  stop(): Promise<void>
}>

type Needs = Readonly<{
  log: Pick<Log, 'ends' | 'read' | 'follow'>
  trace: Pick<Trace, 'onMilestones' | 'caughtUp'>
  mostClients?: number
  heartbeatMs?: number
  /** How long a client that comes waits until all is known that was there when it came. */
  waitMs?: number
}>

/** What is no event of ours is the guards' to tell. */
const parse = (record: LogRecord): LiveEvent | null => {
  try {
    if (record.topic === liveTopics.d) return toLiveDeadLetter(parseDeadLetter(record), record)
    const event = fromRecord(record)
    return event?.type === 'milestone.reached' ? toLiveMilestone(event.data, record) : null
  } catch {
    return null
  }
}

/** The newest records of a topic, by their time. */
const readTail = async ({ ends, read }: Pick<Log, 'ends' | 'read'>, topic: string): Promise<readonly LogRecord[]> => {
  const tails = (await ends(topic)).map(async ({ partition, start, end }) => {
    const from = { positions: { [partition]: Math.max(start, end - FROM_BEFORE) } }
    return (await read({ topic, partition, from, limit: FROM_BEFORE })).records
  })
  return (await Promise.all(tails)).flat().sort((a, b) => a.timestamp - b.timestamp || a.position - b.position)
}

export const followEvents = async ({ log, trace, waitMs = WAIT_MS, ...limits }: Needs): Promise<LiveEvents> => {
  const ring = createEventRing()
  const streams = createEventStreams({ ring, ...limits })
  const add = (events: readonly (LiveEvent | null)[]) => {
    for (const event of events) if (event !== null) ring.add(event)
    streams.moved()
  }
  const stopListening = trace.onMilestones((milestones, places) =>
    add(milestones.map((one, at) => (places[at] === undefined ? null : toLiveMilestone(one, places[at])))),
  )
  const following = await log.follow({ topic: liveTopics.d, from: 'end', onRecords: records => add(records.map(parse)) })
  // Behind the listening, so that nothing falls between. A log that is still to come has none; who comes back then is told of a gap.
  const filled = Promise.all([readTail(log, liveTopics.m), readTail(log, liveTopics.d)])
    .then(tails => add(tails.flat().map(parse)))
    .catch(() => undefined)
  return {
    open: async lastEventId => {
      const waited = AbortSignal.timeout(waitMs)
      await Promise.race([filled, sleep(waitMs, undefined, { ref: false })])
      await trace.caughtUp(waited).catch(() => undefined)
      return streams.open(lastEventId)
    },
    clients: streams.clients,
    stop: async () => {
      streams.stop()
      stopListening()
      await following.stop()
    },
  }
}
