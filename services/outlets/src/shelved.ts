/**
 * What stays in memory of deliveries that lie in the store and are not under way, until their turn comes: a partner who is away for two days has
 * three thousand of them, a hundred such partners 300,000. They are rows of numbers beside V8's heap, which would otherwise be walked through at
 * each collection, and grow to several times what is in it.
 */
import { type Delivery, isArmed, isSettling } from './machine.ts'
import type { Pending } from './pending.ts'
import { RowIndex } from './row-index.ts'

/** Who wrote it: this owner, one before it whose end is known, or one that wrote it late. */
export type Origin = 'us' | 'before' | 'stray'

const ORIGINS = ['us', 'before', 'stray'] as const satisfies readonly Origin[]
/** The lowest two bits are the place in `ORIGINS`. */
const ORIGIN = 3
const KILL = 4
const ARMED = 8
const HELD = 16
const BUSY = 32
const SETTLING = 64

/** A row is 32 bytes: two numbers of eight, sequence and when it is due, then four of four. */
const LONGS = 4
const SEQUENCE = 0
const NEXT_AT = 1
const INTS = 8
const WANT = 4
/** Of its newest entry in a queue; 0: none. */
const TURN = 5
/** Since when it is wanted, in whole seconds. */
const SINCE = 6
const FLAGS = 7
const FEWEST_ROWS = 8
/** Rows lie in pieces of so many (a power of two): what grows by a copy leaves the former one to the collector, and has a third too many. */
const PIECE_ROWS = 256
const PIECE_BITS = Math.log2(PIECE_ROWS)
type Piece = Readonly<{ longs: Float64Array; ints: Uint32Array }>

const pieceOf = (rows: number): Piece => {
  const longs = new Float64Array(rows * LONGS)
  return { longs, ints: new Uint32Array(longs.buffer) }
}

/** One of them, looked at where it stands. Once it is taken out of its shelves, or another stands there, it must not be read; what is set then is lost. */
export class Shelved {
  readonly subject: string
  readonly row: number
  readonly #shelves: Shelves

  constructor(shelves: Shelves, subject: string, row: number) {
    this.#shelves = shelves
    this.subject = subject
    this.row = row
  }

  get want(): number {
    return this.#shelves.int(this.row, WANT)
  }

  get sequence(): number {
    return this.#shelves.long(this.row, SEQUENCE)
  }

  get nextAtMs(): number {
    return this.#shelves.long(this.row, NEXT_AT)
  }

  set nextAtMs(value: number) {
    if (this.#isThere()) this.#shelves.setLong(this.row, NEXT_AT, value)
  }

  get origin(): Origin {
    return ORIGINS[this.#shelves.int(this.row, FLAGS) & ORIGIN] ?? 'stray'
  }

  get kill(): boolean {
    return this.#has(KILL)
  }

  /** To the second. */
  get sinceMs(): number {
    return this.#shelves.int(this.row, SINCE) * 1_000
  }

  /** Waits for its time, rather than for a person. */
  get armed(): boolean {
    return this.#has(ARMED)
  }

  set armed(value: boolean) {
    this.#set(ARMED, value)
  }

  /** Its time is that before which nothing of it may be sent. */
  get held(): boolean {
    return this.#has(HELD)
  }

  set held(value: boolean) {
    this.#set(HELD, value)
  }

  /** Its time is the minute of a settle-repeat. */
  get settling(): boolean {
    return this.#has(SETTLING)
  }

  /** Its turn has come. */
  get busy(): boolean {
    return this.#has(BUSY)
  }

  set busy(value: boolean) {
    this.#set(BUSY, value)
  }

  /** It is queued again: older entries of a queue are void. Returns what tells the new one from them. */
  begin(): number {
    return this.#shelves.beginTurn(this.row)
  }

  #isThere(): boolean {
    return this.#shelves.subjectAt(this.row) === this.subject
  }

  #has(flag: number): boolean {
    return (this.#shelves.int(this.row, FLAGS) & flag) !== 0
  }

  #set(flag: number, value: boolean): void {
    if (!this.#isThere()) return
    const flags = this.#shelves.int(this.row, FLAGS)
    this.#shelves.setInt(this.row, FLAGS, value ? flags | flag : flags & ~flag)
  }
}

/** All of one target, by subject. In no order. */
export class Shelves {
  #pieces: Piece[] = []
  #subjects: (string | undefined)[] = []
  #free: number[] = []
  #turns = 0
  readonly #index = new RowIndex(row => this.#subjects[row])

  get size(): number {
    return this.#index.size
  }

