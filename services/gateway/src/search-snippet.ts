/** Where a text has what was searched for: words marked, and the piece of a long text that has most of them. */
import { escapeMarkup } from '@newswire/events/text'
import { createFinder, type Match } from './search-find.ts'
import type { Typed, Unit } from './search-query.ts'
import { BESIDE } from './search-text.ts'
import { hasWordChar, type Word } from './search-words.ts'

/** Characters of a snippet, about, and how far before the first mark it begins. */
const SNIPPET = 220
const LEAD_IN = 60
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
  const find = createFinder(words.map(({ folded }) => folded))

  const runsOf = (text: string): readonly Run[] => {
    const runs: { start: number; end: number; matches: Match[] }[] = []
    for (const match of find(text)) {
      const last = runs.at(-1)
      const between = last === undefined ? BESIDE : text.slice(last.end, match.start)
      if (last !== undefined && between.length <= 3 && between !== BESIDE && !hasWordChar(between)) {
        last.matches.push(match)
        last.end = match.end
      } else runs.push({ start: match.start, end: match.end, matches: [match] })
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
