import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { declare, findXmlFault } from './xml.ts'

const piece = fc.oneof(
  fc.constantFrom(
    '<![CDATA[',
    ']]>',
    '<!--',
    '-->',
    '<?x',
    '?>',
    '<a>',
    '</a>',
    '<dc:b c="',
    '"/>',
    '&amp;',
    '&',
    '<',
    ']]',
    '\0',
    '\ud83d',
    '😀',
    '\r',
  ),
  fc.string({ unit: 'grapheme', maxLength: 5 }),
)

test('a fragment is found at fault when it would be one within a document, wherever its sections begin and end', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 10 }), pieces => {
      const xml = `<item>${pieces.join('')}</item>`
      const within = findXmlFault(`<r${declare(['dc'])}>${xml}</r>`, 'document')
      assert.equal(findXmlFault(xml, ['dc']) === null, within === null, xml)
    }),
    { numRuns: 5000, seed: 42 },
  )
})

test('what looks like a section within a comment or an instruction hides nothing', () => {
  for (const xml of ['<!-- <![CDATA[ --> <bad> ]]> -->', '<?x <![CDATA[ ?> <bad> ]]> ?>', '<![CDATA[ <!-- ]]> <bad> <![CDATA[ --> ]]>'])
    assert.notEqual(findXmlFault(`<item>${xml}</item>`, []), null, xml)
  assert.equal(findXmlFault('<item><!-- <![CDATA[ --> x </item>', []), null)
})
