/**
 * How far apart imports are let in where one event loop does everything. Of `newswire up` most of an import's work (feeds, pages, views, the archive) comes after the
 * desk, where no line tells of it, so what is left of the loop does: the space between two grows while the loop is busier than `BUSY`, and shrinks while it is less.
 * However busy it is, the import goes on.
 */
import { followUtilization } from '@newswire/runtime/loop-utilization'

export type Spacing = Readonly<{
  /** How long nobody may be let in yet, ms; 0 when somebody may. */
  waitMs(nowMs: number): number
  /** Somebody is let in. */
  letIn(nowMs: number): void
}>

export const unspaced: Spacing = { waitMs: () => 0, letIn: () => undefined }

/** Of the event loop: a flash that comes to one that is busier waits longer than it works. */
const BUSY = 0.5
const LOOK_AFTER_MS = 100
/** Of a loop that has nothing to do the space shrinks e-fold in this time, of one that is full it grows so; what is let in shows in the loop some tenths of a second later. */
const FOLDS_IN_MS = 1_000
/** Nothing is known of a loop after a pause. */
const FIRST_MS = 10
const PAUSE_MS = 5_000
const [LEAST_MS, MOST_MS] = [0.5, 40]

/** `utilization`: of the event loop, of late, 0 to 1 (default: of this thread). */
export const createSpacing = (utilization: () => number = followUtilization(LOOK_AFTER_MS)): Spacing => {
  let spaceMs = FIRST_MS
  let lastMs = Number.NEGATIVE_INFINITY
  return {
    waitMs: nowMs => (spaceMs > LEAST_MS ? Math.max(0, lastMs + spaceMs - nowMs) : 0),
    letIn: nowMs => {
      const sinceMs = nowMs - lastMs
      lastMs = nowMs
      const folds = (Math.min(sinceMs, LOOK_AFTER_MS) / FOLDS_IN_MS) * (utilization() / BUSY - 1)
      spaceMs = sinceMs > PAUSE_MS ? FIRST_MS : Math.min(MOST_MS, Math.max(LEAST_MS, spaceMs * Math.exp(folds)))
    },
  }
}
