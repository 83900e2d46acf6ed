/**
 * In which row each of many texts stands: an open hash table (Knuth, TAOCP 6.4: Algorithm L, and R for what is taken out). A map of V8 takes forty
 * bytes of its heap for each text, which the collector walks through again and again; this takes eight to sixteen beside the heap.
 */

const FEWEST = 16
/** Texts are of publishers' choosing: nobody outside may know which of them meet. */
const SEED = Math.floor(Math.random() * 2 ** 32)

const hashOf = (text: string): number => {
  let hash = SEED
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b)
  return (hash ^ (hash >>> 13)) >>> 0
}

export class RowIndex {
  readonly #textOf: (row: number) => string | undefined
  /** A row's number and one; 0: nothing. At most half of them are taken. */
  #slots = new Int32Array(0)
  #size = 0

  /** `textOf`: what stands in a row, for as long as the row is in here. */
  constructor(textOf: (row: number) => string | undefined) {
    this.#textOf = textOf
  }

  get size(): number {
    return this.#size
  }

  /** -1: nowhere. */
  find(text: string): number {
    if (this.#size === 0) return -1
    return (this.#slots[this.#slotOf(text)] ?? 0) - 1
  }

  /** Of a text that is not in here. */
  add(text: string, row: number): void {
    if (this.#size * 2 >= this.#slots.length) this.#grow()
    this.#slots[this.#slotOf(text)] = row + 1
    this.#size += 1
  }

  delete(text: string): void {
    if (this.find(text) < 0) return
    this.#size -= 1
    if (this.#size === 0) {
      this.#slots = new Int32Array(0)
      return
    }
    const mask = this.#slots.length - 1
    let free = this.#slotOf(text)
    this.#slots[free] = 0
    // What stands behind it and could stand in its place moves there, so that no look ends too early.
    for (let at = (free + 1) & mask; this.#slots[at] !== 0; at = (at + 1) & mask) {
      const row = (this.#slots[at] as number) - 1
      const home = hashOf(this.#textOf(row) ?? '') & mask
      if (((at - home) & mask) < ((at - free) & mask)) continue
      this.#slots[free] = row + 1
      this.#slots[at] = 0
      free = at
    }
  }

  /** The place of a text, or the one where it would stand. */
  #slotOf(text: string): number {
    const mask = this.#slots.length - 1
    let at = hashOf(text) & mask
    for (let taken = this.#slots[at]; taken !== undefined && taken !== 0 && this.#textOf(taken - 1) !== text; taken = this.#slots[at])
      at = (at + 1) & mask
    return at
  }

  #grow(): void {
    const before = this.#slots
    this.#slots = new Int32Array(Math.max(FEWEST, before.length * 2))
    for (const taken of before) if (taken !== 0) this.#slots[this.#slotOf(this.#textOf(taken - 1) ?? '')] = taken
  }
}
