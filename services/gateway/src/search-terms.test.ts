import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hashWith } from './search-lexicon.ts'
import { createTerms, PAIR } from './search-terms.ts'
import { countTerms, createVocabulary } from './search-vocabulary.ts'
import { wordsOf } from './search-words.ts'

const split = (bytes: Uint8Array): string[] => Buffer.from(bytes).toString().split(' ')

/** What terms are, said without any of what makes them fast. */
const expected = (texts: readonly string[], filed: readonly string[]): Set<string> => {
  const terms = new Set(filed)
  for (const text of texts) {
    const words = wordsOf(text)
    for (const [at, { folded, exact }] of words.entries()) {
      terms.add(folded)
      if (exact !== null) terms.add(exact)
      const before = words[at - 1]
      if (before !== undefined) terms.add(before.folded + PAIR + folded)
    }
  }
  return terms
}

const syllable = fc.constantFrom(
  'hoà',
  'hòa',
  'Học',
  'học',
  'đường',
  'DUONG',
  'x',
  '中文',
  'ไทย',
  '😀',
  '½',
  'ﷺ',
  '\ud800',
  'e\u0301',
  'a'.repeat(70),
)
const text = fc.array(fc.oneof(syllable, fc.string({ unit: 'grapheme', maxLength: 8 })), { maxLength: 30 }).map(parts => parts.join(' '))

test('every word, with and without its marks, and every two words side by side are terms, whatever came before', () => {
  const terms = createTerms()
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), texts => {
      assert.deepEqual(new Set(split(terms.write(texts, ['.all', 'p.press'], false))), expected(texts, ['.all', 'p.press']))
    }),
  )
})

test('what was written stays as it is while more is written, also behind a new piece of memory', () => {
  const terms = createTerms()
  const texts = Array.from({ length: 400 }, (_, n) => `${`từ${n} học sinh `.repeat(300)} hết`)
  const written = texts.map((one, n) => {
    if (n === 200) terms.renew()
    return terms.write([one], ['.all'], false)
  })
  for (const [n, bytes] of written.entries()) assert.deepEqual(new Set(split(bytes)), expected([texts[n] as string], ['.all']))
})

test('words are counted once an article, also over everything being forgotten because there were too many', () => {
  const terms = createTerms()
  terms.write(['học học sinh'], ['.all'], true)
  terms.write(['sinh'], ['.all'], false)
  for (let n = 0; n < 40; n += 1) {
    const many = Array.from({ length: 4_000 }, (_, at) => `w${n}x${at}`).join(' ')
    assert.equal(split(terms.write([many], ['.all'], false)).length, 2 * 4_000)
  }
  terms.write(['Học'], ['.all'], true)
  assert.deepEqual([...terms.takeCounts()].sort(), [
    ['hoc', 2],
    ['sinh', 1],
  ])
  assert.equal(terms.takeCounts().size, 0)
})

test('terms as numbers are the same as in bytes, also after words were forgotten because there were too many', () => {
  const terms = createTerms()
  let vocabulary = createVocabulary()
  const generations = new Set<number>()
  for (let n = 0; n < 40; n += 1) {
    const texts = [Array.from({ length: 4_000 }, (_, at) => `w${n}x${at} học`).join(' '), 'đường học']
    const numbers = terms.number(texts, ['.all', 'p.press'], false)
    // Beside numbers whose words were not told, nothing is forgotten.
    const title = terms.write(['đường'], ['.all'], false)
    const words = terms.takeWords()
    if (!generations.has(words.generation)) vocabulary = createVocabulary(words.generation)
    generations.add(words.generation)
    vocabulary.learn(words)
    assert.deepEqual(new Set(split(vocabulary.spell(numbers))), expected(texts, ['.all', 'p.press']))
    assert.equal(countTerms(numbers), split(vocabulary.spell(numbers)).length)
    assert.deepEqual(new Set(split(title)), expected(['đường'], ['.all']))
    terms.renew()
  }
  assert.ok(generations.size > 1)
})

test('words that a stranger made to have one hash are all found', () => {
  const hashOf = (word: string) => [...word].reduce((hash, char) => hashWith(hash, char.charCodeAt(0)), 0)
  // 31 × 'b' + 'B' is 31 × 'a' + 'a': twelve of either give 4096 words of one hash.
  const words = Array.from({ length: 4096 }, (_, n) => Array.from({ length: 12 }, (_, bit) => ((n >> bit) & 1 ? 'bB' : 'aa')).join(''))
  assert.equal(new Set(words.map(hashOf)).size, 1)
  const all = words.join(' ')
  const terms = createTerms()
  for (const _ of [1, 2]) assert.deepEqual(new Set(split(terms.write([all], ['.all'], false))), expected([all], ['.all']))
})
