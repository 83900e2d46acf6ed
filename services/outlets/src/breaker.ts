/**
 * Keeps a failing outlet from being hammered, and from keeping slots that others need: pure, one state per outlet.
 *
 *   closed ──5 failures in a row, or half of 10 and more in 60 s──▶ open ──5 s, 10 s … 15 min──▶ one probe ──2xx──▶ closed
 *
 * Failures of one article (refusals) do not count. A kill passes an open breaker once a minute. After an outage the outlet is let back to
 * its full concurrency one success at a time.
 */

const WINDOW_MS = 60_000
const BUCKET_MS = 5_000
const FAILURES_IN_A_ROW = 5
const WINDOW_LEAST = 10
const WINDOW_SHARE = 0.5
const FIRST_OPEN_MS = 5_000
const LONGEST_OPEN_MS = 900_000
/** After three days of nothing but failures the outlet counts as suspended: what is pending is kept, and it is probed once an hour. */
const SUSPECT_FOR_MS = 72 * 3_600_000
const SUSPENDED_OPEN_MS = 3_600_000
const KILL_BYPASS_MS = 60_000

type Bucket = Readonly<{ startMs: number; good: number; bad: number }>

export type Breaker = Readonly<{
  failuresInARow: number
  buckets: readonly Bucket[]
  /** How many times in a row it opened. */
  opens: number
  openUntilMs: number | null
  /** Its one probe is out. */
  probing: boolean
  bypassedAtMs: number | null
  /** Requests at once that a recovering outlet gets; `null`: as configured. */
  ramp: number | null
  /** Since when there were only failures. */
  failingSinceMs: number | null
}>

export const closedBreaker: Breaker = {
  failuresInARow: 0,
  buckets: [],
  opens: 0,
  openUntilMs: null,
  probing: false,
  bypassedAtMs: null,
  ramp: null,
  failingSinceMs: null,
}

export type Passage = 'go' | 'probe' | 'bypass' | 'no'

/** Whether an attempt may begin now. */
export const passage = (breaker: Breaker, nowMs: number, kill: boolean, scale: number): Passage => {
  if (breaker.openUntilMs === null) return 'go'
  if (!breaker.probing && nowMs >= breaker.openUntilMs) return 'probe'
  const mayBypass = kill && nowMs - (breaker.bypassedAtMs ?? Number.NEGATIVE_INFINITY) >= KILL_BYPASS_MS * scale
  return mayBypass ? 'bypass' : 'no'
}

/** When asking again makes sense, for somebody told `no`. */
export const nextPassageMs = (breaker: Breaker, nowMs: number, kill: boolean, scale: number): number => {
  const probe = breaker.probing || breaker.openUntilMs === null ? Number.POSITIVE_INFINITY : breaker.openUntilMs
  const bypass = kill ? (breaker.bypassedAtMs ?? nowMs) + KILL_BYPASS_MS * scale : Number.POSITIVE_INFINITY
  return Math.min(probe, bypass)
}

export const notePassage = (breaker: Breaker, way: Passage, nowMs: number): Breaker => {
  if (way === 'probe') return { ...breaker, probing: true }
  return way === 'bypass' ? { ...breaker, bypassedAtMs: nowMs } : breaker
}

const count = (buckets: readonly Bucket[], nowMs: number, scale: number, good: boolean): readonly Bucket[] => {
  const startMs = nowMs - (nowMs % (BUCKET_MS * scale))
  const add = ({ startMs, good: before, bad }: Bucket): Bucket =>
    good ? { startMs, good: before + 1, bad } : { startMs, good: before, bad: bad + 1 }
  const isFresh = (one: Bucket | undefined) => one !== undefined && nowMs - one.startMs < WINDOW_MS * scale
  const kept = isFresh(buckets[0]) ? buckets : buckets.filter(isFresh)
  const last = kept.at(-1)
  return last?.startMs === startMs ? kept.with(-1, add(last)) : [...kept, add({ startMs, good: 0, bad: 0 })]
}

/** An attempt was taken by the outlet: it is alive. `cap`: its configured concurrency. */
export const noteSuccess = (breaker: Breaker, nowMs: number, scale: number, cap: number): Breaker => {
  const ramp = breaker.openUntilMs !== null ? 1 : breaker.ramp === null ? null : breaker.ramp + 1
  return {
    ...closedBreaker,
    buckets: breaker.openUntilMs !== null ? [] : count(breaker.buckets, nowMs, scale, true),
    bypassedAtMs: breaker.bypassedAtMs,
    ramp: ramp !== null && ramp >= cap ? null : ramp,
  }
}

const openForMs = (opens: number, failingForMs: number, scale: number): number =>
  failingForMs >= SUSPECT_FOR_MS * scale ? SUSPENDED_OPEN_MS * scale : Math.min(FIRST_OPEN_MS * 2 ** opens, LONGEST_OPEN_MS) * scale

/** The outlet did not take an attempt. `way`: how the attempt had passed; a straggler from before the opening does not prolong it. */
export const noteFailure = (breaker: Breaker, way: Passage, nowMs: number, scale: number): Breaker => {
  const failingSinceMs = breaker.failingSinceMs ?? nowMs
  const buckets = count(breaker.buckets, nowMs, scale, false)
  const failuresInARow = breaker.failuresInARow + 1
  const failed = { ...breaker, failingSinceMs, buckets, failuresInARow }
  const open = () => ({
    ...failed,
    probing: false,
    opens: breaker.opens + 1,
    openUntilMs: nowMs + openForMs(breaker.opens, nowMs - failingSinceMs, scale),
    ramp: 1,
  })
  if (way === 'probe') return open()
  if (breaker.openUntilMs !== null) return failed
  const bad = buckets.reduce((sum, one) => sum + one.bad, 0)
  const all = buckets.reduce((sum, one) => sum + one.good + one.bad, 0)
  return failuresInARow >= FAILURES_IN_A_ROW || (all >= WINDOW_LEAST && bad >= all * WINDOW_SHARE) ? open() : failed
}

/** A probe that came to nothing for a reason of ours: somebody else may probe. */
export const forgetProbe = (breaker: Breaker, way: Passage): Breaker => (way === 'probe' ? { ...breaker, probing: false } : breaker)

/** Failing outlets share a small part of all slots. */
export const isFailing = (breaker: Breaker): boolean => breaker.openUntilMs !== null || breaker.failuresInARow > 0

/** Whether nothing that went wrong is remembered: a new one would decide alike, but for how many went well in the last minute. */
export const isUnmarked = (breaker: Breaker, nowMs: number, scale: number): boolean =>
  breaker.failingSinceMs === null &&
  breaker.openUntilMs === null &&
  breaker.ramp === null &&
  (breaker.bypassedAtMs === null || nowMs - breaker.bypassedAtMs >= KILL_BYPASS_MS * scale) &&
  !breaker.buckets.some(one => one.bad > 0 && nowMs - one.startMs < WINDOW_MS * scale)

/** Requests at once. */
export const limitOf = (breaker: Breaker, cap: number): number => Math.min(cap, breaker.ramp ?? cap)
