import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CategoryConfig, type OutletConfig, outletConfig } from '@newswire/events/config'
import { dueTo } from '@newswire/events/entitled'
import type { Fact } from '@newswire/events/fact'
import { planRoutes, type Routes, toWritten } from './routes.ts'
import { killFact, liveFact, outletOf } from './samples.ts'

const CATEGORIES = new Map<string, CategoryConfig>([
  ['news', { id: 'news', name: 'News' }],
  ['city', { id: 'city', name: 'City', parent: 'news' }],
])
const live = (version: number, article = {}, rest = {}) => liveFact({ articleId: 'press.a', version, article, ...rest })
const kill = (version: number) => killFact({ articleId: 'press.a', version })
const worldOf = (outlets: readonly OutletConfig[], createdAtMs = 0) => ({
  outlets: new Map(outlets.map(one => [one.id, one])),
  categories: CATEGORIES,
  createdAtMs: () => createdAtMs,
})
const all = outletOf({ id: 'all' })
const city = outletOf({ id: 'city-desk', match: { categories: ['news'] } })
const sport = outletOf({ id: 'sport', match: { categories: ['sport'] } })
const internal = outletOf({ id: 'internal', audience: 'editorial' })

/** Routes facts one after the other, each written. */
const routed = (facts: readonly Fact[], outlets: readonly OutletConfig[]): Routes | null =>
  facts.reduce<Routes | null>((routes, fact) => {
    const { next } = planRoutes(routes, fact, worldOf(outlets))
    return next === null ? routes : toWritten(next)
  }, null)
const wantedBy = (routes: Routes | null, fact: Fact, outlets: readonly OutletConfig[]) =>
  planRoutes(routes, fact, worldOf(outlets)).wanted?.map(one => `${one.outletId}${one.kill ? ' kill' : ''}`) ?? null

test('a version goes to every outlet that matches, through the parents of its categories too', () => {
  assert.deepEqual(wantedBy(null, live(1), [all, city, sport]), ['all', 'city-desk'])
})

test('an editorial article goes only to outlets that ask for it', () => {
  assert.deepEqual(wantedBy(null, live(1, { audience: 'editorial' }), [all, internal]), ['internal'])
})

test('an update goes to everybody who had an earlier version, also when it no longer matches', () => {
  const moved = live(2, { categories: ['sport'] })
  assert.deepEqual(wantedBy(routed([live(1)], [all, city]), moved, [all, city, sport]), ['all', 'city-desk', 'sport'])
})

test('an outlet that is to lose what it no longer matches gets a retraction instead', () => {
  const strict = outletOf({ id: 'strict', match: { categories: ['city'] }, onLeave: 'withdraw' })
  assert.deepEqual(wantedBy(routed([live(1)], [strict]), live(2, { categories: ['sport'] }), [strict]), ['strict kill'])
})

test('a narrowed audience is a retraction for those who may not read it', () => {
  const narrowed = live(2, { audience: 'editorial' })
  assert.deepEqual(wantedBy(routed([live(1)], [all, internal]), narrowed, [all, internal]), ['all kill', 'internal'])
  assert.equal(dueTo(all, narrowed, CATEGORIES), 'retraction')
})

test('a retraction goes to everybody ever routed, also retired and no longer matching, and to nobody else', () => {
  const routes = routed([live(1), live(2, { categories: ['sport'] })], [all, city])
  const retired = { ...all, retired: true }
  assert.deepEqual(wantedBy(routes, kill(3), [retired, { ...city, match: { categories: ['weather'] } }, internal]), [
    'all kill',
    'city-desk kill',
  ])
})

test('a retraction of what was never routed is sent to nobody and leaves no trace', () => {
  const plan = planRoutes(null, kill(2), worldOf([all]))
  assert.deepEqual(plan, { next: null, wanted: [], decisions: [] })
})

test('a retired outlet gets nothing new', () => {
  const retired = { ...all, retired: true }
  assert.deepEqual(wantedBy(null, live(1), [retired]), [])
  assert.deepEqual(wantedBy(routed([live(1)], [all]), live(2), [retired]), [])
})

