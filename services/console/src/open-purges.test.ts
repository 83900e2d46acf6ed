import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toPurgeTrouble } from './open-purges.ts'
import { toSentence } from './stages.ts'

const NOW = Date.parse('2026-01-01T12:00:00.000Z')
const purge = (id: string, minutesAgo: number, message?: string) => ({
  articleId: `press.${id}`,
  at: new Date(NOW - minutesAgo * 60_000).toISOString(),
  trouble: message === undefined ? null : { code: 'NEWSWIRE_ARCHIVE_PACK', message },
})
const told = (...purges: ReturnType<typeof purge>[]) =>
  toSentence([], {
    sinks: {},
    setAside: {},
    retrying: [],
    store: null,
    overdue: { sinks: 0, retractions: 0 },
    late: [],
    overdueHolds: { articles: 0, oldest: [] },
    deadLetters: 0,
    purges: toPurgeTrouble(purges, NOW),
    archive: null,
    paused: [],
  })

test('a purge that is under way is no trouble', () => {
  assert.deepEqual(told(purge('a', 12)), { healthy: true, sentence: 'Everything flows.' })
})

test('a purge that failed is told at once, with what to do about it, and one that is not done in twenty minutes as well', () => {
  const { healthy, sentence } = told(purge('late', 21), purge('held', 1, 'pack p.gz is damaged; restore it, or delete it'))
  assert.equal(healthy, false)
  assert.match(
    sentence,
    /^the purge of press\.held of 2026-01-01T11:59:00\.000Z is not done: pack p\.gz is damaged; restore it, or delete it; /,
  )
  assert.match(sentence, /; the purge of press\.late of .* is not done: it waits for the archive to close/)
})

test('of many purges that are not done the oldest are named', () => {
  const { sentence } = told(...Array.from({ length: 5 }, (_, n) => purge(`p${n}`, 20 - n, 'damaged')))
  assert.match(sentence, /press\.p0 .*press\.p1 .*press\.p2 .*; 2 more purges are not done\.$/)
})
