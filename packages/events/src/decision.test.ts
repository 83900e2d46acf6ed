import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Picture } from './article.ts'
import { type CategoryConfig, type OutletConfig, outletConfig } from './config.ts'
import { type Decision, decideFor, findUnmet, toDecided } from './decision.ts'
import type { Fact, LiveFact } from './fact.ts'
import { sampleFact, sampleRetraction } from './sample-fact.ts'

const RELEASED = '2026-11-24T03:00:00.000Z'
const CATEGORIES = new Map<string, CategoryConfig>([
  ['news', { id: 'news', name: 'News' }],
  ['city', { id: 'city', name: 'City', parent: 'news' }],
])
const facetsEver = { categories: ['city'], languages: ['en'], publishers: ['press'], types: ['article'], public: true }
const live = (article: Partial<LiveFact['article']> = {}, rest: Partial<Omit<LiveFact, 'article'>> = {}): LiveFact =>
  sampleFact({ at: RELEASED, facetsEver, ...rest, article: { language: 'en', categories: ['city'], ...article } })
const kill = sampleRetraction({ at: RELEASED, facetsEver, retraction: { mode: 'gone', reason: 'a name was wrong' } })
const outlet = (fields: object = {}): OutletConfig =>
  outletConfig.parse({ id: 'partner', deliver: { kind: 'webhook', url: 'https://p.example/', secretEnv: 'P' }, ...fields })
const decide = (one: OutletConfig, fact: Fact, past: { createdAtMs?: number; had?: boolean; takesPicture?: boolean } = {}) =>
  decideFor(fact, CATEGORIES)(one, { createdAtMs: 0, had: false, ...past })
const verdict = ({ due, why }: Decision) => `${due}: ${why}`

test('a decision says which list was met by what, and through which parent', () => {
  const rule = outlet({ match: { categories: ['news'], languages: ['vi', 'en'], publishers: ['press'], types: ['article'] } })
  assert.deepEqual(decide(rule, live()), {
    due: 'content',
    why: 'matches',
    met: [
      { list: 'languages', value: 'en' },
      { list: 'publishers', value: 'press' },
      { list: 'types', value: 'article' },
      { list: 'categories', value: 'city', rule: 'news' },
    ],
  })
  assert.deepEqual(decide(outlet(), live()).met, [], 'who names no list takes everything')
  const british = decide(outlet({ match: { languages: ['vi', 'en'] } }), live({ language: 'en-GB' }))
  assert.deepEqual([british.due, british.met], ['content', [{ list: 'languages', value: 'en-GB', rule: 'en' }]])
})

test('who matches and is not sent it is told apart by the reason', () => {
  const origin = { publishers: ['press'], sites: ['partner.example,2020'] }
  assert.equal(verdict(decide(outlet({ match: { categories: ['sport'] } }), live())), 'nothing: no-match')
  assert.equal(verdict(decide(outlet({ retired: true }), live())), 'nothing: retired')
  assert.equal(verdict(decide(outlet(), live({ audience: 'editorial' }))), 'nothing: audience')
  assert.equal(verdict(decide(outlet(), live({}, { lane: 'backfill' }))), 'nothing: import')
  assert.equal(verdict(decide(outlet(), live(), { createdAtMs: Date.parse(RELEASED) + 1 })), 'nothing: created-later')
  assert.equal(verdict(decide(outlet({ origin }), live())), 'nothing: loop')
  assert.equal(verdict(decide(outlet(), kill)), 'nothing: never-had')
})

test('an article is not sent back to the partner through whose site it came, and is to all others', () => {
  const origin = { publishers: [], sites: ['partner.example,2020'] }
  const passedOn = live({ via: ['agency.example,2019', 'partner.example,2020'] })
  assert.equal(verdict(decide(outlet({ origin }), passedOn)), 'nothing: loop')
  assert.equal(verdict(decide(outlet({ origin }), live({ via: ['agency.example,2019'] }))), 'content: matches')
  assert.equal(verdict(decide(outlet(), passedOn)), 'content: matches')
})

