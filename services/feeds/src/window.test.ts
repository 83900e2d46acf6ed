import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FeedConfig } from '@newswire/events/config'
import type { Fact } from '@newswire/events/fact'
import fc from 'fast-check'
import { categories, feedOf, makeFact, makeRetraction } from './sample-facts.ts'
import { applyToWindow, emptyWindow, type FeedWindow, isSameWindow, modifiedAfter, newestOf, type Rule } from './window.ts'

const ruleFor = (changes: Partial<FeedConfig> = {}): Rule => ({ feed: feedOf(changes), categories })
const apply = (window: FeedWindow, facts: readonly Fact[], rule: Rule = ruleFor(), tickAt?: string): FeedWindow =>
  applyToWindow(window, new Map(facts.map(fact => [fact.articleId, fact])), rule, tickAt)
const idsIn = (window: FeedWindow) => window.entries.map(one => one.articleId)
const at = (day: number, hour = 0) => new Date(Date.UTC(2026, 2, day, hour)).toISOString()
const fact = (id: string, day: number, more: Parameters<typeof makeFact>[0] = {}) =>
  makeFact({ articleId: `baoqk.${id}`, firstReleasedAt: at(day), releasedAt: at(day), ...more })

test('entries are ordered by first release, newest first, then by id', () => {
  const window = apply(emptyWindow('all'), [fact('b', 2), fact('old', 1), fact('a', 2), fact('new', 3)])
  assert.deepEqual(idsIn(window), ['baoqk.new', 'baoqk.a', 'baoqk.b', 'baoqk.old'])
})

test('an update does not move an article up', () => {
  const before = apply(emptyWindow('all'), [fact('a', 1), fact('b', 2)])
  const after = apply(before, [fact('a', 1, { version: 2, releasedAt: at(5) })])
  assert.deepEqual(idsIn(after), ['baoqk.b', 'baoqk.a'])
  assert.equal(newestOf(after.entries), at(5))
})

test('twice the limit is kept, so that a removal refills the feed', () => {
  const facts = Array.from({ length: 9 }, (_, index) => fact(`n${index}`, index + 1))
  const window = apply(emptyWindow('all'), facts)
  assert.equal(window.entries.length, 6)
  const after = applyToWindow(window, new Map([['baoqk.n8', null]]), ruleFor())
  assert.deepEqual(idsIn(after).slice(0, 3), ['baoqk.n7', 'baoqk.n6', 'baoqk.n5'])
})

test('an older state never replaces a newer one', () => {
  const before = apply(emptyWindow('all'), [fact('a', 1, { version: 3 })])
  assert.ok(isSameWindow(before, apply(before, [fact('a', 1, { version: 2 })])))
})

test('what was taken back becomes a notice, in every feed that it ever matched', () => {
  const quocPhong = ruleFor({ match: { categories: ['quoc-phong'] } })
  const moved = makeFact({ version: 2, article: { categories: ['van-hoa'] } })
  const ever = { ...moved.facetsEver, categories: ['quoc-phong', 'van-hoa'] }
  const left = apply(emptyWindow('f'), [{ ...moved, facetsEver: ever }], quocPhong)
  assert.deepEqual(left.entries, [])
  const gone = apply(left, [makeRetraction({ version: 3, facetsEver: ever })], quocPhong)
  assert.deepEqual(
    gone.entries.map(one => [one.kind, one.version]),
    [['notice', 3]],
  )
})

test('a notice stays seven days, counted from the newest time in state', () => {
  const gone = apply(emptyWindow('all'), [makeRetraction({ articleId: 'baoqk.gone', version: 2, releasedAt: at(2) })])
  assert.deepEqual(idsIn(apply(gone, [fact('a', 9)])), ['baoqk.a', 'baoqk.gone'])
  assert.deepEqual(idsIn(apply(gone, [fact('a', 9, { releasedAt: at(9, 1) })])), ['baoqk.a'])
  assert.deepEqual(idsIn(apply(gone, [], ruleFor(), at(9))), ['baoqk.gone'])
  assert.deepEqual(idsIn(apply(gone, [], ruleFor(), at(9, 1))), [])
})

