import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256Hex } from '@newswire/events/ids'
import fc from 'fast-check'
import { type BundledName, bundled, type NewPart, partsOf, toBundle } from './feed-bundle.ts'

const partOf = (name: BundledName, text: string): NewPart => ({ name, pieces: [Buffer.from(text)], sha256: sha256Hex(text) })

test('whatever the parts and their pieces, they come out of the bundle as they went in', () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 })
  fc.assert(
    fc.property(fc.array(pieces, { minLength: bundled.length, maxLength: bundled.length }), given => {
      const parts = bundled.map((name, index) => ({ name, pieces: given[index] ?? [], sha256: sha256Hex(name) }))
      const bytes = toBundle(parts)
      // Stores give views of larger buffers.
      const found = partsOf(Buffer.concat([Buffer.from('x'), bytes]).subarray(1))
      assert.deepEqual(
        [...(found ?? [])].map(([name, one]) => [name, Buffer.from(one.bytes), one.sha256]),
        parts.map(one => [one.name, Buffer.concat(one.pieces), one.sha256]),
      )
    }),
  )
})

test('what is no bundle, or not whole, has no parts', () => {
  const whole = Buffer.from(toBundle([partOf('window.json', '{}'), partOf('rss.xml', '<rss/>')]))
  for (let end = 0; end < whole.length; end += 1) assert.equal(partsOf(whole.subarray(0, end)), null)
  assert.equal(partsOf(Buffer.concat([whole, Buffer.from(' ')])), null)
  assert.equal(partsOf(Buffer.from(whole.toString().replace('"bytes":6', '"bytes":-6'))), null)
  assert.equal(partsOf(Buffer.from(whole.toString().replace('"parts"', '"ports"'))), null)
  assert.equal(partsOf(whole)?.size, 2)
})
