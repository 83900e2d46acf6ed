/**
 * A local view of one topic in an SQLite file: what a service needs to answer questions. It can be deleted at any time and is then
 * rebuilt from the log (invariant 8). What was applied and how far are one transaction, so a crash never skips or repeats a record.
 */
import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as setTimer } from 'node:timers'
import { setTimeout } from 'node:timers/promises'
import { isMainThread } from 'node:worker_threads'
import { toError } from '@newswire/events/errors'
import { mayPass } from './late-log.ts'
import type { Following, FollowOptions, Log, LogRecord, Position } from './log.ts'
import { createMoving } from './projection-checkpoint.ts'
import { discard, empty, isDamaged, KEPT_BYTES, MOVED_AFTER, openDatabase, readCursor, shrink, walBytes } from './projection-file.ts'
import { inTransaction } from './transaction.ts'

export type ProjectionOptions = Readonly<{
  log: Pick<Log, 'kind' | 'whenThere' | 'ends' | 'read' | 'follow'>
  topic: string
  /** Path of the file, whose folder is made; `-wal` and `-shm` lie beside it. `:memory:` keeps nothing. */
  file: string
  /** Statements that make the tables. A changed text is a new layout: the file is made again from the log. */
  schema: string
  /** Called inside a transaction with records in order of their partition. Must be synchronous. A throw stops the projection and turns `failure()` on, and undoes what it wrote: of what it keeps in memory it must stand to be told again. */
  apply: (db: DatabaseSync, records: readonly LogRecord[]) => void
  /** How far behind the log the view may be, in ms (default 0), so that it is written in fewer, larger transactions: `FollowOptions.patienceMs`. */
  patienceMs?: FollowOptions['patienceMs']
  /**
   * Told of records as they come, while `apply` gets them up to `withinMs` later, many in one transaction (default: at once): for who answers from memory
   * and keeps the file for the next start alone. After a crash the same are told again.
   */
  ahead?: Readonly<{ onArrived: (records: readonly LogRecord[]) => void; withinMs: number }>
  /** How long after it is ready its write-ahead log is given back, ms (default 5 000): every view of a process reads the past at once, and that can wait until they have. */
  tidyAfterMs?: number
  /** Called after the transaction of a batch that `apply` saw. */
  onApplied?: (records: readonly LogRecord[]) => void
  /** Called when all that was applied turned out to be of another log, and was emptied. Only while it is not ready. */
  onEmptied?: () => void
}>

export type Projection = Readonly<{
  db: DatabaseSync
  /** For what is read into memory at start. Throws what the work throws; where that says that the file is damaged, it says so by name, and the next start makes it again. */
  reading<T>(work: () => T): T
  /** Resolves once everything that was in the topic at start is applied; while the log is not there yet, at its arrival. */
  ready: Promise<void>
  /** Not while something cannot be written: then it is behind the log, and nobody knows how far. */
  isReady(): boolean
  /** Whether all that was in the topic at start was applied, also while what came since cannot be: it is as it was then, or newer. */
  isRead(): boolean
  /** Resolves once everything that is in the topic now is applied; rejects when the signal aborts. */
  caughtUp(signal?: AbortSignal): Promise<void>
  /** `Following.hurry`. */
  hurry(): void
  /** Why it stopped for good, or what it is waiting for: a disk that is full may have room again. */
  failure(): Error | null
  stop(): Promise<void>
}>

/** What was told ahead waits for its transaction no longer than until there are so many. */
const MAX_AHEAD = 2_000
/** How often a waiting `caughtUp` looks again. */
const CATCH_UP_TICK_MS = 5
/** Before a log that has just come is asked again, and before what could not be written is written again. */
const AGAIN_MS = 1_000
const TIDY_AFTER_MS = 5_000

/** Busy, locked, no memory, I/O error, full, cannot open (https://sqlite.org/rescode.html). */
const PASSING = new Set([5, 6, 7, 10, 13, 14])
/** Whether what SQLite threw is of the machine and not of what was written, so that it may go another time. */
export const isPassing = (error: unknown): boolean => PASSING.has(((error as { errcode?: number }).errcode ?? 0) & 0xff)

type Ends = ReadonlyArray<{ partition: number; start: Position; end: Position }>

