/**
 * The log in one file, for one process: SQLite in WAL mode. Records of a turn of the event loop are one commit, readers are woken in the
 * process, the newest records are read from memory. Limits and failure modes: README.md.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { messageOf, RejectError, UnavailableError } from '@newswire/events/errors'
import { type TopicSpec, topicSpecs } from '@newswire/events/topics'
import { buryWith, type StoreBytes } from './dead-letter.ts'
import { createCheckpoints } from './embedded-checkpoint.ts'
import { openLogFile, type TopicState, topicIn } from './embedded-file.ts'
import { type EmbeddedFollowing, followEmbedded } from './embedded-follow.ts'
import { createGroups, type Groups } from './embedded-groups.ts'
import { takeOwnership } from './embedded-lock.ts'
import { createEmbeddedReader } from './embedded-reader.ts'
import { createRetention } from './embedded-retention.ts'
import { createEmbeddedSubscriptions } from './embedded-subscribe.ts'
import { createWalSync } from './embedded-sync.ts'
import { createEmbeddedWriter, type EmbeddedWriter } from './embedded-writer.ts'
import type { LaneObservers } from './lanes.ts'
import type { Lag, Log } from './log.ts'
import { partitionOf } from './partition.ts'
import { closed, groupActive } from './refusals.ts'

export type EmbeddedLogOptions = LaneObservers &
  Readonly<{
    /** Path of the file; its folder is made. Beside it lie `-wal`, `-shm`, `.lock` and `.owner`. */
    file: string
    /** `full`: what needs it is on disk when `publish` resolves. `normal`: survives a kill of the process, not a power cut. */
    fsync: 'full' | 'normal'
    /** Topics that are made when they are missing (default: all of the pipeline). */
    specs?: readonly TopicSpec[]
    /** Multiplies every wait between tries, for tests. Default 1. */
    retryScale?: number
    /** Keeps the bytes of dead letters above 1 MiB and gives back where; without it they stay in the record. */
    storeBytes?: StoreBytes
    /** Bytes that may wait to be written, above which `publish` is refused with `NEWSWIRE_LOG_BUSY` (default 64 MiB). */
    maxWaitingBytes?: number
    /** Wall clock in ms since 1970. */
    now?: () => number
    /** Where partitions begin that are made now, and below which those that are there do not go on (default 0): a log that takes another's place goes on above it (architecture §6.19). At most 2³⁹. */
    floor?: number
    /** How often old records are looked for (default 60 000 ms; the first time after as long). */
    retentionEveryMs?: number
  }>

const RETENTION_EVERY_MS = 60_000
const DEFAULT_DRAIN_MS = 10_000

/** Only there can we vouch for a sync of our own; see `embedded-sync.ts`. */
const canSyncWal = process.platform === 'linux'

/** Whoever follows may wait for a disk that is full, for as long as it is; a process that ends must not. */
const atMost = async (ms: number, work: readonly Promise<unknown>[]): Promise<void> => {
  const timer = new AbortController()
  try {
    await Promise.race([Promise.all(work), wait(ms, undefined, { signal: timer.signal }).catch(() => undefined)])
  } finally {
    timer.abort()
  }
}

/**
 * Opens or makes the file. Throws `UnavailableError`: `NEWSWIRE_LOG_OWNED` when another process has it, `NEWSWIRE_LOG_UNAVAILABLE` when it
 * cannot be opened.
 */