test('who had the article gets updates and retractions whatever the rules say now', () => {
  const had = { had: true }
  const sport = { match: { categories: ['sport'] } }
  assert.equal(verdict(decide(outlet(), live(), had)), 'content: matches')
  assert.equal(verdict(decide(outlet(sport), live(), had)), 'content: had-before')
  assert.equal(verdict(decide(outlet({ ...sport, onLeave: 'withdraw' }), live(), had)), 'retraction: left-match')
  assert.equal(verdict(decide(outlet(), live({ audience: 'editorial' }), had)), 'retraction: audience-narrowed')
  assert.equal(verdict(decide(outlet({ retired: true }), live(), had)), 'nothing: retired')
  assert.equal(verdict(decide(outlet({ retired: true }), kill, had)), 'retraction: taken-back')
  const origin = { publishers: ['press'], sites: [] }
  assert.equal(verdict(decide(outlet({ origin }), live({ via: ['x'] }), had)), 'content: matches', 'who holds it must hold the truth')
})

test('why something does not match names every list that is not met, with what was wanted and what there was', () => {
  const rule = { categories: ['sport'], languages: ['vi'], publishers: ['press'] }
  assert.deepEqual(findUnmet(rule, facetsEver, CATEGORIES), [
    { list: 'languages', wanted: ['vi'], had: ['en'] },
    { list: 'categories', wanted: ['sport'], had: ['city'] },
  ])
})

test('the record says which pictures a group of outlets was not sent, and counts what is too much to list', () => {
  const picture = (rights: Picture['rights'], state: Picture['state'] = 'ready'): Picture => ({
    url: 'https://p.example/1',
    role: 'inline',
    caption: '',
    alt: '',
    credit: '',
    state,
    renditions: [],
    ...(rights ? { rights } : {}),
  })
  const images = [
    picture(undefined),
    picture({ outlets: ['a'] }),
    picture({ outlets: ['*'], until: RELEASED }),
    picture({ outlets: [] }, 'refused'),
    ...Array.from({ length: 30 }, () => picture({ outlets: [] })),
  ]
  const content: Decision = { due: 'content', why: 'matches', met: [] }
  const record = toDecided(live({ images }), [
    ['a', content],
    ['b', content],
    ['c', content],
    ['d', { due: 'nothing', why: 'audience', met: [] }],
    ['e', { due: 'nothing', why: 'no-match', met: null }],
    ['f', { due: 'nothing', why: 'import', met: [] }],
  ])
  assert.deepEqual(
    record.map(({ why, outlets, count }) => ({ why, outlets, count })),
    [
      { why: 'matches', outlets: ['a'], count: 1 },
      { why: 'matches', outlets: ['b', 'c'], count: 2 },
      { why: 'audience', outlets: ['d'], count: 1 },
      { why: 'import', outlets: [], count: 1 },
    ],
  )
  assert.deepEqual(record[1]?.leftOut?.slice(0, 3), [
    { picture: 2, why: 'outlet-not-named' },
    { picture: 3, why: 'right-ended', endedAt: RELEASED },
    { picture: 5, why: 'outlet-not-named' },
  ])
  assert.deepEqual([record[1]?.leftOut?.length, record[1]?.moreLeftOut], [20, 12])
  assert.equal(record[2]?.leftOut, undefined, 'who gets nothing is left out of nothing')
})

test('a cache is told of everything that was ever public and is taken back, whatever it was told before, and of new versions where asked', () => {
  const cache = (fields: object = {}, deliver: object = {}) =>
    outlet({ id: 'cdn', deliver: { kind: 'purge', dialect: 'generic', url: 'https://cdn.example/', ...deliver }, ...fields })
  const hidden = { ...kill, facetsEver: { ...kill.facetsEver, public: false } }
  const later = { createdAtMs: Date.parse(RELEASED) + 1 }
  for (const had of [false, true]) {
    assert.equal(verdict(decide(cache(), kill, { ...later, had })), 'retraction: taken-back')
    assert.equal(verdict(decide(cache(), live({ audience: 'editorial' }), { had })), 'retraction: audience-narrowed')
    assert.equal(verdict(decide(cache(), live(), { had })), 'nothing: takes-nothing')
    assert.equal(verdict(decide(cache(), live(), { had, takesPicture: true })), 'content: takes-picture')
    assert.equal(verdict(decide(cache({}, { on: 'all' }), live({}, { lane: 'backfill' }), { ...later, had })), 'content: matches')
    assert.equal(verdict(decide(cache(), hidden, { had })), 'nothing: never-public')
    assert.equal(verdict(decide(cache({ match: { categories: ['sport'] } }), kill, { had })), 'nothing: no-match')
    assert.equal(verdict(decide(cache({ retired: true }), kill, { had })), 'nothing: retired')
  }
})
