import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTakenOver } from './picture-use.ts'

test('a removal is left to whoever began it for ten minutes, and no longer when a clock was put back', () => {
  const nowMs = Date.parse('2026-01-02T00:00:00Z')
  const began = (minutesAgo: number) => ({
    n: 1,
    phase: 'removing' as const,
    since: '2025-12-01T00:00:00.000Z',
    lookedAt: new Date(nowMs - minutesAgo * 60_000).toISOString(),
  })
  for (const minutesAgo of [0, 9, -9]) assert.equal(isTakenOver(began(minutesAgo), nowMs), false)
  for (const minutesAgo of [11, 1440, -11, -1440]) assert.equal(isTakenOver(began(minutesAgo), nowMs), true)
})