export const createEmbeddedLog = async (options: EmbeddedLogOptions): Promise<Log> => {
  const { file: path, fsync, specs = topicSpecs, retryScale = 1, now = Date.now, onError } = options
  const ownership = takeOwnership(path)
  const isSyncedByCommit = fsync === 'full' && !canSyncWal
  const file = (() => {
    try {
      const opened = openLogFile(path, isSyncedByCommit, options.floor)
      opened.setUp(specs, true)
      return opened
    } catch (error) {
      ownership.release()
      if ((error as { errcode?: number }).errcode === undefined) throw error // not SQLite's, so it says what to do
      throw new UnavailableError(
        'NEWSWIRE_LOG_UNAVAILABLE',
        `the log file ${path} cannot be used: ${messageOf(error)}; check the disk and its free space, and put back log.db from a backup if it is damaged`,
        { cause: error },
      )
    }
  })()
  const sync = fsync === 'full' && canSyncWal ? createWalSync(path) : null
  const reader = createEmbeddedReader(file.db)
  const followings = new Set<EmbeddedFollowing>()
  let isClosed = false
  let closing: Promise<void> | null = null

  const topicOf = (name: string): TopicState => {
    if (isClosed) throw closed()
    return topicIn(file, name)
  }

  let storeMark = file.storeMark
  let writtenMark = storeMark
  const writeMark = (): (() => void) => {
    const mark = storeMark
    if (mark > writtenMark) file.writeStoreMark(mark)
    return () => {
      writtenMark = mark
    }
  }
  const groups: Groups = createGroups(file, now, () => writer.nudge())
  const writer: EmbeddedWriter = createEmbeddedWriter({
    file,
    sync,
    now,
    alsoWrite: () => {
      const written = [groups.write(), writeMark()]
      return () => {
        for (const one of written) one()
      }
    },
    onCommitted: (topics, bytes) => {
      checkpoints.wrote(bytes)
      for (const topic of topics) subscriptions.wake(topic)
      for (const following of followings) if (topics.has(following.topic)) following.wake()
    },
    ...(options.maxWaitingBytes === undefined ? {} : { maxWaitingBytes: options.maxWaitingBytes }),
  })
  const publish: Log['publish'] = async (records, publishOptions) => {
    if (isClosed) throw closed()
    return writer.publish(records, publishOptions)
  }
  const report = (error: Error) => onError?.(error)
  const checkpoints = createCheckpoints({ path, hold: writer.hold, release: writer.release, report })
  const subscriptions = createEmbeddedSubscriptions({
    ...(options.onHandled ? { onHandled: options.onHandled } : {}),
    ...(onError ? { onError } : {}),
    topics: file.topics,
    topicOf,
    reader,
    groups,
    bury: buryWith(publish, options.storeBytes),
    retryScale,
    now,
  })

  const retention = createRetention(file, reader)
  const ending = new AbortController()
  let cleaning: Promise<void> | null = null
  const cleaner = setInterval(() => {
    cleaning ??= retention
      .run(now(), ending.signal)
      .catch(error => report(new Error(`removing old records failed and is tried again: ${messageOf(error)}`, { cause: error })))
      .finally(() => {
        cleaning = null
      })
  }, options.retentionEveryMs ?? RETENTION_EVERY_MS).unref()

  const lag: Log['lag'] = async group => {
    const found: Lag[] = []
    for (const [topic, { partitions }] of file.topics) {
      if (!partitions.some(partition => groups.committed(group, partition) !== null)) continue
      for (const partition of partitions) {
        const committed = groups.committed(group, partition)
        const { records, oldestAtMs } = reader.pending(partition, committed ?? partition.start)
        const oldestMs = oldestAtMs === null ? null : Math.max(0, now() - oldestAtMs)
        found.push({ topic, partition: partition.number, committed, end: partition.next, records, oldestMs })
      }
    }
    return found
  }

  const replay: Log['replay'] = async (group, topic, from) => {
    const { partitions } = topicOf(topic)
    if (subscriptions.hasMembers(group)) throw groupActive(group)
    for (const partition of partitions) groups.commit(group, partition, reader.resolve(partition, from))
    groups.save()
  }

  const health: Log['health'] = async () => {
    const followFailures = [...followings].flatMap(one => (one.failure() ? [`${one.topic}: ${messageOf(one.failure())}`] : []))
    const failures = [writer.failure(), subscriptions.failure()].flatMap(error => (error ? [error.message] : []))
    return {
      ok: !isClosed && failures.length + followFailures.length === 0,
      detail: { kind: 'embedded', file: path, fsync, wasUnclean: file.wasUnclean, failures: [...failures, ...followFailures] },
    }
  }

  const shutDown = async (drainMs: number): Promise<void> => {
    clearInterval(cleaner)
    ending.abort()
    await Promise.all([
      subscriptions.stop({ drainMs }),
      atMost(
        drainMs,
        [...followings].map(following => following.stop()),
      ),
    ])
    await cleaning
    await writer.flush()
    isClosed = true
    try {
      groups.close()
      groups.save()
      writeMark()()
      await checkpoints.close()
      sync?.close()
      file.close()
    } catch (cause) {
      throw new UnavailableError(
        'NEWSWIRE_LOG_UNAVAILABLE',
        `closing the log failed: ${messageOf(cause)}; check the disk and its free space. Nothing is lost: what was done last is done once more after the next start`,
        { cause },
      )
    } finally {
      ownership.release()
    }
  }

  return {
    kind: 'embedded',
    topics: async (wanted, { apply = false } = {}) => file.setUp(wanted, apply),
    publish,
    subscribe: async subscription => subscriptions.subscribe(subscription),
    follow: async followOptions => {
      const following = followEmbedded(reader, topicOf(followOptions.topic), followOptions)
      followings.add(following)
      return {
        ready: following.ready,
        cursor: following.cursor,
        hurry: following.hurry,
        stop: async () => {
          followings.delete(following)
          await following.stop()
        },
      }
    },
    read: async ({ topic, partition: number, from, limit }) => {
      const partition = topicOf(topic).partitions[number]
      if (!partition) throw new RejectError('NEWSWIRE_LOG_UNKNOWN_PARTITION', `${topic} has no partition ${number}`)
      const { records, next } = reader.slice(partition, reader.resolve(partition, from), limit)
      return { records, next, end: partition.next }
    },
    ends: async topic => topicOf(topic).partitions.map(({ number, start, next }) => ({ partition: number, start, end: next })),
    lag,
    replay,
    partitionOf: (topic, key) => partitionOf(key, topicOf(topic).partitions.length),
    storeMark: {
      get: () => storeMark,
      raise: mark => {
        if (mark <= storeMark) return
        storeMark = mark
        writer.nudge()
      },
    },
    health,
    close: ({ drainMs = DEFAULT_DRAIN_MS } = {}) => {
      closing ??= shutDown(drainMs)
      return closing
    },
  }
}
