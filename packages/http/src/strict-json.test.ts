import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseStrictJson } from './strict-json.ts'

const encoder = new TextEncoder()
const read = (text: string, limits?: { maxDepth?: number; maxKeys?: number }) => parseStrictJson(encoder.encode(text), limits)
const offence = (text: string | Uint8Array, limits?: { maxDepth?: number; maxKeys?: number }) => {
  const result = parseStrictJson(typeof text === 'string' ? encoder.encode(text) : text, limits)
  assert.equal(result.ok, false, 'it was taken')
  return result.ok ? { detail: '', pointer: '' } : result
}

test('whatever JSON.stringify writes is read as JSON.parse reads it', () => {
  const value = fc.jsonValue({ noUnicodeString: false, maxDepth: 6 }).filter(one => !JSON.stringify(one).includes('"__proto__"'))
  fc.assert(
    fc.property(value, fc.constantFrom(undefined, 1, '\t'), (one, space) => {
      const text = JSON.stringify(one, null, space)
      fc.pre(!/\d{16}|[eE]/.test(text))
      assert.deepEqual(read(text), { ok: true, value: JSON.parse(text) })
    }),
    { numRuns: 500 },
  )
})

test('what JSON.parse refuses is refused, and nothing else escapes as an exception', () => {
  const pieces = fc.array(
    fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', '"a"', '1', '-', '1e999', 'null', ' ', '\\"', '"\\\\"', '\u0000'),
    {
      maxLength: 24,
    },
  )
  fc.assert(
    fc.property(pieces, parts => {
      const text = parts.join('')
      const isJson = (() => {
        try {
          JSON.parse(text)
          return true
        } catch {
          return false
        }
      })()
      const result = read(text)
      if (!isJson) assert.equal(result.ok, false)
    }),
    { numRuns: 2000 },
  )
})

test('a key that stands twice in one object is refused at any place, however it is written', () => {
  const keys = fc.uniqueArray(
    fc.string({ maxLength: 8 }).filter(key => key !== '__proto__'),
    { minLength: 1, maxLength: 6 },
  )
  fc.assert(
    fc.property(keys, fc.nat(), (names, seed) => {
      const twice = names[seed % names.length] ?? ''
      const written = names.map(name => `${JSON.stringify(name)}:{"x":[1,{"y":2}]}`)
      assert.equal(read(`[0,{${written.join(',')}}]`).ok, true)
      const escaped = `"${Array.from(twice.split(''), char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`
      const { pointer } = offence(`[0,{${[...written, `${escaped}:null`].join(',')}}]`)
      assert.ok(pointer?.startsWith('/1'), pointer)
    }),
  )
  assert.equal(offence('{"a":{"b":1,"b":2}}').pointer, '/a/b')
})

test('the same key in two objects is no offence', () => {
  assert.equal(read('[{"a":1},{"a":{"a":[{"a":1}]}}]').ok, true)
})

test('a key "__proto__" is refused, also in escapes', () => {
  assert.match(offence('{"a":[{"__proto__":{"x":1}}]}').detail, /__proto__/)
  assert.match(offence('{"\\u005f_proto__":1}').detail, /__proto__/)
  assert.equal(read('{"constructor":1,"a":"__proto__"}').ok, true)
})

test('numbers that no reader keeps exactly are refused with their place', () => {
  assert.equal(offence('{"a":[1,9007199254740993]}').pointer, '/a/1')
  assert.equal(offence('{"a":{"b/c":1e999}}').pointer, '/a/b~1c')
  for (const number of ['9007199254740992', '-9007199254740992', '1e16', '123456789012345678901', '-1e309'])
    assert.equal(read(number).ok, false, number)
  for (const number of ['9007199254740991', '-9007199254740991', '1e3', '0.12345678901234567890', '1e-400', '-0', '12345.678e2'])
    assert.equal(read(number).ok, true, number)
  assert.equal(read('"9007199254740993"').ok, true)
})

test('nesting is refused one level above the limit, and a million levels harm nobody', () => {
  assert.equal(read(`${'['.repeat(32)}${']'.repeat(32)}`).ok, true)
  assert.match(offence(`${'['.repeat(33)}${']'.repeat(33)}`).detail, /32 levels/)
  assert.match(offence(`${'[{"a":'.repeat(3)}1${'}]'.repeat(3)}`, { maxDepth: 5 }).detail, /5 levels/)
  assert.match(offence(`${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`).detail, /levels/)
})

test('more keys than the limit are refused, over all objects together', () => {
  const objects = (count: number) => `[${Array.from({ length: count }, () => '{"a":1,"b":2}').join(',')}]`
  assert.equal(read(objects(5), { maxKeys: 10 }).ok, true)
  assert.match(offence(objects(6), { maxKeys: 10 }).detail, /10 keys/)
})

test('bytes that are no UTF-8, and a byte order mark, are refused', () => {
  assert.match(offence(Uint8Array.from([0x22, 0xc3, 0x28, 0x22])).detail, /UTF-8/)
  assert.match(offence(Uint8Array.from([0x22, 0xed, 0xa0, 0x80, 0x22])).detail, /UTF-8/)
  assert.match(offence('\ufeff{}').detail, /byte order mark/)
  assert.match(offence('').detail, /not JSON/)
})

test('an offence repeats nothing of the body beyond a short key or number', () => {
  const secret = 'the whole story nobody may read yet'
  assert.ok(!offence(`{"a": "${secret}" oops`).detail.includes('story'))
  assert.ok(!offence(`{"title": "x", ${secret}`).detail.includes('story'))
  const long = offence(`{"${'k'.repeat(100_000)}":1e999}`)
  assert.ok(long.detail.length < 300 && (long.pointer ?? '').length < 100)
})

test('strings full of backslashes and quotes are passed in a time that grows with their length', () => {
  const parse = (length: number) => {
    const bytes = encoder.encode(JSON.stringify({ a: '\\'.repeat(length), b: '"'.repeat(length), c: '\\"'.repeat(length) }))
    const started = performance.now()
    assert.equal(parseStrictJson(bytes).ok, true)
    return performance.now() - started
  }
  parse(1_000)
  // Quadratic work would take minutes here.
  assert.ok(parse(300_000) < 5_000)
})
