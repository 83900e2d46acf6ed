/**
 * Tells "all partners are down" from "we are cut off": when four of five outlets tried within half a minute could not even be connected
 * to, the fault is taken to be ours. Attempts then count against nobody, and one canary every 5 s looks whether it is over.
 */

const WINDOW_MS = 30_000
const SHARE = 0.8
/** Fewer outlets say nothing about us. */
const LEAST_OUTLETS = 5
const CANARY_EVERY_MS = 5_000

export type OwnSide = Readonly<{
  /** The newest result of each outlet counts. */
  note(outletId: string, reached: boolean, nowMs: number): void
  isFrozen(nowMs: number): boolean
  /** True when an attempt may go out; while frozen that makes it the canary. */
  admit(nowMs: number): boolean
  nextCanaryMs(): number
}>

export const createOwnSide = (scale: number): OwnSide => {
  const results = new Map<string, { reached: boolean; atMs: number }>()
  let frozen = false
  let canaryAtMs = Number.NEGATIVE_INFINITY

  const judge = (nowMs: number) => {
    for (const [outletId, { atMs }] of results) if (nowMs - atMs > WINDOW_MS * scale) results.delete(outletId)
    const cutOff = [...results.values()].filter(one => !one.reached).length
    frozen = results.size >= LEAST_OUTLETS && cutOff >= results.size * SHARE
  }

  return {
    note: (outletId, reached, nowMs) => {
      const isNoNews = reached && !frozen && results.get(outletId)?.reached === true
      results.set(outletId, { reached, atMs: nowMs })
      if (isNoNews) return
      if (frozen && reached) results.clear()
      judge(nowMs)
    },
    isFrozen: nowMs => {
      if (frozen) judge(nowMs)
      return frozen
    },
    admit: nowMs => {
      if (!frozen) return true
      if (nowMs - canaryAtMs < CANARY_EVERY_MS * scale) return false
      canaryAtMs = nowMs
      return true
    },
    nextCanaryMs: () => canaryAtMs + CANARY_EVERY_MS * scale,
  }
}

/** For targets that strangers name: however many of them cannot be reached says nothing about us, and must stop nobody else's. */
export const neverOurSide: OwnSide = { note: () => undefined, isFrozen: () => false, admit: () => true, nextCanaryMs: () => 0 }
