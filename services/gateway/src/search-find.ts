/**
 * Words in a text that is shown, wherever they stand and however they are written there. The text is folded letter by letter, so that places stay what they
 * are, and looked through as the runtime looks for a text in a text: a tenth of what a pattern with every letter's variants takes.
 */
import { isUnspaced, isWordChar, type Word, wordsOf } from './search-words.ts'

/** Where one of the words stands as a whole word; `word` is as it is written there. */
export type Match = Readonly<{ start: number; end: number; word: Word }>

/** Looked at in a text; a common word stands in it hundreds of times. */
const MAX_MATCHES = 300

/** Letters that have forms with marks, beyond ASCII. */
const MARKED = [
  [0xc0, 0x24f],
  [0x370, 0x52f],
  [0x1e00, 0x1fff],
] as const
const SPACE = 0x20

/** For each character the one that it folds to (Đ → d), a space for what no word is made of. Half a pair stays. */
const createFolds = (): Uint16Array => {
  const folds = new Uint16Array(0x10000)
  for (let code = 0; code < folds.length; code += 1) {
    const lower = String.fromCharCode(code).toLowerCase()
    const isHalf = code >= 0xd800 && code <= 0xdfff
    folds[code] = !isHalf && !isWordChar(lower, 0) ? SPACE : lower.length === 1 ? lower.charCodeAt(0) : code
  }
  for (const [first, last] of MARKED)
    for (let code = first; code <= last; code += 1) {
      const folded = wordsOf(String.fromCharCode(code))[0]?.folded ?? ''
      if (folded.length === 1) folds[code] = folded.charCodeAt(0)
    }
  return folds
}
let folds: Uint16Array | undefined

const fold = (text: string): string => {
  folds ??= createFolds()
  const narrow = Buffer.allocUnsafe(text.length)
  for (let at = 0; at < text.length; at += 1) {
    const code = folds[text.charCodeAt(at)] as number
    if (code > 0xff) return foldWide(text, folds)
    narrow[at] = code
  }
  return narrow.toString('latin1')
}
const foldWide = (text: string, table: Uint16Array): string => {
  const wide = new Uint16Array(text.length)
  for (let at = 0; at < text.length; at += 1) wide[at] = table[text.charCodeAt(at)] as number
  return Buffer.from(wide.buffer).toString('utf16le')
}

/** Letters that fold to two, which `fold` leaves as they are: a word is looked for with both. */
const DOUBLE = [
  [/ss/g, 'ß'],
  [/ae/g, 'æ'],
  [/oe/g, 'œ'],
] as const
const spellings = (word: string): readonly string[] => [word, ...DOUBLE.map(([two, one]) => word.replace(two, one))]

/** A word of a script without spaces stands among others like it. */
const isWhole = (text: string, start: number, end: number, stands: boolean): boolean =>
  stands || !(isWordChar(text, start - 1) || isWordChar(text, end))

/** Finds `words`, which are folded, in the order of the text; none in another, the longer first. */
export const createFinder = (words: readonly string[]): ((text: string) => readonly Match[]) => {
  const wanted = [...new Set(words.flatMap(spellings))].filter(word => word !== '').map(folded => ({ folded, stands: isUnspaced(folded) }))
  return text => {
    if (wanted.length === 0) return []
    const folded = fold(text)
    const spans: { start: number; end: number }[] = []
    for (const { folded: word, stands } of wanted)
      for (let start = folded.indexOf(word), count = 0; start >= 0 && count < MAX_MATCHES; start = folded.indexOf(word, start + 1)) {
        const end = start + word.length
        if (!isWhole(text, start, end, stands)) continue
        spans.push({ start, end })
        count += 1
      }
    spans.sort((a, b) => a.start - b.start || b.end - a.end)
    const matches: Match[] = []
    let before = 0
    for (const { start, end } of spans) {
      const [word] = start < before ? [] : wordsOf(text.slice(start, end))
      if (word === undefined) continue
      matches.push({ start, end, word })
      before = end
      if (matches.length === MAX_MATCHES) break
    }
    return matches
  }
}
