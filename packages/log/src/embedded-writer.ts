/**
 * Writing: what is published in one turn of the event loop is one transaction, and what needs the disk waits for one sync together.
 *
 * Why a commit with `synchronous = NORMAL` followed by our own `fdatasync` of the `-wal` file is as durable as `FULL`: when COMMIT returns,
 * its frames have been written to the `-wal` file. Either they are still there, then `fdatasync` of the same file puts them and all frames
 * before them on disk (and the length of the file), and recovery plays back every frame up to the last whole commit. Or a checkpoint
 * came between and the WAL began anew: SQLite starts it anew only after all its frames are in the database file and that file was synced,
 * which every mode but OFF does, so the commit is on disk already. The file is never replaced while a connection is open, only
 * truncated (after such a checkpoint), so our descriptor stays the right one. On systems where we cannot vouch for that the commit itself
 * syncs. Recovery gives a prefix of the commits: a record that was not synced can be lost only with everything after it, so no
 * offset and no synced record is ever there without what was written before it.
 *
 * A failed sync is final: Linux may mark the pages clean, so another try would say yes without having written.
 */
import { closeSync, fdatasync, openSync } from 'node:fs'
import { messageOf, RejectError, UnavailableError } from '@newswire/events/errors'
import { type LogFile, PER_PARTITION, type PartitionState, type TopicState } from './embedded-file.ts'
import { extendTail } from './embedded-reader.ts'
import type { LogRecord, NewRecord, Published, PublishOptions } from './log.ts'
import { partitionOf } from './partition.ts'

export type WriterOptions = Readonly<{
  file: LogFile
  path: string
  /** `commit`: SQLite syncs every commit. `wal`: our own sync, for what needs it. `none`: nothing is synced (`NEWSWIRE_FSYNC=normal`). */
  sync: 'commit' | 'wal' | 'none'
  now: () => number
  /** Bytes that may wait to be written or synced, default 64 MiB. */
  maxWaitingBytes?: number
  /** Called after a commit, with the topics that have new records. May start handlers. */
  onCommitted: (topics: ReadonlySet<string>, bytes: number) => void
  /** Rows that go into the next transaction with the records: offsets of groups. */
  onCommit: () => void
}>

export type EmbeddedWriter = Readonly<{
  publish(records: readonly NewRecord[], options?: PublishOptions): Promise<readonly Published[]>
  /** Commits soon, although nothing is published: there are offsets. */
  nudge(): void
  /** Nothing is committed until the returned function is called: a checkpoint wants the file for itself. */
  hold(): () => void
  /** Resolves when all that was published is written and synced, or refused. */
  flush(): Promise<void>
  failure(): Error | null
  close(): void
}>

type Job = {
  readonly records: readonly NewRecord[]
  readonly partitions: readonly PartitionState[]
  readonly bytes: number
  readonly isSynced: boolean
  published: readonly Published[]
  resolve: (published: readonly Published[]) => void
  reject: (error: Error) => void
}

const MAX_WAITING_BYTES = 64 * 1_048_576
/** What one transaction takes: more would hold up the event loop. */
const MAX_COMMIT_BYTES = 2 * 1_048_576
const RECORD_OVERHEAD_BYTES = 100

const unavailable = (doing: string, cause: unknown): UnavailableError =>
  new UnavailableError('NEWSWIRE_LOG_UNAVAILABLE', `${doing} failed: ${messageOf(cause)}; check the disk and its free space`, { cause })

const bytesOf = ({ key, value, headers }: NewRecord): number => {
  let bytes = RECORD_OVERHEAD_BYTES + (value?.length ?? 0) + (key === null ? 0 : Buffer.byteLength(key))
  for (const name in headers) bytes += name.length + Buffer.byteLength(headers[name] ?? '')
  return bytes
}

