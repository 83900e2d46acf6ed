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

test('one fragment that is well-formed vouches for no other that only looks like it', () => {
  const sound = '<item><a b="c" d="e">text &amp; more</a><dc:f/><g><![CDATA[<h>]]></g></item>'
  for (let time = 0; time < 2; time += 1) {
    assert.equal(findXmlFault(sound, ['dc']), null)
    for (const [what, by] of [
      ['text', 'te<t'],
      ['text', 'te]]>t'],
      ['text', 'te\u0000t'],
      ['&amp;', '&'],
      ['&amp;', '&none;'],
      ['"c"', '"<"'],
      ['"c"', '"&"'],
      ['d="e"', 'b="e"'],
      ['dc:f', 'at:f'],
      ['dc:f', 'a:f xmlns:a=""'],
      ['</a>', '</ a>'],
      ['</g>', ''],
    ] as const)
      assert.notEqual(findXmlFault(sound.replace(what, by), ['dc']), null, `${what} as ${by}`)
    assert.notEqual(findXmlFault(sound, ['at']), null, 'under a root that declares another prefix')
    assert.equal(findXmlFault(sound.replace('text', 'văn bản > "khác"'), ['dc']), null)
  }
})

test('what looks like a value within a text hides no tag from the shape', () => {
  assert.equal(findXmlFault('<item><title>a="</title><link href="x"/></item>', []), null)
  assert.notEqual(findXmlFault('<item><title>a="</nope><a:b c="x"/></item>', []), null)
})

test('a text that is no plain one to its end takes no longer to look through than it is long', () => {
  assert.notEqual(findXmlFault(`<item>${'a ='.repeat(100_000)}&</item>`, []), null)
  assert.notEqual(findXmlFault(`<item ${'a="b" '.repeat(10_000)}</item>`, []), null)
})
