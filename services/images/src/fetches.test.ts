import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFetches } from './fetches.ts'

const createGate = () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: resolve }
}

test("an import from a server takes no more than its lane's places of it, however many wait, and live pictures from there are fetched at once", async () => {
  const fetches = createFetches({ live: 16, backfill: 2, ofHost: 6 })
  const gate = createGate()
  const begun: number[] = []
  const hanging = Array.from({ length: 64 }, (_, index) =>
    fetches({ lane: 'backfill', host: 'press.example' }, async () => {
      begun.push(index)
      await gate.opened
    }),
  )
  assert.equal(await fetches({ lane: 'live', host: 'press.example' }, async () => 'done'), 'done')
  assert.deepEqual(begun, [0, 1])
  gate.open()
  await Promise.all(hanging)
})

test('a server that hangs takes its share of the live places at most', async () => {
  const fetches = createFetches({ live: 7, backfill: 2, ofHost: 6 })
  const gate = createGate()
  const hanging = Array.from({ length: 20 }, () => fetches({ lane: 'live', host: 'slow.example' }, () => gate.opened))
  assert.equal(await fetches({ lane: 'live', host: 'other.example' }, async () => 'done'), 'done')
  gate.open()
  await Promise.all(hanging)
})
