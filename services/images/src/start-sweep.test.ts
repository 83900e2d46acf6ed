import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesSince } from './start-sweep.ts'

const TURN_MS = 86_400_000 / 256
const turnOf = (ms: number) => Math.floor(ms / TURN_MS)

test('every picture has its turn once a day, wherever the day is begun and however unevenly it is asked', () => {
  for (const start of [0, Date.parse('2026-11-27T13:37:00Z')]) {
    let last = turnOf(start) - 1
    const seen: string[] = []
    for (const part of [0, 1, 1.9, 2.1, 60, 61, 200, 255]) {
      const { turn, bytes } = bytesSince(last, start + part * TURN_MS)
      seen.push(...bytes)
      last = turn
    }
    assert.equal(seen.length, 256)
    assert.equal(new Set(seen).size, 256)
    for (const byte of seen) assert.match(byte, /^[0-9a-f]{2}$/)
  }
})

test('after days without a turn each comes once, and a clock that goes back asks for none', () => {
  assert.equal(bytesSince(1000, (1000 + 5 * 256) * TURN_MS).bytes.length, 256)
  assert.deepEqual(bytesSince(1000, 900 * TURN_MS).bytes, [])
})
