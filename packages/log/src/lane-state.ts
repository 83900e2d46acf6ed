/** What the lanes of a subscription look like from inside, and the sum of it all. */
import type { Entry, PartitionBook } from './lane-partition.ts'
import { createWork, type Work } from './lane-tries.ts'
import type { LogRecord, Position, SubscribeOptions, Subscription } from './log.ts'

export type LaneName = string | number

export type Lane = Work & {
  readonly partition: Partition
  /** A number for a record without a key: its position, a lane of its own. */
  readonly name: LaneName
  /** Of the record that it began with, its name when that has none: what shares places. */
  readonly key: LaneName
  urgent: boolean
  /** How many it takes while it runs. */
  readonly places: number
  state: 'idle' | 'ready' | 'running' | 'waiting'
  controller: AbortController | null
  timer: NodeJS.Timeout | null
}

export type Partition = {
  readonly number: number
  /** Monotonic. */
  readonly sinceMs: number
  readonly book: PartitionBook
  readonly lanes: Map<LaneName, Lane>
  held: boolean
  /** `onAssigned` has resolved. */
  open: boolean
}

export const createPartition = (number: number, book: PartitionBook): Partition => ({
  number,
  sinceMs: performance.now(),
  book,
  lanes: new Map(),
  held: true,
  open: false,
})

/** Whatever is wrong with a record for which `lane` throws, its handler says it in the lane of its key. */
export const laneNameOf = (record: LogRecord, lane: SubscribeOptions['lane'], report: (error: unknown) => void): LaneName => {
  const fallback = record.key ?? record.position
  if (!lane) return fallback
  try {
    return lane(record)
  } catch (error) {
    report(error)
    return fallback
  }
}

/** None or half a place would not be given back as it was taken. */
const wholeOf = (places: number): number => (Number.isFinite(places) ? Math.max(1, Math.floor(places)) : 1)

/** What the subscriber says of a record's place; as of any other for which it throws, and one place where it names no number of them. */
export const standingOf = (
  record: LogRecord,
  { urgent, places }: Pick<SubscribeOptions, 'urgent' | 'places'>,
  report: (error: unknown) => void,
): Pick<Lane, 'urgent' | 'places'> => {
  try {
    return { urgent: urgent?.(record) ?? false, places: wholeOf(places?.(record) ?? 1) }
  } catch (error) {
    report(error)
    return { urgent: false, places: 1 }
  }
}

export const donePositions = (partitions: Iterable<Partition>): Map<number, Position> => {
  const positions = new Map<number, Position>()
  for (const { number, book } of partitions) {
    const position = book.donePosition()
    if (position !== null) positions.set(number, position)
  }
  return positions
}

/** The lane of that name, made when there is none, with one record more. */
export const enqueue = (partition: Partition, name: LaneName, entry: Entry, { urgent, places }: Pick<Lane, 'urgent' | 'places'>): Lane => {
  const key = entry.record.key ?? name
  const known = partition.lanes.get(name)
  const lane: Lane = known ?? { ...createWork(), partition, name, key, urgent, places, state: 'idle', controller: null, timer: null }
  if (!known) partition.lanes.set(name, lane)
  lane.urgent ||= urgent
  lane.queue.push(entry)
  return lane
}

type Counted = Readonly<{
  partitions: Iterable<Partition>
  running: Iterable<Lane>
  unavailable: Iterable<Lane>
  handled: number
  dead: number
  assignmentFailsSinceMs: number | null
}>

const earlier = (a: number | null, b: number | null): number | null => (a === null || (b !== null && b < a) ? b : a)

export const sumUp = (counted: Counted): ReturnType<Subscription['stats']> => {
  const { partitions, running, unavailable, handled, dead } = counted
  let records = 0
  let inFlight = 0
  let oldestSinceMs: number | null = null
  let unavailableSinceMs = counted.assignmentFailsSinceMs
  for (const { book } of partitions) {
    records += book.size()
    oldestSinceMs = earlier(oldestSinceMs, book.oldestSinceMs())
  }
  for (const lane of running) if (lane.partition.held) inFlight += lane.taken
  for (const lane of unavailable) unavailableSinceMs = earlier(unavailableSinceMs, lane.unavailableSinceMs)
  const oldestWaitingMs = oldestSinceMs === null ? null : performance.now() - oldestSinceMs
  return { handled, dead, waiting: records - inFlight, inFlight, oldestWaitingMs, unavailableSinceMs }
}
