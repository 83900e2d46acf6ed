/** What follows when a handler throws: pure, with the randomness passed in. */
import { RejectError, UnavailableError } from '@newswire/events/errors'
import type { RetryPolicy } from './log.ts'

/** Three more tries within about six seconds: enough for a hiccup, short enough that the lane's next record does not wait long. */
export const defaultRetryPolicy: RetryPolicy = [100, 1000, 5000]

/** Bounds of the wait while our own log or store is away, in ms. */
const unavailableWait = { firstMs: 100, mostMs: 5000 } as const

/** Waits differ by up to a fifth either way, so that lanes that failed together do not come back together. */
const JITTER = 0.2

type Tried = Readonly<{
  /** Tries that count against the schedule, before this one. */
  counted: number
  /** How many tries in a row found the log or the store away, before this one. */
  unavailable: number
}>

type Verdict =
  | Readonly<{ kind: 'dead' }>
  /** Counts against the schedule. */
  | Readonly<{ kind: 'retry'; delayMs: number }>
  /** Does not count: the input is not to blame. */
  | Readonly<{ kind: 'wait'; delayMs: number }>

const spread = (ms: number, random: () => number): number => ms * (1 - JITTER + 2 * JITTER * random())

/** The wait before try `n` (from 0) while the log or the store is away: doubled each time, from 100 ms to 5 s. `scale` multiplies all. */
export const unavailableDelay = (n: number, scale: number, random: () => number): number => {
  const { firstMs, mostMs } = unavailableWait
  const wanted = spread(firstMs * 2 ** Math.min(n, 20), random)
  return Math.min(Math.max(wanted, firstMs), mostMs) * scale
}

/** `RejectError`: dead at once. `UnavailableError`: wait, for ever. Anything else: the policy's next delay, then dead. */
export const decideAfter = (
  error: unknown,
  tried: Tried,
  rules: Readonly<{ policy: RetryPolicy; scale: number; random: () => number }>,
): Verdict => {
  if (error instanceof RejectError) return { kind: 'dead' }
  if (error instanceof UnavailableError) return { kind: 'wait', delayMs: unavailableDelay(tried.unavailable, rules.scale, rules.random) }
  const delayMs = rules.policy[tried.counted]
  return delayMs === undefined ? { kind: 'dead' } : { kind: 'retry', delayMs: spread(delayMs, rules.random) * rules.scale }
}
