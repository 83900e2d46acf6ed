/**
 * Whose turn is next: kills before everything else, then whatever is due first. In a strict line it is whatever was wanted first, due or not;
 * only what is held until a time of its own stands beside the line until then.
 */
import { createDueQueue, type DueQueue } from './due-queue.ts'
import type { Queued } from './left.ts'
import { type Delivery, isArmed } from './machine.ts'
import type { Shelved } from './shelved.ts'

type Entry = Readonly<{ item: Queued; turn: number }>

export type Turns = Readonly<{
  /** Queues an item as it is now; what was queued of it before is void. Nothing while it is busy, or waits for a person. */
  queue(item: Queued): void
  /** The first of the kills or of the others, and when it is due. */
  first(kill: boolean, nowMs: number): Readonly<{ item: Queued; atMs: number }> | null
  /** Takes the first away. */
  take(kill: boolean): void
}>

export const isShelved = (item: Queued): item is Shelved => !('delivery' in item)

const dueOf = (item: Queued): Delivery | Shelved | null => (isShelved(item) ? item : item.delivery)
/** Of what is wanted of it; nothing comes after it when nothing is. */
export const sequenceOf = (item: Queued): number => dueOf(item)?.sequence ?? Number.POSITIVE_INFINITY

const waitsForItsTime = (due: Delivery | Shelved): boolean => ('armed' in due ? due.armed : isArmed(due))
const isHeld = (due: Delivery | Shelved): boolean => ('held' in due ? due.held : due.heldUntilMs === due.nextAtMs)

const stands = ({ item, turn }: Entry): boolean => turn === item.turn && !item.busy && dueOf(item) !== null

export const createTurns = (isStrict: () => boolean): Turns => {
  const kills = createDueQueue(stands)
  const held = createDueQueue(stands)
  let others = createDueQueue(stands)
  let strict = isStrict()

  /** The first entry that still stands. */
  const head = (queue: DueQueue<Entry>): Entry | null => {
    for (let entry = queue.peek(); entry !== undefined; entry = queue.peek()) {
      if (stands(entry.item)) return entry.item
      queue.pop()
    }
    return null
  }
  const nextAtMs = ({ item }: Entry): number => dueOf(item)?.nextAtMs ?? Number.POSITIVE_INFINITY

  const push = (entry: Entry) => {
    const due = dueOf(entry.item)
    if (due === null) return
    if (due.kill) kills.push(due.nextAtMs, entry)
    else if (strict && isHeld(due)) held.push(due.nextAtMs, entry)
    else others.push(strict ? due.sequence : due.nextAtMs, entry)
  }
  /** The configuration changed: what stands in one kind of line goes into the other. */
  const regroup = () => {
    const before = [others, held]
    others = createDueQueue(stands)
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
      others.push(strict ? (dueOf(entry.item)?.sequence ?? 0) : nextAtMs(entry), entry)
    }
  }

  return {
    queue: item => {
      const due = dueOf(item)
      if (due === null || item.busy || !waitsForItsTime(due)) return
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
