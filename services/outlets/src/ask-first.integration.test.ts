/** Intents that somebody else may write for versions that were never released: they come to a dead letter, and hold up nothing. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { NewswireEvent } from '@newswire/events/events'
import { publishEvents } from '@newswire/log/events'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { outletAt, startPartner, startWorld, until, type World } from './partner.ts'
import { killFact, liveFact } from './samples.ts'

const FAR_AHEAD = 2 ** 40

const wantFrom = (world: World, outletId: string, articleId: string, version: number, { kill = true } = {}) =>
  publishEvents(world.log)([
    {
      type: 'delivery.wanted',
      id: `hostile-${outletId}-${articleId}-${version}`,
      source: '/services/outlets',
      subject: outletId,
      time: new Date().toISOString(),
      data: { outletId, articleId, version, ...(kill ? { kill } : {}) },
    } as NewswireEvent,
  ])

const worldOf = async (t: TestContext, order: 'article' | 'strict') => {
  const partner = await startPartner(t)
  const world = await startWorld(t, [outletAt('partner', partner, { order })])
  const came = () => partner.got.map(({ headers }) => `${headers['x-newswire-article']} v${headers['x-newswire-version']}`)
  return { world, came }
}

for (const order of ['article', 'strict'] as const)
  test(`order ${order}: what wants a version that nobody released ends as a dead letter, and what is real goes on, retractions too`, async t => {
    const { world, came } = await worldOf(t, order)
    const releasedAt = new Date().toISOString()
    await world.release(liveFact({ articleId: 'press.a', version: 1, releasedAt }))
    await until('the first version', () => came().includes('press.a v1'))
    for (const articleId of ['press.a', 'press.never']) await wantFrom(world, 'partner', articleId, FAR_AHEAD)
    await world.release(liveFact({ articleId: 'press.a', version: 2, releasedAt }))
    await world.release(liveFact({ articleId: 'press.b', version: 1, releasedAt }))
    await until('what is real', () => came().includes('press.a v2') && came().includes('press.b v1'))
    await world.release(killFact({ articleId: 'press.a', version: 3, releasedAt }))
    await until('the retraction', () => came().includes('press.a v3'))
    await until('both are dead letters', async () => (await world.count('dead-letters')) === 2)
    await until('nothing is left', async () => (await world.pending('partner')).length === 0)
    assert.deepEqual(came().toSorted(), ['press.a v1', 'press.a v2', 'press.a v3', 'press.b v1'])
  })

/** The store answers that it has nothing at `key`, so many times; returns how often it was asked in all. */
const hideAtFirst = ({ objects }: World, key: string, times: number): (() => number) => {
  let asked = 0
  const get = objects.get.bind(objects)
  const hiding: Objects['get'] = async (wanted, ...rest) => {
    if (wanted === key) asked += 1
    return wanted === key && asked <= times ? null : get(wanted, ...rest)
  }
  Object.assign(objects, { get: hiding })
  return () => asked
}

test('what wants a version that comes while it is tried again goes out as it is', async t => {
  const { world, came } = await worldOf(t, 'article')
  const key = keys.current('press.a')
  const fact = liveFact({ articleId: 'press.a', version: 1, releasedAt: new Date().toISOString() })
  // Nothing is published of it, so there is no other intent; one try asks twice at most, and there are four.
  await world.objects.put(key, new TextEncoder().encode(JSON.stringify({ released: { fact }, n: 1 })))
  const asked = hideAtFirst(world, key, 2)
  await wantFrom(world, 'partner', 'press.a', 1, { kill: false })
  await until('it', () => came().length > 0)
  await until('all that is wanted is done', async () => {
    const lag = await world.log.lag('outlets')
    return lag.some(one => one.topic === 'deliveries') && lag.every(one => one.records === 0)
  })
  assert.ok(asked() > 2, 'it was tried again')
  assert.deepEqual([...new Set(came())], ['press.a v1'])
  assert.equal(await world.count('dead-letters'), 0)
})