test('a notice that has ended does not come back', () => {
  const notice = makeRetraction({ articleId: 'baoqk.gone', version: 2, releasedAt: at(2) })
  const ended = apply(apply(emptyWindow('all'), [notice]), [], ruleFor(), at(20))
  assert.deepEqual(idsIn(apply(ended, [notice])), [])
})

test('notices do not take the place of articles', () => {
  const notices = Array.from({ length: 20 }, (_, index) =>
    makeRetraction({ articleId: `baoqk.g${index}`, version: 2, firstReleasedAt: at(8), releasedAt: at(8) }),
  )
  const window = apply(emptyWindow('all'), [...notices, fact('a', 1), fact('b', 2), fact('c', 3)])
  assert.equal(window.entries.filter(one => one.kind === 'item').length, 3)
  assert.equal(window.entries.filter(one => one.kind === 'notice').length, 20)
})

test('an editorial article is in no feed, and its retraction neither', () => {
  const editorial = makeFact({ article: { audience: 'editorial' } })
  assert.deepEqual(apply(emptyWindow('all'), [editorial]).entries, [])
  assert.deepEqual(apply(emptyWindow('all'), [makeRetraction({ version: 2, facetsEver: editorial.facetsEver })]).entries, [])
})

test('a category matches its children', () => {
  const rule = ruleFor({ match: { categories: ['thoi-su'] } })
  const window = apply(emptyWindow('f'), [fact('a', 1, { article: { categories: ['quoc-phong'] } }), fact('b', 1)], rule)
  assert.deepEqual(idsIn(window), ['baoqk.a'])
})

test('the time that a window knows of is no difference by itself', () => {
  const window = apply(emptyWindow('all'), [fact('a', 1)])
  assert.ok(isSameWindow(window, apply(window, [], ruleFor(), at(3))))
})

const history = fc.array(
  fc.record({ id: fc.integer({ min: 0, max: 3 }), version: fc.integer({ min: 1, max: 4 }), batch: fc.integer({ min: 1, max: 3 }) }),
  { maxLength: 20 },
)
/** Version 3 of the odd articles is a retraction, 4 brings them back. */
const stateOf = (id: number, version: number): Fact =>
  id % 2 === 1 && version === 3
    ? makeRetraction({ articleId: `baoqk.x${id}`, version, firstReleasedAt: at(id + 1), releasedAt: at(10 + version) })
    : fact(`x${id}`, id + 1, { version, releasedAt: at(10 + version) })

test('the same states give the same window, in whatever order, however often and in whatever batches they come', () => {
  fc.assert(
    fc.property(history, steps => {
      const final = [0, 1, 2, 3].map(id => stateOf(id, 4))
      const straight = apply(emptyWindow('all'), final)
      let window = emptyWindow('all')
      for (const step of steps) window = apply(window, [stateOf(step.id, step.version)])
      window = apply(window, [...final].reverse())
      assert.deepEqual(window, straight)
    }),
    { seed: 7 },
  )
})

test('a date of a file means one content: it rises with every change, also of the same second and when what is shown is older', () => {
  const at = (before: Parameters<typeof modifiedAfter>[0], sha256: string, updatedAt: string) => ({
    sha256,
    bytes: 1,
    modifiedAt: modifiedAfter(before, sha256, updatedAt),
  })
  const first = at(undefined, 'a', '2026-03-01T08:00:00.700Z')
  assert.equal(first.modifiedAt, '2026-03-01T08:00:00.000Z')
  assert.deepEqual(at(first, 'a', '2026-03-01T09:00:00.000Z'), first)
  const second = at(first, 'b', '2026-03-01T08:00:00.900Z')
  assert.equal(second.modifiedAt, '2026-03-01T08:00:01.000Z')
  const narrowed = at(second, 'a', '2026-03-01T07:00:00.000Z')
  assert.equal(narrowed.modifiedAt, '2026-03-01T08:00:02.000Z')
  assert.equal(at(narrowed, 'c', '2026-03-01T10:00:00.000Z').modifiedAt, '2026-03-01T10:00:00.000Z')
})
