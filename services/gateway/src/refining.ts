/** Feeds that were quiet for a while are compressed as well as can be, one at a time, with a small part of a core. */
import type { FeedState } from './feed-state.ts'

/** Of one core. */
const SHARE = 0.05

type Refining = Readonly<{
  /** Looks, unless one is under way or it is too soon after the last. */
  next(): void
}>

/** `quiet`: the states that are worth it now. Each is done once. */
export const createRefining = (quiet: () => Iterable<FeedState>): Refining => {
  const done = new WeakSet<FeedState>()
  let isBusy = false
  let restUntil = 0
  const refineOne = async (): Promise<number> => {
    for (const state of quiet()) {
      if (done.has(state)) continue
      done.add(state)
      const began = performance.now()
      await state.refine()
      return performance.now() - began
    }
    return 0
  }
  return {
    next: () => {
      if (isBusy || performance.now() < restUntil) return
      isBusy = true
      refineOne()
        .then(tookMs => {
          restUntil = performance.now() + tookMs / SHARE
        })
        // The plain state is served as it is.
        .catch(() => undefined)
        .finally(() => {
          isBusy = false
        })
    },
  }
}
