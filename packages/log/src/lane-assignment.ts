/** Tells a subscriber which partitions it gained and lost: one change after the other, each until it was understood or nobody needs it. */
import { setTimeout as wait } from 'node:timers/promises'
import { unavailableDelay } from './retry.ts'

type Change = Readonly<{ gained: readonly number[]; lost: readonly number[] }>

type Assignment = Readonly<{
  /** Resolves when the subscriber has taken the change, when `isWanted` says no, or at `close`. Never rejects. */
  announce(change: Change, isWanted: () => boolean): Promise<void>
  /** Gives up what is being tried, then tells the last change once, waiting at most `withinMs` for it. */
  close(last: Change, withinMs: number): Promise<void>
  /** Since when (monotonic) the subscriber does not take a change. */
  failingSinceMs(): number | null
}>

export const createAssignment = (
  onAssigned: ((change: Change) => Promise<void>) | undefined,
  rules: Readonly<{ scale: number; random: () => number; report: (error: unknown) => void }>,
): Assignment => {
  const closed = new AbortController()
  let turn: Promise<void> = Promise.resolve()
  let failingSinceMs: number | null = null

  const tellOnce = async (change: Change): Promise<boolean> => {
    try {
      await onAssigned?.(change)
      return true
    } catch (error) {
      rules.report(error)
      return false
    }
  }

  const tell = async (change: Change, isWanted: () => boolean): Promise<void> => {
    for (let tries = 0; isWanted() && !closed.signal.aborted && !(await tellOnce(change)); tries += 1) {
      failingSinceMs ??= performance.now()
      // Aborting this wait is how `close` cuts it short.
      await wait(unavailableDelay(tries, rules.scale, rules.random), undefined, { signal: closed.signal }).catch(() => undefined)
    }
    failingSinceMs = null
  }

  return {
    announce: (change, isWanted) => {
      turn = turn.then(() => tell(change, isWanted))
      return turn
    },
    close: async (last, withinMs) => {
      closed.abort()
      if (!onAssigned || last.gained.length + last.lost.length === 0) return
      const told = turn.then(() => tellOnce(last))
      const timer = new AbortController()
      await Promise.race([told, wait(withinMs, undefined, { signal: timer.signal }).catch(() => undefined)])
      timer.abort()
    },
    failingSinceMs: () => failingSinceMs,
  }
}
