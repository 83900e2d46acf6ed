/** The words behind the numbers that a preparing thread gives them (`search-terms.ts`), and their order in an index. */
import { PAIR, PAIR_BIT, type Words } from './search-terms.ts'

/**
 * Places of all terms in the order of their bytes: of a word alone, and of the first word of pairs, as if `_` stood behind it. No word has one, so what begins
 * with a word and `_` lies together, in the order of second words.
 */
type Order = Readonly<{
  alone: Int32Array
  heading: Int32Array
  /** Place → twice a word's number, and one more where it heads pairs. */
  units: Int32Array
}>

const PAIR_CODE = PAIR.charCodeAt(0)

/** Of one generation, whose words may become more. */
export const createVocabulary = (generation = 0) => {
  const texts: string[] = []
  const bytes: Uint8Array[] = []
  /** Their bytes as characters, which compare as bytes do. */
  const names: string[] = []
  let order: Order = { alone: new Int32Array(), heading: new Int32Array(), units: new Int32Array() }

  const nameOf = (unit: number): string => names[unit] as string
  /** What is new is sorted and merged: most is there already. */
  const sort = (): Order => {
    const before = order.units
    if (before.length === names.length) return order
    const added = Array.from({ length: names.length - before.length }, (_, at) => before.length + at)
    added.sort((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1))
    const units = new Int32Array(names.length)
    for (let at = 0, old = 0, fresh = 0; at < units.length; at += 1) {
      const isOld = fresh >= added.length || (old < before.length && nameOf(before[old] as number) < nameOf(added[fresh] as number))
      units[at] = isOld ? (before[old++] as number) : (added[fresh++] as number)
    }
    const [alone, heading] = [new Int32Array(texts.length), new Int32Array(texts.length)]
    for (const [place, unit] of units.entries()) {
      if (unit % 2 === 1) heading[unit >> 1] = place
      else alone[unit >> 1] = place
    }
    order = { alone, heading, units }
    return order
  }
  return {
    generation,
    learn: (told: Words): void => {
      if (told.from !== texts.length) throw new Error(`words from ${told.from} on were told, ${texts.length} are known`)
      for (const text of told.texts) {
        const encoded = Buffer.from(text)
        const name = encoded.toString('latin1')
        texts.push(text)
        bytes.push(encoded)
        names.push(name, name + PAIR)
      }
    },
    order: sort,
    bytesOf: (word: number): Uint8Array => bytes[word] as Uint8Array,
    /** Terms as FTS5 takes them. */
    spell: (terms: Uint32Array): Uint8Array => {
      const words: string[] = []
      for (let at = 0; at < terms.length; at += 1) {
        const term = terms[at] as number
        if (term < PAIR_BIT) words.push(texts[term] as string)
        else {
          at += 1
          words.push((texts[term - PAIR_BIT] as string) + PAIR + (texts[terms[at] as number] as string))
        }
      }
      return Buffer.from(words.join(' '))
    },
  }
}
export type Vocabulary = ReturnType<typeof createVocabulary>

/** How many terms there are. */
export const countTerms = (terms: Uint32Array): number => {
  let count = terms.length
  for (let at = 0; at < terms.length; at += 1) if ((terms[at] as number) >= PAIR_BIT) count -= 1
  return count
}

/** FTS5's own, before every term. */
const MAIN = 0x30
/** Rows of one segment, below which a second word stands. */
const ROWS = 2 ** 20
const MAX_TERM = 1_000

type Take = Readonly<{ term(bytes: Uint8Array, length: number): void; row(at: number): void }>

/** Rows by unit and, of pairs, second word: one after the other, unit by unit. */
const gather = (rows: readonly Uint32Array[], { alone, heading, units }: Order) => {
  const ends = new Int32Array(units.length + 1)
  const each = (take: (place: number, second: number, row: number) => void) => {
    for (const [row, terms] of rows.entries())
      for (let at = 0; at < terms.length; at += 1) {
        const term = terms[at] as number
        if (term < PAIR_BIT) take(alone[term] as number, 0, row)
        else take(heading[term - PAIR_BIT] as number, alone[terms[++at] as number] as number, row)
      }
  }
  each(place => {
    ends[place + 1] = (ends[place + 1] as number) + 1
  })
  for (let place = 0; place < units.length; place += 1) ends[place + 1] = (ends[place + 1] as number) + (ends[place] as number)
  const next = ends.slice()
  const found = new Float64Array(ends[units.length] as number)
  each((place, second, row) => {
    const at = next[place] as number
    found[at] = second * ROWS + row
    next[place] = at + 1
  })
  return { ends, found }
}

/** All terms of some rows in the order of their bytes, each with the places of its rows, rising. At most 2²⁰ rows. */
export const eachTerm = (rows: readonly Uint32Array[], vocabulary: Vocabulary, take: Take): void => {
  const order = vocabulary.order()
  const { ends, found } = gather(rows, order)
  const name = new Uint8Array(MAX_TERM)
  name[0] = MAIN
  for (const [place, unit] of order.units.entries()) {
    const group = found.subarray(ends[place], ends[place + 1])
    if (group.length === 0) continue
    const word = vocabulary.bytesOf(unit >> 1)
    name.set(word, 1)
    const behind = 1 + word.length
    if (unit % 2 === 0) take.term(name, behind)
    else {
      name[behind] = PAIR_CODE
      if (group.length > 1) group.sort()
    }
    let [second, last] = [-1, -1]
    for (let at = 0; at < group.length; at += 1) {
      const value = group[at] as number
      if (value === last) continue // the same pair may have been told twice of a row
      last = value
      const is = Math.floor(value / ROWS)
      if (unit % 2 === 1 && is !== second) {
        second = is
        const other = vocabulary.bytesOf((order.units[is] as number) >> 1)
        name.set(other, behind + 1)
        take.term(name, behind + 1 + other.length)
      }
      take.row(value - is * ROWS)
    }
  }
}
