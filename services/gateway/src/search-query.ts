/**
 * What somebody typed as questions to the index. Whatever was typed, no more than a few words of letters and digits come out, and every one of them goes into
 * FTS5 in quotes: there is no operator to smuggle and nothing to make it expensive.
 */
import type { SearchTable } from './search-index.ts'
import { ALL, pairTerm } from './search-text.ts'
import { MAX_WORD_LENGTH, type Word, wordsOf } from './search-words.ts'

/** Words that belong together: one that was typed alone, what stood in quotes, a run of a script without spaces, `COVID-19`. */
export type Unit = Readonly<{ words: readonly Word[]; isQuoted: boolean }>
export type Typed = Readonly<{
  units: readonly Unit[]
  /** The last word as it begins (`hoc si*`, or one letter at the end): how it goes on is looked up. */
  isOpen: boolean
}>

/** More are left aside: nobody types them, and each one costs. */
const MAX_WORDS = 12
export const MAX_TYPED = 200

const PIECES = /"([^"]*)"?|[^\s"]+/g

export const parseTyped = (text: string): Typed => {
  const units: Unit[] = []
  let left = MAX_WORDS
  let isOpen = false
  const plain = text
    .slice(0, MAX_TYPED)
    .toWellFormed()
    .replace(/[“”„‟«»＂]/g, '"')
    .replaceAll('\0', ' ')
    .replaceAll('\u00ad', '')
  for (const { 0: piece, 1: quoted } of plain.matchAll(PIECES)) {
    const words = wordsOf(quoted ?? piece).slice(0, left)
    if (words.length === 0) continue
    left -= words.length
    units.push({ words, isQuoted: quoted !== undefined })
    isOpen = quoted === undefined && (piece.endsWith('*') || (units.length > 1 && /^\p{Script=Latin}$/u.test(words.at(-1)?.folded ?? '')))
  }
  return { units, isOpen }
}

/** One question to FTS5; rows of an earlier one are left out of later ones. */
export type Tier = Readonly<{ table: SearchTable; match: string }>
export type Tiers = Readonly<{
  /** What every tier together finds. */
  all: Tier
  /** The best first. */
  tiers: readonly Tier[]
}>

const term = (text: string): string => `"${text}"`
const every = (parts: readonly string[]): string => (parts.length === 1 ? (parts[0] as string) : `(${parts.join(' AND ')})`)
const any = (parts: readonly string[]): string => (parts.length === 1 ? (parts[0] as string) : `(${parts.join(' OR ')})`)

/** Words in a row, as the index knows them: each beside the next. */
const inRow = (words: readonly Word[]): readonly string[] =>
  words.length === 1
    ? words.map(({ folded }) => term(folded))
    : words.slice(1).map(({ folded }, index) => term(pairTerm((words[index] as Word).folded, folded)))

/** Two by two, as Vietnamese words of two syllables may lie: from the first on, and from the second on. */
const pairings = (words: readonly Word[]): string =>
  any(
    [0, 1].map(shift => {
      const parts = shift === 1 ? [...inRow(words.slice(0, 1))] : []
      for (let at = shift; at < words.length; at += 2) parts.push(...inRow(words.slice(at, at + 2)))
      return every(parts)
    }),
  )

const exactly = (words: readonly Word[]): readonly string[] => words.flatMap(({ exact }) => (exact === null ? [] : [term(exact)]))

/** What was cut when it was made a term tells no longer which word it is without its marks. */
const isWhole = (exact: string): boolean => exact.length < MAX_WORD_LENGTH

/**
 * All the words with their marks. Who has a word with them has it without, so that one is not asked for: how long FTS5 takes is how long the lists are that
 * it walks along, and those are the longest.
 */
const apartExactly = (units: readonly Unit[]): readonly string[] =>
  units.flatMap(({ words }) => {
    const [only] = words
    if (words.length > 1 || only === undefined || only.exact === null) return [...inRow(words), ...exactly(words)]
    return isWhole(only.exact) ? [term(only.exact)] : [term(only.folded), term(only.exact)]
  })

/**
 * Of articles that have all the words: first those that have them with the very marks that were typed, then the others; in each the words in a row, in the
 * title or anywhere, before the words apart.
 */
const tiersOfAll = ({ units }: Typed): readonly Tier[] => {
  const words = units.flatMap(unit => unit.words)
  const apart = every(units.flatMap(unit => inRow(unit.words)))
  const row = every(inRow(words))
  // Words that belong together stand so wherever the others do.
  const together = units.filter(unit => unit.words.length > 1).flatMap(unit => inRow(unit.words))
  const rows: readonly Tier[] =
    units.length === 1
      ? []
      : [
          { table: 'titles', match: row },
          { table: 'everywhere', match: row },
        ]
  const pairs: readonly Tier[] =
    words.length < 3 || units.length === 1 ? [] : [{ table: 'everywhere', match: every([pairings(words), ...together]) }]
  const ways = (all: string, marks: readonly string[]): readonly Tier[] => {
    const marked = ({ table, match }: Tier): Tier => ({ table, match: every([match, ...marks]) })
    return [...rows.map(marked), { table: 'titles', match: all }, ...pairs.map(marked), { table: 'everywhere', match: all }]
  }
  const exact = exactly(words)
  return [...(exact.length === 0 ? [] : ways(every(apartExactly(units)), exact)), ...ways(apart, [])]
}

const assemble = (tiers: readonly Tier[], filters: readonly string[]): Tiers => {
  const within = tiers.map(({ table, match }) => ({ table, match: every([match, ...filters]) }))
  return { all: within.at(-1) as Tier, tiers: within }
}

/** Quotes are meant: what stands in them was typed with its marks. */
const asQuoted = ({ units }: Typed): readonly string[] => units.flatMap(unit => (unit.isQuoted ? exactly(unit.words) : []))

/** Articles with all the words. Without any: everything that the filters let through. */
export const toTiers = (typed: Typed, filters: readonly string[]): Tiers =>
  typed.units.length === 0
    ? assemble([{ table: 'everywhere', match: term(ALL) }], filters)
    : assemble(tiersOfAll(typed), [...asQuoted(typed), ...filters])

/** The same with the last word gone on as one of `endings`: behind the word before it, or anywhere. */
export const toOpenTiers = (typed: Typed, endings: readonly string[], filters: readonly string[]): Tiers => {
  const before = typed.units.slice(0, -1)
  const parts = before.flatMap(unit => inRow(unit.words))
  const beside = before.at(-1)?.words.at(-1)
  const words = endings.map(folded => ({ folded, exact: null }))
  const ways: Tier[] = [{ table: 'everywhere', match: every([...parts, any(words.flatMap(word => inRow([word])))]) }]
  if (beside !== undefined)
    ways.unshift({ table: 'everywhere', match: every([...parts, any(words.flatMap(word => inRow([beside, word])))]) })
  return assemble(ways, [...asQuoted({ ...typed, units: before }), ...filters])
}

/** Where nothing has all the words: two of them side by side. `null` where that would be no help. */
export const toPartialTiers = ({ units }: Typed, filters: readonly string[]): Tiers | null => {
  const words = units.flatMap(unit => unit.words)
  if (units.length < 3 || units.some(unit => unit.isQuoted)) return null
  return assemble([{ table: 'everywhere', match: any(inRow(words)) }], filters)
}

/** Whether the text must be read to be sure: of several words, and of their marks, the index knows that each is there, and which stand side by side. */
export const mustBeRead = ({ units }: Typed): boolean =>
  units.some(({ words, isQuoted }) => isQuoted && (words.length > 2 || (words.length === 2 && words.some(({ exact }) => exact !== null))))
