/** Vietnamese-looking prose that compresses as prose does: words of a vocabulary by Zipf's law, the same for the same seed. */

const ONSETS = 'b c ch d đ g gi h kh l m n ng nh ph qu r s t th tr v x'.split(' ')
const RHYMES = 'a ai an ang anh ao ăn ân âu e em en êm ên i iên iêu im in o oan oi ong ô ôi ông ơ ơi u ua ui ung ư ưa ương ươi y'.split(' ')
const TONES = ['', '\u0301', '\u0300', '\u0309', '\u0303', '\u0323']
const WORDS = 3_000

/** A generator of numbers from 0 to 1 (mulberry32). */
export const createRandom = (seed: number) => {
  let state = seed | 0
  return (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const pick = <T>(values: readonly T[], random: () => number): T => values[Math.floor(random() * values.length)] as T

const makeVocabulary = (): readonly string[] => {
  const random = createRandom(1)
  const syllable = () => {
    const rhyme = pick(RHYMES, random)
    const at = Math.max(0, rhyme.search(/[aăâeêioôơuưy]/))
    return `${pick(ONSETS, random)}${rhyme.slice(0, at + 1)}${pick(TONES, random)}${rhyme.slice(at + 1)}`.normalize('NFC')
  }
  return Array.from({ length: WORDS }, () => (random() < 0.5 ? syllable() : `${syllable()} ${syllable()}`))
}
const vocabulary = makeVocabulary()

/** About so many characters. */
export const prose = (characters: number, random: () => number): string => {
  const words: string[] = []
  for (let length = 0; length < characters; ) {
    const word = vocabulary[Math.floor(WORDS ** random() - 1)] as string
    words.push(word)
    length += word.length + 1
  }
  return words.join(' ')
}
