import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FeedConfig } from '@newswire/events/config'
import type { Fact } from '@newswire/events/fact'
import { feedOf, makeFact, makeRetraction } from './sample-facts.ts'
import { openSampleView, toRule } from './sample-view.ts'
import { collect, differencesOf } from './sweep.ts'
import { applyToWindow, emptyWindow, type Rule } from './window.ts'

const ruleFor = (changes: Partial<FeedConfig> = {}): Rule => toRule(feedOf({ limit: 2, ...changes }))
const viewOf = async (facts: readonly Fact[], rule: Rule) => {
  const view = openSampleView()
  await view.ensure([rule])
  view.put(...facts)
  return view
}
const day = (number: number) => new Date(Date.UTC(2026, 2, number)).toISOString()
const facts = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    makeFact({ articleId: `baoqk.n${index}`, firstReleasedAt: day(index + 1), releasedAt: day(index + 1) }),
  )
const applyAll = (list: readonly Fact[], rule: Rule) =>
  applyToWindow(emptyWindow('all'), new Map(list.map(fact => [fact.articleId, fact])), rule)
const differences = async (list: readonly Fact[], held: readonly Fact[], rule: Rule) => {
  const view = await viewOf(list, rule)
  const window = applyAll(held, rule)
  return Object.fromEntries(differencesOf(window, collect(view, rule, window), view.find))
}

test('a feed that is as it should be has no differences', async () => {
  const list = [...facts(9), makeRetraction({ articleId: 'baoqk.gone', version: 2, releasedAt: day(8) })]
  assert.deepEqual(await differences(list, list, ruleFor()), {})
})

test('a feed that was never built lacks the newest of twice its limit', async () => {
  assert.deepEqual(Object.keys(await differences(facts(9), [], ruleFor())).sort(), ['baoqk.n5', 'baoqk.n6', 'baoqk.n7', 'baoqk.n8'])
})

test('a version that differs, an article that has left and a missing notice are differences', async () => {
  const rule = ruleFor({ limit: 10, match: { languages: ['vi'] } })
  const before = facts(4)
  const after = [
    makeFact({ ...before[0], articleId: 'baoqk.n0', version: 2 }),
    makeFact({ ...before[1], articleId: 'baoqk.n1', version: 5, article: { language: 'en' } }),
    makeRetraction({ articleId: 'baoqk.n2', version: 3, releasedAt: day(4) }),
    ...before.slice(3),
  ]
  assert.deepEqual(await differences(after, before, rule), { 'baoqk.n0': 2, 'baoqk.n1': 5, 'baoqk.n2': 3 })
})

test('what the view does not know yet is no difference', async () => {
  assert.deepEqual(await differences([], facts(2), ruleFor()), {})
  assert.deepEqual(await differences(facts(1), [makeFact({ ...facts(1)[0], version: 2 })], ruleFor()), {})
})

test('a feed whose rule changes has every article placed anew, and what comes meanwhile is placed once', async () => {
  const list = facts(600)
  const rule = ruleFor()
  const view = await viewOf(list, rule)
  const narrowed = ruleFor({ match: { languages: ['en'] } })
  const ensured = view.ensure([narrowed])
  view.put(makeFact({ articleId: 'baoqk.late', firstReleasedAt: day(700), article: { language: 'en' } }))
  await ensured
  assert.deepEqual(
    view.places.newest('all', 10).map(one => one.articleId),
    ['baoqk.late'],
  )
  await view.ensure([rule])
  assert.equal(view.places.newest('all', 1000).length, 601)
})
