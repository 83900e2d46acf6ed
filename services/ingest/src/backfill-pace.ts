/**
 * How many imports may be under way without live work waiting behind them: as many as keep the pipeline busy, and a few more. TCP Vegas's rule
 * (Brakmo and Peterson 1995): of `limit` under way, `limit × (1 − quickest possible / quickest of late)` stand in a line somewhere; fewer than two
 * of those are too few, more than four too many. Time that a picture's server takes is in both, and is no line.
 *
 * The quickest possible is asked for anew every ten seconds, by letting only two in for a while: a pipeline that is busy never shows it.
 */

export type Pace = Readonly<{
  /** Under way at most, as things are. */
  limit(): number
  /** One that was let in at `letInMs` has come to its end; ms of one steady clock. */
  ended(letInMs: number, nowMs: number): void
}>

const LEAST = 2
const FIRST = 8
const LINE = { least: 2, most: 4 } as const
/** As many as it takes to see a line, which all of them stand in, and not a picture, which some wait for. */
const LATELY = 8
const PROBE_EVERY_MS = 10_000
const PROBE_SAMPLES = 6

export const createPace = (most: number): Pace => {
  let limit = Math.min(FIRST, most)
  let quickestMs = Number.POSITIVE_INFINITY
  let lately: number[] = []
  /** While it is asked for: since when, and what was seen of those let in since. */
  let probe: { sinceMs: number; seen: number[] } | null = null
  let probedMs = Number.NEGATIVE_INFINITY

  const onProbe = (of: NonNullable<typeof probe>, letInMs: number, nowMs: number): void => {
    if (letInMs < of.sinceMs) return
    of.seen.push(nowMs - letInMs)
    if (of.seen.length < PROBE_SAMPLES) return
    quickestMs = Math.min(...of.seen)
    probe = null
    probedMs = nowMs
    lately = []
  }

  const adjust = (): void => {
    const inLine = limit * (1 - quickestMs / Math.max(quickestMs, Math.min(...lately)))
    if (inLine < LINE.least) limit = Math.min(most, limit + 1)
    else if (inLine > LINE.most) limit = Math.max(LEAST, limit - 1)
    lately = []
  }

  return {
    limit: () => (probe === null ? limit : LEAST),
    ended: (letInMs, nowMs) => {
      if (probe !== null) return onProbe(probe, letInMs, nowMs)
      if (nowMs - probedMs >= PROBE_EVERY_MS) {
        probe = { sinceMs: nowMs, seen: [] }
        return
      }
      quickestMs = Math.min(quickestMs, nowMs - letInMs)
      lately.push(nowMs - letInMs)
      if (lately.length >= LATELY) adjust()
    },
  }
}
