/**
 * How many imports may be under way without live work waiting behind them: as many as keep the pipeline busy, and a few more. TCP Vegas's rule
 * (Brakmo and Peterson 1995): of `limit` under way, `limit × (1 − quickest possible / quickest of late)` stand in a line somewhere; fewer than two
 * of those are too few, more than four too many. Time that a picture's server takes is in both, and is no line.
 *
 * The quickest possible is asked for anew every ten seconds, by letting only two in for a while: a pipeline that is busy never shows it.
 */

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

export const createPace = (most: number): Pace => {
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
    if (inLine > LINE.most) limit = Math.max(LEAST, limit - 1)
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
      return probe === null ? limit : LEAST
    },
    ended: (letInMs, nowMs) => saw(letInMs, nowMs, nowMs - letInMs),
    parked: (letInMs, nowMs) => saw(letInMs, nowMs, PARKED),
  }
}
