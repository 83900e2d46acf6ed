/** What people type into a search box: words out of articles, by Zipf's law as the articles have them. */
import { createRandom, prose } from './prose.ts'

const withoutMarks = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').replaceAll('đ', 'd')

/** So many searches, the same for the same seed: mostly two syllables, some more, some one; some without marks, in quotes, in a category, by time. */
export const makeSearches = (count: number, seed: number): readonly string[] => {
  const random = createRandom(seed)
  const length = (): number => {
    const dice = random()
    return dice < 0.1 ? 1 : dice < 0.6 ? 2 : dice < 0.8 ? 3 : 4
  }
  return Array.from({ length: count }, (_, index) => {
    const text = prose(60, random).split(' ')
    const from = Math.floor(random() * Math.max(1, text.length - 4))
    const words = text.slice(from, from + length()).join(' ')
    const typed = index % 5 === 0 ? withoutMarks(words) : index % 17 === 0 ? `"${words}"` : words
    const category = index % 4 === 1 ? `&category=c${index % 20}` : ''
    return `q=${encodeURIComponent(typed)}${category}${index % 7 === 3 ? '&sort=time' : ''}`
  })
}
