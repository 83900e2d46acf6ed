/** The book of one held partition: which records are out, how far everything is done, and whether more may be fetched. */
import { codeOf, messageOf } from '@newswire/events/errors'
import type { LogRecord, Position } from './log.ts'

/** One try that failed, for the dead letter. */
export type Failure = Readonly<{ at: string; attempt: number; code: string; message: string }>

/** What is kept of a record until everything before it is done: not its bytes. `sinceMs` is the monotonic time of its arrival. */
type Mark = { readonly position: Position; readonly sinceMs: number; done: boolean }

/** A record that was fetched and is not done. */
export type Entry = {
  readonly record: LogRecord
  readonly bytes: number
  readonly mark: Mark
  tries: number
  firstFailedAt: string | null
  /** The latest failures, oldest first; an outage of hours must not fill the memory. */
  failures: Failure[]
  /** What the last try named as left; absent when that is all of it. */
  left?: readonly string[]
}

type Limits = Readonly<{ records: number; bytes: number }>

const KEPT_FAILURES = 20
const MAX_FAILURE_TEXT = 2000
/** Resume well below the limit, so that a partition does not flutter. */
const RESUME_AT = 0.2
/** How far other lanes may run ahead of one that is stuck: what lies behind it is handled again after a restart. */
const MAX_AHEAD = 20
/** With those of keys that hold up only themselves, so many times what may wait else. */
const MAX_CROWD = 8
/** What a record takes beside its bytes. */
const OVERHEAD_BYTES = 500

export const toEntry = (record: LogRecord, sinceMs: number): Entry => ({
  record,
  bytes: OVERHEAD_BYTES + (record.value?.length ?? 0) + (record.key?.length ?? 0),
  mark: { position: record.position, sinceMs, done: false },
  tries: 0,
  firstFailedAt: null,
  failures: [],
})

/** Remembers a failed try. */
export const noteFailure = (entry: Entry, error: unknown, at: string): void => {
  entry.firstFailedAt ??= at
  entry.failures.push({ at, attempt: entry.tries, code: codeOf(error), message: messageOf(error).slice(0, MAX_FAILURE_TEXT) })
  if (entry.failures.length > KEPT_FAILURES) entry.failures.shift()
}

export type PartitionBook = Readonly<{
  /** Takes fetched records; `next` is the position behind them and behind holes that were passed. */
  take(entries: readonly Entry[], next: Position): void
  finish(entries: readonly Entry[]): void
  /** Where a reader goes on that has handled all that is done without a gap; `null` before anything is known. */
  donePosition(): Position | null
  /** Records taken and not done. */
  size(): number
  oldestSinceMs(): number | null
  /** True from above the limit until well below it, whenever it is asked. */
  isFull(): boolean
}>

type Taken = { records: number; bytes: number }

/**
 * `crowded`: keys whose records wait for one another only, asked now and then (default: none). They may wait in larger numbers, because what is
 * fetched behind them need not wait for them.
 */
export const createPartitionBook = (limits: Limits, crowded?: () => Iterable<string | number>): PartitionBook => {
  let out: Mark[] = []
  let head = 0
  let next: Position | null = null
  let done: Position | null = null
  const all: Taken = { records: 0, bytes: 0 }
  const ofKeys = new Map<string, Taken>()
  let full = false

  const isOver = ({ records, bytes }: Taken, share: number): boolean => records > limits.records * share || bytes > limits.bytes * share
  const ofOthers = (): Taken => {
    let { records, bytes } = all
    for (const key of crowded?.() ?? []) {
      const taken = ofKeys.get(String(key))
      records -= taken?.records ?? 0
      bytes -= taken?.bytes ?? 0
    }
    return { records, bytes }
  }
  const isAbove = (share: number): boolean => {
    const most = Math.max(share, 0.5)
    if (all.records > limits.records * MAX_CROWD * most || all.bytes > limits.bytes * most) return true
    return out.length - head > limits.records * MAX_AHEAD * most || (isOver(all, share) && isOver(ofOthers(), share))
  }

  const count = ({ record, bytes }: Entry, sign: 1 | -1) => {
    all.records += sign
    all.bytes += sign * bytes
    if (crowded === undefined || record.key === null) return
    const taken = ofKeys.get(record.key) ?? { records: 0, bytes: 0 }
    taken.records += sign
    taken.bytes += sign * bytes
    if (taken.records === 0) ofKeys.delete(record.key)
    else ofKeys.set(record.key, taken)
  }

  const advance = () => {
    for (let first = out[head]; first?.done; first = out[head]) {
      done = first.position + 1
      head += 1
    }
    if (head === out.length && next !== null) done = next
    if (head > 1000 || head === out.length) {
      out = out.slice(head)
      head = 0
    }
  }

  return {
    take: (entries, behind) => {
      for (const entry of entries) {
        out.push(entry.mark)
        if (!entry.mark.done) count(entry, 1)
      }
      next = behind
      advance()
    },
    finish: entries => {
      for (const entry of entries) {
        if (entry.mark.done) continue
        entry.mark.done = true
        count(entry, -1)
      }
      advance()
    },
    donePosition: () => done,
    size: () => all.records,
    oldestSinceMs: () => out[head]?.sinceMs ?? null,
    isFull: () => {
      full = isAbove(full ? RESUME_AT : 1)
      return full
    },
  }
}
