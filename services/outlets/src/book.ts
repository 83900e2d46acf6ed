/**
 * What one target still has to get, by subject: in memory, in the store once it has not succeeded at once, and told (as milestones, for
 * outlets). The order of effects is here: telling, then state, and only then are the intents done that waited for it. What lies in the store
 * and is not under way is shelved: little more than its time stays in memory.
 */
import { messageOf, UnavailableError } from '@newswire/events/errors'
import type { Logger } from '@newswire/runtime/logger'
import { type Acknowledged, createAcknowledged } from './acknowledged.ts'
import type { Asking } from './asking.ts'
import type { Clock } from './clock.ts'
import { createInLine } from './in-line.ts'
import { type Item, newItem, type Queued } from './item.ts'
import type { Kind } from './kind.ts'
import { createLeft } from './left.ts'
import { type Delivery, doubtAfter, isHeld, isRemembered } from './machine.ts'
import type { Cause, PendingStore, Stored } from './pending.ts'
import { OWN_FAULT_MS } from './schedule.ts'
import type { Origin, Shelved, Shelves } from './shelved.ts'
import type { News } from './tell.ts'
import { beingTold, createSay } from './telling.ts'

export type BookNeeds = Readonly<{
  clock: Clock
  pending: PendingStore
  kind: Pick<Kind, 'say' | 'fields' | 'newestOnly' | 'target'>
  scale: number
  logger: Pick<Logger, 'warn' | 'error' | 'info'>
  asking: Asking
  isClosing: () => boolean
  /** Whether this process surely owns the target now: nobody else's state is overwritten. */
  owns: () => boolean
  /** Whether its membership is fresh (default: no): then, while it hands over, nobody else has taken over yet, and what it knows of its last attempts is kept. */
  isAlive?: () => boolean
  /** What got there: an intent that comes after its version was sent sends nothing (default: its own). */
  acknowledged?: Acknowledged
}>

/** What became of the version that was sent, or was not to be. */
export type End = Readonly<{ state: 'done' | 'skipped'; reason?: string }>

export type Book = Readonly<{
  items: ReadonlyMap<string, Item>
  shelved: Shelves
  /** The item of a subject, made when there is none. */
  open(subject: string, cause: Cause): Item
  /** Whether nothing of a subject lies in the store only. */
  isAtHand(subject: string): boolean
  /** The item of a subject, out of the store when it lies there; `null` when nothing is left to do. Rejects with what the store throws. */
  find(subject: string): Promise<Item | null>
  /** Lets go of an item that lies whole in the store and is neither under way nor being written; what to queue in its place, `null` when it stays. */
  shelve(item: Item): Shelved | null
  /** Whether everything that lies in the store is known. */
  isWhole(): boolean
  /** Up to which version nothing is to be done any more: it got there while this process owned the outlet, or the store says that it has still to; 0 when none. */
  settledUpTo(subject: string): number
  /** An older version that may still arrive late although a newer one was acknowledged; `null` when none may. */
  doubt(subject: string): number | null
  /** Whether something that was sent may still arrive without the store's knowing: its end could not be written, or it was acknowledged over. */
  isInDoubt(): boolean
  /** Tells milestones, then writes the state as it then is; resolves the intents that the store now remembers. */
  remember(item: Item, news: readonly News[]): Promise<void>
  /** It got there and nothing is left. `inflight` is the delivery that ended. */
  finish(item: Item, inflight: Delivery, end: End): Promise<void>
  /** It got there, and something is left: a newer version, or the settle-repeat. */
  carryOn(item: Item, inflight: Delivery, next: Delivery, end: End): Promise<void>
  /** A fault that trying again does not mend: intents go back to the log, which dead-letters them in the end. */
  fail(item: Item, error: unknown): void
  /** Waits while our own log or store is away; once closing, tries once. */
  untilAvailable<T>(act: () => Promise<T>): Promise<T>
  /**
   * Reads what is left from before, however long that takes; resolves when all is known, or when it is closing. `take` is called with each, and
   * `onPage` now and then. `clean`: whoever was here before had come to an end.
   */
  load(clean: boolean, take: (one: Queued) => void, onPage: () => void): Promise<void>
  /** In place of `load`: nothing is left. */
  begin(): void
  /** Whether all is known, and nothing is to be remembered. */
  isEmpty(): boolean
  /** Tidies up in the store, and takes in what lies there unknown: an earlier owner wrote it late. */
  sweep(take: (one: Queued) => void): Promise<void>
}>

