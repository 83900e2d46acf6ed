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

/** There is nothing to say. */
const nothing = {
  sinks: {},
  overdue: { sinks: 0, retractions: 0 },
  late: [],
  overdueHolds: { articles: 0, oldest: [] },
  deadLetters: 0,
  store: null,
  purges: [],
  archive: null,
  retrying: [],
  setAside: {},
  paused: [],
}

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
  const none = { sinks: 0, retractions: 0 }
  const well = { ...nothing, late: [], paused: [], setAside: {}, store: null, purges: [], archive: null, retrying: [] }
  const fine = toSentence([flowing], { ...well, sinks: { pending: 4 }, overdue: none, deadLetters: 0 })
  assert.deepEqual(fine, { healthy: true, sentence: 'Everything flows.' })
  const late = toSentence([flowing], { ...well, sinks: { retrying: 3 }, overdue: { sinks: 3, retractions: 1 }, deadLetters: 0 })
  assert.deepEqual(late, {
    healthy: false,
    sentence: '1 retraction has not arrived everywhere; 2 deliveries are late by a minute or more.',
  })
  const bad = toSentence([{ ...flowing, oldestMs: 61_000 }], {
    ...well,
    sinks: { dead: 1, rejected: 1, suspended: 1 },
    overdue: none,
    deadLetters: 2,
  })
  assert.deepEqual(bad, { healthy: false, sentence: '3 deliveries need a person; 2 dead letters are open; desk has waited 61 s.' })
})

test('what feeds keep out by their rules is told and is no trouble; a store that keeps nothing comes first', () => {
  const quiet = { ...nothing, setAside: { msn: 15, flip: 1 } }
  const aside = 'feed msn keeps 15 articles out by its rules; feed flip keeps 1 article out by its rules'
  assert.deepEqual(toSentence([], quiet), { healthy: true, sentence: `Everything flows; ${aside}.` })
  const full = toSentence([], { ...quiet, store: 'nothing can be kept, and publishers are refused: disk full', deadLetters: 1 })
  assert.deepEqual(full, {
    healthy: false,
    sentence: `nothing can be kept, and publishers are refused: disk full; 1 dead letter is open; ${aside}.`,
  })
})

test('an archive that cannot be closed is told with its reason', () => {
  const archive = { code: 'NEWSWIRE_ARCHIVE_KEY', message: 'manifests cannot be signed without a key.', since: '2026-03-01T00:01:00.000Z' }
  assert.deepEqual(toSentence([], { ...nothing, archive }), {
    healthy: false,
    sentence: 'the archive cannot be closed since 2026-03-01T00:01:00.000Z: manifests cannot be signed without a key.',
  })
})

test('what failed a moment ago and is tried again is told from the first failure on, and needs nobody', () => {
  const failing = (id: string, versions: number, oldestMs: number) => ({ kind: 'outlet', id, versions, oldestMs })
  const two = toSentence([], { ...nothing, retrying: [failing('drop', 2, 20_400), failing('city', 1, 3_000)] })
  const told =
    'outlet drop has failed 2 deliveries in the last 21 s and is tried again; outlet city has failed 1 delivery in the last 3 s and is tried again'
  assert.deepEqual(two, { healthy: true, sentence: `Nothing is late yet; ${told}.` })
  const many = Array.from({ length: 5 }, (_, n) => failing(`o${n}`, 1, 9_000))
  assert.match(toSentence([], { ...nothing, retrying: many }).sentence, /outlet o2 [^;]+; 2 others fail too\.$/)
  const late = toSentence([], { ...nothing, overdue: { sinks: 1, retractions: 0 }, retrying: [failing('city', 1, 3_000)] })
  assert.equal(late.healthy, false)
  assert.match(late.sentence, /^1 delivery is late by a minute or more; outlet city has failed 1 delivery/)
})

test('who waits for what is late is named, an outlet with the command that says why', () => {
  const late = ['a', 'b', 'c', 'd'].map(id => ({ kind: id === 'b' ? 'feed' : 'outlet', id, versions: 2 }))
  assert.equal(
    toSentence([], { ...nothing, overdue: { sinks: 8, retractions: 0 }, late }).sentence,
    '8 deliveries are late by a minute or more; late are 2 for outlet a (newswire outlets show a), 2 for feed b, 2 for outlet c (newswire outlets show c), others.',
  )
})

test('what is still held after its time is told, since when and which', () => {
  const hold = (id: string, second: number) => ({ articleId: `press.${id}`, until: `2026-03-01T08:00:0${second}.000Z` })
  const why = '(is the desk away, or its clock wrong? newswire doctor)'
  assert.deepEqual(toSentence([], { ...nothing, overdueHolds: { articles: 1, oldest: [hold('a', 1)] } }), {
    healthy: false,
    sentence: `1 article is still held although the time has come, since 2026-03-01T08:00:01.000Z: press.a ${why}.`,
  })
  const oldest = ['a', 'b', 'c', 'd'].map((id, n) => hold(id, n + 1))
  assert.match(
    toSentence([], { ...nothing, overdueHolds: { articles: 11, oldest } }).sentence,
    /^11 articles are still held although the time has come, since 2026-03-01T08:00:01\.000Z: press\.a, press\.b, press\.c, others \(/,
  )
})

test('an outlet that somebody paused is named, also while nothing waits for it, and is no trouble', () => {
  const at = '2026-03-01T08:00:00.000Z'
  const paused = [{ id: 'drop', at, by: 'operator' as const }, ...['a', 'b', 'c', 'd'].map(id => ({ id, at, by: 'partner' as const }))]
  assert.deepEqual(toSentence([], { ...nothing, paused: paused.slice(0, 1) }), {
    healthy: true,
    sentence: `Everything flows; outlet drop is paused by an operator since ${at}.`,
  })
  assert.match(toSentence([], { ...nothing, paused }).sentence, /outlet b is paused by the partner since [^;]*; 2 others are paused too\.$/)
})
