/** A resend against an embedded log: to whom it goes, as what, and what is told of it. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { outletConfig } from '@newswire/events/config'
import { fromRecord } from '@newswire/events/events'
import type { Fact } from '@newswire/events/fact'
import { newId } from '@newswire/events/ids'
import { topics } from '@newswire/events/topics'
import { createHttpServer } from '@newswire/http/server'
import { createEmbeddedLog } from '@newswire/log/embedded'
import { publishEvents } from '@newswire/log/events'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { createLogger } from '@newswire/runtime/logger'
import { createTrace } from '@newswire/trace/trace'
import { addResendRoutes } from './resend-routes.ts'
import { factsAt } from './sample-facts.ts'

const AT = '2026-03-01T08:00:00.000Z'
const { live, kill } = factsAt(AT)
const outlet = (id: string, more: object = {}) =>
  outletConfig.parse({ id, deliver: { kind: 'webhook', url: `https://${id}.example/`, secretEnv: 'S' }, ...more })

const open = async (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-resend-'))
  const objects = await createDiskObjects({ root: join(folder, 'objects'), fsync: 'normal' })
  const log = await createEmbeddedLog({ file: join(folder, 'log.db'), fsync: 'normal' })
  const trace = await createTrace({ log, file: join(folder, 'trace.db'), onPoison: () => undefined })
  const { app, close } = createHttpServer({
    name: 'console',
    logger: createLogger({ service: 'console', level: 'silent' }),
    host: '127.0.0.1',
    port: 0,
  })
  const outlets = new Map(
    [
      outlet('a'),
      outlet('b'),
      outlet('editors', { audience: 'editorial' }),
      outlet('left', { retired: true }),
      outlet('sport', { match: { categories: ['sport'] } }),
    ].map(one => [one.id, one]),
  )
  let broken: string | undefined
  /** What fails from now on: events of a type, or the trace. */
  const fail = (what?: 'delivery.wanted' | 'milestone.reached' | 'trace') => {
    broken = what
  }
  const caughtUp = async () => {
    await trace.caughtUp(AbortSignal.timeout(10_000))
    return trace
  }
  addResendRoutes(app, {
    objects,
    configuration: { current: () => ({ outlets, categories: new Map() }) as unknown as ConfigSnapshot },
    publish: async (events, options) => {
      if (events.some(one => one.type === broken)) throw new Error('the log took only a part')
      return publishEvents(log)(events, options)
    },
    trace: {
      resend: trace.resend,
      caughtUp: () => (broken === 'trace' ? Promise.reject(new Error('it is behind')) : caughtUp().then(() => undefined)),
    },
    now: () => Date.parse(AT),
  })
  t.after(async () => {
    await close()
    await trace.stop()
    await log.close()
    await objects.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const put = async (key: string, value: unknown) => void (await objects.put(key, Buffer.from(JSON.stringify(value))))
  const release = async (fact: Fact, routed: readonly string[] = ['a', 'b', 'editors', 'left', 'gone']) => {
    await put(keys.current('press.a'), { released: { fact } })
    const routes = Object.fromEntries(routed.map(id => [id, { version: fact.version, written: true }]))
    await put(keys.routes('press.a'), { n: 1, version: fact.version, routes })
    const released = {
      kind: 'released',
      articleId: 'press.a',
      at: AT,
      version: fact.version,
      action: fact.action,
      submissionId: `s${fact.version}`,
    }
    const event = {
      id: newId(),
      type: 'milestone.reached',
      source: '/services/desk',
      subject: 'press.a',
      time: AT,
      data: released,
    } as const
    await publishEvents(log)([event as Parameters<ReturnType<typeof publishEvents>>[0][number]])
  }
  const resend = async (body: object = {}, articleId = 'press.a') => {
    const answer = await app.inject({
      method: 'POST',
      url: `/v1/articles/${articleId}/resend`,
      headers: { 'content-type': 'application/json' },
      payload: JSON.stringify(body),
    })
    return { status: answer.statusCode, body: answer.json() }
  }
  const intents = async () => {
    const { name } = topics.deliveries
    const found = []
    for (const { partition, start } of await log.ends(name)) {
      const { records } = await log.read({ topic: name, partition, from: { positions: { [partition]: start } }, limit: 100 })
      for (const record of records) {
        const event = fromRecord(record)
        if (event?.type === 'delivery.wanted') found.push(event)
      }
    }
    return found.sort((x, y) => (x.subject < y.subject ? -1 : 1))
  }
  return { release, resend, intents, caughtUp, fail }
}

test('an article goes once more, as it is now, to who was routed it and may still have it', async t => {
  const { release, resend, intents, caughtUp } = await open(t)
  await release(live(3))
  const { status, body } = await resend({ id: 'again-1' })
  assert.equal(status, 202)
  assert.deepEqual([body.id, body.version, body.action, body.outlets], ['again-1', 3, 'published', ['a', 'b', 'editors']])
  assert.deepEqual(body.excluded, [{ outletId: 'left', why: 'retired' }])
  assert.deepEqual(
    (await intents()).map(({ subject, data }) => [subject, data]),
    ['a', 'b', 'editors'].map(outletId => [outletId, { outletId, articleId: 'press.a', version: 3, again: 'again-1' }]),
  )
  const stages = (await caughtUp()).article('press.a')?.versions.at(-1)?.stages
  assert.deepEqual(stages, [{ stage: 'resend', outcome: 'asked', at: AT, ms: null, detail: 'to a, b, editors' }])
})

test('asked again under the same id it is the same act', async t => {
  const { release, resend, intents, caughtUp } = await open(t)
  await release(live(1))
  const first = await resend({ id: 'one', outlet: 'a' })
  assert.deepEqual(await resend({ id: 'one', outlet: 'a' }), first)
  assert.equal((await intents()).length, 1)
  await resend({ outlet: 'a' })
  assert.equal((await intents()).length, 2)
  assert.equal((await caughtUp()).article('press.a')?.versions.at(-1)?.stages.length, 2)
})

test('an id that was used for another outlet or version is refused, and nothing is sent', async t => {
  const { release, resend, intents } = await open(t)
  await release(live(1))
  assert.equal((await resend({ id: 'one', outlet: 'a' })).status, 202)
  for (const other of [{ id: 'one', outlet: 'b' }, { id: 'one' }]) {
    const refused = await resend(other)
    assert.deepEqual([refused.status, refused.body.code], [409, 'NEWSWIRE_RESEND_REUSED'])
    assert.match(refused.body.detail, /version 1 was sent to a already/)
  }
  await release(live(2))
  assert.equal((await resend({ id: 'one', outlet: 'a' })).status, 409)
  assert.equal((await intents()).length, 1)
})

test('while nobody knows whether it was asked before it is refused, and may be tried again; what has a new id is not', async t => {
  const { release, resend, intents, fail } = await open(t)
  await release(live(1))
  fail('trace')
  const behind = await resend({ id: 'one', outlet: 'a' })
  assert.deepEqual([behind.status, behind.body.code], [503, 'NEWSWIRE_TRACE_BEHIND'])
  assert.deepEqual(await intents(), [])
  assert.equal((await resend({ outlet: 'a' })).status, 202)
  assert.equal((await intents()).length, 1)
})

test('a resend that failed half way is whole after its retry', async t => {
  const { release, resend, intents, caughtUp, fail } = await open(t)
  await release(live(1))
  const stages = async () => (await caughtUp()).article('press.a')?.versions.at(-1)?.stages.length
  fail('delivery.wanted')
  assert.equal((await resend({ id: 'one' })).status, 500)
  assert.equal(await stages(), 0, 'nothing is told of what was not sent')
  fail('milestone.reached')
  assert.equal((await resend({ id: 'one' })).status, 500)
  fail()
  assert.equal((await resend({ id: 'one' })).status, 202)
  assert.equal(await stages(), 1)
  assert.equal(new Set((await intents()).map(one => one.id)).size, 3, 'the same intents, however often they were written')
})

test('what was taken back goes as a retraction, also to who left the configuration', async t => {
  const { release, resend, intents } = await open(t)
  await release(kill(4))
  const { body } = await resend()
  assert.deepEqual([body.action, body.outlets], ['retracted', ['a', 'b', 'editors', 'left']])
  for (const { data } of await intents()) assert.deepEqual([data.version, data.kill, data.action], [4, true, 'retracted'])
})

test('who may not have it any more is sent a retraction of what it holds', async t => {
  const { release, resend, intents } = await open(t)
  await release(live(2, { audience: 'editorial' }))
  assert.deepEqual((await resend()).body.outlets, ['a', 'b', 'editors', 'left'])
  assert.deepEqual(
    (await intents()).map(({ subject, data }) => [subject, data.kill ?? false]),
    [
      ['a', true],
      ['b', true],
      ['editors', false],
      ['left', true],
    ],
  )
})

test('nobody gets an article by a resend who was not routed it', async t => {
  const { release, resend, intents } = await open(t)
  await release(live(1))
  const never = await resend({ outlet: 'sport' })
  assert.deepEqual([never.status, never.body.code], [409, 'NEWSWIRE_RESEND_NOBODY'])
  assert.match(never.body.detail, /never routed to sport/)
  assert.match((await resend({ outlet: 'left' })).body.detail, /left \(retired\)/)
  await release(live(2), [])
  assert.equal((await resend()).status, 409)
  assert.deepEqual(await intents(), [])
})

test('what is not there, and what is no request, is told apart', async t => {
  const { release, resend, intents } = await open(t)
  assert.equal((await resend()).status, 404, 'nothing of it was released')
  await release(live(1))
  assert.equal((await resend({}, 'press.none')).status, 404)
  assert.equal((await resend({}, 'no-article')).status, 404)
  assert.equal((await resend({ outlet: 'nowhere' })).status, 404)
  assert.equal((await resend({ outlets: ['a'] })).status, 422)
  assert.equal((await resend({ id: 'not an id' })).status, 422)
  assert.deepEqual(await intents(), [])
})
