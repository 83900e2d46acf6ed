import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOneOutlet } from './one-outlet.ts'

const ARTICLES = ['a', 'b', 'c', 'd', 'e']

const whileNothingCanBeTold = async (target: Partial<ReturnType<typeof createOneOutlet>['settings']['target']>) => {
  const outlet = createOneOutlet()
  outlet.settings.target = { ...outlet.settings.target, ...target }
  outlet.settings.tellAway = true
  for (const id of ARTICLES) outlet.release(id, 1)
  const records = ARTICLES.map(id => outlet.want(id, 1))
  await outlet.pass(1)
  return { outlet, records, sent: () => outlet.sent.map(one => one.subject) }
}

test('the next request goes out while it is told what became of the one before; while that cannot be told, no more wait for it than go out at once', async () => {
  const { outlet, records, sent } = await whileNothingCanBeTold({ concurrency: 2 })
  assert.equal(sent().length, 4)
  assert.ok(records.every(one => !one.done))
  outlet.settings.tellAway = false
  await outlet.pass(60_000)
  assert.deepEqual(sent().toSorted(), ARTICLES)
  assert.ok(records.every(one => one.done))
})

test('a strict line sends nothing before it is told what became of the one before', async () => {
  const { outlet, records, sent } = await whileNothingCanBeTold({ concurrency: 2, order: 'strict' })
  assert.deepEqual(sent(), ['a'])
  outlet.settings.tellAway = false
  await outlet.pass(60_000)
  assert.deepEqual(sent(), ARTICLES)
  assert.ok(records.every(one => one.done))
})

test('of one article nothing newer goes out before it is told what became of the version before', async () => {
  const { outlet } = await whileNothingCanBeTold({})
  outlet.release('a', 2)
  outlet.want('a', 2)
  await outlet.pass(1)
  assert.deepEqual(outlet.versions('a'), [1])
  outlet.settings.tellAway = false
  await outlet.pass(60_000)
  assert.deepEqual(outlet.versions('a'), [1, 2])
})

test('a process that stops waits for what was answered and is not told yet', async () => {
  const { outlet, records } = await whileNothingCanBeTold({})
  outlet.settings.tellAway = false
  await Promise.all([outlet.actor().close(), outlet.pass(60_000)])
  assert.ok(records.every(one => one.done))
  assert.deepEqual(outlet.states('a'), ['v1 done'])
})
