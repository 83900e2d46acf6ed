/** The terms of texts, as bytes that FTS5 takes as they are. */
import { createLexicon, hashWith, withRoom } from './search-lexicon.ts'
import { letterTable, runsOf } from './search-words.ts'

/** Two words side by side. */
export const PAIR = '_'
const PAIR_CODE = PAIR.charCodeAt(0)
const SPACE = 0x20
/** A pair of words and both terms of the second, of 64 characters each, and what stands between and behind them. */
const MAX_TAKEN_BYTES = 1024
/** Terms of some dozen articles lie in one piece of memory: a piece for each would cost more than what is in it. */
const CHUNK = 256 * 1024
/** Pairs that are remembered of one text; of more some are written twice, which FTS5 takes for once. */
const PAIRS = 16_384

export type Terms = Readonly<{
  /** Terms of texts and what they are filed under, each once, with spaces between them. Words of two texts are no neighbours. `isCounted`: their words are. */
  write(texts: readonly string[], filed: readonly string[], isCounted: boolean): Uint8Array<ArrayBuffer>
  /** In how many of those that were counted since the last call each word without marks came. */
  takeCounts(): Map<string, number>
  /** Begins a new piece of memory, because the one with what was written is given away. */
  renew(): void
}>

export const createTerms = (): Terms => {
  const lexicon = createLexicon()
  const letters = letterTable()
  let out = new Uint8Array(CHUNK)
  let start = 0
  let end = 0

  /** Number of the text in which a term, or a pair, was written last. */
  let text = 0
  let writtenIn = new Uint32Array(1024)
  const pairs = new Float64Array(PAIRS)
  const pairsIn = new Uint32Array(PAIRS)
  let times = new Uint32Array(1024)
  let counted: number[] = []
  let counts = new Map<string, number>()
  let isCounted = false
  let before = -1

  const makeRoom = (wanted: number) => {
    if (end + wanted <= out.length) return
    const more = new Uint8Array(Math.max(CHUNK, 2 * (end - start) + wanted))
    more.set(out.subarray(start, end))
    end -= start
    start = 0
    out = more
  }
  const put = (term: number) => {
    end = lexicon.write(term, out, end)
    out[end++] = SPACE
  }
  const putPair = (first: number, second: number) => {
    const key = first * 0x400000 + second
    const slot = (Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b)) >>> 18
    if (pairs[slot] === key && pairsIn[slot] === text) return
    pairs[slot] = key
    pairsIn[slot] = text
    end = lexicon.write(first, out, end)
    out[end++] = PAIR_CODE
    put(second)
  }
  const count = (word: number) => {
    times = withRoom(times, word + 1)
    if (times[word] === 0) counted.push(word)
    times[word] = (times[word] as number) + 1
  }
  const isNew = (term: number): boolean => {
    writtenIn = withRoom(writtenIn, term + 1)
    if (writtenIn[term] === text) return false
    writtenIn[term] = text
    return true
  }
  const take = (folded: number, exact: number) => {
    makeRoom(MAX_TAKEN_BYTES)
    if (before >= 0) putPair(before, folded)
    before = folded
    if (isNew(folded)) {
      put(folded)
      if (isCounted) count(folded)
    }
    if (exact >= 0 && isNew(exact)) put(exact)
  }

  const hashOf = (run: string): number => {
    let hash = 0
    for (let at = 0; at < run.length; at += 1) hash = hashWith(hash, run.charCodeAt(at))
    return hash
  }
  const add = (words: string) => {
    before = -1
    const apart = runsOf(words)
    if (apart !== null) {
      for (const run of apart) lexicon.find(run, 0, run.length, hashOf(run), take)
      return
    }
    let from = -1
    let hash = 0
    for (let at = 0; at < words.length; at += 1) {
      const code = words.charCodeAt(at)
      if (letters[code] === 1) {
        if (from < 0) {
          from = at
          hash = 0
        }
        hash = hashWith(hash, code)
      } else if (from >= 0) {
        lexicon.find(words, from, at, hash, take)
        from = -1
      }
    }
    if (from >= 0) lexicon.find(words, from, words.length, hash, take)
  }

  const settleCounts = () => {
    for (const word of counted) {
      const known = lexicon.textOf(word)
      counts.set(known, (counts.get(known) ?? 0) + (times[word] as number))
      times[word] = 0
    }
    counted = []
  }
  /** Numbers of terms must mean the same from the beginning of a text to its end. */
  const forgetIfFull = () => {
    if (!lexicon.isFull()) return
    settleCounts()
    lexicon.forget()
    writtenIn.fill(0)
    pairsIn.fill(0)
  }

  return {
    write: (texts, filed, counting) => {
      forgetIfFull()
      start = end
      text += 1
      isCounted = counting
      for (const one of texts) add(one)
      const behind = Buffer.from(filed.join(' '))
      makeRoom(behind.length)
      out.set(behind, end)
      end += behind.length
      return out.subarray(start, end)
    },
    takeCounts: () => {
      settleCounts()
      const taken = counts
      counts = new Map()
      return taken
    },
    renew: () => {
      out = new Uint8Array(CHUNK)
      end = 0
    },
  }
}
