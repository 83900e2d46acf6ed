/**
 * What is remembered of a delivery that lies whole in the store: when its turn is, little else. It is a hint: the store is read when its turn has
 * come, or when something newer is wanted. A partner that was away for two days has three thousand of them, a hundred such partners 300,000.
 */
import { type Delivery, isArmed } from './machine.ts'
import type { Pending } from './pending.ts'

/** Who wrote it: this owner, one before it whose end is known, or one that wrote it late. */
export type Origin = 'us' | 'before' | 'stray'

const ORIGINS = ['us', 'before', 'stray'] as const satisfies readonly Origin[]
/** The lowest two bits are the place in `ORIGINS`. */
const ORIGIN = 3
const KILL = 4
const ARMED = 8
const HELD = 16
const BUSY = 32

/** Each takes 96 bytes: what is said by yes and no is in one number, and since when it is wanted is kept in whole seconds. */
export class Shelved {
  readonly subject: string
  readonly want: number
  readonly sequence: number
  nextAtMs: number
  /** As of an item: older entries of the queue are void. */
  turn = 0
  readonly #sinceS: number
  #flags: number

  constructor({ subject, sinceMs }: Pick<Pending, 'subject' | 'sinceMs'>, delivery: Delivery, origin: Origin) {
    this.subject = subject
    this.want = delivery.want
    this.sequence = delivery.sequence
    this.nextAtMs = delivery.nextAtMs
    this.#sinceS = Math.floor(sinceMs / 1_000)
    this.#flags =
      ORIGINS.indexOf(origin) |
      (delivery.kill ? KILL : 0) |
      (isArmed(delivery) ? ARMED : 0) |
      (delivery.heldUntilMs === delivery.nextAtMs ? HELD : 0)
  }

  get origin(): Origin {
    return ORIGINS[this.#flags & ORIGIN] ?? 'stray'
  }

  get kill(): boolean {
    return this.#has(KILL)
  }

  /** To the second. */
  get sinceMs(): number {
    return this.#sinceS * 1_000
  }

  /** Waits for its time, rather than for a person. */
  get armed(): boolean {
    return this.#has(ARMED)
  }

  /** Its time is that before which nothing of it may be sent. */
  get held(): boolean {
    return this.#has(HELD)
  }

  set held(value: boolean) {
    this.#set(HELD, value)
  }

  /** Its turn has come. */
  get busy(): boolean {
    return this.#has(BUSY)
  }

  set busy(value: boolean) {
    this.#set(BUSY, value)
  }

  #has(flag: number): boolean {
    return (this.#flags & flag) !== 0
  }

  #set(flag: number, value: boolean): void {
    this.#flags = value ? this.#flags | flag : this.#flags & ~flag
  }
}
