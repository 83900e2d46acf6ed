/**
 * Writing: what is published in one turn of the event loop is one transaction, and what needs the disk shares one sync. Readers see a
 * record when it is committed, which may be before it is on disk: recovery gives a prefix of the commits, so whatever follows from a
 * record is never there without it.
 */
import { messageOf, UnavailableError } from '@newswire/events/errors'
import { isMade } from '@newswire/events/events'
import { type Call, createCommit } from './embedded-commit.ts'
import { type LogFile, type PartitionState, type TopicState, topicIn } from './embedded-file.ts'
import { extendTail } from './embedded-reader.ts'
import type { WalSync } from './embedded-sync.ts'
import type { LogRecord, NewRecord, Published, PublishOptions } from './log.ts'
import { partitionOf } from './partition.ts'
import { tooLarge } from './refusals.ts'

export type WriterOptions = Readonly<{
  file: LogFile
  /** What puts commits on disk for those who need it; `null` when the commit itself does, or nothing shall. */
  sync: WalSync | null
  now: () => number
  /** Bytes that may wait to be written or synced (default 64 MiB). */
  maxWaitingBytes?: number
  /** Adds rows to every transaction: offsets of groups. What it returns is called once they are committed. */
  alsoWrite: () => () => void
  /** Called after a commit with the topics that have new records. May start handlers. */
  onCommitted: (topics: ReadonlySet<string>, bytes: number) => void
}>

export type EmbeddedWriter = Readonly<{
  publish(records: readonly NewRecord[], options?: PublishOptions): Promise<readonly Published[]>
  /** Commits in this turn although nothing is published: there are offsets. */
  nudge(): void
  /** Nothing is committed until `release`: a checkpoint wants the file for itself. */
  hold(): void
  release(): void
  /** Resolves when all that was published is written and synced, or refused. */
  flush(): Promise<void>
  /** Why nothing can be written: for good after a failed sync, else until the next commit. */
  failure(): Error | null
}>

type Job = Call & {
  readonly bytes: number
  readonly isSynced: boolean
  readonly deadlineMs: number
  readonly settle: (error: Error | null) => void
  published: readonly Published[]
  isSettled: boolean
}

const DEFAULT_TIMEOUT_MS = 15_000
const MAX_WAITING_BYTES = 64 * 1_048_576
/** What one transaction takes: more would hold up the event loop. */
const MAX_COMMIT_BYTES = 2 * 1_048_576
const RECORD_OVERHEAD_BYTES = 100
const WATCH_MS = 250

const unavailable = (doing: string, cause: unknown): UnavailableError =>
  new UnavailableError('NEWSWIRE_LOG_UNAVAILABLE', `${doing} failed: ${messageOf(cause)}; check the disk and its free space`, { cause })

const bytesOf = ({ key, value, headers }: NewRecord): number => {
  let bytes = RECORD_OVERHEAD_BYTES + (value?.length ?? 0) + (key === null ? 0 : Buffer.byteLength(key))
  for (const name in headers) bytes += name.length + Buffer.byteLength(headers[name] ?? '')
  return bytes
}

const partitionFor = (topic: TopicState, key: string | null): PartitionState => {
  if (key === null) topic.spread += 1
  const count = topic.partitions.length
  return topic.partitions[key === null ? topic.spread % count : partitionOf(key, count)] as PartitionState
}

/** As readers get it. A copy, because the caller's buffers may be used again before the turn ends; of what an event was made to, nobody's are. */
const kept = (record: NewRecord): NewRecord => {
  if (isMade(record)) return record
  const { topic, key, value, headers } = record
  return { topic, key, value: value === null ? null : new Uint8Array(value), headers: { ...headers } }
}

