/**
 * Whose turn is next: kills before everything else, then whatever is due first. In a strict line it is whatever was wanted first, due or not;
 * only what is held until a time of its own stands beside the line until then.
 */
import type { Item } from './book.ts'
import { createDueQueue, type DueQueue } from './due-queue.ts'
import { isArmed } from './machine.ts'

type Entry = Readonly<{ item: Item; turn: number }>

export type Turns = Readonly<{
  /** Queues an item as it is now; what was queued of it before is void. Nothing while it is busy, or waits for a person. */
  queue(item: Item): void
  /** The first of the kills or of the others, and when it is due. */
  first(kill: boolean, nowMs: number): Readonly<{ item: Item; atMs: number }> | null
  /** Takes the first away. */
  take(kill: boolean): void
}>

export const createTurns = (isStrict: () => boolean): Turns => {
  const kills = createDueQueue<Entry>()
  const held = createDueQueue<Entry>()
  let others = createDueQueue<Entry>()
  let strict = isStrict()

  /** The first entry that still stands. */
  const head = (queue: DueQueue<Entry>): Entry | null => {
    for (let entry = queue.peek(); entry !== undefined; entry = queue.peek()) {
      const { item, turn } = entry.item
      if (turn === item.turn && !item.busy && item.delivery !== null) return entry.item
      queue.pop()
    }
    return null
  }
  const nextAtMs = ({ item }: Entry): number => item.delivery?.nextAtMs ?? Number.POSITIVE_INFINITY

  const push = (entry: Entry) => {
    const { delivery } = entry.item
    if (delivery === null) return
    if (delivery.kill) kills.push(delivery.nextAtMs, entry)
    else if (strict && delivery.heldUntilMs === delivery.nextAtMs) held.push(delivery.nextAtMs, entry)
    else others.push(strict ? delivery.sequence : delivery.nextAtMs, entry)
  }
  /** The configuration changed: what stands in one kind of line goes into the other. */
  const regroup = () => {
    const before = [others, held]
    others = createDueQueue()
    strict = isStrict()
    const standing: Entry[] = []
    for (const queue of before)
      for (let entry = head(queue); entry !== null; entry = head(queue)) {
        standing.push(entry)
        queue.pop()
      }
    for (const entry of standing) push(entry)
  }
  const release = (nowMs: number) => {
    for (let entry = head(held); entry !== null && nextAtMs(entry) <= nowMs; entry = head(held)) {
      held.pop()
      others.push(strict ? (entry.item.delivery?.sequence ?? 0) : nextAtMs(entry), entry)
    }
  }

  return {
    queue: item => {
      if (item.delivery === null || item.busy || !isArmed(item.delivery)) return
      item.turn += 1
      push({ item, turn: item.turn })
    },
    first: (kill, nowMs) => {
      if (!kill && strict !== isStrict()) regroup()
      if (!kill) release(nowMs)
      const entry = kill ? head(kills) : (head(others) ?? head(held))
      return entry === null ? null : { item: entry.item, atMs: nextAtMs(entry) }
    },
    take: kill => (kill ? kills : others).pop(),
  }
}
