import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createInTurn } from './in-turn.ts'

test('of one name the next begins when the one before has ended, well or not; another name does not wait', async () => {
  const inTurn = createInTurn()
  const first = Promise.withResolvers<void>()
  const seen: string[] = []
  const failing = inTurn.run('a', async () => {
    await first.promise
    seen.push('a1')
    throw new Error('it failed')
  })
  const second = inTurn.run('a', async () => void seen.push('a2'))
  await inTurn.run('b', async () => void seen.push('b'))
  assert.deepEqual(seen, ['b'])
  first.resolve()
  await assert.rejects(failing, /it failed/)
  await second
  assert.deepEqual(seen, ['b', 'a1', 'a2'])
})

test('it is idle once what was added meanwhile has ended too', async () => {
  const inTurn = createInTurn()
  let ended = 0
  void inTurn.run('a', async () => {
    void inTurn.run('a', async () => {
      ended += 1
    })
    ended += 1
  })
  await inTurn.idle()
  assert.equal(ended, 2)
})
