import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asTyped, dataOf } from './as-typed.ts'

test('commands in a message name the data folder that was named, as a shell takes it', () => {
  const text = 'Run `newswire rebuild all`, then `newswire up --data ./b` or `npm start`; newswire says how'
  assert.equal(asTyped(text, undefined), text)
  assert.equal(
    asTyped(text, './a'),
    'Run `newswire rebuild all --data ./a`, then `newswire up --data ./b` or `npm start`; newswire says how',
  )
  assert.equal(asTyped('`newswire doctor`', "my news'room"), "`newswire doctor --data 'my news'\\''room'`")
})

test('the data folder is found as it was typed, and a file of that name is none', () => {
  assert.equal(dataOf(['up', '--data', './a']), './a')
  assert.equal(dataOf(['up', '--data=./a', '--json']), './a')
  assert.equal(dataOf(['publish', '--', '--data', './a']), undefined)
  assert.equal(dataOf(['up', '--data']), undefined)
  assert.equal(dataOf(['up']), undefined)
})