test('a new outlet starts at its creation', () => {
  const createdAtMs = Date.parse('2026-11-24T03:00:00.001Z')
  assert.deepEqual(planRoutes(null, live(1), worldOf([all], createdAtMs)).wanted, [])
  const later = live(2, {}, { releasedAt: '2026-11-24T03:00:00.001Z' })
  assert.deepEqual(planRoutes(null, later, worldOf([all], createdAtMs)).wanted, [{ outletId: 'all', kill: false, first: true }])
})

test('an import goes to nobody new, but to those who have the article', () => {
  assert.deepEqual(wantedBy(null, live(1, {}, { lane: 'backfill' }), [all]), [])
  assert.deepEqual(wantedBy(routed([live(1)], [all]), live(2, {}, { lane: 'backfill' }), [all]), ['all'])
})

test('a version whose intents are written is silent for ever, whatever the configuration says by then', () => {
  const facts = [live(1), live(2), kill(3)]
  const routes = routed(facts, [all])
  for (const fact of facts) assert.equal(wantedBy(routes, fact, [all, city, internal]), null)
  assert.equal(wantedBy(routed([live(1)], [sport]), live(1), [sport, all]), null, 'also when it had matched nobody')
})

test('a version whose intents a crash kept from the log is written again, and only those', () => {
  const { next } = planRoutes(null, live(1), worldOf([all, city]))
  assert.ok(next !== null)
  const { wanted, decisions } = planRoutes(next, live(1), worldOf([all, city, sport]))
  assert.deepEqual(wanted, [
    { outletId: 'all', kill: false, first: true },
    { outletId: 'city-desk', kill: false, first: true },
  ])
  assert.deepEqual(decisions, planRoutes(null, live(1), worldOf([all, city])).decisions, 'with the same record')
})

test('an older version after a newer one routes nothing', () => {
  const { next } = planRoutes(null, live(2), worldOf([all]))
  assert.equal(planRoutes(next, live(1), worldOf([all, city])).wanted, null)
})

test('what an outlet had first is remembered for as long as it is routed', () => {
  const routes = routed([live(1), live(2), live(3, { categories: ['sport'] }), kill(4)], [all, sport])
  assert.deepEqual([routes?.routes.all?.first, routes?.routes.sport?.first], [1, 3])
})

test('the record names whom a version went to and who would have been sent it and was not, and nobody who plainly does not match', () => {
  const retired = outletOf({ id: 'retired', retired: true })
  const { decisions } = planRoutes(null, live(1, { audience: 'editorial' }), worldOf([all, city, sport, internal, retired]))
  assert.deepEqual(
    decisions.map(({ due, why, outlets }) => [due, why, ...outlets]),
    [
      ['nothing', 'audience', 'all'],
      ['nothing', 'audience', 'city-desk'],
      ['content', 'matches', 'internal'],
      ['nothing', 'retired', 'retired'],
    ],
  )
  assert.deepEqual(decisions[1]?.met, [{ list: 'categories', value: 'city', rule: 'news' }])
})

test('what its versions showed is remembered while a cache is an outlet, and stays known when the article is purged', () => {
  const cdn = outletConfig.parse({ id: 'cdn', deliver: { kind: 'purge', dialect: 'generic', url: 'https://cdn.example/purge' } })
  const picture = (letter: string) => {
    const sha256 = letter.repeat(64)
    const rendition = { preset: 'w320', key: `renditions/${sha256}/w320-r1.jpg`, type: 'image/jpeg', width: 320, height: 180, bytes: 5 }
    return { url: 'https://p.example/1.jpg', caption: '', alt: '', credit: '', state: 'ready', sha256, renditions: [rendition] }
  }
  const versions = [live(1, { images: [picture('a')] }), live(2, { images: [picture('b'), picture('a')] }), live(3)]
  const { article: _gone, ...common } = live(4)
  const purged = { ...common, state: 'purged', action: 'purged', reason: 'court order' } as Fact
  const shown = ['b', 'a'].map(letter => `renditions/${letter.repeat(64)}/w320-r1.jpg`)
  assert.deepEqual(routed([...versions, purged], [all, cdn])?.shown, shown)
  assert.deepEqual(planRoutes(routed(versions, [all, cdn]), purged, worldOf([all])).next?.shown, shown, 'also while no cache is configured')
  assert.equal(routed(versions, [all])?.shown, undefined)
})

