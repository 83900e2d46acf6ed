/**
 * Things and when they are due: a binary heap, earliest first. Equal times keep no order. In columns, because three hundred thousand things may wait:
 * an entry takes 24 bytes beside the thing itself.
 */

/** `turn`: what came with the thing, for whoever must know which of its entries this is. */
type Due<T> = Readonly<{ atMs: number; item: T; turn: number }>

/** So many are kept before any is looked at. */
const FEW = 128

export class DueQueue<T> {
  #times: number[] = []
  #items: T[] = []
  #turns: number[] = []
  #most = FEW
  readonly #stands: ((item: T, turn: number) => boolean) | undefined

  /** `stands`: what does not, and never will again, is let go of before it is more than half of what is kept (default: all stands). */
  constructor(stands?: (item: T, turn: number) => boolean) {
    this.#stands = stands
  }

  push(atMs: number, item: T, turn = 0): void {
    if (this.#stands !== undefined && this.#times.length >= this.#most) this.#tidy(this.#stands)
    let at = this.#times.length
    for (; at > 0; at = (at - 1) >> 1) {
      const parent = (at - 1) >> 1
      if (this.#time(parent) <= atMs) break
      this.#move(parent, at)
    }
    this.#put(at, atMs, item, turn)
  }

  isEmpty(): boolean {
    return this.#times.length === 0
  }

  peek(): Due<T> | undefined {
    return this.#times.length === 0 ? undefined : { atMs: this.#time(0), item: this.#items[0] as T, turn: this.#turns[0] as number }
  }

  pop(): void {
    const atMs = this.#times.pop()
    const item = this.#items.pop() as T
    const turn = this.#turns.pop() as number
    if (atMs === undefined || this.#times.length === 0) return
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      const least = this.#time(left) <= this.#time(left + 1) ? left : left + 1
      if (this.#time(least) >= atMs) break
      this.#move(least, at)
      at = least
    }
    this.#put(at, atMs, item, turn)
  }

  #time(at: number): number {
    return this.#times[at] ?? Number.POSITIVE_INFINITY
  }

  #put(at: number, atMs: number, item: T, turn: number): void {
    this.#times[at] = atMs
    this.#items[at] = item
    this.#turns[at] = turn
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#time(from), this.#items[from] as T, this.#turns[from] as number)
  }

  #tidy(stands: (item: T, turn: number) => boolean): void {
    const [times, items, turns] = [this.#times, this.#items, this.#turns]
    const kept: number[] = []
    items.forEach((item, at) => {
      if (stands(item, turns[at] as number)) kept.push(at)
    })
    // What is sorted is a heap.
    kept.sort((a, b) => (times[a] as number) - (times[b] as number))
    this.#times = kept.map(at => times[at] as number)
    this.#items = kept.map(at => items[at] as T)
    this.#turns = kept.map(at => turns[at] as number)
    this.#most = Math.max(FEW, 2 * kept.length)
  }
}
