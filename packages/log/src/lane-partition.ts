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

export type Limits = Readonly<{ records: number; bytes: number }>

const KEPT_FAILURES = 20
const MAX_FAILURE_TEXT = 2000
/** Resume well below the limit, so that a partition does not flutter. */
const RESUME_AT = 0.2
/** How far other lanes may run ahead of one that is stuck: what lies behind it is handled again after a restart. */
const MAX_AHEAD = 20
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
  /** True from above the limit until well below it. */
  isFull(): boolean
}>

export const createPartitionBook = (limits: Limits): PartitionBook => {
  let out: Mark[] = []
  let head = 0
  let next: Position | null = null
  let done: Position | null = null
  let records = 0
  let bytes = 0
  let full = false

  const isAbove = (share: number): boolean =>
    records > limits.records * share ||
    bytes > limits.bytes * share ||
    out.length - head > limits.records * MAX_AHEAD * Math.max(share, 0.5)

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
        if (entry.mark.done) continue
        records += 1
        bytes += entry.bytes
      }
      next = behind
      advance()
      if (isAbove(1)) full = true
    },
    finish: entries => {
      for (const entry of entries) {
        if (entry.mark.done) continue
        entry.mark.done = true
        records -= 1
        bytes -= entry.bytes
      }
      advance()
      if (full && !isAbove(RESUME_AT)) full = false
    },
    donePosition: () => done,
    size: () => records,
    oldestSinceMs: () => out[head]?.sinceMs ?? null,
    isFull: () => full,
  }
}