/** How late a request of unknown outcome may still be processed: it lies in buffers, the sender has reset its connection. */
export const DOUBT_MS = 600_000

export const createBook = (
  owner: string,
  { clock, pending, kind, scale, logger, asking, isClosing, owns, isAlive = () => false, acknowledged = createAcknowledged() }: BookNeeds,
): Book => {
  const maySave = () => owns() || (isClosing() && isAlive())
  const items = new Map<string, Item>()
  const doubts = new Map<string, { version: number; untilMs: number }>()

  const open = (subject: string, cause: Cause): Item => {
    const known = items.get(subject)
    if (known !== undefined) return known
    const item = newItem(subject, cause, clock.now())
    items.set(subject, item)
    return item
  }

  const settleWaiters = (item: Item, upTo: number) => {
    const [only] = item.waiters
    if (only !== undefined && item.waiters.length === 1 && only.version <= upTo) {
      item.waiters = []
      return only.resolve()
    }
    const done = item.waiters.filter(one => one.version <= upTo)
    item.waiters = item.waiters.filter(one => one.version > upTo)
    for (const one of done) one.resolve()
  }

  /** Waits a while for our own log or store; throws what is something else, and everything once closing. */
  const outlast = async (error: unknown): Promise<void> => {
    if (!(error instanceof UnavailableError) || isClosing()) throw error
    await new Promise<void>(resolve => clock.after(OWN_FAULT_MS * scale, resolve))
  }

  const untilAvailable = async <T>(act: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await act()
      } catch (error) {
        await outlast(error)
      }
    }
  }

  const say = createSay({ kind, outlast })

  const write = (item: Item): Promise<void> =>
    untilAvailable(async () => {
      for (let told = beingTold(item); told !== null; told = beingTold(item)) await told
      const { delivery, subject, cause, sinceMs } = item
      if (delivery === null) return
      if (!maySave()) throw new UnavailableError('NEWSWIRE_OUTLETS_LOST', `whether ${owner} is still this process's is not sure`)
      item.held = await pending.save(owner, { subject, delivery, cause, sinceMs }, item.held, maySave)
      item.saved = delivery
      item.origin = 'us'
      item.savedWant = delivery.want
      item.savedDoubt = delivery.maybeSent
      settleWaiters(item, delivery.want)
    })

  /** One write of an item at a time; each writes what then is. */
  const saveOne = (item: Item): Promise<void> => {
    const mine = (item.saving ?? Promise.resolve())
      .then(() => write(item))
      .finally(() => {
        if (item.saving === ended) item.saving = null
      })
    const ended = mine.catch(() => undefined)
    item.saving = ended
    return mine
  }

  const saveInLine = createInLine({ items, asking, saveOne })
  const save = (item: Item): Promise<void> => (kind.target()?.order === 'strict' ? saveInLine(item) : saveOne(item))

  const noteDoubt = (subject: string, version: number | null) => {
    if (version !== null) doubts.set(subject, { version, untilMs: clock.now() + DOUBT_MS })
    for (const [known, { untilMs }] of doubts) {
      if (untilMs > clock.now()) return
      doubts.delete(known)
    }
  }

  const isAnyDoubted = () => {
    if (doubts.size === 0) return false
    const nowMs = clock.now()
    for (const { untilMs } of doubts.values()) if (untilMs > nowMs) return true
    return false
  }

  /** The end of every open version that what was sent settles. */
  const endings = (inflight: Delivery, sent: number, end: End): News[] => {
    const ended: News[] = []
    for (const version of inflight.open) if (version < sent) ended.push({ version, state: 'superseded' })
    const isTold = inflight.settling || (end.state === 'skipped' && isRemembered(inflight))
    if (!isTold) ended.push({ version: sent, ...end, attempts: inflight.attempts })
    return ended
  }

  const forget = (item: Item) => {
    item.patience?.()
    item.patience = null
    items.delete(item.subject)
  }

  /** A newer version that comes meanwhile goes on with the item, and its own state overwrites what is stored. */
  const clear = async (item: Item) => {
    await item.saving
    const { held } = item
    if (item.delivery === null && held !== null) {
      // Before the swap: whoever wants something meanwhile must not rely on what is about to go.
      item.held = null
      item.saved = null
      await untilAvailable(() => pending.clear(owner, item, held))
    }
    if (item.delivery === null) forget(item)
  }

  const takeIn = ({ pending: one, held }: Stored, delivery: Delivery, origin: Origin): Item => {
    const item = open(one.subject, one.cause)
    item.sinceMs = one.sinceMs
    item.held = held
    item.savedWant = one.delivery.want
    item.savedDoubt = one.delivery.maybeSent
    item.delivery = delivery
    item.saved = delivery
    item.origin = origin
    return item
  }
  const left = createLeft(owner, { clock, pending, kind, scale, logger, isClosing, owns, items, takeIn })

  return {
    items,
    shelved: left.shelved,
    open,
    isAtHand: left.isAtHand,
    find: left.find,
    shelve: item => {
      const { delivery, subject } = item
      const isIdle =
        !item.busy && item.saving === null && item.waiters.length === 0 && item.patience === null && item.behindSinceMs === null
      if (delivery === null || item.saved !== delivery || !isIdle || kind.newestOnly) return null
      items.delete(subject)
      item.delivery = null // what is queued of it is void
      return left.put(item, delivery)
    },
    isWhole: left.isWhole,
    settledUpTo: subject =>
      Math.max(acknowledged.of(owner, subject), items.get(subject)?.savedWant ?? 0, left.shelved.get(subject)?.want ?? 0),
    doubt: subject => doubts.get(subject)?.version ?? null,
    isInDoubt: () =>
      isAnyDoubted() ||
      [...items.values()].some(
        ({ delivery, savedDoubt }) => delivery !== null && (delivery.phase === 'inflight' || delivery.maybeSent !== savedDoubt),
      ),
    remember: async (item, news) => {
      await say(item, news)
      await save(item)
    },
    finish: async (item, inflight, end) => {
      const sent = inflight.version ?? inflight.want
      item.delivery = null
      acknowledged.note(owner, item.subject, sent)
      noteDoubt(item.subject, inflight.settling ? null : doubtAfter(inflight, sent))
      await say(item, endings(inflight, sent, end))
      if (item.held !== null || item.saving !== null) await clear(item)
      else if (item.delivery === null) forget(item)
      settleWaiters(item, sent)
    },
    carryOn: async (item, inflight, next, end) => {
      const sent = inflight.version ?? inflight.want
      item.delivery = next
      acknowledged.note(owner, item.subject, sent)
      await say(item, endings(inflight, sent, end))
      if (next.settling || isHeld(next, clock.now()) || item.held !== null) await save(item)
      settleWaiters(item, sent)
    },
    fail: (item, error) => {
      logger.error({ ...kind.fields(item.subject), reason: messageOf(error) }, 'delivery.stuck')
      const { waiters } = item
      item.waiters = []
      if (item.delivery === null) forget(item)
      for (const one of waiters) one.reject(error)
    },
    untilAvailable,
    load: left.load,
    begin: left.begin,
    isEmpty: () => left.isWhole() && items.size === 0 && left.shelved.size === 0 && !isAnyDoubted(),
    sweep: left.sweep,
  }
}
