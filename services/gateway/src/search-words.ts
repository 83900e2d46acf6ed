/**
 * Text as words to be found by. A word has two forms: `folded`, as people type it without marks (Đường → duong), and `exact`, with its marks, the tone at
 * the end wherever it was written (hoà and hòa are one word). Scripts without spaces are taken character by character: a run of them is found as a phrase.
 */

/** `exact` is `null` where it says no more than `folded`. */
export type Word = Readonly<{ folded: string; exact: string | null }>

/**
 * Letters, digits and their marks. What only says how the character before it is drawn (❤\ufe0f, 1\ufe0f\u20e3, an ideograph's form) is no mark: nobody
 * types it to find something, and behind an emoji it would be a word of its own, or the beginning of the next one.
 */
const WORD_CHARS = String.raw`[[\p{L}\p{N}\p{M}]--[\ufe00-\ufe0f\u20e0-\u20e4\u{e0100}-\u{e01ef}]]`
const RUN = new RegExp(`${WORD_CHARS}+`, 'gv')
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u
/** One character with the marks that belong to it, or a run of others between them. */
const UNSPACED_PARTS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]\p{M}*|[^\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]+/gu
/** Marks that readers leave out: of Latin, Greek and Cyrillic letters, Arabic and Hebrew vowel signs. Those of Thai or Hindi are letters. */
const LEFT_OUT = /[\u0300-\u036f\u0591-\u05c7\u064b-\u0652\u0670\u0640]/g
/** Grave, acute, tilde, hook, dot below: what tells one Vietnamese tone from another. The rest (â, ă, ư) makes another vowel. */
const TONES = /[\u0300\u0301\u0303\u0309\u0323]/g
/** Letters that have no mark to take off. */
const BASES: Readonly<Record<string, string>> = { đ: 'd', ð: 'd', ł: 'l', ø: 'o', ß: 'ss', æ: 'ae', œ: 'oe', ı: 'i', ς: 'σ' }
const BASE = /[đðłøßæœıς]/g

/** Compatibility forms may have spaces and signs in them (ﷺ, ½): a term has none. */
const NO_LETTERS = /[^\p{L}\p{N}\p{M}]+/gu
const WORD_CHAR = new RegExp(WORD_CHARS, 'v')

/** Longer ones are no words; a publisher's text must not make terms of a kilobyte. */
export const MAX_WORD_LENGTH = 64

const toWord = (text: string): Word => {
  const plain = text.normalize('NFKC').toLowerCase().replace(NO_LETTERS, '')
  const parts = plain.normalize('NFD')
  const folded = parts
    .replace(LEFT_OUT, '')
    .normalize('NFC')
    .replace(BASE, letter => BASES[letter] ?? letter)
    .slice(0, MAX_WORD_LENGTH)
    .toWellFormed()
  const tones = parts.match(TONES)
  const exact = (tones?.length === 1 ? parts.replace(TONES, '').normalize('NFC') + tones[0] : plain.normalize('NFC'))
    .slice(0, MAX_WORD_LENGTH)
    .toWellFormed()
  return { folded, exact: exact === folded ? null : exact }
}

/** The words of a run of letters: one, or where a script has no spaces as many as there are characters. */
export const makeWords = (run: string): readonly Word[] =>
  (UNSPACED.test(run) ? (run.match(UNSPACED_PARTS) ?? []) : [run]).map(toWord).filter(word => word.folded !== '')

/** 1 for what words are made of; looking it up takes a tenth of asking a pattern. Halves of pairs are none: a text that has them goes the other way. */
const createLetters = (): Uint8Array => {
  const letters = new Uint8Array(0x10000)
  for (let code = 0; code < 0x10000; code += 1) if (WORD_CHAR.test(String.fromCharCode(code))) letters[code] = 1
  return letters
}
let letters: Uint8Array | undefined
export const letterTable = (): Uint8Array => {
  letters ??= createLetters()
  return letters
}
const isLetterCode = (code: number): boolean => letterTable()[code] === 1
const HAS_PAIRS = /[\ud800-\udfff]/

/** The runs of letters in a text that has characters outside the table; `null` for one that has none. */
export const runsOf = (text: string): readonly string[] | null => (HAS_PAIRS.test(text) ? (text.match(RUN) ?? []) : null)

/** Of what was searched for and found; looking one up takes a tenth of making it. */
const MAX_KNOWN = 10_000
const MAX_KNOWN_LENGTH = 24
const known = new Map<string, readonly Word[]>()

const knownWords = (run: string): readonly Word[] => {
  const found = known.get(run)
  if (found !== undefined) return found
  const made = makeWords(run)
  if (run.length <= MAX_KNOWN_LENGTH) {
    if (known.size >= MAX_KNOWN) known.clear()
    known.set(run, made)
  }
  return made
}

/** All of a short text, in order. */
export const wordsOf = (text: string): readonly Word[] => known.get(text) ?? (text.match(RUN) ?? []).flatMap(knownWords)

export const hasWordChar = (text: string): boolean => WORD_CHAR.test(text)

/** Whether words are made of the character at this place, of which either half of a pair tells; `false` beyond the text. */
export const isWordChar = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at)
  if (!(code >= 0xd800 && code <= 0xdfff)) return isLetterCode(code)
  const pair = text.codePointAt(code >= 0xdc00 ? at - 1 : at) ?? 0
  return pair > 0xffff && WORD_CHAR.test(String.fromCodePoint(pair))
}

/** Whether a run of text is one of a script without spaces: its words stand side by side, as they were typed. */
export const isUnspaced = (text: string): boolean => UNSPACED.test(text)
