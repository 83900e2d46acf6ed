import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createFinder } from './search-find.ts'
import { wordsOf } from './search-words.ts'

const found = (text: string, ...words: string[]) => createFinder(words)(text).map(({ start, end }) => text.slice(start, end))

test('whole words are found as they are written, in the order of the text', () => {
  assert.deepEqual(found('Bán hàng; BẠN hàng, banh', 'ban', 'hang'), ['Bán', 'hàng', 'BẠN', 'hàng'])
  assert.deepEqual(found('“Đường” — đường', 'duong'), ['Đường', 'đường'])
  assert.deepEqual(found('Ο Οδυσσεύς 𝐀𝐁 odd𐐨', 'οδυσσευσ', 'odd'), ['Οδυσσεύς'], 'a word goes on with a letter of two halves')
  assert.deepEqual(found('không', ''), [])
})

test('a letter that stands for two is found as either is typed', () => {
  assert.deepEqual(found('Straße, STRASSE und Größe', 'strasse', 'grosse'), ['Straße', 'STRASSE', 'Größe'])
  assert.deepEqual(found('Œuvres d’Æsop, maß mass', 'oeuvres', 'aesop', 'mass'), ['Œuvres', 'Æsop', 'maß', 'mass'])
})

test('a script without spaces is found wherever it stands, the longer word first', () => {
  assert.deepEqual(found('東京都で3月', '東', '京', '月'), ['東', '京', '月'])
  assert.deepEqual(found('กำไร', 'ก', 'กำ'), ['กำ'])
})

test('every word of a text is found in it as often as it stands there', () => {
  const word = fc.constantFrom('Đường', 'đương', 'HOÀ', 'hòa', 'h', 'ho', 'Żółw', 'x1', 'việt', 'Viet', 'Σίσυφος', '𐐨', ' 東京 ', ' 月 ')
  const sign = fc.constantFrom(' ', ', ', '\n\n', '“', '—', '')
  fc.assert(
    fc.property(fc.array(fc.tuple(word, sign), { maxLength: 20 }), parts => {
      const text = parts.flat().join('')
      const words = wordsOf(text).map(({ folded }) => folded)
      for (const folded of new Set(words.filter(one => /^[a-zσ-ω0-9東京月]+$/.test(one))))
        assert.equal(createFinder([folded])(text).length, words.filter(one => one === folded).length, JSON.stringify({ text, folded }))
    }),
  )
})
