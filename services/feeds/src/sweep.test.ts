import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FeedConfig } from '@newswire/events/config'
import type { Fact } from '@newswire/events/fact'
import type { KnownArticle } from './facets.ts'
import { categories, makeFact, makeRetraction } from './sample-facts.ts'
import { collect, createSweeper, differencesOf } from './sweep.ts'
import { applyToWindow, emptyWindow, facetsOf, type Rule } from './window.ts'

const ruleFor = (changes: Partial<FeedConfig> = {}): Rule => ({
  feed: { id: 'all', title: 'All', description: '', match: {}, limit: 2, content: 'full', profile: 'standard', ...changes },
  categories,
})
const known = (fact: Fact): KnownArticle => ({
  articleId: fact.articleId,
  version: fact.version,
  state: fact.state,
  firstReleasedAt: fact.firstReleasedAt,
  releasedAt: fact.releasedAt,
  now: fact.state === 'live' ? facetsOf(fact) : null,
  ever: fact.facetsEver,
})
const viewOf = (facts: readonly Fact[], pageSize = 3) => {
  const live = facts.filter(fact => fact.state === 'live').map(known)
  live.sort((a, b) => (a.firstReleasedAt < b.firstReleasedAt ? 1 : -1))
  let pages = 0
  return {
    pages: () => pages,
    find: (articleId: string) => facts.map(known).find(one => one.articleId === articleId) ?? null,
    live: function* () {
      for (let from = 0; from < live.length; from += pageSize) {
        pages += 1
        yield live.slice(from, from + pageSize)
      }
    },
    gone: (sinceAt: string, limit: number) =>
      facts
        .filter(fact => fact.state !== 'live' && fact.releasedAt >= sinceAt)
        .map(known)
        .slice(0, limit),
  }
}
const day = (number: number) => new Date(Date.UTC(2026, 2, number)).toISOString()
const facts = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    makeFact({ articleId: `baoqk.n${index}`, firstReleasedAt: day(index + 1), releasedAt: day(index + 1) }),
  )
const applyAll = (list: readonly Fact[], rule: Rule) =>
  applyToWindow(emptyWindow('all'), new Map(list.map(fact => [fact.articleId, fact])), rule)
const differences = async (list: readonly Fact[], held: readonly Fact[], rule: Rule) => {
  const view = viewOf(list)
  const window = applyAll(held, rule)
  const [shouldBeIn = []] = await collect(view, [{ rule, asOf: window.asOf }])
  return Object.fromEntries(differencesOf(window, shouldBeIn, view.find))
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

test('the pass over all articles ends when every feed is full', async () => {
  const view = viewOf(facts(30))
  const [found = []] = await collect(view, [{ rule: ruleFor(), asOf: day(1) }])
  assert.equal(found.length, 4)
  assert.equal(view.pages(), 2)
})

test('a sweep that is asked for while one runs follows it, and one that fails is tried again', async t => {
  const runs: (() => void)[] = []
  let failures = 0
  let fail = true
  const sweeper = createSweeper({
    run: () => new Promise<void>((resolve, reject) => runs.push(() => (fail ? reject(new Error('away')) : resolve()))),
    everyMs: 3_600_000,
    retryMs: 1,
    onError: () => {
      failures += 1
    },
  })
  t.after(() => sweeper.stop())
  const runsReach = async (count: number) => {
    const deadline = Date.now() + 5000
    while (runs.length < count) {
      assert.ok(Date.now() < deadline, `run ${count} did not begin`)
      await new Promise(setImmediate)
    }
  }
  sweeper.request()
  runs[0]?.()
  await runsReach(2)
  assert.equal(failures, 1)
  fail = false
  sweeper.request()
  sweeper.request()
  runs[1]?.()
  await runsReach(3)
  runs[2]?.()
  assert.equal(runs.length, 3)
})
