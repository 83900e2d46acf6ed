/**
 * The engine behind every subscription, whichever log feeds it: records wait in lanes, a lane is handled one call at a time and in order,
 * lanes side by side up to `concurrency`. A lane that waits for its next try gives its place to others. Nothing a handler throws
 * leaves here. What is handled out of order is committed in order: only the done prefix of a partition counts.
 */
import { messageOf, toError } from '@newswire/events/errors'
import { type DeadRecord, isForGroup } from './dead-letter.ts'
import { createAssignment } from './lane-assignment.ts'
import { createPartitionBook, type Entry, toEntry } from './lane-partition.ts'
import { createPlaces } from './lane-places.ts'
import { createPartition, donePositions, enqueue, type Lane, laneNameOf, type Partition, standingOf, sumUp } from './lane-state.ts'
import { createTries, type Handled, type Step } from './lane-tries.ts'
import type { HeldPartition, LogRecord, Position, SubscribeOptions, Subscription } from './log.ts'

export type LaneObservers = Readonly<{
  onHandled?: (handled: Handled) => void
  /** What an operator should see: a dead letter that cannot be written, an `onAssigned` or `lane` that throws. */
  onError?: (error: Error) => void
}>

export type LanesOptions = LaneObservers &
  Readonly<{
    subscription: SubscribeOptions
    /** Makes a dead letter durable (`buryWith`). Tried again until it resolves. */
    bury: (dead: DeadRecord) => Promise<void>
    /** Asked to fetch no more from a held partition, and to go on. */
    flow: Readonly<{ pause(partition: number): void; resume(partition: number): void }>
    /** Called when `done()` has moved: a hint to commit soon. */
    onProgress?: () => void
    /** Multiplies every delay between tries (default 1). */
    retryScale?: number
    /** Wall clock in ms, for the times in dead letters. */
    now?: () => number
    random?: () => number
  }>

export type Lanes = Readonly<{
  /**
   * Partitions lost and gained, in this order: one in both lists was lost and came back. Takes effect at once: what waits of a lost one is
   * dropped, what is in flight is aborted and no longer counts. Records of gained ones may be added at once and are handled after
   * `onAssigned` has resolved. Resolves then; never rejects.
   */
  assign(change: Readonly<{ gained: readonly number[]; lost: readonly number[] }>): Promise<void>
  /** Takes records in order; those of a partition not held are dropped. `next`: behind them and behind holes that were passed (default: behind the last). */
  add(partition: number, records: readonly LogRecord[], next?: Position): void
  isFull(partition: number): boolean
  /** Whether fetching has been asked to pause for a partition, and will be asked to go on. */
  isHalted(): boolean
  /** By held partition the position up to which all is done: what to commit. Absent while unknown. Readable after `stop`. */
  done(): ReadonlyMap<number, Position>
  partitions(): readonly HeldPartition[]
  stats(): ReturnType<Subscription['stats']>
  /** Resolves when no call of a lost partition runs any more: whoever holds it now may begin. */
  quiet(partition: number): Promise<void>
  pause(): void
  resume(): void
  /**
   * Starts nothing more, waits for calls in flight up to `drainMs` (default 10 000), aborts what is left and waits a moment for that, then
   * tells `onAssigned` that all is lost. What waits for a next try is left at once. Twice is once; never rejects.
   */
  stop(options?: { drainMs?: number }): Promise<void>
}>

const DEFAULT_CONCURRENCY = 16
const DEFAULT_BUFFERED = 500
const MAX_BUFFERED_BYTES = 16 * 1_048_576
const DEFAULT_DRAIN_MS = 10_000
/** Places for what is urgent, of `concurrency`, beside all others. */
const URGENT_SHARE = 0.1
/** How long aborted calls may still take before `stop` goes on without them. */
const ABORT_GRACE_MS = 250
/** How long `stop` waits for the subscriber to take note that all is lost. */
const LAST_WORDS_MS = 5000

