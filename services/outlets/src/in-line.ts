/**
 * In which order a strict line is written down. The store must not know a later one before an earlier one: after a crash it would go first, while the
 * earlier one is still on its way out of the log.
 */
import type { Asking } from './asking.ts'
import { type Item, sequenceOf } from './item.ts'

type Needs = Readonly<{
  items: ReadonlyMap<string, Item>
  asking: Asking
  /** Writes down one item as it then is. */
  saveOne: (item: Item) => Promise<void>
}>

/** Writes an item down, and before it whatever stands before it and is in no store. One after the other, so many that come at once are each written once. */
export const createInLine = ({ items, asking, saveOne }: Needs): ((item: Item) => Promise<void>) => {
  let last: Promise<unknown> = Promise.resolve()

  const before = (item: Item): Item[] =>
    [...items.values()]
      .filter(one => one.waiters.length > 0 && sequenceOf(one) < sequenceOf(item))
      .sort((a, b) => sequenceOf(a) - sequenceOf(b))

  const save = async (item: Item, known: Item['saved']): Promise<void> => {
    if (item.delivery === null || (item.saved === item.delivery && item.saved !== known)) return
    await asking.untilEnded(sequenceOf(item))
    for (const one of before(item)) await saveOne(one)
    await saveOne(item)
  }

  return item => {
    const known = item.saved
    const mine = last.then(() => save(item, known))
    last = mine.catch(() => undefined)
    return mine
  }
}
