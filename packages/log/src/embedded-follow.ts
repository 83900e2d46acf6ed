/** Following a topic of the embedded log: every partition, from a position on, woken by commits. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { toError } from '@newswire/events/errors'
import type { TopicState } from './embedded-file.ts'
import type { EmbeddedReader } from './embedded-reader.ts'
import { type Following, type FollowOptions, type LogRecord, type Position, patienceOf } from './log.ts'

export type EmbeddedFollowing = Required<Following> & Readonly<{ topic: string; wake(): void; failure(): Error | null }>

const BATCH_RECORDS = 500

export const followEmbedded = (reader: EmbeddedReader, topic: TopicState, options: FollowOptions): EmbeddedFollowing => {
  const cursors = new Map(
    topic.partitions.map((partition): [number, Position] => [partition.number, reader.resolve(partition, options.from)]),
  )
  const targets = new Map(topic.partitions.map(({ number, next }) => [number, next]))
  const ready = Promise.withResolvers<void>()
  // Whoever does not wait for `ready` sees the failure in health.
  ready.promise.catch(() => undefined)
  let running: Promise<void> | null = null
  let isStopped = false
  let failure: Error | null = null
  /** When patience allows the next batch, monotonic ms: one that comes after a rest is given at once, those that come close together in one. */
  let notBefore = 0
  let timer: NodeJS.Timeout | undefined

  const checkReady = () => {
    for (const [number, target] of targets) if ((cursors.get(number) ?? 0) < target) return
    targets.clear()
    ready.resolve()
  }

  const nextBatch = (): { records: LogRecord[]; reached: Map<number, Position> } => {
    const records: LogRecord[] = []
    const reached = new Map<number, Position>()
    const behind = topic.partitions.filter(({ number, next }) => (cursors.get(number) ?? 0) < next)
    // Side by side, as groups read them: whoever reads the same past meets the others there.
    const each = Math.ceil(BATCH_RECORDS / behind.length)
    for (const partition of behind) {
      const slice = reader.slice(partition, cursors.get(partition.number) ?? 0, each)
      for (const record of slice.records) records.push(record)
      reached.set(partition.number, slice.next)
    }
    return { records, reached }
  }

  const run = async (): Promise<void> => {
    while (!isStopped && !failure) {
      const { records, reached } = nextBatch()
      if (reached.size === 0) return
      if (records.length > 0) await options.onRecords(records)
      if (targets.size === 0) notBefore = performance.now() + patienceOf(options)
      for (const [number, position] of reached) cursors.set(number, position)
      checkReady()
      // A long backlog must not keep everybody else from their turn; it is no reason to wait.
      if (records.length >= BATCH_RECORDS || targets.size > 0) await nextTurn()
      else if (notBefore > performance.now()) return
    }
  }

  const wake = () => {
    if (running || timer || isStopped || failure) return
    const waitMs = notBefore - performance.now()
    if (waitMs > 0) {
      timer = setTimeout(() => {
        timer = undefined
        notBefore = 0
        wake()
      }, waitMs)
      return
    }
    running = run()
      .catch(error => {
        failure = toError(error)
        ready.reject(failure)
      })
      .finally(() => {
        running = null
        // What came while the last batch was given, after the look that found nothing more.
        if (topic.partitions.some(({ number, next }) => (cursors.get(number) ?? 0) < next)) wake()
      })
  }

  checkReady()
  wake()
  return {
    topic: options.topic,
    ready: ready.promise,
    cursor: () => Object.fromEntries(cursors),
    wake,
    failure: () => failure,
    hurry: () => {
      clearTimeout(timer)
      timer = undefined
      notBefore = 0
      wake()
    },
    stop: async () => {
      isStopped = true
      clearTimeout(timer)
      await running
    },
  }
}
