import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Lag } from '@newswire/log/log'
import { readStages, toSentence } from './stages.ts'

const lag = (topic: string, partition: number, records: number, oldestMs: number | null): Lag => ({
  topic,
  partition,
  committed: 0,
  end: records,
  records,
  oldestMs,
})

test('a stage sums its partitions and is as old as its oldest record; a group that never ran is left out', async () => {
  const lags: Record<string, readonly Lag[]> = {
    desk: [lag('prepared', 0, 2, 500), lag('prepared', 1, 3, 900), lag('articles', 0, 0, null)],
  }
  const stages = await readStages({ lag: async group => lags[group] ?? [] })
  assert.deepEqual(stages, [
    { group: 'desk', topic: 'prepared', lag: 5, oldestMs: 900 },
    { group: 'desk', topic: 'articles', lag: 0, oldestMs: null },
  ])
})

test('the sentence says everything that needs a person, and only that', () => {
  const flowing = { group: 'desk', topic: 'prepared', lag: 9, oldestMs: 59_000 }
  assert.deepEqual(toSentence([flowing], { pending: 4, retrying: 1 }, 0), { healthy: true, sentence: 'Everything flows.' })
  const { healthy, sentence } = toSentence([{ ...flowing, oldestMs: 61_000 }], { dead: 1, rejected: 1, suspended: 1 }, 2)
  assert.equal(healthy, false)
  assert.equal(sentence, 'desk has waited 61 s; 3 deliveries need a person; 2 dead letters are open.')
})
