/** Something that a target has still to get, as the engine holds it: in memory whole, or little more than its time while it lies in the store (`shelved.ts`). */
import type { Delivery } from './machine.ts'
import type { Cause, Held } from './pending.ts'
import { type Origin, Shelved } from './shelved.ts'
import type { Telling } from './telling.ts'

type Waiter = Readonly<{ version: number; resolve: () => void; reject: (error: unknown) => void }>
export type Item = {
  readonly subject: string
  /** `null` while the end of it is being told. */
  delivery: Delivery | null
  cause: Cause
  sinceMs: number
  held: Held | null
  /** The store knows that at least this version has still to get there. */
  savedWant: number
  /** The `maybeSent` that the store knows of. */
  savedDoubt: number | null
  /** What reading it again would give, but for when its turn is; `null` when the store has it otherwise, or not at all. */
  saved: Delivery | null
  /** Who wrote what lies in the store. */
  origin: Origin
  /** The last write that was begun, until it has ended. */
  saving: Promise<void> | null
  waiters: Waiter[]
  /** Cancels the writing down of what takes too long. */
  patience: (() => void) | null
  busy: boolean
  behindSinceMs: number | null
  /** Raised whenever it is queued again: older entries of the queue are void. */
  turn: number
} & Telling

/** What may have a turn. */
export type Queued = Item | Shelved

export const newItem = (subject: string, cause: Cause, nowMs: number): Item => ({
  subject,
  delivery: null,
  cause,
  sinceMs: nowMs,
  held: null,
  savedWant: 0,
  savedDoubt: null,
  saved: null,
  origin: 'us',
  saving: null,
  telling: 0,
  told: null,
  waiters: [],
  patience: null,
  busy: false,
  behindSinceMs: null,
  turn: 0,
})

export const isShelved = (item: Queued): item is Shelved => item instanceof Shelved

/** What is wanted of it; `null`: nothing. */
export const dueOf = (item: Queued): Delivery | Shelved | null => (isShelved(item) ? item : item.delivery)
/** The place of what is wanted of it; nothing comes after it when nothing is. */
export const sequenceOf = (item: Queued): number => dueOf(item)?.sequence ?? Number.POSITIVE_INFINITY
