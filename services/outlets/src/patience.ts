/** What takes too long is written down: then its record is done, and it goes on from the store. */
import type { Book } from './book.ts'
import type { Clock } from './clock.ts'
import type { Item } from './item.ts'
import type { Delivery } from './machine.ts'
import type { News } from './tell.ts'
import type { Turns } from './turns.ts'

/** An intent that has not succeeded within this is written down, and its record is done. */
const PATIENCE_MS = 2_000

type Needs = Readonly<{
  book: Book
  turns: Turns
  clock: Clock
  /** Whether waiting is of no use: an open breaker, a suspended outlet. */
  isHopeless: () => boolean
  /** What is told of it as it is written down. */
  toKept: (delivery: Delivery) => readonly News[]
  isClosing: () => boolean
}>

/** Writes an item down after a while, or at once when it is written down already or waiting is of no use. */
type Patience = (item: Item) => void

export const createPatience = ({ book, turns, clock, isHopeless, toKept, isClosing }: Needs): Patience => {
  const writeDown = async (item: Item): Promise<void> => {
    item.patience?.()
    item.patience = null
    if (item.delivery === null) return
    if (item.waiters.length > 0)
      await book.remember(item, toKept(item.delivery)).catch(error => (isClosing() ? undefined : book.fail(item, error)))
    const shelved = book.shelve(item)
    if (shelved !== null) turns.queue(shelved)
  }

  return item => {
    if (item.held !== null || isHopeless()) void writeDown(item)
    // The first who waits has waited longest: those who come after must not put it off.
    else item.patience ??= clock.after(PATIENCE_MS, () => void writeDown(item))
  }
}