/** A cursor past the topic's end belongs to another log: everything it was built from is gone. */
const isAhead = (cursor: Readonly<Record<number, Position>>, ends: Ends): boolean =>
  Object.entries(cursor).some(([partition, position]) => {
    const end = ends.find(one => one.partition === Number(partition))
    return end === undefined || position > end.end
  })

/**
 * After a power cut the embedded log may have lost unsynced records that this file still knows, and has jumped over their positions: what
 * was applied last is not there any more. On Kafka what was acknowledged is durable. What lies before the partition's start has aged out:
 * it was not lost, and a view that is made again would not have it.
 */
const hasLostTail = async (
  log: ProjectionOptions['log'],
  topic: string,
  cursor: Readonly<Record<number, Position>>,
  ends: Ends,
): Promise<boolean> => {
  if (log.kind !== 'embedded') return false
  for (const [partition, position] of Object.entries(cursor)) {
    const start = ends.find(one => one.partition === Number(partition))?.start ?? 0
    if (position - 1 < start) continue
    const from = { positions: { [partition]: position - 1 } }
    const { records } = await log.read({ topic, partition: Number(partition), from, limit: 1 })
    if (records[0]?.position !== position - 1) return true
  }
  return false
}

/** Resolves with the work, rejects as it does or once the signal aborts, and leaves nothing at the signal. */
const orAborted = (work: Promise<unknown>, signal: AbortSignal): Promise<void> =>
  new Promise<void>((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(() => resolve(), reject).finally(() => signal.removeEventListener('abort', abort))
  })

/**
 * Opens (or makes) the file and follows the topic from where the file stands. Where the log may come later, it resolves with what the file has:
 * not ready, and nobody knows how old.
 */
