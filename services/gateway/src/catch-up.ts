/** One question to the log for all who wait for the view. */
import type { View } from './view.ts'

/** How long a rendition that is not known yet waits for the view to reach the log's end (architecture §6.13). */
const VIEW_WAIT_MS = 2_000

/**
 * Lets the view reach what is in the log when it is asked, for all who ask at once: addresses made up by a stranger must not each put the
 * question to the log. Whoever comes while one is under way waits for the next, which is the first that began after he asked.
 */
export const createCatchUp = (view: View): (() => Promise<void>) => {
  let running: Promise<void> | null = null
  let next: Promise<void> | null = null
  const begin = (): Promise<void> => {
    running = view
      .caughtUp(AbortSignal.timeout(VIEW_WAIT_MS))
      .catch(() => undefined)
      .finally(() => {
        running = null
      })
    return running
  }
  return () => {
    if (running === null) return begin()
    next ??= running.then(() => {
      next = null
      return begin()
    })
    return next
  }
}
