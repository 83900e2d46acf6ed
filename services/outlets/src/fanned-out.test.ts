import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Decided } from '@newswire/events/decision'
import type { ArticleEvent } from '@newswire/events/events'
import type { Milestone } from '@newswire/events/milestone'
import { toFannedOut } from './fanned-out.ts'
import { planRoutes } from './routes.ts'
import { liveFact, outletOf } from './samples.ts'

const EVENT: ArticleEvent = {
  id: 'fact-1',
  type: 'article.published',
  source: '/services/desk',
  subject: 'press.a',
  time: '2026-11-24T03:00:00.000Z',
  data: liveFact({ articleId: 'press.a', version: 1 }),
}
const AT = '2026-11-24T03:00:01.000Z'
type FannedOut = Extract<Milestone, { kind: 'fanned-out' }>
const told = (decisions: readonly Decided[], outlets: readonly string[] = []) =>
  toFannedOut(EVENT, { wanted: outlets.map(outletId => ({ outletId, kill: false, first: true })), decisions }, AT)
const names = (count: number, prefix = 'outlet') => Array.from({ length: count }, (_, index) => `${prefix}-${index}`)

test('ten thousand outlets with long names, a hundred of them with rights of their own, fit into records of a megabyte, and none is missing', () => {
  const image = (outletId: string) => ({
    url: `https://p.example/${outletId}`,
    role: 'inline' as const,
    caption: '',
    alt: '',
    credit: '',
    state: 'ready' as const,
    renditions: [],
    rights: { outlets: [outletId] },
  })
  const ids = names(10_000, 'an-outlet-with-a-name-that-is-nearly-as-long-as-can-be')
  const fact = liveFact({ articleId: 'press.a', version: 1, article: { images: ids.slice(0, 100).map(image) } })
  const plan = planRoutes(null, fact, {
    outlets: new Map(ids.map(id => [id, outletOf({ id, match: { categories: ['city'], languages: ['en'] } })])),
    categories: new Map(),
    createdAtMs: () => 0,
  })
  const parts = toFannedOut(EVENT, plan, AT).map(event => event.data as FannedOut)
  assert.equal(parts.length, 10)
  for (const part of parts) assert.ok(JSON.stringify(part).length < 1_048_576, 'a part is too large')
  assert.deepEqual(parts.flatMap(part => part.sinks.map(sink => sink.id)).sort(), [...ids].sort())
  assert.deepEqual(parts.flatMap(part => (part.decisions ?? []).flatMap(group => group.outlets)).sort(), [...ids].sort())
})

test('each part has an id of its own, which a repeat has too; the first has the one that it always had', () => {
  const decisions = [{ due: 'content' as const, why: 'matches' as const, outlets: names(2_500), count: 2_500 }]
  const ids = told(decisions, names(2_500)).map(event => event.id)
  assert.equal(new Set(ids).size, 3)
  assert.deepEqual(
    told(decisions, names(2_500)).map(event => event.id),
    ids,
  )
  assert.equal(told([])[0]?.id, ids[0])
})

test('what is only counted stays counted', () => {
  const [event, ...more] = told([{ due: 'nothing', why: 'import', outlets: [], count: 4_000 }])
  assert.equal(more.length, 0)
  assert.deepEqual(event?.data.kind === 'fanned-out' && event.data.decisions, [
    { due: 'nothing', why: 'import', outlets: [], count: 4_000 },
  ])
})
