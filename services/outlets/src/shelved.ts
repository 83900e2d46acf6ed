/**
 * What is remembered of a delivery that lies whole in the store: when its turn is, little else. It is a hint: the store is read when its turn has
 * come, or when something newer is wanted. A partner that was away for two days has three thousand of them, a hundred such partners 300,000.
 */
import { type Delivery, isArmed } from './machine.ts'
import type { Pending } from './pending.ts'

/** Who wrote it: this owner, one before it whose end is known, or one that wrote it late. */
export type Origin = 'us' | 'before' | 'stray'

export type Shelved = {
  readonly subject: string
  readonly origin: Origin
  readonly kill: boolean
  readonly want: number
  readonly sequence: number
  readonly sinceMs: number
  /** Waits for its time, rather than for a person. */
  readonly armed: boolean
  /** Its time is that before which nothing of it may be sent. */
  held: boolean
  nextAtMs: number
  /** Its turn has come. */
  busy: boolean
  /** As of an item: older entries of the queue are void. */
  turn: number
}

export const toShelved = ({ subject, sinceMs }: Pick<Pending, 'subject' | 'sinceMs'>, delivery: Delivery, origin: Origin): Shelved => ({
  subject,
  origin,
  kill: delivery.kill,
  want: delivery.want,
  sequence: delivery.sequence,
  sinceMs,
  armed: isArmed(delivery),
  held: delivery.heldUntilMs === delivery.nextAtMs,
  nextAtMs: delivery.nextAtMs,
  busy: false,
  turn: 0,
})
