/** One try of one lane: calls the handler or writes the dead letter, and says what follows. Never throws. */
import { codeOf, messageOf, UnavailableError } from '@newswire/events/errors'
import { topics } from '@newswire/events/topics'
import type { DeadRecord } from './dead-letter.ts'
import { type Entry, noteFailure } from './lane-partition.ts'
import type { LogRecord, SubscribeOptions } from './log.ts'
import { decideAfter, defaultRetryPolicy, unavailableDelay } from './retry.ts'

/** One call of a handler and what came of it: for the canonical log line and for metrics. */
export type Handled = Readonly<{
  group: string
  /** The first record of the call; `records` says how many there were. */
  record: LogRecord
  records: number
  attempt: number
  /** `wait`: our log or store is away. `retry`: again after `delayMs`. `split`: the records of the call are now handled one by one. */
  outcome: 'done' | 'wait' | 'retry' | 'split' | 'dead'
  durationMs: number
  delayMs?: number
  error?: unknown
}>

/** What a lane is in the middle of. */
export type Work = {
  queue: Entry[]
  /** Records at the head that the current tries are about; 0 before the first. */
  taken: number
  /** Records at the head that are handled singly, because a call with all of them failed. */
  singles: number
  /** Failed tries that count against the schedule. */
  counted: number
  /** Tries in a row that found the log or the store away, and since when (monotonic). */
  unavailable: number
  unavailableSinceMs: number | null
  /** The record at the head is given up; this is to be written. */
  grave: DeadRecord | null
}

export const createWork = (): Work => ({
  queue: [],
  taken: 0,
  singles: 0,
  counted: 0,
  unavailable: 0,
  unavailableSinceMs: null,
  grave: null,
})

/** `done` records at the head are finished, or the lane goes on after `delayMs`. */
export type Step = Readonly<{ done: number; dead: number; delayMs: number }>

type TriesOptions = Readonly<{
  subscription: SubscribeOptions
  /** Makes a dead letter durable. */
  bury: (dead: DeadRecord) => Promise<void>
  scale: number
  now: () => number
  random: () => number
  tell: (handled: Handled) => void
  report: (error: unknown) => void
}>

/** A delay is never 0, whatever the scale: a lane that waits must let everything else run. */
const MIN_DELAY_MS = 1

const after = (delayMs: number): Step => ({ done: 0, dead: 0, delayMs: Math.max(delayMs, MIN_DELAY_MS) })
const atOnce: Step = { done: 0, dead: 0, delayMs: 0 }

/** Anything can be thrown, also what cannot even be turned into a text. */
const asError = (thrown: unknown): Error => {
  if (thrown instanceof Error) return thrown
  try {
    return new Error(String(thrown))
  } catch (cause) {
    return new Error('the handler threw something that is no error and has no text', { cause })
  }
}

export const createTries = (options: TriesOptions) => {
  const { subscription, bury, now, random, tell, report } = options
  const { group, handle } = subscription
  const batch = Math.max(1, Math.floor(subscription.batch ?? 1))
  const rules = { policy: subscription.retry ?? defaultRetryPolicy, scale: options.scale, random }
  const isGraveyard = subscription.topic === topics.deadLetters.name

  const finish = (work: Work, dead: number): Step => {
    const done = work.taken
    work.taken = 0
    work.singles = Math.max(0, work.singles - done)
    work.counted = 0
    work.unavailable = 0
    work.unavailableSinceMs = null
    work.grave = null
    return { done, dead, delayMs: 0 }
  }

  const wait = (work: Work, delayMs: number): Step => {
    work.unavailable += 1
    work.unavailableSinceMs ??= performance.now()
    return after(delayMs)
  }

  const buryHead = async (work: Work, dead: DeadRecord): Promise<Step> => {
    try {
      await bury(dead)
    } catch (error) {
      report(
        new UnavailableError('NEWSWIRE_LOG_DEAD_LETTER', `a dead letter of ${group} cannot be written yet: ${messageOf(error)}`, {
          cause: error,
        }),
      )
      return wait(work, unavailableDelay(work.unavailable, options.scale, random))
    }
    return finish(work, 1)
  }

  const giveUp = (work: Work, entry: Entry, error: unknown): Promise<Step> | Step => {
    // What cannot be handled there is in `dead-letters` already: it stays there, and the next one is handled.
    if (isGraveyard) {
      report(error)
      return finish(work, 1)
    }
    work.unavailable = 0
    work.grave = {
      record: entry.record,
      group,
      attempts: entry.tries,
      firstFailedAt: entry.firstFailedAt ?? new Date(now()).toISOString(),
      lastFailedAt: entry.failures.at(-1)?.at ?? new Date(now()).toISOString(),
      error: { code: codeOf(error), message: messageOf(error) },
      failures: entry.failures,
      ...(entry.left === undefined ? {} : { left: entry.left }),
    }
    return buryHead(work, work.grave)
  }

  const split = (work: Work): Step => {
    work.singles = work.taken
    work.taken = 0
    work.counted = 0
    work.unavailable = 0
    work.unavailableSinceMs = null
    return atOnce
  }

  const fail = (work: Work, entries: readonly Entry[], error: unknown, called: Omit<Handled, 'outcome'>): Promise<Step> | Step => {
    const verdict = decideAfter(error, work, rules)
    const [first] = entries
    if (verdict.kind === 'wait') {
      tell({ ...called, outcome: 'wait', delayMs: verdict.delayMs, error })
      return wait(work, verdict.delayMs)
    }
    work.unavailable = 0
    work.unavailableSinceMs = null
    const at = new Date(now()).toISOString()
    for (const entry of entries) noteFailure(entry, error, at)
    if (verdict.kind === 'retry') {
      work.counted += 1
      tell({ ...called, outcome: 'retry', delayMs: verdict.delayMs, error })
      return after(verdict.delayMs)
    }
    const isBatch = entries.length > 1
    tell({ ...called, outcome: isBatch ? 'split' : 'dead', error })
    return isBatch || first === undefined ? split(work) : giveUp(work, first, error)
  }

  /** What an aborted call answers no longer counts, whatever it is. */
  return async (work: Work, controller: AbortController): Promise<Step> => {
    if (work.grave) return buryHead(work, work.grave)
    if (work.taken === 0) work.taken = work.singles > 0 ? 1 : Math.min(batch, work.queue.length)
    const entries = work.taken === work.queue.length ? [...work.queue] : work.queue.slice(0, work.taken)
    const records = entries.map(entry => entry.record)
    for (const entry of entries) entry.tries += 1
    const attempt = entries[0]?.tries ?? 1
    const startedMs = performance.now()
    const called = () => ({
      group,
      record: records[0] as LogRecord,
      records: records.length,
      attempt,
      durationMs: performance.now() - startedMs,
    })
    const leave = (left: readonly string[]) => {
      for (const entry of entries) entry.left = left
    }
    try {
      await handle(records, { signal: controller.signal, attempt, ...(entries.length === 1 ? { leave } : {}) })
    } catch (thrown) {
      if (controller.signal.aborted) return atOnce
      return fail(work, entries, asError(thrown), called())
    }
    if (controller.signal.aborted) return atOnce
    tell({ ...called(), outcome: 'done' })
    return finish(work, 0)
  }
}
