import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { excerptOf } from './excerpt.ts'

const piece = fc.oneof(
  fc.constantFrom('<p>', '</p>\n', '<a href="https://news.example/a?b=1&amp;c=2">', '&amp;', '&quot;', '&nbsp;', ' ', '\n', '<', '>', '&'),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
)

test('the beginning of a body is the same whether its words are near its beginning or far behind tags', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 300 }), pieces => {
      const html = pieces.join('').slice(0, 3000)
      assert.equal(excerptOf(html), excerptOf(`${'<b>'.repeat(300)}${html}`))
    }),
    { numRuns: 300, seed: 42 },
  )
})