export const createEmbeddedWriter = (options: WriterOptions): EmbeddedWriter => {
  const { file, sync, onCommitted, maxWaitingBytes = MAX_WAITING_BYTES } = options
  const commit = createCommit(file, options.now, options.alsoWrite)
  const open = new Set<Job>()
  let queue: Job[] = []
  let waitingBytes = 0
  let isScheduled = false
  let isHeld = false
  let broken: Error | null = null
  let lastError: Error | null = null
  let isWatching = false
  const onQuiet: Array<() => void> = []

  const finish = (job: Job, error: Error | null) => {
    if (!open.delete(job)) return
    waitingBytes -= job.bytes
    job.isSettled = true
    job.settle(error)
    if (open.size === 0) for (const resolve of onQuiet.splice(0)) resolve()
  }

  /** A disk that hangs must not hang whoever publishes: what is late is refused, and what is not written yet never will be. */
  const expire = () => {
    isWatching = false
    const nowMs = performance.now()
    for (const job of open)
      if (job.deadlineMs <= nowMs) finish(job, unavailable('writing to the log in time', new Error('the disk did not answer')))
    queue = queue.filter(job => !job.isSettled)
    if (open.size > 0) watch()
  }

  const watch = () => {
    if (isWatching) return
    isWatching = true
    setTimeout(expire, WATCH_MS).unref()
  }

  const onSynced = (jobs: readonly Job[], error: Error | null) => {
    if (error) broken ??= unavailable('syncing the log to disk', error)
    for (const job of jobs) finish(job, broken)
  }

  const settle = (job: Job, written: readonly LogRecord[], touched: Set<string>) => {
    job.published = written.map(({ topic, partition, position }) => ({ topic, partition, position }))
    for (let i = 0; i < written.length; i += 1) {
      const record = written[i] as LogRecord
      extendTail(job.partitions[i] as PartitionState, record)
      touched.add(record.topic)
    }
  }

  /** Calls that were written. One bad record must not cost its neighbours of the turn: what failed together is tried singly. */
  const write = (jobs: readonly Job[], touched: Set<string>): readonly Job[] => {
    try {
      const written = commit(jobs)
      lastError = null
      jobs.forEach((job, index) => {
        settle(job, written[index] ?? [], touched)
      })
      return jobs
    } catch (error) {
      lastError = unavailable('writing to the log', error)
      if (jobs.length > 1) return jobs.flatMap(job => write([job], touched))
      for (const job of jobs) finish(job, lastError)
      return []
    }
  }

  const take = (): Job[] => {
    let bytes = 0
    const end = queue.findIndex((job, index) => {
      bytes += job.bytes
      return index > 0 && bytes > MAX_COMMIT_BYTES
    })
    return queue.splice(0, end < 0 ? queue.length : end)
  }

  const run = () => {
    isScheduled = false
    if (broken) for (const job of queue.splice(0)) finish(job, broken)
    if (isHeld || broken) return
    const touched = new Set<string>()
    const written = write(take(), touched)
    const unsynced = sync ? written.filter(job => job.isSynced) : []
    if (unsynced.length > 0) sync?.request(error => onSynced(unsynced, error))
    for (const job of written) if (!sync || !job.isSynced) finish(job, null)
    if (queue.length > 0) schedule()
    if (touched.size > 0)
      onCommitted(
        touched,
        written.reduce((sum, job) => sum + job.bytes, 0),
      )
  }

  const schedule = () => {
    if (isScheduled || isHeld) return
    isScheduled = true
    setImmediate(run)
  }

  const prepare = (records: readonly NewRecord[], wantsSync: boolean): Call & { bytes: number; isSynced: boolean } => {
    let bytes = 0
    let isSynced = wantsSync
    for (const record of records) {
      const { maxRecordBytes, synced } = topicIn(file, record.topic).spec
      const size = bytesOf(record)
      if (size > maxRecordBytes) throw tooLarge(record.topic, size, maxRecordBytes)
      bytes += size
      isSynced ||= synced
    }
    return {
      records: records.map(kept),
      partitions: records.map(({ topic, key }) => partitionFor(topicIn(file, topic), key)),
      bytes,
      isSynced,
    }
  }

  const publish: EmbeddedWriter['publish'] = async (records, { synced = false, signal, timeoutMs = DEFAULT_TIMEOUT_MS } = {}) => {
    if (broken) throw broken
    if (signal?.aborted) throw unavailable('publishing', signal.reason)
    if (records.length === 0) return []
    const prepared = prepare(records, synced)
    if (open.size > 0 && waitingBytes + prepared.bytes > maxWaitingBytes)
      throw new UnavailableError(
        'NEWSWIRE_LOG_BUSY',
        `${waitingBytes} bytes wait to be written to the log, the most is ${maxWaitingBytes}; try again shortly`,
      )
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        finish(job, unavailable('publishing', signal?.reason))
        queue = queue.filter(one => one !== job)
      }
      const job: Job = {
        ...prepared,
        deadlineMs: performance.now() + timeoutMs,
        published: [],
        isSettled: false,
        settle: error => {
          signal?.removeEventListener('abort', onAbort)
          if (error) reject(error)
          else resolve(job.published)
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      waitingBytes += prepared.bytes
      open.add(job)
      queue.push(job)
      watch()
      schedule()
    })
  }

  return {
    publish,
    nudge: schedule,
    hold: () => {
      isHeld = true
    },
    release: () => {
      isHeld = false
      schedule()
    },
    flush: () => {
      if (open.size === 0) return Promise.resolve()
      return new Promise<void>(resolve => onQuiet.push(resolve))
    },
    failure: () => broken ?? lastError,
  }
}
