/** Whether a loop that fetches is quiet: pure. Nothing has come to it for a while, so it may wait longer at the brokers, who answer at the first byte. */

/** Of a quiet loop. For a member of a group this bounds how late it learns of a rebalance, and what goes by the same connection behind a fetch. ms. */
export const QUIET_WAIT_MS = 1000
/** How long nothing may have come, ms. */
const QUIET_AFTER_MS = 5000

type Quiet = Readonly<{
  /** A fetch was answered. */
  answered(hasRecords: boolean, nowMs: number): void
  isQuiet(nowMs: number): boolean
}>

export const createQuiet = (beganMs: number): Quiet => {
  let cameMs = beganMs
  return {
    answered: (hasRecords, nowMs) => {
      if (hasRecords) cameMs = nowMs
    },
    isQuiet: nowMs => nowMs - cameMs > QUIET_AFTER_MS,
  }
}
