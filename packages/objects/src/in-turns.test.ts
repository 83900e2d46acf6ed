import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inTurns } from './in-turns.ts'

const LONG_MS = 1

/** Takes so long of the processor. */
const spin = () => {
  for (const began = performance.now(); performance.now() - began < LONG_MS; );
}

test('work for many items lets everything else have its turn in between, and its results keep their order', async () => {
  let others = 0
  const timer = setInterval(() => {
    others += 1
  }, 1)
  const items = Array.from({ length: 60 }, (_, index) => index)
  const seen: number[] = []
  const results = await inTurns(items, item => {
    spin()
    seen.push(others)
    return item * 2
  })
  clearInterval(timer)
  assert.deepEqual(
    results,
    items.map(item => item * 2),
  )
  assert.ok(new Set(seen).size > 3, `others had a turn at ${new Set(seen).size - 1} places of 60`)
})

test('what work throws is thrown, and nothing more is worked on', async () => {
  const seen: number[] = []
  await assert.rejects(
    inTurns([1, 2, 3], item => {
      seen.push(item)
      if (item === 2) throw new Error('the second')
    }),
    /the second/,
  )
  assert.deepEqual(seen, [1, 2])
})
