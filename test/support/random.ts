/** Randomness that a failing test can repeat: the same seed gives the same numbers on every machine. */
export type Random = Readonly<{
  /** 0 ≤ n < 1. */
  next(): number
  /** An integer, both ends included. */
  between(low: number, high: number): number
  pick<T>(from: readonly T[]): T
}>

/** mulberry32: small, fast, good enough for test data. */
export const createRandom = (seed: number): Random => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const between = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1))
  return {
    next,
    between,
    pick: from => {
      const one = from[between(0, from.length - 1)]
      if (one === undefined) throw new Error('there is nothing to pick from')
      return one
    },
  }
}
