/** Where a text has what was searched for: words marked, and the piece of a long text that has most of them. */
import { escapeMarkup } from '@newswire/events/text'
import type { Typed, Unit } from './search-query.ts'
import { isUnspaced, type Word, wordsOf } from './search-words.ts'

/** Characters of a snippet, about, and how far before the first mark it begins. */
const SNIPPET = 220
const LEAD_IN = 60
/** Looked at in a text; a common word stands in it hundreds of times. */
const MAX_MATCHES = 300

/** Every letter that folds to a given one: `d` is d, đ, ď… Made once. */
const createVariants = () => {
  const variants = new Map<string, string>()
  for (const [first, last] of [
    [0xc0, 0x24f],
    [0x370, 0x52f],
    [0x1e00, 0x1fff],
  ] as const)
    for (let code = first; code <= last; code += 1) {
      const letter = String.fromCharCode(code)
      const [word] = wordsOf(letter)
      if (word !== undefined && word.folded.length === 1 && word.folded !== letter)
        variants.set(word.folded, (variants.get(word.folded) ?? '') + letter)
    }
  return variants
}
let variants: ReadonlyMap<string, string> | undefined
const patternOf = ({ folded }: Word): string => {
  variants ??= createVariants()
  let pattern = ''
  for (const letter of folded) pattern += `[${letter}${variants.get(letter) ?? ''}]`
  return pattern
}

const JOINS = /[\p{L}\p{N}\p{M}]/u
const charBefore = (text: string, at: number): string =>
  at === 0 ? '' : String.fromCodePoint(text.codePointAt(at - (/[\udc00-\udfff]/.test(text[at - 1] ?? '') ? 2 : 1)) ?? 32)
const charAt = (text: string, at: number): string => (at >= text.length ? '' : String.fromCodePoint(text.codePointAt(at) ?? 32))

type Match = Readonly<{ start: number; end: number; word: Word }>
/** Matches with nothing but spaces and signs between them. */
type Run = Readonly<{ start: number; end: number; matches: readonly Match[] }>

export type Marker = Readonly<{
  /** The whole text, escaped, with marks. */
  mark(text: string): string
  /** The best piece of the first of these texts that has anything, escaped, with marks; else the beginning of the first that is not empty. */
  snippet(texts: readonly string[]): string
  /** Whether one of the texts has all that stood in quotes, as it was typed. */
  hasQuoted(texts: readonly string[]): boolean
}>

const isExact = (wanted: Word, found: Word): boolean =>
  wanted.folded === found.folded && (wanted.exact === null || wanted.exact === found.exact)

export const createMarker = ({ units }: Typed, endings: readonly string[] = []): Marker => {
  const words: readonly Word[] = [...units.flatMap(unit => unit.words), ...endings.map(folded => ({ folded, exact: null }))]
  const patterns = [...new Set(words.map(patternOf))].sort((a, b) => b.length - a.length)
  const finder = patterns.length === 0 ? null : new RegExp(patterns.join('|'), 'giu')

  const runsOf = (text: string): readonly Run[] => {
    if (finder === null) return []
    const runs: { start: number; end: number; matches: Match[] }[] = []
    let count = 0
    for (const { 0: found, index: start } of text.matchAll(finder)) {
      const end = start + found.length
      const isWhole = isUnspaced(found) || !(JOINS.test(charBefore(text, start)) || JOINS.test(charAt(text, end)))
      const [word] = isWhole ? wordsOf(found) : []
      if (word === undefined) continue
      const last = runs.at(-1)
      const match = { start, end, word }
      if (last !== undefined && start - last.end <= 3 && !JOINS.test(text.slice(last.end, start))) {
        last.matches.push(match)
        last.end = end
      } else runs.push({ start, end, matches: [match] })
      count += 1
      if (count >= MAX_MATCHES) break
    }
    return runs
  }
  /** Where words stand side by side, those that stand alone are chance. */
  const telling = (runs: readonly Run[]): readonly Run[] => {
    const long = runs.filter(run => new Set(run.matches.map(({ word }) => word.folded)).size > 1)
    return long.length === 0 ? runs : long
  }
  const worth = (run: Run): number => {
    const exact = run.matches.filter(({ word }) => words.some(one => one.exact !== null && isExact(one, word))).length
    return new Set(run.matches.map(({ word }) => word.folded)).size ** 2 + exact
  }
  const paint = (text: string, runs: readonly Run[], from = 0, to = text.length): string => {
    let html = ''
    let at = from
    for (const { start, end } of runs) {
      if (start < at || end > to) continue
      html += `${escapeMarkup(text.slice(at, start))}<mark>${escapeMarkup(text.slice(start, end))}</mark>`
      at = end
    }
    return html + escapeMarkup(text.slice(at, to))
  }
  const bestStart = (runs: readonly Run[]): Readonly<{ start: number; score: number }> => {
    let best = { start: 0, score: 0 }
    for (const [index, { start }] of runs.entries()) {
      let score = 0
      for (let next = index; next < runs.length && (runs[next] as Run).end <= start + SNIPPET - LEAD_IN; next += 1)
        score += worth(runs[next] as Run)
      if (score > best.score) best = { start, score }
    }
    return best
  }
  const cut = (text: string, start: number): readonly [number, number] => {
    if (text.length <= SNIPPET + LEAD_IN) return [0, text.length]
    const wish = Math.max(0, Math.min(start - LEAD_IN, text.length - SNIPPET))
    const from = wish === 0 ? 0 : text.indexOf(' ', wish) + 1
    const begin = from === 0 || from > start ? (wish === 0 ? 0 : Math.min(wish, start)) : from
    const space = text.lastIndexOf(' ', begin + SNIPPET)
    return [begin, begin + SNIPPET >= text.length ? text.length : space > start ? space : begin + SNIPPET]
  }
  const toPiece = (text: string, start: number, runs: readonly Run[]): string => {
    const [from, to] = cut(text, start)
    return `${from > 0 ? '… ' : ''}${paint(text, runs, from, to)}${to < text.length ? ' …' : ''}`.toWellFormed()
  }

  const hasUnit = (unit: Unit, text: string): boolean =>
    runsOf(text).some(({ matches }) =>
      matches.some((_, index) =>
        unit.words.every((word, offset) => matches[index + offset] !== undefined && isExact(word, (matches[index + offset] as Match).word)),
      ),
    )
  return {
    mark: text => paint(text, telling(runsOf(text))),
    snippet: texts => {
      let best: Readonly<{ text: string; runs: readonly Run[]; start: number; score: number }> | undefined
      for (const text of texts) {
        const runs = telling(runsOf(text))
        const found = bestStart(runs)
        if (found.score > (best?.score ?? 0)) best = { text, runs, ...found }
      }
      if (best !== undefined) return toPiece(best.text, best.start, best.runs)
      const text = texts.find(one => one !== '') ?? ''
      return toPiece(text, 0, [])
    },
    hasQuoted: texts => units.every(unit => !unit.isQuoted || texts.some(text => hasUnit(unit, text))),
  }
}
