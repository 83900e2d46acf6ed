import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTurns } from './turns.ts'

test('no more than so many work at once, in the order they came, and one that fails gives its place back', async () => {
  const turns = createTurns(2)
  const order: number[] = []
  let working = 0
  let most = 0
  const work = (index: number) =>
    turns(async () => {
      working += 1
      most = Math.max(most, working)
      order.push(index)
      await new Promise(setImmediate)
      working -= 1
      if (index === 1) throw new Error('away')
    })
  const done = await Promise.allSettled([0, 1, 2, 3, 4].map(work))
  assert.equal(most, 2)
  assert.deepEqual(order, [0, 1, 2, 3, 4])
  assert.deepEqual(
    done.map(one => one.status),
    ['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled'],
  )
  assert.equal(await turns(async () => 'again'), 'again')
})
