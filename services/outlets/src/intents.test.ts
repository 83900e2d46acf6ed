/** Whom intents keep waiting: those of a partition or an outlet that is stuck nobody else, a retraction least of all. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type NewswireEvent, toRecord } from '@newswire/events/events'
import { createEmbeddedLog } from '@newswire/log/embedded'
import { byType } from '@newswire/log/events'
import { INTENTS_AT_ONCE, steadyClock } from './engine.ts'
import { intentsOf } from './intents.ts'
import { until } from './partner.ts'
import { idleActor } from './sample-actor.ts'
import { createWorker } from './worker.ts'

const MORE_THAN_ALL = INTENTS_AT_ONCE + 200

/** The real worker on the embedded log, with actors that note what they are told; those of `stuck` outlets come to no end, partitions of `untaken` neither. */
const startIntents = async (t: TestContext, { stuck = [], untaken }: { stuck?: readonly string[]; untaken?: string }) => {
  const folder = await mkdtemp(join(tmpdir(), 'newswire-intents-'))
  const log = await createEmbeddedLog({ file: join(folder, 'log.db'), fsync: 'normal' })
  const partitionOf = (outletId: string) => log.partitionOf('deliveries', outletId)
  const told: string[] = []
  const over = Promise.withResolvers<void>()
  const known = new Map<string, unknown>()
  const worker = createWorker({
    handover: {
      isClean: async () => true,
      take: async partition => {
        if (untaken !== undefined && partition === partitionOf(untaken)) await over.promise
        return { mark: { etag: '', n: 1 }, clean: true }
      },
      release: async () => undefined,
    },
    clock: steadyClock(Date.now),
    scale: 1,
    shared: false,
    partitionOf,
    outlets: () => known,
    isLeft: async () => false,
    createActor: id => ({
      ...idleActor,
      want: async (subject, { version }) => {
        told.push(`${id} ${subject} ${version}`)
        if (stuck.includes(id)) await over.promise
      },
    }),
    onError: error => assert.fail(String(error)),
  })
  let ids = 0
  const want = async (
    outletId: string,
    articles: readonly string[],
    { kill = false, also = [] }: { kill?: boolean; also?: readonly string[] } = {},
  ) => {
    for (const id of [outletId, ...also]) known.set(id, {})
    const intents = articles.map(articleId => {
      const data = { outletId, ...(also.length > 0 ? { also } : {}), articleId, version: 1, action: 'updated', ...(kill ? { kill } : {}) }
      ids += 1
      return { id: `intent-${ids}`, type: 'delivery.wanted', source: '/test', subject: outletId, time: new Date(0).toISOString(), data }
    })
    await log.publish(intents.map(one => toRecord(one as NewswireEvent)))
  }
  t.after(async () => {
    over.resolve()
    await log.close()
    await worker.stop()
    await rm(folder, { recursive: true, force: true })
  })
  return {
    told,
    want,
    partitionOf,
    begin: () =>
      log.subscribe({
        topic: 'deliveries',
        group: 'outlets',
        ...intentsOf(worker),
        onAssigned: worker.onAssigned,
        handle: byType({ 'delivery.wanted': worker.onWanted }),
      }),
  }
}

const many = Array.from({ length: MORE_THAN_ALL }, (_, n) => `press.a${n}`)

test('intents of a partition that waits for the owner before keep nobody of another one waiting', async t => {
  const { told, want, begin } = await startIntents(t, { untaken: 'waits' })
  await want('waits', many)
  const { stats } = await begin()
  await until('as many to be fetched as there are places', () => stats().waiting + stats().inFlight >= INTENTS_AT_ONCE, 60_000)
  await want('other', ['press.news'])
  await until('the intent of another partition', () => told.includes('other press.news 1'), 60_000)
  assert.deepEqual(told, ['other press.news 1'])
})

test('an outlet that ends none of its intents has a quarter of the places, and has heard of them in their order', async t => {
  const { told, want, begin } = await startIntents(t, { stuck: ['stuck'] })
  await want('stuck', many)
  await begin()
  await want('other', ['press.news'])
  await until('the intent of another outlet', () => told.includes('other press.news 1'), 60_000)
  const heard = () => told.filter(one => one.startsWith('stuck'))
  await until('a quarter of the places to be taken', () => heard().length >= INTENTS_AT_ONCE / 4, 60_000)
  assert.deepEqual(
    heard(),
    many.slice(0, INTENTS_AT_ONCE / 4).map(articleId => `stuck ${articleId} 1`),
  )
})

test('behind five thousand intents of one outlet, of which none ends, those of another outlet of its partition come through', async t => {
  const { told, want, partitionOf, begin } = await startIntents(t, { stuck: ['stuck'] })
  const others = Array.from({ length: 200 }, (_, n) => `other${n}`).filter(id => partitionOf(id) === partitionOf('stuck'))
  const [first = '', second = ''] = others
  await want(
    'stuck',
    Array.from({ length: 5 * INTENTS_AT_ONCE }, (_, n) => `press.a${n}`),
  )
  await want(first, ['press.killed'], { kill: true })
  await want(second, ['press.news'])
  await begin()
  await until('both', () => [`${first} press.killed 1`, `${second} press.news 1`].every(one => told.includes(one)), 60_000)
  assert.equal(told.length, INTENTS_AT_ONCE / 4 + 2)
})

test('a retraction is not kept waiting by others that have all places, and does not pass what its own outlet wants before it', async t => {
  const stuck = Array.from({ length: 8 }, (_, n) => `stuck${n}`)
  const { told, want, partitionOf, begin } = await startIntents(t, { stuck })
  // What is fetched of a partition is bounded too, so theirs are other ones than that of the retraction.
  const free = Array.from({ length: 100 }, (_, n) => `free${n}`).filter(id => !stuck.some(one => partitionOf(one) === partitionOf(id)))
  const [first = '', second = ''] = free
  for (const id of stuck) await want(id, many.slice(0, 300))
  await begin()
  await until('every place to be taken', () => told.length >= INTENTS_AT_ONCE, 60_000)
  await want(first, ['press.news'])
  await want(first, ['press.killed'], { kill: true })
  await want(second, ['press.killed'], { kill: true })
  await until('the retraction', () => told.includes(`${second} press.killed 1`), 60_000)
  assert.equal(told.length, INTENTS_AT_ONCE + 1)
})

test('an intent of several outlets takes a place for each of them', async t => {
  const ids = Array.from({ length: 200 }, (_, n) => `stuck${n}`)
  const { told, want, partitionOf, begin } = await startIntents(t, { stuck: ids })
  const together = Object.values(Object.groupBy(ids, partitionOf)).flatMap(ids =>
    ids === undefined || ids.length < 4 ? [] : [ids.slice(0, 4)],
  )
  for (const [first = '', ...also] of together) await want(first, many.slice(0, 300), { also })
  const { stats } = await begin()
  await until('every place to be taken', () => told.length >= INTENTS_AT_ONCE, 60_000)
  assert.deepEqual([told.length, stats().inFlight], [INTENTS_AT_ONCE, INTENTS_AT_ONCE / 4])
})
