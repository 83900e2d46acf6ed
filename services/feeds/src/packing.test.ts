import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { join, layOut, MOST_TABLE_BYTES, type Part, pack } from './packing.ts'

const packed = (parts: readonly Part[]) => {
  const pieces = pack(parts, layOut(parts))
  return pieces === null ? join(parts) : Buffer.concat(pieces)
}
/** What a reader of the store makes of it. */
const unpacked = (parts: readonly Part[]) => {
  const kept = pack(parts, layOut(parts))
  return kept === null ? join(parts) : gunzipSync(Buffer.concat(kept))
}
const part = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 300 }), fc.uint8Array({ maxLength: 3000 }))

test('whatever the parts and however often they were joined, they unpack to what they join to', () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), parts => {
      for (let time = 0; time < 12; time += 1) assert.deepEqual(unpacked(parts), join(parts))
    }),
  )
})

test('a fragment that stays is deflated once, to the same piece whatever stands beside it', () => {
  const fragment = Buffer.from('<item>Bến đò chợ sớm</item>'.repeat(200))
  const others = Array.from({ length: 3 }, (_, index) => Buffer.from(`<item>${index}</item>`.repeat(100 * index + 1)))
  assert.deepEqual(packed([fragment]), fragment, 'one that may never be seen again costs no deflating')
  const settled = Array.from({ length: 12 }, () => packed([fragment])).at(-1) ?? Buffer.alloc(0)
  assert.ok(settled.length < fragment.length / 4, 'one that is joined again and again is deflated')
  const alone = settled.subarray(10, -10)
  for (const other of others) assert.ok(Buffer.from(packed([other, fragment, 'end'])).includes(Buffer.from(alone)))
})

test('one new fragment among many that stay is deflated at once, many new ones are not', () => {
  const fragment = (index: number) => Buffer.from(`<item>${index} ${'chợ sớm '.repeat(200)}</item>`)
  const settled = Array.from({ length: 20 }, (_, index) => fragment(index))
  for (let time = 0; time < 10; time += 1) packed(settled)
  const before = packed(settled).length
  const fresh = Array.from({ length: 10 }, (_, index) => fragment(100 + index))
  assert.ok(packed([...fresh, ...settled.slice(10)]).length > 10 * fragment(0).length, 'half of it is new: it will be gone soon')
  assert.ok(packed([fragment(999), ...settled.slice(1)]).length < before + 100)
})

test('text of any length is stored beside what is deflated', () => {
  const large = 'y'.repeat(500_000)
  for (const length of [0, 1, 65_535, 65_536, 200_000]) {
    const parts = ['x'.repeat(length), Buffer.from(large), 'z']
    assert.equal(gunzipSync(packed(parts)).toString(), `${'x'.repeat(length)}${large}z`)
  }
})

test('a file of which little is deflated is not packed', () => {
  const parts = ['<feed>', Buffer.from('an item'), '</feed>']
  assert.equal(pack(parts, layOut(parts)), null)
})

test('whatever the parts, laid out they are what they join to, also after longer and shorter ones', () => {
  fc.assert(
    fc.property(fc.array(fc.array(part, { maxLength: 12 }), { maxLength: 4 }), files => {
      for (const parts of files) assert.deepEqual(Buffer.from(layOut(parts)), Buffer.from(join(parts)))
    }),
  )
})

test('a very large file is laid out in memory of its own, and none of it is kept', () => {
  const small = layOut(['small']).buffer
  const large = Buffer.from(layOut([Buffer.alloc(MOST_TABLE_BYTES, 'x'), 'đ']))
  assert.equal(large.byteLength, MOST_TABLE_BYTES + 2)
  assert.equal(large.toString('utf8', MOST_TABLE_BYTES - 1), 'xđ')
  assert.equal(layOut(['small']).buffer, small)
})
