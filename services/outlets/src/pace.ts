/** A token bucket: how many requests a second one outlet takes. It fills at the rate and holds a tenth of a second's worth, at least one. */

type Pace = Readonly<{
  /** When the next request may begin, ms; now or earlier when one may. */
  nextMs(perSecond: number | undefined, nowMs: number): number
  /** A request begins. */
  take(perSecond: number | undefined, nowMs: number): void
  /** Whether it holds all that it can: then it remembers nothing. */
  isFull(nowMs: number): boolean
}>

const HOLDS_MS = 100

export const createPace = (): Pace => {
  /** When the bucket is full again: it is this far from now that says how many requests it still holds. */
  let fullAtMs = Number.NEGATIVE_INFINITY
  return {
    nextMs: (perSecond, nowMs) => {
      if (perSecond === undefined) return nowMs
      const tokenMs = 1_000 / perSecond
      return fullAtMs + tokenMs - Math.max(tokenMs, HOLDS_MS)
    },
    take: (perSecond, nowMs) => {
      if (perSecond !== undefined) fullAtMs = Math.max(fullAtMs, nowMs) + 1_000 / perSecond
    },
    isFull: nowMs => fullAtMs <= nowMs,
  }
}