test('a cache that is told of retractions is told of a version that shows a picture no more: it would keep it for a day', () => {
  const cdn = outletConfig.parse({ id: 'cdn', deliver: { kind: 'purge', dialect: 'generic', url: 'https://cdn.example/purge' } })
  const picture = (letter: string, rights?: object) => {
    const sha256 = letter.repeat(64)
    const rendition = { preset: 'w320', key: `renditions/${sha256}/w320-r1.jpg`, type: 'image/jpeg', width: 320, height: 180, bytes: 5 }
    const common = { url: 'https://p.example/1.jpg', caption: '', alt: '', credit: '', state: 'ready', sha256, renditions: [rendition] }
    return { ...common, ...(rights === undefined ? {} : { rights }) }
  }
  const ended = { outlets: ['*'], until: '2020-01-01T00:00:00.000Z' }
  const named = { outlets: ['all'] }
  const both = live(1, { images: [picture('a'), picture('b', named)] })
  const isTold = (fact: Fact) => planRoutes(routed([both], [cdn]), fact, worldOf([cdn])).wanted?.some(one => one.outletId === 'cdn')
  assert.equal(isTold(live(2, { images: [picture('a')] })), false, 'what was not for everybody is in no shared cache')
  assert.equal(isTold(live(2, { images: [picture('a'), picture('c')] })), false)
  for (const images of [[], [picture('c')], [picture('a', ended)], [picture('a', named)]]) assert.equal(isTold(live(2, { images })), true)
  const { decisions } = planRoutes(routed([both], [cdn]), live(2), worldOf([cdn]))
  assert.deepEqual(
    decisions.map(({ due, why, outlets }) => [due, why, ...outlets]),
    [['content', 'takes-picture', 'cdn']],
  )
})

test('it is told of that version alone, and of the next one where nobody knows what was shown before', () => {
  const cdn = outletConfig.parse({ id: 'cdn', deliver: { kind: 'purge', dialect: 'generic', url: 'https://cdn.example/purge' } })
  const sha256 = 'a'.repeat(64)
  const rendition = { preset: 'w320', key: `renditions/${sha256}/w320-r1.jpg`, type: 'image/jpeg', width: 320, height: 180, bytes: 5 }
  const picture = { url: 'https://p.example/1.jpg', caption: '', alt: '', credit: '', state: 'ready', sha256, renditions: [rendition] }
  const shown = live(1, { images: [picture] })
  const isTold = (routes: Routes | null, fact: Fact) =>
    planRoutes(routes, fact, worldOf([all, cdn])).wanted?.some(one => one.outletId === 'cdn')
  assert.equal(isTold(routed([shown, live(2)], [all, cdn]), live(3)), false, 'it has forgotten that picture')
  assert.equal(isTold(routed([live(1)], [all, cdn]), live(2)), false)
  assert.equal(isTold(null, live(1)), false)
  assert.equal(isTold(routed([shown], [all]), live(2)), true, 'the outlet is younger than the picture')
  assert.equal(isTold(null, live(2)), true, 'nothing was routed before')
  assert.equal(isTold(routed([shown], [all, cdn]), live(3)), true, 'a version was passed over')
  const before = routed([shown, live(2)], [all, cdn])
  assert.ok(before)
  const { showing: _, ...older } = before
  assert.equal(isTold(older, live(3)), true, 'as it was written by a build before')
  const { next } = planRoutes(older, live(3), worldOf([all, cdn]))
  assert.equal(isTold(next, live(4)), false)
})