export const createEmbeddedWriter = (options: WriterOptions): EmbeddedWriter => {
  const { file, now, onCommitted, onCommit, maxWaitingBytes = MAX_WAITING_BYTES } = options
  const insert = file.db.prepare('INSERT INTO rec (id, ts, k, v, h) VALUES (?, ?, ?, ?, ?)')
  const begin = file.db.prepare('BEGIN IMMEDIATE')
  const commit = file.db.prepare('COMMIT')
  const rollback = file.db.prepare('ROLLBACK')
  /** Made by the first transaction at the latest, and there as long as the database is open. */
  const wal = options.sync === 'wal' ? openSync(`${options.path}-wal`, 'r+') : null
  let queue: Job[] = []
  let unsynced: Job[] = []
  let waitingBytes = 0
  let isScheduled = false
  let isNudged = false
  let isSyncing = false
  let holds = 0
  let failed: Error | null = null
  let lastError: Error | null = null
  let onQuiet: Array<() => void> = []

  const finish = (job: Job, error: Error | null) => {
    waitingBytes -= job.bytes
    if (error) job.reject(error)
    else job.resolve(job.published)
  }

  const checkQuiet = () => {
    if (queue.length > 0 || unsynced.length > 0 || isSyncing || isScheduled) return
    const waiting = onQuiet
    onQuiet = []
    for (const resolve of waiting) resolve()
  }

  const syncWal = () => {
    if (isSyncing || unsynced.length === 0 || wal === null) return
    const jobs = unsynced
    unsynced = []
    isSyncing = true
    fdatasync(wal, error => {
      isSyncing = false
      if (error) failed ??= unavailable('syncing the log to disk', error)
      for (const job of jobs) finish(job, failed)
      syncWal()
      checkQuiet()
    })
  }

  /** Writes one call's records; returns them as readers see them. */
  const write = (job: Job): LogRecord[] =>
    job.records.map(({ key, value, headers = {} }, index) => {
      const partition = job.partitions[index] as PartitionState
      const position = partition.next
      const timestamp = Math.max(partition.lastMs, Math.floor(now()))
      insert.run(partition.base + position, timestamp, key, value, JSON.stringify(headers))
      partition.next = position + 1
      partition.lastMs = timestamp
      return { topic: partition.topic, partition: partition.number, position, key, value, headers, timestamp }
    })

  /** One transaction. When it fails nothing of it is there: neither in the file nor in the ends. */
  const commitJobs = (jobs: readonly Job[]): LogRecord[][] => {
    const before = new Map<PartitionState, readonly [number, number]>()
    for (const job of jobs) for (const partition of job.partitions) if (!before.has(partition)) before.set(partition, [partition.next, partition.lastMs])
    begin.run()
    try {
      const written = jobs.map(write)
      onCommit()
      commit.run()
      return written
    } catch (error) {
      for (const [partition, [next, lastMs]] of before) {
        partition.next = next
        partition.lastMs = lastMs
      }
      if (file.db.isTransaction) rollback.run()
      throw error
    }
  }

  const settle = (job: Job, written: readonly LogRecord[], touched: Set<string>) => {
    job.published = written.map(({ topic, partition, position }) => ({ topic, partition, position }))
    written.forEach((record, index) => {
      extendTail(job.partitions[index] as PartitionState, record)
      touched.add(record.topic)
    })
    if (job.isSynced && wal !== null) unsynced.push(job)
    else finish(job, null)
  }

  /** One bad record must not cost its neighbours of the turn: what failed together is tried singly. */
  const commitSingly = (jobs: readonly Job[], cause: unknown, touched: Set<string>) => {
    lastError = unavailable('writing to the log', cause)
    if (jobs.length === 0) return
    for (const job of jobs)
      try {
        const [written] = commitJobs([job])
        settle(job, written ?? [], touched)
        lastError = null
      } catch (error) {
        lastError = unavailable('writing to the log', error)
        finish(job, lastError)
      }
  }

  const take = (): Job[] => {
    let bytes = 0
    const end = queue.findIndex((job, index) => {
      bytes += job.bytes
      return index > 0 && bytes > MAX_COMMIT_BYTES
    })
    const jobs = end < 0 ? queue : queue.slice(0, end)
    queue = end < 0 ? [] : queue.slice(end)
    return jobs
  }

  const run = () => {
    isScheduled = false
    if (holds > 0) return
    isNudged = false
    const jobs = take()
    const touched = new Set<string>()
    if (failed) for (const job of jobs) finish(job, failed)
    else
      try {
        const written = commitJobs(jobs)
        lastError = null
        jobs.forEach((job, index) => {
          settle(job, written[index] ?? [], touched)
        })
      } catch (error) {
        commitSingly(jobs, error, touched)
      }
    syncWal()
    if (queue.length > 0) schedule()
    if (touched.size > 0)
      onCommitted(
        touched,
        jobs.reduce((sum, job) => sum + job.bytes, 0),
      )
    checkQuiet()
  }

  const schedule = () => {
    if (isScheduled || holds > 0) return
    isScheduled = true
    setImmediate(run)
  }

  const topicOf = (name: string): TopicState => {
    const topic = file.topics.get(name)
    if (topic) return topic
    throw new RejectError('NEWSWIRE_LOG_UNKNOWN_TOPIC', `there is no topic "${name}" in this log; create the topics with "newswire topics apply"`)
  }

  const partitionFor = (topic: TopicState, key: string | null): PartitionState => {
    if (key === null) topic.spread += 1
    const number = key === null ? topic.spread % topic.partitions.length : partitionOf(key, topic.partitions.length)
    return topic.partitions[number] as PartitionState
  }

  const prepare = (records: readonly NewRecord[], isSynced: boolean): Omit<Job, 'resolve' | 'reject'> => {
    let bytes = 0
    let needsSync = isSynced
    const partitions: PartitionState[] = []
    const copies: NewRecord[] = []
    for (const record of records) {
      const topic = topicOf(record.topic)
      const size = bytesOf(record)
      if (size > topic.spec.maxRecordBytes)
        throw new RejectError(
          'NEWSWIRE_LOG_TOO_LARGE',
          `a record of ${size} bytes is too large for ${record.topic}, which takes ${topic.spec.maxRecordBytes}; store the body as an object and send its key`,
        )
      bytes += size
      needsSync ||= topic.spec.synced
      partitions.push(partitionFor(topic, record.key))
      // A copy, because the caller's buffer may be used again before the turn ends, and readers get these very bytes.
      copies.push({ ...record, value: record.value === null ? null : new Uint8Array(record.value), headers: { ...record.headers } })
    }
    return { records: copies, partitions, bytes, isSynced: needsSync, published: [] }
  }

  const busy = (): UnavailableError =>
    new UnavailableError('NEWSWIRE_LOG_BUSY', `${waitingBytes} bytes wait to be written to the log, the most is ${maxWaitingBytes}; try again shortly`)

  const publish: EmbeddedWriter['publish'] = async (records, { synced = false, signal, timeoutMs = PUBLISH_TIMEOUT_MS } = {}) => {
    if (failed) throw failed
    if (signal?.aborted) throw unavailable('publishing', signal.reason)
    const prepared = prepare(records, synced)
    if (records.length === 0) return []
    if (waitingBytes > 0 && waitingBytes + prepared.bytes > maxWaitingBytes) throw busy()
    waitingBytes += prepared.bytes
    return new Promise((resolve, reject) => {
      queue.push({ ...prepared, resolve, reject })
      schedule()
    })
  }
}
