import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLearnt } from './learnt.ts'

type Item = Readonly<{ name: string; note: string }>
const places = [
  { write: ({ name }: Item) => name.toUpperCase(), standIn: { name: 'n' } },
  { write: ({ note }: Item) => note, standIn: { note: 'o' } },
]
const blank = { name: '', note: '' }

test('an item is written as the renderer writes it, which is asked once for each shape', () => {
  let asked = 0
  const render = ({ name, note }: Item) => {
    asked += 1
    return `[${name.toUpperCase()}${note === '' ? '' : `: ${note}.`}]`
  }
  const write = createLearnt({ render, blank, places })
  const items = ['', 'a', '$&', 'n', 'o'].flatMap(name => ['', 'b', '[N]', 'o'].map(note => ({ name, note })))
  assert.deepEqual(items.map(write), items.map(render).map(String))
  asked = 0
  items.map(write)
  assert.equal(asked, 0)
})

test('what writes a value elsewhere, twice or otherwise than was said is not learnt from', () => {
  for (const render of [({ note, name }: Item) => `${note}${name}`, ({ name }: Item) => `${name}${name}`, ({ note }: Item) => note])
    assert.throws(() => createLearnt({ render, blank, places })({ name: 'a', note: 'b' }), /another version of the renderer/)
})
