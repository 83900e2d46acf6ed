/**
 * What of one target lies in the store and is not under way: it is read page by page after a take-over, and each delivery once more
 * when its turn has come or something newer is wanted of it, so that memory holds little more of it than its time.
 */
import { messageOf, UnavailableError } from '@newswire/events/errors'
import type { Logger } from '@newswire/runtime/logger'
import type { Clock } from './clock.ts'
import type { Item, Queued } from './item.ts'
import type { Kind } from './kind.ts'
import { type Delivery, loseSight, restore, triedAt, wantVersion } from './machine.ts'
import { placeOf } from './outlet-state.ts'
import type { PendingStore, Stored } from './pending.ts'
import { OWN_FAULT_MS } from './schedule.ts'
import { type Origin, type Shelved, Shelves } from './shelved.ts'

type Needs = Readonly<{
  clock: Clock
  pending: PendingStore
  kind: Pick<Kind, 'newestOnly' | 'target'>
  scale: number
  logger: Pick<Logger, 'error'>
  isClosing: () => boolean
  owns: () => boolean
  items: ReadonlyMap<string, Item>
  /** Makes an item of what was read. */
  takeIn: (stored: Stored, delivery: Delivery, origin: Origin) => Item
}>

type Left = Readonly<{
  shelved: Shelves
  isWhole(): boolean
  isAtHand(subject: string): boolean
  find(subject: string): Promise<Item | null>
  put(item: Pick<Item, 'subject' | 'sinceMs' | 'origin'>, delivery: Delivery): Shelved
  load(clean: boolean, take: (one: Queued) => void, onPage: () => void): Promise<void>
  begin(): void
  sweep(take: (one: Queued) => void): Promise<void>
}>

/** Since when the oldest of it that may be sent has been due; `null` when nothing may. */
export const oldestSinceMs = ({ items, shelved }: Pick<Needs, 'items'> & Pick<Left, 'shelved'>, nowMs: number): number | null => {
  let oldest = shelved.oldestSinceMs()
  for (const { sinceMs, delivery } of items.values())
    if ((delivery?.heldUntilMs ?? 0) <= nowMs) oldest = Math.min(oldest ?? sinceMs, sinceMs)
  return oldest
}

/** Its functions are those of the book that has it, where they are described. */
export const createLeft = (owner: string, { items, takeIn, clock, pending, kind, scale, logger, isClosing, owns }: Needs): Left => {
  const shelved = new Shelves()
  /** Subjects that are being read, by whoever asked first. */
  const finding = new Map<string, Promise<Item | null>>()
  let whole = false
  let before = { clean: false, sinceMs: clock.now() }

  /**
   * What an owner before wrote is taken as of when it was taken over: then nothing of it was under way here. What lies here and not in memory is
   * not under way either, whatever was written of it.
   */
  const asOf = (delivery: Delivery, origin: Origin): Delivery =>
    origin === 'us' ? loseSight(delivery) : duePlaced(restore(delivery, origin === 'before' && before.clean, before.sinceMs, scale))

  /** What failed where it is not delivered any more is due: that was changed while nobody was here. */
  const duePlaced = (delivery: Delivery): Delivery => {
    const target = kind.target()
    const isElsewhere = target !== null && delivery.phase === 'wait' && triedAt(delivery, placeOf(target)) !== delivery
    return isElsewhere ? { ...delivery, nextAtMs: Math.min(delivery.nextAtMs, before.sinceMs) } : delivery
  }

  /** `null`: it is known already. */
  const note = (stored: Stored, origin: Origin): Queued | null => {
    const { subject, delivery } = stored.pending
    if (items.has(subject) || shelved.has(subject) || finding.has(subject)) return null
    if (kind.newestOnly) return takeIn(stored, asOf(delivery, origin), origin)
    return shelved.put(stored.pending, asOf(delivery, origin), origin)
  }

  /** An owner before may have written over what was stored here: intents that are committed are known by the hint only. */
  const catchUp = (item: Item, { want, kill, sequence }: Pick<Shelved, 'want' | 'kill' | 'sequence'>) => {
    if (item.delivery === null || item.delivery.want >= want) return
    const intent = { version: want, kill, sequence, maybeSent: 0, since: item.delivery.want }
    item.delivery = wantVersion(item.delivery, intent, clock.now(), { every: kind.target()?.versions === 'all' })
  }

  const read = async (subject: string): Promise<Item | null> => {
    const stored = await pending.read(owner, subject)
    const one = shelved.get(subject)
    const hint = one === undefined ? null : { want: one.want, kill: one.kill, sequence: one.sequence, origin: one.origin }
    shelved.delete(subject)
    if (stored === null) return null
    const origin = hint?.origin ?? 'before'
    const item = takeIn(stored, asOf(stored.pending.delivery, origin), origin)
    if (hint !== null) catchUp(item, hint)
    return item
  }

  const isAtHand = (subject: string): boolean => items.has(subject) || (whole && !shelved.has(subject) && !finding.has(subject))

  const find = async (subject: string): Promise<Item | null> => {
    if (isAtHand(subject)) return items.get(subject) ?? null
    const reading = finding.get(subject) ?? read(subject).finally(() => finding.delete(subject))
    finding.set(subject, reading)
    return reading
  }

  /** Returns what to go on from; what was read is not held any longer. */
  const takePage = async (after: string | undefined, take: (one: Queued) => void): Promise<string | null> => {
    const page = await pending.page(owner, after)
    for (const stored of page.stored) {
      const one = isClosing() ? null : note(stored, 'before')
      if (one !== null) take(one)
    }
    return page.after
  }

  const scan = async (take: (one: Queued) => void, onPage: () => void): Promise<void> => {
    for (let after: string | undefined; !whole && !isClosing(); ) {
      try {
        const next = await takePage(after, take)
        if (next === null) whole = true
        else after = next
        onPage()
      } catch (error) {
        if (isClosing()) return
        if (!(error instanceof UnavailableError)) logger.error({ owner, reason: messageOf(error) }, 'pending.unloaded')
        await new Promise<void>(resolve => clock.after(OWN_FAULT_MS * scale, resolve))
      }
    }
  }

  return {
    shelved,
    isWhole: () => whole,
    isAtHand,
    find,
    put: (item, delivery) => shelved.put(item, delivery, item.origin),
    load: (clean, take, onPage) => {
      before = { clean, sinceMs: clock.now() }
      return scan(take, onPage)
    },
    begin: () => {
      whole = true
    },
    sweep: async take => {
      const known = [...items.keys(), ...shelved.keys(), ...finding.keys()]
      for (const stored of await pending.sweep(owner, owns, known)) {
        const one = note(stored, 'stray')
        if (one !== null) take(one)
      }
    },
  }
}
