/**
 * How many imports may be under way without live work waiting behind them: as many as keep the pipeline busy, and a few more. TCP Vegas's rule
 * (Brakmo and Peterson 1995): of `limit` under way, `limit × (1 − quickest possible / quickest of late)` stand in a line somewhere; fewer than two
 * of those are too few, more than four too many. Time that a picture's server takes is in both, and is no line.
 *
 * Where the process's own event loop is busy there are no more than two, whatever that says: of `newswire up` most of an import's work comes after the desk.
 *
 * The quickest possible is asked for anew every ten seconds, by letting only two in for a while: a pipeline that is busy never shows it.
 */
import { followUtilization } from '@newswire/runtime/loop-utilization'

export type Pace = Readonly<{
  /** Under way at most, as things are; ms of one steady clock. */
  limit(nowMs: number): number
  /** One that was let in at `letInMs` has come to its end. */
  ended(letInMs: number, nowMs: number): void
  /** One that was let in at `letInMs` waits for a picture from now on, in no line. */
  parked(letInMs: number, nowMs: number): void
}>

const LEAST = 2
const FIRST = 8
const LINE = { least: 2, most: 4 } as const
/** As many as it takes to see a line, which all of them stand in, and not a picture, which some wait for. */
const LATELY = 8
const PROBE_EVERY_MS = 10_000
const PROBE_SAMPLES = 6
/** Of two at a time that take longer than this allows, most of the time goes to pictures: to let in so few would only cost speed. */
const PROBE_MS = 3_000
/** What was parked says only that it stood in no line, not how quick the pipeline is. */
const PARKED = Number.POSITIVE_INFINITY

/** Of the event loop: a flash that comes to one that is busier waits longer than it works. */
const BUSY = 0.4
const LOOK_AFTER_MS = 100

/**
 * Whether this process's event loop was busy of late. Where all services share it, what an import is for the desk is the least of it: feeds, pages, views and the
 * archive come after, and no line before the desk shows them.
 */
const watchLoop = (): (() => boolean) => {
  const utilization = followUtilization(LOOK_AFTER_MS)
  return () => utilization() > BUSY
}

/** `isBusy`: whether what the process does for others leaves too little of it (default: `watchLoop`). */
export const createPace = (most: number, isBusy: () => boolean = watchLoop()): Pace => {
  let limit = Math.min(FIRST, most)
  let quickestMs = Number.POSITIVE_INFINITY
  let lately: number[] = []
  /** While it is asked for: since when, and what was seen of those let in since. */
  let probe: { sinceMs: number; seen: number[] } | null = null
  let probedMs = Number.NEGATIVE_INFINITY

  /** The quickest that was seen counts; nothing seen is nothing known, and the next to end says it. */
  const endProbe = ({ seen }: NonNullable<typeof probe>, nowMs: number): void => {
    quickestMs = Math.min(Number.POSITIVE_INFINITY, ...seen)
    probe = null
    probedMs = nowMs
    lately = []
  }

  const adjust = (): void => {
    const quickestLately = Math.min(...lately)
    const inLine = quickestLately === PARKED ? 0 : limit * (1 - quickestMs / quickestLately)
    // Of few that are under way nobody stands in a line: what was allowed before must not come all at once later.
    if (isBusy() || inLine > LINE.most) limit = Math.max(LEAST, limit - 1)
    else if (inLine < LINE.least) limit = Math.min(most, limit + 1)
    lately = []
  }

  const endOldProbe = (nowMs: number): void => {
    if (probe !== null && nowMs - probe.sinceMs >= PROBE_MS) endProbe(probe, nowMs)
  }

  const saw = (letInMs: number, nowMs: number, tookMs: number): void => {
    endOldProbe(nowMs)
    if (probe !== null) {
      if (letInMs >= probe.sinceMs && probe.seen.push(tookMs) >= PROBE_SAMPLES) endProbe(probe, nowMs)
      return
    }
    if (nowMs - probedMs >= PROBE_EVERY_MS) {
      probe = { sinceMs: nowMs, seen: [] }
      return
    }
    quickestMs = Math.min(quickestMs, tookMs)
    lately.push(tookMs)
    if (lately.length >= LATELY) adjust()
  }

  return {
    limit: nowMs => {
      endOldProbe(nowMs)
      return probe === null && !isBusy() ? limit : LEAST
    },
    ended: (letInMs, nowMs) => saw(letInMs, nowMs, nowMs - letInMs),
    parked: (letInMs, nowMs) => saw(letInMs, nowMs, PARKED),
  }
}
