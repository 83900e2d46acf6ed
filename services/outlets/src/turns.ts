/** Whose turn is next: kills before everything else, then whatever is due first. */
import type { Item } from './book.ts'
import { createDueQueue } from './due-queue.ts'
import { isArmed } from './machine.ts'

export type Turns = Readonly<{
  /** Queues an item as it is now; what was queued of it before is void. Nothing while it is busy, or waits for a person. */
  queue(item: Item): void
  /** The first of the kills or of the others, and when it is due. */
  first(kill: boolean): Readonly<{ item: Item; atMs: number }> | null
  /** Takes the first away. */
  take(kill: boolean): void
}>

export const createTurns = (): Turns => {
  const kills = createDueQueue<{ item: Item; turn: number }>()
  const others = createDueQueue<{ item: Item; turn: number }>()
  return {
    queue: item => {
      const { delivery } = item
      if (delivery === null || item.busy || !isArmed(delivery)) return
      item.turn += 1
      ;(delivery.kill ? kills : others).push(delivery.nextAtMs, { item, turn: item.turn })
    },
    first: kill => {
      const queue = kill ? kills : others
      for (let entry = queue.peek(); entry !== undefined; entry = queue.peek()) {
        const { item, turn } = entry.item
        if (turn === item.turn && !item.busy) return { item, atMs: entry.atMs }
        queue.pop()
      }
      return null
    },
    take: kill => (kill ? kills : others).pop(),
  }
}
