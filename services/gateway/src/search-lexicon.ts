/**
 * What the words of texts became, kept by how they were written: a language has few, and they come again. A text is hashed while it is looked through, so
 * for a word that is known neither a piece of the text nor a term is made: a quarter of the time that strings take. Terms have numbers here, and bytes.
 */
import { makeWords } from './search-words.ts'

/** More are not kept: names and numbers are without end. An article has at most 100,000 beside them. */
const MAX_RUNS = 65_536
const MAX_TERMS = 2 * MAX_RUNS
/** Longer ones come once. */
const MAX_RUN_LENGTH = 24
const SLOTS = 4 * MAX_RUNS
/** A stranger's text may be made of words with one hash: what is not found in so many looks is made anew. */
const MAX_LOOKS = 8

type Numbers = Uint8Array | Uint16Array | Int32Array | Uint32Array
/** The same, or a larger one that begins with it. */
export const withRoom = <T extends Numbers>(array: T, wanted: number): T => {
  if (wanted <= array.length) return array
  const Larger = array.constructor as new (length: number) => T
  const larger = new Larger(Math.max(wanted, 2 * array.length))
  larger.set(array)
  return larger
}

/** Given the numbers of a word's two terms: without marks, and with them, -1 where that says no more. */
type TakeWord = (folded: number, exact: number) => void

/** One step of the hash that `find` wants, from 0 on. */
export const hashWith = (hash: number, code: number): number => (Math.imul(hash, 31) + code) | 0

export const createLexicon = () => {
  const numbers = new Map<string, number>()
  const texts: string[] = []
  /** Where the bytes of a term end; they begin where those of the one before end. */
  let ends = new Uint32Array(1024)
  let bytes = new Uint8Array(8 * 1024)
  let used = 0

  const slots = new Uint32Array(SLOTS)
  let runs = 0
  let chars = new Uint16Array(8 * 1024)
  let charEnds = new Uint32Array(1024)
  /** Of each run its words, two numbers each. */
  let words = new Int32Array(2 * 1024)
  let wordEnds = new Uint32Array(1024)

  const numberOf = (text: string): number => {
    const known = numbers.get(text)
    if (known !== undefined) return known
    const number = texts.length
    const encoded = Buffer.from(text)
    bytes = withRoom(bytes, used + encoded.length)
    bytes.set(encoded, used)
    used += encoded.length
    ends = withRoom(ends, number + 1)
    ends[number] = used
    texts.push(text)
    numbers.set(text, number)
    return number
  }

  const isRun = (run: number, text: string, from: number, length: number): boolean => {
    const start = run === 0 ? 0 : (charEnds[run - 1] as number)
    if ((charEnds[run] as number) - start !== length) return false
    for (let at = 0; at < length; at += 1) if (chars[start + at] !== text.charCodeAt(from + at)) return false
    return true
  }

  const learn = (slot: number, run: string, made: readonly number[]) => {
    const charStart = runs === 0 ? 0 : (charEnds[runs - 1] as number)
    const wordStart = runs === 0 ? 0 : (wordEnds[runs - 1] as number)
    chars = withRoom(chars, charStart + run.length)
    for (let at = 0; at < run.length; at += 1) chars[charStart + at] = run.charCodeAt(at)
    words = withRoom(words, wordStart + made.length)
    words.set(made, wordStart)
    charEnds = withRoom(charEnds, runs + 1)
    wordEnds = withRoom(wordEnds, runs + 1)
    charEnds[runs] = charStart + run.length
    wordEnds[runs] = wordStart + made.length
    runs += 1
    slots[slot] = runs
  }

  const make = (run: string, free: number, take: TakeWord) => {
    const made = makeWords(run).flatMap(({ folded, exact }) => [numberOf(folded), exact === null ? -1 : numberOf(exact)])
    if (free >= 0 && runs < MAX_RUNS && run.length <= MAX_RUN_LENGTH) learn(free, run, made)
    for (let at = 0; at < made.length; at += 2) take(made[at] as number, made[at + 1] as number)
  }

  return {
    /** The words of the run of letters between two places of a text; `hash` is of its characters (`hashWith`). */
    find: (text: string, from: number, to: number, hash: number, take: TakeWord): void => {
      let slot = (hash ^ (hash >>> 15)) & (SLOTS - 1)
      for (let look = 0; look < MAX_LOOKS; look += 1) {
        const run = (slots[slot] as number) - 1
        if (run < 0) {
          make(text.slice(from, to), slot, take)
          return
        }
        if (isRun(run, text, from, to - from)) {
          for (let at = run === 0 ? 0 : (wordEnds[run - 1] as number); at < (wordEnds[run] as number); at += 2)
            take(words[at] as number, words[at + 1] as number)
          return
        }
        slot = (slot + 1) & (SLOTS - 1)
      }
      make(text.slice(from, to), -1, take)
    },
    textOf: (term: number): string => texts[term] as string,
    numberOf,
    /** Writes a term's bytes, for which there is room; gives the place behind them. */
    write: (term: number, into: Uint8Array, place: number): number => {
      let at = place
      for (let from = term === 0 ? 0 : (ends[term - 1] as number); from < (ends[term] as number); from += 1)
        into[at++] = bytes[from] as number
      return at
    },
    /** Numbers that there are. */
    terms: (): number => texts.length,
    isFull: (): boolean => runs >= MAX_RUNS || texts.length >= MAX_TERMS,
    /** Forgets everything: numbers from before mean nothing any more. */
    forget: (): void => {
      numbers.clear()
      texts.length = 0
      used = 0
      slots.fill(0)
      runs = 0
    },
  }
}
