/**
 * What somebody typed as questions to the index. Whatever was typed, no more than a few words of letters and digits come out, and every one of them goes into
 * FTS5 in quotes: there is no operator to smuggle and nothing to make it expensive.
 */
import { type Word, wordsOf } from './search-words.ts'

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
  for (const { 0: piece, 1: quoted } of plain.matchAll(PIECES)) {
    const words = wordsOf(quoted ?? piece).slice(0, left)
    if (words.length === 0) continue
    left -= words.length
    units.push({ words, isQuoted: quoted !== undefined })
    isOpen = quoted === undefined && (piece.endsWith('*') || (units.length > 1 && /^\p{Script=Latin}$/u.test(words.at(-1)?.folded ?? '')))
  }
  return { units, isOpen }
}

/** A question to FTS5, the best answers first. Rows of an earlier tier are left out of later ones. */
export type Tiers = Readonly<{
  /** What every tier together finds. */
  all: string
  tiers: readonly string[]
}>

const phrase = (words: readonly Word[]): string => `"${words.map(({ folded }) => folded).join(' ')}"`
const every = (parts: readonly string[]): string => `(${parts.join(' AND ')})`
const any = (parts: readonly string[]): string => `(${parts.join(' OR ')})`
const TEXT = '{title head body}'

/** Words with their neighbours, as Vietnamese words of two syllables may lie: from the first on, and from the second on. */
const pairings = (words: readonly Word[]): readonly string[] =>
  [0, 1].map(shift => {
    const parts = shift === 1 ? [phrase(words.slice(0, 1))] : []
    for (let at = shift; at < words.length; at += 2) parts.push(phrase(words.slice(at, at + 2)))
    return every(parts)
  })

const exactly = (words: readonly Word[], before = ''): readonly string[] =>
  words.flatMap(({ exact }) => (exact === null ? [] : [`exact : "${before}${exact}"`]))

/**
 * Of articles that have all the words: first those that have them with the very marks that were typed, then the others; in each the words in a row, in the
 * title or anywhere, before the words apart.
 */
const tiersOfAll = ({ units }: Typed): readonly string[] => {
  const words = units.flatMap(unit => unit.words)
  const parts = units.map(unit => phrase(unit.words))
  const isOne = units.length === 1
  const ways: (readonly [string, boolean])[] = [
    ...(isOne
      ? []
      : ([
          [`title : ${phrase(words)}`, true],
          [`${TEXT} : ${phrase(words)}`, false],
        ] as const)),
    [`title : ${every(parts)}`, true],
    ...(words.length < 3 || isOne ? [] : ([[`${TEXT} : ${any(pairings(words))}`, false]] as const)),
    [`${TEXT} : ${every(parts)}`, false],
  ]
  const exact = exactly(words)
  if (exact.length === 0) return ways.map(([way]) => way)
  const marked = ways.map(([way, isTitle]) => every([`(${way})`, ...exactly(words, isTitle ? '.' : '')]))
  return [...marked, ...ways.map(([way]) => way)]
}

/** A tier without what the tiers before it have, of what the filters let through. */
const assemble = (tiers: readonly string[], filters: readonly string[]): Tiers => {
  const within = (way: string) => every([`(${way})`, ...filters])
  return {
    all: within(tiers.at(-1) ?? ''),
    tiers: tiers.map((way, index) =>
      index === 0 ? within(way) : `(${within(way)} NOT ${any(tiers.slice(0, index).map(one => `(${one})`))})`,
    ),
  }
}

/** Quotes are meant: what stands in them was typed with its marks. */
const asQuoted = ({ units }: Typed): readonly string[] => units.flatMap(unit => (unit.isQuoted ? exactly(unit.words) : []))

/** Articles with all the words. Without any: everything that the filters let through. */
export const toTiers = (typed: Typed, filters: readonly string[]): Tiers =>
  typed.units.length === 0 ? assemble(['filed : "all"'], filters) : assemble(tiersOfAll(typed), [...asQuoted(typed), ...filters])

/** The same with the last word gone on as one of `endings`: behind the word before it, or anywhere. */
export const toOpenTiers = (typed: Typed, endings: readonly string[], filters: readonly string[]): Tiers => {
  const before = typed.units.slice(0, -1)
  const parts = before.map(unit => phrase(unit.words))
  const beside = before.at(-1)?.words ?? []
  const ending = (words: readonly Word[]) => any(endings.map(folded => phrase([...words, { folded, exact: null }])))
  const ways = [ending([])]
  if (beside.length > 0) ways.unshift(ending(beside))
  return assemble(
    ways.map(way => `${TEXT} : ${every([...parts, way])}`),
    [...asQuoted({ ...typed, units: before }), ...filters],
  )
}

/** Where nothing has all the words: two of them side by side. `null` where that would be no help. */
export const toPartialTiers = ({ units }: Typed, filters: readonly string[]): Tiers | null => {
  const words = units.flatMap(unit => unit.words)
  if (units.length < 3 || units.some(unit => unit.isQuoted)) return null
  const pairs = words.slice(1).map((_, index) => phrase(words.slice(index, index + 2)))
  return assemble([`${TEXT} : ${any(pairs)}`], filters)
}
