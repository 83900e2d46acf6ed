import { unescapeAttribute } from '@newswire/events/text'

/** What stands for a summary where the publisher gave none. */
const EXCERPT_CHARACTERS = 280
/** Enough HTML to find that many characters of words in: nearly always, and however much of it is tags. */
const EXCERPT_SOURCES = [800, 4000]
const LONGEST_ENTITY = 6

const wordsOf = (html: string): string =>
  unescapeAttribute(html.replace(/<[^>]*>?|&nbsp;/g, ' '))
    .replace(/\s+/g, ' ')
    .trim()

/** The beginning of clean HTML as plain text, cut between words. */
export const excerptOf = (html: string): string => {
  let words = ''
  for (const source of EXCERPT_SOURCES) {
    words = wordsOf(html.slice(0, source))
    // The end of what was looked at may be half an entity.
    if (words.length > EXCERPT_CHARACTERS + LONGEST_ENTITY || html.length <= source) break
  }
  if (words.length <= EXCERPT_CHARACTERS) return words
  const cut = words.slice(0, EXCERPT_CHARACTERS)
  const space = cut.lastIndexOf(' ')
  return `${(space > EXCERPT_CHARACTERS / 2 ? cut.slice(0, space) : cut).trimEnd()}…`
}