export const openProjection = async (options: ProjectionOptions): Promise<Projection> => {
  const { log, topic, file, schema, apply, ahead, onApplied, onEmptied, patienceMs = 0, tidyAfterMs = TIDY_AFTER_MS } = options
  const db = openDatabase(file, schema)
  const moving = isMainThread && file !== ':memory:' ? createMoving(file) : null
  const store = db.prepare(
    'INSERT INTO projection_cursor (partition, position) VALUES (?, ?) ON CONFLICT (partition) DO UPDATE SET position = excluded.position',
  )
  let cursor = readCursor(db)
  let following: Following | null = null
  let failed: Error | null = null
  let hindrance: Error | null = null
  let writing: Promise<void> | null = null
  let isReady = false
  let stopped = false
  const stopping = new AbortController()
  /** A stop ends it: whoever stops waits for what is under way, and nothing here keeps the process until then. */
  const again = () => setTimeout(AGAIN_MS, undefined, { ref: false, signal: stopping.signal }).catch(() => undefined)

  /** A file that turns out to be damaged stays so: the next start is to make it again. */
  const giveUp = (error: unknown): Error => {
    failed = toError(error)
    if (!isDamaged(error)) return failed
    failed = new Error(
      `The view ${file} is damaged (${failed.message}). Stop this process and start again: it is then made from the log.`,
      {
        cause: error,
      },
    )
    try {
      discard(file)
    } catch {
      // Whoever reads the message removes it.
    }
    return failed
  }

  const reading = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      throw isDamaged(error) ? giveUp(error) : error
    }
  }

  const write = (records: readonly LogRecord[]): void => {
    const next = new Map<number, Position>()
    for (const record of records) next.set(record.partition, record.position + 1)
    inTransaction(db, () => {
      apply(db, records)
      for (const [partition, position] of next) store.run(partition, position)
    })
    for (const [partition, position] of next) cursor[partition] = position
    if (isReady) moving?.wrote(records.length)
    onApplied?.(records)
  }

  /** Resolves once it is written. What comes meanwhile waits behind it. */
  const writeInTheEnd = async (records: readonly LogRecord[]): Promise<void> => {
    while (!stopped && failed === null) {
      try {
        write(records)
        hindrance = null
        return
      } catch (error) {
        if (!isPassing(error)) throw giveUp(error)
        hindrance = toError(error)
      }
      await again()
    }
  }

  const onRecords = (records: readonly LogRecord[]): void | Promise<void> => {
    if (stopped) return
    if (writing === null)
      try {
        return write(records)
      } catch (error) {
        if (!isPassing(error)) throw giveUp(error)
        hindrance = toError(error)
      }
    const mine = (writing ?? again()).then(() => writeInTheEnd(records))
    writing = mine
    return mine.finally(() => {
      if (writing === mine) writing = null
    })
  }

  let held: LogRecord[] = []
  let timer: NodeJS.Timeout | undefined
  let tidying: NodeJS.Timeout | undefined
  const applyHeld = (): void | Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    const records = held
    held = []
    return records.length === 0 ? undefined : onRecords(records)
  }
  /** What cannot be written yet has one batch waiting behind it and no more: those that are held push back once they are many. */
  const applyInTime = async (): Promise<void> => {
    while (writing !== null) await writing
    await applyHeld()
  }
  const onRecordsAhead = (records: readonly LogRecord[]): void | Promise<void> => {
    if (stopped || ahead === undefined) return
    if (failed !== null) throw failed
    try {
      ahead.onArrived(records)
    } catch (error) {
      failed = toError(error)
      throw error
    }
    held.push(...records)
    if (held.length >= MAX_AHEAD) return applyHeld()
    // A failure is told by `failure()`, and to whoever brings the next ones.
    timer ??= setTimer(() => void applyInTime().catch(() => undefined), ahead.withinMs).unref()
  }

  const begin = async (): Promise<Following> => {
    const ends = await log.ends(topic)
    const isOfAnother = isAhead(cursor, ends) || (await hasLostTail(log, topic, cursor, ends))
    if (stopped) throw new Error('it was stopped')
    if (isOfAnother) {
      reading(() => empty(db, schema))
      cursor = {}
      onEmptied?.()
    }
    const from = Object.keys(cursor).length === 0 ? 'start' : { positions: { ...cursor } }
    return await log.follow({ topic, from, onRecords: ahead === undefined ? onRecords : onRecordsAhead, patienceMs })
  }
  /** A log that has just come may still be choosing its leaders. */
  const beginLate = async (): Promise<Following> => {
    for (;;) {
      await log.whenThere?.()
      try {
        return await begin()
      } catch (error) {
        if (stopped || !mayPass(error)) throw error
      }
      await again()
    }
  }
  const begun = log.whenThere === undefined ? begin() : beginLate()
  const ready = begun
    .then(one => {
      following = one
      return stopped ? one.stop() : one.ready
    })
    .then(() => {
      isReady = true
      if (stopped) return
      if (moving === null) db.exec(`PRAGMA wal_autocheckpoint = ${MOVED_AFTER.present}`)
      db.exec(`PRAGMA journal_size_limit = ${KEPT_BYTES}`)
      tidying = setTimer(() => {
        if (walBytes(file) <= KEPT_BYTES) return
        if (moving === null) shrink(db)
        else moving.shrink()
      }, tidyAfterMs).unref()
    })
  ready.catch(error => {
    if (!stopped) failed ??= toError(error)
  })
  if (log.whenThere === undefined)
    await begun.catch(async error => {
      await moving?.close()
      db.close()
      throw error
    })

  /** Holes (compacted or skipped positions) can lie before an end, so the follower's own cursor counts as reached too. */
  const isReached = (partition: number, end: Position): boolean =>
    (cursor[partition] ?? -1) >= end || (following?.cursor()[partition] ?? -1) >= end

  const caughtUp = async (signal?: AbortSignal): Promise<void> => {
    await (signal === undefined || isReady ? ready : orAborted(ready, signal))
    const targets = (await log.ends(topic)).filter(one => one.end > one.start)
    while (!targets.every(one => isReached(one.partition, one.end))) {
      if (failed) throw failed
      following?.hurry?.()
      await setTimeout(CATCH_UP_TICK_MS, undefined, signal ? { signal } : {})
    }
  }

  return {
    db,
    reading,
    ready,
    isReady: () => isReady && failed === null && hindrance === null,
    isRead: () => isReady,
    caughtUp,
    hurry: () => following?.hurry?.(),
    failure: () => failed ?? hindrance,
    stop: async () => {
      if (stopped) return
      const last = held.length > 0 && failed === null && writing === null ? held : []
      clearTimeout(timer)
      clearTimeout(tidying)
      stopped = true
      stopping.abort()
      await following?.stop()
      try {
        if (last.length > 0) write(last)
      } catch {
        // They are told again at the next start.
      }
      await moving?.close()
      db.close()
    },
  }
}
