import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { type Subscription, subscriptionIdOf } from '@newswire/events/subscription'
import { topics } from '@newswire/events/topics'
import { createEmbeddedLog } from '@newswire/log/embedded'
import { createDiskObjects } from '@newswire/objects/disk'
import { createLogger } from './logger.ts'
import { looksAgainOnceThere } from './sample-late-look.ts'
import { type Draft, keyOf, openSubscriptions, type SubscriptionsOptions } from './subscriptions.ts'

const logger = createLogger({ service: 'test', level: 'silent' })
const CALLBACK = 'https://reader.example/cb'
const ID = subscriptionIdOf('https://press.example', 'all', 'rss', CALLBACK)
const draft = (changes: Partial<Draft> = {}): Draft => ({
  id: ID,
  feedId: 'all',
  format: 'rss',
  topic: 'https://press.example/feeds/all/rss.xml',
  callback: CALLBACK,
  lease: null,
  errand: null,
  ...changes,
})
const leaseUntil = (ms: number, seconds = 1): Subscription['lease'] => ({
  secretId: null,
  seconds,
  verifiedAt: new Date(0).toISOString(),
  until: new Date(ms).toISOString(),
  since: 0,
})

const openWorld = async (t: TestContext) => {
  const folder = await mkdtemp(join(tmpdir(), 'newswire-subscriptions-'))
  const log = await createEmbeddedLog({ file: join(folder, 'log.db'), fsync: 'normal' })
  const objects = await createDiskObjects({ root: join(folder, 'objects'), fsync: 'normal' })
  const opened: { close(): Promise<void> }[] = []
  t.after(async () => {
    for (const one of opened) await one.close()
    await log.close()
    await objects.close()
    await rm(folder, { recursive: true, force: true })
  })
  const open = async (options: Partial<SubscriptionsOptions> = {}) => {
    const one = await openSubscriptions({ objects, log, logger, now: Date.now, source: '/test', ...options })
    opened.push(one)
    return one
  }
  return { objects, log, open }
}

const until = async (what: string, condition: () => unknown): Promise<void> => {
  for (const deadline = performance.now() + 5_000; !condition(); await pause(5))
    assert.ok(performance.now() < deadline, `${what} did not come`)
}

test('what one process changes, the others know at once, and whoever starts later', async t => {
  const { open } = await openWorld(t)
  const [a, b] = [await open(), await open()]
  const heard: number[] = []
  b.onChange(one => heard.push(one.n))
  await a.amend(ID, () => draft({ lease: leaseUntil(Date.now() + 60_000) }))
  assert.equal(a.get(ID)?.n, 1)
  await until('the note', () => b.get(ID)?.n === 1)
  await b.amend(ID, before => before && { ...before, lease: null })
  await until('the note back', () => a.get(ID)?.n === 2)
  assert.deepEqual(heard, [1, 2])
  assert.equal((await open()).get(ID)?.n, 2)
})

test('a note that was lost is healed by the next look at everything', async t => {
  const { open, log } = await openWorld(t)
  const a = await open({ log: { ...log, publish: async () => Promise.reject(new Error('lost')) } })
  const b = await open({ relistEveryMs: 20 })
  await a.amend(ID, () => draft())
  await until('the look', () => b.get(ID)?.n === 1)
})

test('of many who change one at once each sees the state before his own', async t => {
  const { open } = await openWorld(t)
  const several = [await open(), await open(), await open()]
  await Promise.all(
    several.map(one =>
      one.amend(ID, before => {
        const seconds = (before?.lease?.seconds ?? 0) + 1
        return draft({ lease: leaseUntil(99_999_999_999_999, seconds) })
      }),
    ),
  )
  for (const one of several) await until('the last change', () => one.get(ID)?.lease?.seconds === 3)
})

test('leaving it as it is writes nothing', async t => {
  const { open } = await openWorld(t)
  const one = await open()
  assert.equal(await one.amend(ID, () => null), null)
  await one.amend(ID, () => draft())
  assert.equal((await one.amend(ID, () => null))?.n, 1)
})

test('only what is over is swept, and other processes forget it', async t => {
  const { open, objects } = await openWorld(t)
  const [a, b] = [await open(), await open({ relistEveryMs: 20 })]
  await a.amend(ID, () => draft({ lease: leaseUntil(Date.now() + 60_000) }))
  await a.sweep(ID)
  assert.notEqual(await objects.get(keyOf(ID)), null, 'a lease is in force')
  await a.amend(ID, before => before && { ...before, lease: null })
  await until('the note', () => b.get(ID)?.n === 2)
  await a.sweep(ID)
  assert.equal(await objects.get(keyOf(ID)), null)
  await until('the other to forget it', () => b.get(ID) === null)
})

test('nobody changes one that is being swept: a new one is made when it is gone, so the delete takes nothing newer', async t => {
  const { open, objects } = await openWorld(t)
  let looks = 0
  const a = await open({
    objects: {
      ...objects,
      get: async key => {
        looks += 1
        return await objects.get(key)
      },
    },
  })
  await a.amend(ID, () => draft())
  const gate = Promise.withResolvers<void>()
  let deleting = false
  const slow = await open({
    objects: {
      ...objects,
      delete: async key => {
        deleting = true
        await gate.promise
        await objects.delete(key)
      },
    },
  })
  const sweeping = slow.sweep(ID)
  await until('the delete to begin', () => deleting)
  let made = false
  const making = a
    .amend(ID, () => draft({ lease: leaseUntil(Date.now() + 60_000) }))
    .then(one => {
      made = true
      return one
    })
  looks = 0
  await until('it to look again and again', () => looks >= 3)
  assert.equal(made, false)
  gate.resolve()
  await sweeping
  assert.equal((await making)?.n, 1)
  assert.notEqual(await objects.get(keyOf(ID)), null)
})

test('one that a dead process was sweeping can be had again after ten minutes', async t => {
  const { open, objects } = await openWorld(t)
  const dying = await open({ objects: { ...objects, delete: async () => Promise.reject(new Error('killed')) } })
  await dying.amend(ID, () => draft())
  await assert.rejects(dying.sweep(ID))
  const soon = await open()
  await assert.rejects(
    soon.amend(ID, () => draft()),
    { code: 'NEWSWIRE_HUB_BUSY' },
  )
  const later = await open({ now: () => Date.now() + 601_000 })
  assert.equal((await later.amend(ID, before => draft({ errand: before?.errand ?? null })))?.n, 3)
})

test('an object that is no subscription is passed over', async t => {
  const { open, objects } = await openWorld(t)
  await (await open()).amend(ID, () => draft())
  await objects.put(`hub/subscriptions/${'0'.repeat(64)}/${'1'.repeat(64)}.json`, Buffer.from('{"n":'))
  assert.deepEqual(
    [...(await open()).all()].map(one => one.id),
    [ID],
  )
})

test('a look that is asked for when the log came while another look is under way follows that one', async t => {
  const { objects, log, open } = await openWorld(t)
  const record = { topic: topics.subscriptions.name, key: 'x', value: Buffer.from('none of ours') }
  await looksAgainOnceThere({ objects, log, start: open, record, until })
})
