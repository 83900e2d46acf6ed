import assert from 'node:assert/strict'
import { test } from 'node:test'
import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { canonicalJson } from './canonical.ts'

test('canonical JSON is what the reference implementation of RFC 8785 writes', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), value => assert.equal(canonicalJson(value), canonicalize(value))),
    { numRuns: 500, seed: 42 },
  )
  for (const value of [
    { b: 1, a: { 10: 1, 9: 2, '\ud83d\ude00': 3, '\ufb33': 4 }, c: undefined },
    [undefined, -0, 1e21],
    { at: new Date(0) },
  ])
    assert.equal(canonicalJson(value), canonicalize(value))
})

test('what JSON cannot hold is refused, at any depth', () => {
  for (const value of [undefined, Number.NaN, Number.POSITIVE_INFINITY, () => 1, 1n])
    for (const inside of [value, { a: value }, [[value]]])
      if (value !== undefined || inside === value) assert.throws(() => canonicalJson(inside), TypeError)
})
