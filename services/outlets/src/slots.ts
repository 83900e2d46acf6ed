/**
 * Requests in flight in this process. Those that failed before share a fifth of them, and a request that takes long gives its place to another
 * one and counts among the slow: whoever is slow keeps nobody else waiting, known for it or not. Retractions have some beside all of these.
 */

export type Slots = Readonly<{
  /** `null`: none is free; `onFree` is called, once, when it is worth asking again. Kills are called first, failing ones last. */
  take(request: Readonly<{ failing: boolean; urgent: boolean; onFree: () => void }>): (() => void) | null
  inUse(): number
}>

type SlotOptions = Readonly<{
  total?: number
  failingShare?: number
  /** So many more for kills, half of them for those of failing outlets (default 20). */
  reserve?: number
  /** So many more may be slow (default 200). */
  slow?: number
  /** Calls back after so many ms, and returns how to cancel; without it no request becomes slow. */
  after?: (ms: number, run: () => void) => () => void
}>

/** Far longer than a receiver that is well takes. */
const SLOW_AFTER_MS = 1_000

export const createSlots = ({ total = 200, failingShare = 0.2, reserve = 20, slow = 200, after }: SlotOptions = {}): Slots => {
  const mostFailing = Math.max(1, Math.floor(total * failingShare))
  let used = 0
  let usedByFailing = 0
  let usedBySlow = 0
  /** A kill that fails to get out may hang as long as any: half of the reserve stays for outlets that are well. */
  const isRoom = (failing: boolean, urgent: boolean) =>
    used < total + (urgent ? reserve : 0) && (!failing || usedByFailing < mostFailing + (urgent ? Math.floor(reserve / 2) : 0))
  const urgentWaiting = new Set<() => void>()
  const waiting = new Set<() => void>()
  const failingWaiting = new Set<() => void>()

  /** Only as many as can have one: of a thousand who wait each would ask a thousand times. Who is turned away again waits again. */
  const call = (queue: Set<() => void>, isFree: () => boolean) => {
    for (let left = queue.size; left > 0 && isFree(); left--) {
      const [next] = queue
      if (next === undefined) return
      queue.delete(next)
      next()
    }
  }
  let isWaking = false
  let isWorthAnother = false
  /** Who is called may give its place back at once; ten thousand who do so one inside the other would be more than a stack holds. */
  const wake = () => {
    isWorthAnother = true
    if (isWaking) return
    isWaking = true
    try {
      while (isWorthAnother) {
        isWorthAnother = false
        call(urgentWaiting, () => isRoom(false, true))
        call(waiting, () => isRoom(false, false))
        call(failingWaiting, () => isRoom(true, false))
      }
    } finally {
      isWaking = false
    }
  }

  return {
    take: ({ failing, urgent, onFree }) => {
      if (!isRoom(failing, urgent)) {
        const queue = urgent ? urgentWaiting : failing ? failingWaiting : waiting
        queue.add(onFree)
        return null
      }
      used += 1
      if (failing) usedByFailing += 1
      let held: 'ordinary' | 'slow' | 'no' = 'ordinary'
      const becomeSlow = () => {
        if (held !== 'ordinary' || usedBySlow >= slow) return
        held = 'slow'
        used -= 1
        usedBySlow += 1
        wake()
      }
      // Failing ones keep to their share, or every hanging one would make room for the next.
      const cancel = failing ? undefined : after?.(SLOW_AFTER_MS, becomeSlow)
      return () => {
        if (held === 'no') return
        cancel?.()
        if (held === 'slow') usedBySlow -= 1
        else used -= 1
        held = 'no'
        if (failing) usedByFailing -= 1
        wake()
      }
    },
    inUse: () => used + usedBySlow,
  }
}
