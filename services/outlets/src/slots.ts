/** Requests in flight in this process. Failing outlets share a fifth of them, so that they cannot keep healthy ones waiting. */

export type Slots = Readonly<{
  /** `null`: none is free; `onFree` is called, once, when it is worth asking again. Kills are called first. */
  take(request: Readonly<{ failing: boolean; urgent: boolean; onFree: () => void }>): (() => void) | null
  inUse(): number
}>

export const createSlots = ({ total = 200, failingShare = 0.2 } = {}): Slots => {
  const mostFailing = Math.max(1, Math.floor(total * failingShare))
  let used = 0
  let usedByFailing = 0
  const urgentWaiting = new Set<() => void>()
  const waiting = new Set<() => void>()
  const wake = () => {
    const all = [...urgentWaiting, ...waiting]
    urgentWaiting.clear()
    waiting.clear()
    for (const onFree of all) onFree()
  }
  return {
    take: ({ failing, urgent, onFree }) => {
      if (used >= total || (failing && usedByFailing >= mostFailing)) {
        ;(urgent ? urgentWaiting : waiting).add(onFree)
        return null
      }
      used += 1
      if (failing) usedByFailing += 1
      let held = true
      return () => {
        if (!held) return
        held = false
        used -= 1
        if (failing) usedByFailing -= 1
        if (urgentWaiting.size + waiting.size > 0) wake()
      }
    },
    inUse: () => used,
  }
}
