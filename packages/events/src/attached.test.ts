import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createAttached } from './attached.ts'

const MIB = 1_048_576

test('what is attached to an object is found by that object alone, and by nobody who asks for something else', () => {
  const colour = createAttached<object, string>('colour')
  const size = createAttached<object, string>('colour')
  const [one, other] = [{ a: 1 }, { a: 1 }]
  colour.set(one, 'red')
  assert.equal(colour.get(one), 'red')
  assert.equal(colour.get(other), undefined)
  assert.equal(size.get(one), undefined)
  colour.set(one, 'blue')
  assert.equal(colour.get(one), 'blue')
  colour.delete(one)
  colour.delete(one)
  colour.delete(other)
  assert.equal(colour.get(one), undefined)
  colour.set(one, 'green')
  assert.equal(colour.get(one), 'green')
})

test('a copy of an object, its JSON and its comparison are without what is attached: another object has other bytes', () => {
  const decoded = createAttached<object, string>('decoded')
  const record = { value: 'a' }
  decoded.set(record, 'of a')
  assert.equal(decoded.get({ ...record, value: 'b' }), undefined)
  assert.equal(decoded.get(Object.assign({}, record)), undefined)
  assert.equal(decoded.get(structuredClone(record)), undefined)
  assert.equal(JSON.stringify(record), '{"value":"a"}')
  assert.deepEqual(record, { value: 'a' })
  assert.deepEqual(Object.keys(record), ['value'])
})

test('what is inherited is not attached, and setting it does not reach what it is inherited from', () => {
  const decoded = createAttached<object, string>('decoded')
  const record = { value: 'a' }
  decoded.set(record, 'of a')
  const heir = Object.create(record) as object
  assert.equal(decoded.get(heir), undefined)
  decoded.set(heir, 'of the heir')
  assert.equal(decoded.get(record), 'of a')
  assert.equal(decoded.get(heir), 'of the heir')
})

test('what is attached is gone with its object when the young generation alone is collected', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (options: { type: 'minor' | 'major' }) => void
  const answers = createAttached<object, ReadonlyMap<object, unknown>>('answers')
  const asked = {}
  // Whoever knows something of objects is old by the time it matters.
  for (let index = 0; index < 100; index += 1) answers.set({ index }, new Map())
  collect({ type: 'major' })
  collect({ type: 'major' })
  const before = process.memoryUsage().arrayBuffers
  const slot: { state?: object } = {}
  for (let round = 0; round < 20; round += 1) {
    for (let index = 0; index < 8; index += 1) {
      slot.state = { index }
      answers.set(slot.state, new Map([[asked, { bytes: new Uint8Array(MIB) }]]))
    }
    collect({ type: 'minor' })
  }
  // Another thread gives buffers back after the collection that found them dead; each waits for the one before.
  for (let turn = 0; turn < 4; turn += 1) collect({ type: 'minor' })
  assert.ok(slot.state)
  const left = Math.round((process.memoryUsage().arrayBuffers - before) / MIB)
  assert.ok(left < 40, `${left} of 160 MiB are left`)
})
