/**
 * Whether a consumer gets what comes from this process itself: pure. A record published here is handed on as soon as the brokers have it, so fetches
 * have nothing to bring where nobody else publishes, and need only look now and then. The first record that comes by fetch alone ends that.
 */

type ByHand = Readonly<{
  /** A record of a partition held was handed on; `taken`: it was the next one. Otherwise a fetch has brought it, or will. */
  offered(record: string, taken: boolean, nowMs: number): void
  /** A fetch brought records that were not taken by hand. */
  fetched(records: () => readonly string[], nowMs: number): void
  /** Whether fetches may rest. */
  isAll(nowMs: number): boolean
}>

/** How long nothing may have come another way, and something by hand, ms. */
export const TRUSTED_AFTER_MS = 10_000
/** A fetch can be quicker than the acknowledgement that a record is handed on with: so much quicker at most, ms. */
const CLAIMED_WITHIN_MS = 1_000
/** Beyond, all are taken for somebody else's. */
const MAX_UNCLAIMED = 1_000

export const createByHand = (): ByHand => {
  /** Fetched and not handed on yet, with the time when; and handed on, not taken and not fetched yet. Oldest first. */
  const unclaimed = new Map<string, number>()
  const expected = new Set<string>()
  let offeredMs = Number.NEGATIVE_INFINITY
  let foreignMs = Number.NEGATIVE_INFINITY

  const judge = (nowMs: number) => {
    for (const [record, sinceMs] of unclaimed) {
      if (nowMs - sinceMs < CLAIMED_WITHIN_MS && unclaimed.size <= MAX_UNCLAIMED) return
      unclaimed.delete(record)
      foreignMs = nowMs
    }
  }
  return {
    offered: (record, taken, nowMs) => {
      offeredMs = nowMs
      if (taken || unclaimed.delete(record)) return
      expected.add(record)
      if (expected.size > MAX_UNCLAIMED) expected.clear()
    },
    fetched: (records, nowMs) => {
      // Who is handed nothing has nothing to find out.
      if (nowMs - offeredMs > TRUSTED_AFTER_MS) return
      for (const record of records()) if (!expected.delete(record)) unclaimed.set(record, nowMs)
      judge(nowMs)
    },
    isAll: nowMs => {
      judge(nowMs)
      return nowMs - offeredMs < TRUSTED_AFTER_MS && nowMs - foreignMs > TRUSTED_AFTER_MS
    },
  }
}
