import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createRecent } from './recent.ts'

test('what was used last is kept, within its bytes', () => {
  const recent = createRecent<string>({ maxBytes: 10, sizeOf: value => value.length })
  recent.set('a', 'aaaa')
  recent.set('b', 'bbbb')
  recent.get('a')
  recent.set('c', 'cccc')
  assert.deepEqual([recent.get('a'), recent.get('b'), recent.get('c')], ['aaaa', undefined, 'cccc'])
  recent.set('a', 'a')
  assert.equal(recent.bytes(), 5)
  recent.delete('a')
  recent.delete('a')
  assert.equal(recent.bytes(), 4)
})

test('what is too heavy to be kept takes the place of nothing but of what had its name', () => {
  const recent = createRecent<string>({ maxBytes: 10, sizeOf: value => value.length })
  recent.set('a', 'aaaa')
  recent.set('b', 'bbbb')
  recent.set('b', 'b'.repeat(11))
  assert.deepEqual([recent.get('a'), recent.get('b'), recent.bytes()], ['aaaa', undefined, 4])
})

test('whatever is put and asked for, it holds the last used that fit, and says what they weigh', () => {
  const act = fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd'),
    size: fc.integer({ min: 0, max: 14 }),
    what: fc.constantFrom('set', 'get', 'delete'),
  })
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), acts => {
      const recent = createRecent<string>({ maxBytes: 12, sizeOf: value => value.length })
      let model: [string, string][] = []
      for (const { key, size, what } of acts) {
        const before = model.find(([name]) => name === key)
        model = what === 'get' && before === undefined ? model : model.filter(([name]) => name !== key)
        if (what === 'get') {
          assert.equal(recent.get(key), before?.[1])
          if (before !== undefined) model.push(before)
        } else if (what === 'delete') recent.delete(key)
        else {
          recent.set(key, key.repeat(size))
          if (size <= 12) model.push([key, key.repeat(size)])
        }
        while (model.reduce((sum, [, value]) => sum + value.length, 0) > 12) model.shift()
        assert.equal(
          recent.bytes(),
          model.reduce((sum, [, value]) => sum + value.length, 0),
        )
      }
      for (const [key, value] of model) assert.equal(recent.get(key), value)
    }),
  )
})
