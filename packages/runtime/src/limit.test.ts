import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createKeyedLimit, createLimit } from './limit.ts'

const createGate = () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: resolve }
}

test('at most so many run at once, in order of arrival, and one that fails gives its place back', async () => {
  const limit = createLimit(2)
  const gates = Array.from({ length: 5 }, createGate)
  const begun: number[] = []
  const works = gates.map(({ opened }, index) =>
    limit(async () => {
      begun.push(index)
      await opened
      if (index === 0) throw new Error('no')
    }).catch(() => undefined),
  )
  await null
  assert.deepEqual(begun, [0, 1])
  gates[0]?.open()
  await works[0]
  assert.deepEqual(begun, [0, 1, 2])
  for (const gate of gates) gate.open()
  await Promise.all(works)
  assert.deepEqual(begun, [0, 1, 2, 3, 4])
})

test('a key whose work hangs holds up no other key', async () => {
  const limit = createKeyedLimit(1)
  const gate = createGate()
  const hanging = limit('slow.example', () => gate.opened)
  const behind = limit('slow.example', async () => 'behind')
  assert.equal(await limit('other.example', async () => 'done'), 'done')
  gate.open()
  await hanging
  assert.equal(await behind, 'behind')
})