/** Makes the lanes of one subscription. Nothing runs until a partition is assigned. */
export const createLanes = (options: LanesOptions): Lanes => {
  const { subscription, flow, onProgress, onHandled, onError, retryScale = 1, now = Date.now, random = Math.random } = options
  const { group } = subscription
  const concurrency = Math.max(1, Math.floor(subscription.concurrency ?? DEFAULT_CONCURRENCY))
  const limits = { records: Math.max(1, subscription.maxBuffered ?? DEFAULT_BUFFERED), bytes: MAX_BUFFERED_BYTES }

  const held = new Map<number, Partition>()
  /** Lanes whose call still runs although the partition was lost: the same lane, when it comes back, waits for them. */
  const zombies = new Set<Lane>()
  const running = new Set<Lane>()
  /** Those of which fetching has been asked to pause. */
  const halted = new Set<Partition>()
  const unavailable = new Set<Lane>()
  const places = createPlaces({
    concurrency,
    reserve: subscription.urgent ? Math.ceil(concurrency * URGENT_SHARE) : 0,
    ofKey: Math.max(1, Math.floor(concurrency * (subscription.keyShare ?? 1))),
  })
  let handled = 0
  let dead = 0
  let isPaused = false
  let isStopping = false
  let isStopped = false
  let stopped: Promise<void> | null = null
  let onSettled: (() => void) | null = null
  const onQuiet: Array<() => void> = []

  /** Observers are guests: what they throw must not cost a record. */
  const report = (error: unknown) => {
    try {
      onError?.(toError(error))
    } catch (failed) {
      process.emitWarning(`an onError of the log threw: ${messageOf(failed)}`)
    }
  }
  const tell = (call: Handled) => {
    try {
      onHandled?.(call)
    } catch (error) {
      report(error)
    }
  }
  const assignment = createAssignment(subscription.onAssigned, { scale: retryScale, random, report })
  const tryLane = createTries({ subscription, bury: options.bury, scale: retryScale, now, random, tell, report })

  const hasZombie = (lane: Lane): boolean => {
    for (const zombie of zombies) if (zombie.name === lane.name && zombie.partition.number === lane.partition.number) return true
    return false
  }

  /** Puts a lane with records in line, unless it runs, waits, or may not yet. */
  const wake = (lane: Lane) => {
    if (lane.state !== 'idle' || !lane.partition.open || isStopping) return
    if (zombies.size > 0 && hasZombie(lane)) return
    places.push(lane)
  }

  const keepFlowing = (partition: Partition) => {
    const isFull = partition.book.isFull()
    if (isFull === halted.has(partition)) return
    if (isFull) {
      halted.add(partition)
      flow.pause(partition.number)
    } else {
      halted.delete(partition)
      flow.resume(partition.number)
    }
  }

  /** Begins what has a place. Whose key has how many of them counts in every partition, so each that is halted is asked again. */
  const pump = () => {
    while (!isPaused && !isStopping) {
      const lane = places.next()
      if (lane === undefined) break
      void run(lane)
    }
    for (const partition of halted) keepFlowing(partition)
  }

  const settle = (lane: Lane, { done, dead: given, delayMs }: Step) => {
    const { partition } = lane
    lane.state = 'idle'
    if (lane.unavailableSinceMs === null) unavailable.delete(lane)
    else unavailable.add(lane)
    if (done > 0) {
      handled += done - given
      dead += given
      partition.book.finish(lane.queue.splice(0, done))
      onProgress?.()
    }
    if (lane.queue.length === 0) partition.lanes.delete(lane.name)
    else if (delayMs > 0 && !isStopping) {
      lane.state = 'waiting'
      lane.timer = setTimeout(() => {
        lane.timer = null
        lane.state = 'idle'
        wake(lane)
        pump()
      }, delayMs)
    } else wake(lane)
  }

  const run = async (lane: Lane): Promise<void> => {
    const { partition } = lane
    const controller = new AbortController()
    lane.state = 'running'
    lane.controller = controller
    running.add(lane)
    const step = await tryLane(lane, controller)
    running.delete(lane)
    places.end(lane)
    lane.controller = null
    if (zombies.delete(lane)) {
      const successor = held.get(partition.number)?.lanes.get(lane.name)
      if (successor) wake(successor)
      for (const check of onQuiet.splice(0)) check()
    } else if (partition.held && !controller.signal.aborted) settle(lane, step)
    if (running.size === 0) onSettled?.()
    pump()
  }

  const tellWaiting = (record: LogRecord) => {
    try {
      subscription.onWaiting?.(record)
    } catch (error) {
      report(error)
    }
  }

  const queue = (partition: Partition, entry: Entry) => {
    if (!isForGroup(entry.record, group)) {
      entry.mark.done = true
      return
    }
    const { record } = entry
    wake(enqueue(partition, laneNameOf(record, subscription.lane, report), entry, standingOf(record, subscription, report)))
    tellWaiting(record)
  }

  const add: Lanes['add'] = (number, records, next) => {
    const partition = held.get(number)
    const last = records.at(-1)
    const behind = next ?? (last ? last.position + 1 : undefined)
    if (!partition || isStopping || behind === undefined) return
    const sinceMs = performance.now()
    const entries = records.map(record => toEntry(record, sinceMs))
    for (const entry of entries) queue(partition, entry)
    const before = partition.book.donePosition()
    partition.book.take(entries, behind)
    if (partition.book.donePosition() !== before) onProgress?.()
    pump()
    keepFlowing(partition)
  }

  const drop = (partition: Partition) => {
    partition.held = false
    partition.open = false
    halted.delete(partition)
    for (const lane of partition.lanes.values()) {
      if (lane.timer) clearTimeout(lane.timer)
      unavailable.delete(lane)
      if (lane.state === 'running') zombies.add(lane)
      lane.state = 'idle'
      lane.queue = []
      lane.controller?.abort(new Error(`partition ${partition.number} of ${subscription.topic} was lost`))
    }
    partition.lanes.clear()
  }

  const gain = (number: number): Partition => {
    const partition = createPartition(number, createPartitionBook(limits, subscription.keyShare === undefined ? undefined : places.crowded))
    held.set(number, partition)
    return partition
  }

  const open = (partition: Partition) => {
    if (!partition.held) return
    partition.open = true
    for (const lane of partition.lanes.values()) wake(lane)
    pump()
    keepFlowing(partition)
  }

  /** What of a partition that comes to nothing throws is for its handlers to say. */
  const openWhenReady = async (partition: Partition) => {
    try {
      await subscription.ready?.(partition.number)
    } finally {
      open(partition)
    }
  }

  const assign: Lanes['assign'] = ({ gained, lost }) => {
    if (isStopping) return Promise.resolve()
    const gone = lost.filter(number => held.has(number))
    for (const number of gone) {
      const partition = held.get(number)
      held.delete(number)
      if (partition) drop(partition)
    }
    const fresh = gained.filter(number => !held.has(number)).map(gain)
    if (gone.length + fresh.length === 0) return Promise.resolve()
    const change = { gained: fresh.map(partition => partition.number), lost: gone }
    return assignment
      .announce(change, () => fresh.length === 0 || fresh.some(partition => partition.held))
      .then(() => {
        if (subscription.ready) for (const partition of fresh) openWhenReady(partition).catch(() => undefined)
        else fresh.forEach(open)
      })
  }

  const quiet: Lanes['quiet'] = number =>
    new Promise<void>(resolve => {
      const check = () => {
        for (const { partition } of zombies) if (partition.number === number) return void onQuiet.push(check)
        resolve()
      }
      check()
    })

  const settled = (withinMs: number): Promise<void> => {
    if (running.size === 0) return Promise.resolve()
    return new Promise<void>(resolve => {
      const timer = setTimeout(resolve, withinMs)
      onSettled = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  const shutDown = async (drainMs: number): Promise<void> => {
    isStopping = true
    for (const partition of held.values()) for (const lane of partition.lanes.values()) if (lane.timer) clearTimeout(lane.timer)
    await settled(drainMs)
    for (const lane of running) lane.controller?.abort(new Error(`${group} stopped and did not finish within ${drainMs} ms`))
    await settled(ABORT_GRACE_MS)
    isStopped = true
    await assignment.close({ gained: [], lost: [...held.keys()] }, LAST_WORDS_MS)
  }

  return {
    assign,
    add,
    isHalted: () => halted.size > 0,
    isFull: number => held.get(number)?.book.isFull() ?? false,
    done: () => donePositions(held.values()),
    partitions: () => (isStopped ? [] : [...held.values()].map(({ number, sinceMs }) => ({ partition: number, sinceMs }))),
    stats: () =>
      sumUp({ partitions: held.values(), running, unavailable, handled, dead, assignmentFailsSinceMs: assignment.failingSinceMs() }),
    quiet,
    pause: () => {
      isPaused = true
    },
    resume: () => {
      isPaused = false
      pump()
    },
    stop: ({ drainMs = DEFAULT_DRAIN_MS } = {}) => {
      stopped ??= shutDown(drainMs)
      return stopped
    },
  }
}
