/** The terms of texts, as bytes that FTS5 takes as they are. */
import { createLexicon, hashWith, withRoom } from './search-lexicon.ts'
import { letterTable, runsOf } from './search-words.ts'

/** Two words side by side. */
export const PAIR = '_'
/** Stands in the number of a pair's first word, behind which that of the second follows. */
export const PAIR_BIT = 0x80000000
const PAIR_CODE = PAIR.charCodeAt(0)
const SPACE = 0x20
/** A pair of words and both terms of the second, of 64 characters each, and what stands between and behind them. */
const MAX_TAKEN_BYTES = 1024
/** The same as numbers. */
const MAX_TAKEN = 4
/** Terms of some dozen articles lie in one piece of memory: a piece for each would cost more than what is in it. */
const CHUNK = 256 * 1024
/** Pairs that are remembered of one text; of more some are written twice, which FTS5 takes for once. */
const PAIRS = 16_384

/** Words that were not told before, from the number `from` on. Of another `generation` numbers mean other words. */
export type Words = Readonly<{ generation: number; from: number; texts: readonly string[] }>

export type Terms = Readonly<{
  /** Terms of texts and what they are filed under, each once, with spaces between them. Words of two texts are no neighbours. `isCounted`: their words are. */
  write(texts: readonly string[], filed: readonly string[], isCounted: boolean): Uint8Array<ArrayBuffer>
  /** The same as numbers of words, which `takeWords` tells; nothing is forgotten before `renew`, so whoever calls it must do that once there is much (`isFull`). */
  number(texts: readonly string[], filed: readonly string[], isCounted: boolean): Uint32Array<ArrayBuffer>
  /** The words behind numbers that were not told before. */
  takeWords(): Words
  isFull(): boolean
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
  /** Where numbers go instead of bytes. */
  let ids = new Uint32Array(0)
  let idsStart = 0
  let idsEnd = 0
  let isNumbered = false
  /** Numbers were given away whose words may not be told yet. */
  let isHeld = false
  let generation = 0
  let told = 0

  const makeIdRoom = (wanted: number) => {
    if (idsEnd + wanted <= ids.length) return
    const more = new Uint32Array(Math.max(CHUNK / 4, 2 * (idsEnd - idsStart) + wanted))
    more.set(ids.subarray(idsStart, idsEnd))
    idsEnd -= idsStart
    idsStart = 0
    ids = more
  }
  const makeRoom = (wanted: number) => {
    if (end + wanted <= out.length) return
    const more = new Uint8Array(Math.max(CHUNK, 2 * (end - start) + wanted))
    more.set(out.subarray(start, end))
    end -= start
    start = 0
    out = more
  }
  const put = (term: number) => {
    if (isNumbered) {
      ids[idsEnd++] = term
      return
    }
    end = lexicon.write(term, out, end)
    out[end++] = SPACE
  }
  const putPair = (first: number, second: number) => {
    const key = first * 0x400000 + second
    const slot = (Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b)) >>> 18
    if (pairs[slot] === key && pairsIn[slot] === text) return
    pairs[slot] = key
    pairsIn[slot] = text
    if (isNumbered) {
      ids[idsEnd++] = PAIR_BIT + first
      ids[idsEnd++] = second
      return
    }
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
    if (isNumbered) makeIdRoom(MAX_TAKEN)
    else makeRoom(MAX_TAKEN_BYTES)
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
    generation += 1
    told = 0
    writtenIn.fill(0)
    pairsIn.fill(0)
  }

  return {
    write: (texts, filed, counting) => {
      if (!isHeld) forgetIfFull()
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
    number: (texts, filed, counting) => {
      isHeld = true
      isNumbered = true
      idsStart = idsEnd
      text += 1
      isCounted = counting
      for (const one of texts) add(one)
      makeIdRoom(filed.length)
      for (const one of filed) put(lexicon.numberOf(one))
      isNumbered = false
      return ids.subarray(idsStart, idsEnd)
    },
    takeWords: () => {
      const from = told
      told = lexicon.terms()
      return { generation, from, texts: Array.from({ length: told - from }, (_, at) => lexicon.textOf(from + at)) }
    },
    isFull: lexicon.isFull,
    takeCounts: () => {
      settleCounts()
      const taken = counts
      counts = new Map()
      return taken
    },
    renew: () => {
      out = new Uint8Array(CHUNK)
      end = 0
      ids = new Uint32Array(0)
      idsEnd = 0
      isHeld = false
      forgetIfFull()
    },
  }
}
