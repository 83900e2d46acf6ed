/**
 * Whose turn is next: kills before everything else, then whatever is due first. In a strict line it is whatever was wanted first, due or not;
 * only what is held until a time of its own stands beside the line until then.
 */
import { DueQueue } from './due-queue.ts'
import { dueOf, type Item, isShelved, type Queued, sequenceOf } from './item.ts'
import { type Delivery, isArmed } from './machine.ts'
import { Shelved, type Shelves } from './shelved.ts'

export type Turns = Readonly<{
  /** Queues an item as it is now; what was queued of it before is void. Nothing while it is busy, or waits for a person. */
  queue(item: Queued): void
  /** Whether nothing is queued of the kills, or of the others: then there is no first. */
  isNone(kill: boolean): boolean
  /** The first of the kills or of the others, and when it is due. */
  first(kill: boolean, nowMs: number): Readonly<{ item: Queued; atMs: number }> | null
  /** Takes the first away. */
  take(kill: boolean): void
}>

const waitsForItsTime = (due: Delivery | Shelved): boolean => (due instanceof Shelved ? due.armed : isArmed(due))
const isHeld = (due: Delivery | Shelved): boolean => (due instanceof Shelved ? due.held : due.heldUntilMs === due.nextAtMs)

/** What is shelved is named by its row: three hundred thousand may wait. */
type Entry = Item | number

/** `shelves`: where what is shelved stands. */
export const createTurns = (isStrict: () => boolean, shelves: Shelves): Turns => {
  /** Of what is queued of an item only the newest entry. */
  const stands = (entry: Entry, turn: number): boolean =>
    typeof entry === 'number' ? shelves.stands(entry, turn) : turn === entry.turn && !entry.busy && entry.delivery !== null
  const kills = new DueQueue(stands)
  const held = new DueQueue(stands)
  let others = new DueQueue(stands)
  let strict = isStrict()

  /** The first that still stands. */
  const head = (queue: DueQueue<Entry>): Queued | null => {
    for (let first = queue.peek(); first !== undefined; first = queue.peek()) {
      const { item, turn } = first
      const found = stands(item, turn) ? (typeof item === 'number' ? shelves.at(item) : item) : undefined
      if (found !== undefined) return found
      queue.pop()
    }
    return null
  }
  const nextAtMs = (item: Queued): number => dueOf(item)?.nextAtMs ?? Number.POSITIVE_INFINITY

  const beginTurn = (item: Queued): number => {
    if (isShelved(item)) return item.begin()
    item.turn += 1
    return item.turn
  }
  const push = (item: Queued, due: Delivery | Shelved) => {
    const [entry, turn] = [isShelved(item) ? item.row : item, beginTurn(item)]
    if (due.kill) kills.push(due.nextAtMs, entry, turn)
    else if (strict && isHeld(due)) held.push(due.nextAtMs, entry, turn)
    else others.push(strict ? due.sequence : due.nextAtMs, entry, turn)
  }
  /** The configuration changed: what stands in one kind of line goes into the other. */
  const regroup = () => {
    const before = [others, held]
    others = new DueQueue(stands)
    strict = isStrict()
    const standing: Queued[] = []
    for (const queue of before)
      for (let item = head(queue); item !== null; item = head(queue)) {
        standing.push(item)
        queue.pop()
      }
    for (const item of standing) {
      const due = dueOf(item)
      if (due !== null) push(item, due)
    }
  }
  const release = (nowMs: number) => {
    for (let item = head(held); item !== null && nextAtMs(item) <= nowMs; item = head(held)) {
      held.pop()
      others.push(strict ? sequenceOf(item) : nextAtMs(item), isShelved(item) ? item.row : item, beginTurn(item))
    }
  }

  return {
    queue: item => {
      const due = dueOf(item)
      if (due !== null && !item.busy && waitsForItsTime(due)) push(item, due)
    },
    isNone: kill => (kill ? kills.isEmpty() : others.isEmpty() && held.isEmpty()),
    first: (kill, nowMs) => {
      if (!kill && strict !== isStrict()) regroup()
      if (!kill) release(nowMs)
      const item = kill ? head(kills) : (head(others) ?? head(held))
      return item === null ? null : { item, atMs: nextAtMs(item) }
    },
    take: kill => (kill ? kills : others).pop(),
  }
}
