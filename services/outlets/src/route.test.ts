import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { ArticleEvent, NewswireEvent } from '@newswire/events/events'
import type { EventContext } from '@newswire/log/events'
import { createDiskObjects } from '@newswire/objects/disk'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { createCreated } from './created.ts'
import { routeArticle } from './route.ts'
import { killFact, liveFact, outletOf } from './samples.ts'

const context = {} as EventContext
const eventOf = (version: number): ArticleEvent => ({
  id: `fact-${version}`,
  type: version === 1 ? 'article.published' : 'article.updated',
  source: '/services/desk',
  subject: 'press.a',
  time: '2026-11-24T03:00:00.000Z',
  data: liveFact({ articleId: 'press.a', version }),
})

const killOf = (version: number): ArticleEvent => ({
  ...eventOf(version),
  type: 'article.retracted',
  data: killFact({ articleId: 'press.a', version }),
})

/** What a name says of an outlet. */
const namedOutlet = (id: string) =>
  outletOf({
    id,
    order: id.startsWith('strict') ? 'strict' : 'article',
    versions: id.startsWith('every') ? 'all' : 'latest',
    ...(id.startsWith('paced') ? { rate: 1 } : {}),
  })

const openRouting = async (t: TestContext, ids: readonly string[] = ['all']) => {
  const root = await mkdtemp(join(tmpdir(), 'newswire-route-'))
  const objects = await createDiskObjects({ root, fsync: 'normal' })
  t.after(async () => {
    await objects.close()
    await rm(root, { recursive: true, force: true })
  })
  const read: string[] = []
  const published: NewswireEvent[] = []
  const offered: number[] = []
  const route = routeArticle({
    objects: {
      ...objects,
      get: (key, options) => {
        if (key.startsWith('outlets/routes/')) read.push(key)
        return objects.get(key, options)
      },
    },
    publish: async events => {
      published.push(...events)
      return []
    },
    configuration: () =>
      ({
        outlets: new Map(ids.map(id => [id, namedOutlet(id)])),
        categories: new Map(),
      }) as unknown as ConfigSnapshot,
    created: createCreated(objects),
    partitionOf: outletId => Number(outletId.startsWith('other')),
    offer: ({ version }) => void offered.push(version),
    now: () => 0,
  })
  const take = async (version: number) => {
    await route(eventOf(version), context)
    return published.splice(0).map(event => event.type)
  }
  const intentsOf = async (event: ArticleEvent) => {
    await route(event, context)
    return published
      .splice(0)
      .flatMap(event => (event.type === 'delivery.wanted' ? [[event.data.outletId, ...(event.data.also ?? [])].join(' ')] : []))
  }
  return { take, intentsOf, read, offered }
}

const ROUTED = ['delivery.wanted', 'milestone.reached']

test('a first version is routed without a read, and the next one with what it left', async t => {
  const { take, read } = await openRouting(t)
  assert.deepEqual(await take(1), ROUTED)
  assert.deepEqual(read, [])
  assert.deepEqual(await take(2), ROUTED)
})

test('a first version that comes again sends nothing, also when a newer one was routed since', async t => {
  const { take } = await openRouting(t)
  await take(1)
  assert.deepEqual(await take(1), [])
  await take(2)
  assert.deepEqual(await take(1), [])
})

test('a version is offered to whoever sends it while the routes know of none that is newer', async t => {
  const { take, offered } = await openRouting(t)
  await take(1)
  await take(2)
  await take(1)
  assert.deepEqual(offered, [1, 2])
})

test('outlets of one partition that want the same share an intent, eight at most, but those that may be long in hand, or want every version', async t => {
  const { intentsOf } = await openRouting(t, [
    'a',
    'strict',
    'other-1',
    'b',
    'c',
    'd',
    'every',
    'e',
    'f',
    'paced',
    'g',
    'h',
    'i',
    'other-2',
  ])
  assert.deepEqual(await intentsOf(eventOf(1)), ['a b c d e f g h', 'strict', 'other-1 other-2', 'every', 'paced', 'i'])
})

test('a retraction is each outlet’s own: it waits behind nothing that another one still has to get', async t => {
  const { intentsOf } = await openRouting(t, ['a', 'b', 'c'])
  await intentsOf(eventOf(1))
  assert.deepEqual(await intentsOf(killOf(2)), ['a', 'b', 'c'])
})
