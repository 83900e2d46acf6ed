/** Since when partitions that are asked for have not answered. Pure: a fetch that waits for records is answered well within a second. */

type Unread = Readonly<{
  /** Keeps the time of one that was asked for before and has not answered since. */
  asked(partitions: Iterable<number>, nowMs: number): void
  answered(partitions: Iterable<number>): void
  /** Of the one that has waited longest, however many others answer; `null`: none waits. */
  sinceMs(): number | null
}>

/** A leader that moves and a broker that restarts are no outage: a broker that died is noticed by the others after 9 s. */
export const UNREAD_MS = 10_000

/** Whether what is there can be taken for all there is. Times are of `performance.now()`. */
export const isCurrent = (sinceMs: number | null, nowMs: number): boolean => sinceMs === null || nowMs - sinceMs < UNREAD_MS

export const createUnread = (): Unread => {
  const since = new Map<number, number>()
  return {
    asked: (partitions, nowMs) => {
      for (const partition of partitions) if (!since.has(partition)) since.set(partition, nowMs)
    },
    answered: partitions => {
      for (const partition of partitions) since.delete(partition)
    },
    sinceMs: () => (since.size === 0 ? null : Math.min(...since.values())),
  }
}
