/** Intents that somebody else may write for versions that were never released: they come to a dead letter, and hold up nothing. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { NewswireEvent } from '@newswire/events/events'
import { publishEvents } from '@newswire/log/events'
import { outletAt, startPartner, startWorld, until, type World } from './partner.ts'
import { killFact, liveFact } from './samples.ts'

const FAR_AHEAD = 2 ** 40

const wantFrom = (world: World, outletId: string, articleId: string, version: number) =>
  publishEvents(world.log)([
    {
      type: 'delivery.wanted',
      id: `hostile-${outletId}-${articleId}-${version}`,
      source: '/services/outlets',
      subject: outletId,
      time: new Date().toISOString(),
      data: { outletId, articleId, version, kill: true },
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

test('what wants a version that comes while it is tried again goes out as it is', async t => {
  const { world, came } = await worldOf(t, 'article')
  await wantFrom(world, 'partner', 'press.a', 1)
  await world.release(liveFact({ articleId: 'press.a', version: 1, releasedAt: new Date().toISOString() }))
  await until('it', () => came().length > 0)
  await until('all that is wanted is done', async () => {
    const lag = await world.log.lag('outlets')
    return lag.some(one => one.topic === 'deliveries') && lag.every(one => one.records === 0)
  })
  assert.deepEqual([...new Set(came())], ['press.a v1'])
})