  has(subject: string): boolean {
    return this.#index.find(subject) >= 0
  }

  get(subject: string): Shelved | undefined {
    const row = this.#index.find(subject)
    return row < 0 ? undefined : new Shelved(this, this.#subjects[row] as string, row)
  }

  /** In the place of what was there of the subject. */
  put({ subject, sinceMs }: Pick<Pending, 'subject' | 'sinceMs'>, delivery: Delivery, origin: Origin): Shelved {
    this.delete(subject)
    const row = this.#free.pop() ?? this.#subjects.length
    this.#makeRoom(row)
    this.#subjects[row] = subject
    this.#index.add(subject, row)
    this.setLong(row, SEQUENCE, delivery.sequence)
    this.setLong(row, NEXT_AT, delivery.nextAtMs)
    this.setInt(row, WANT, delivery.want)
    this.setInt(row, TURN, 0)
    this.setInt(row, SINCE, Math.floor(sinceMs / 1_000))
    const flags =
      ORIGINS.indexOf(origin) |
      (delivery.kill ? KILL : 0) |
      (isArmed(delivery) ? ARMED : 0) |
      (delivery.heldUntilMs === delivery.nextAtMs ? HELD : 0) |
      (isSettling(delivery) ? SETTLING : 0)
    this.setInt(row, FLAGS, flags)
    return new Shelved(this, subject, row)
  }

  /** What is queued of it is void. */
  delete(subject: string): void {
    const row = this.#index.find(subject)
    if (row < 0) return
    this.#index.delete(subject)
    this.#subjects[row] = undefined
    this.setInt(row, TURN, 0)
    this.#free.push(row)
    if (this.size === 0) this.#clear()
  }

  *values(): IterableIterator<Shelved> {
    for (const [row, subject] of this.#subjects.entries()) if (subject !== undefined) yield new Shelved(this, subject, row)
  }

  *keys(): IterableIterator<string> {
    for (const subject of this.#subjects) if (subject !== undefined) yield subject
  }

  /** Since when the oldest has been wanted of those that no time of their own holds; `null` when there is none. */
  oldestSinceMs(): number | null {
    let oldest: number | null = null
    for (let row = 0; row < this.#subjects.length; row++) {
      if (this.#subjects[row] === undefined || (this.int(row, FLAGS) & HELD) !== 0) continue
      const since = this.int(row, SINCE)
      if (oldest === null || since < oldest) oldest = since
    }
    return oldest === null ? null : oldest * 1_000
  }

  /** What stands in a row; `undefined`: nothing. */
  at(row: number): Shelved | undefined {
    const subject = this.#subjects[row]
    return subject === undefined ? undefined : new Shelved(this, subject, row)
  }

  subjectAt(row: number): string | undefined {
    return this.#subjects[row]
  }

  /** Whether an entry of a queue is the newest of what stands in the row, and its turn has not come yet. */
  stands(row: number, turn: number): boolean {
    return this.int(row, TURN) === turn && (this.int(row, FLAGS) & BUSY) === 0
  }

  beginTurn(row: number): number {
    this.#turns += 1
    this.setInt(row, TURN, this.#turns)
    return this.#turns
  }

  long(row: number, field: number): number {
    return this.#pieces[row >> PIECE_BITS]?.longs[(row % PIECE_ROWS) * LONGS + field] ?? 0
  }

  setLong(row: number, field: number, value: number): void {
    const piece = this.#pieces[row >> PIECE_BITS]
    if (piece !== undefined) piece.longs[(row % PIECE_ROWS) * LONGS + field] = value
  }

  int(row: number, field: number): number {
    return this.#pieces[row >> PIECE_BITS]?.ints[(row % PIECE_ROWS) * INTS + field] ?? 0
  }

  setInt(row: number, field: number, value: number): void {
    const piece = this.#pieces[row >> PIECE_BITS]
    if (piece !== undefined) piece.ints[(row % PIECE_ROWS) * INTS + field] = value
  }

  /** The first piece grows: most targets have little left. */
  #makeRoom(row: number): void {
    const known = this.#pieces[row >> PIECE_BITS]
    const rows = (known?.longs.length ?? 0) / LONGS
    if (row % PIECE_ROWS < rows) return
    const made = pieceOf(row < PIECE_ROWS ? Math.max(FEWEST_ROWS, rows * 2) : PIECE_ROWS)
    if (known !== undefined) made.longs.set(known.longs)
    this.#pieces[row >> PIECE_BITS] = made
  }

  #clear(): void {
    this.#pieces = []
    this.#subjects = []
    this.#free = []
  }
}
