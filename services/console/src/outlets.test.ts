/** Outlets as an operator sees them over the API: what is listed, what may be asked, and what is refused with which words. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { outletConfig } from '@newswire/events/config'
import { fromRecord, type NewswireEvent, toRecord } from '@newswire/events/events'
import { newId } from '@newswire/events/ids'
import type { Milestone } from '@newswire/events/milestone'
import { emptyOutletState } from '@newswire/events/outlet'
import { topics } from '@newswire/events/topics'
import { createHttpServer } from '@newswire/http/server'
import { createEmbeddedLog } from '@newswire/log/embedded'
import { publishEvents } from '@newswire/log/events'
import { createDiskObjects } from '@newswire/objects/disk'
import { createSealing } from '@newswire/objects/sealed'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { createLogger } from '@newswire/runtime/logger'
import { createOutletControl } from '@newswire/runtime/outlet-control'
import { amendOutletState } from '@newswire/runtime/outlet-states'
import { createTrace } from '@newswire/trace/trace'
import { createStates, toPaused } from './outlet-list.ts'
import { addOutletRoutes } from './outlet-routes.ts'
import { addReplayRoutes } from './replay-routes.ts'

const outletOf = (id: string) =>
  outletConfig.parse({ id, deliver: { kind: 'webhook', url: `https://${id}.example/hook`, secretEnv: 'PARTNER_SECRET' } })

const open = async (t: TestContext, { canSeal = true } = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-console-outlets-'))
  const objects = await createDiskObjects({ root: join(folder, 'objects'), fsync: 'normal' })
  const log = await createEmbeddedLog({ file: join(folder, 'log.db'), fsync: 'normal' })
  const trace = await createTrace({ log, file: join(folder, 'trace.db'), onPoison: () => undefined })
  const logger = createLogger({ service: 'console', level: 'silent' })
  const { app, close } = createHttpServer({ name: 'console', logger, host: '127.0.0.1', port: 0 })
  const outlets = new Map(['a', 'b'].map(id => [id, outletOf(id)]))
  const configuration = { current: () => ({ outlets }) as unknown as ConfigSnapshot }
  const sealing = canSeal ? createSealing(objects, Buffer.alloc(32, 7)) : null
  const control = createOutletControl({ objects, publish: publishEvents(log), sealing, logger, source: '/services/console', now: Date.now })
  addReplayRoutes(app, { objects, configuration, control })
  addOutletRoutes(app, { log, objects, configuration, trace, control, statesNow: createStates(objects), now: Date.now })
  t.after(async () => {
    await close()
    await trace.stop()
    await log.close()
    await objects.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const ask = async (method: 'GET' | 'POST', url: string, body?: unknown) => {
    const payload = body === undefined ? {} : { payload: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    const answer = await app.inject({ method, url, ...payload })
    return { status: answer.statusCode, body: answer.json() }
  }
  const tell = async (...milestones: Milestone[]) => {
    await log.publish(
      milestones.map(data =>
        toRecord({ id: newId(), type: 'milestone.reached', source: '/services/outlets', subject: data.articleId, time: data.at, data }),
      ),
    )
    await trace.caughtUp(AbortSignal.timeout(5_000))
  }
  return { app, ask, tell, log, objects }
}

const AT = '2026-03-01T08:00:00.000Z'
const fannedOut = (articleId: string): Milestone => ({
  kind: 'fanned-out',
  articleId,
  at: AT,
  version: 1,
  stage: 'outlets',
  sinks: [{ kind: 'outlet', id: 'a' }],
})
const sink = (articleId: string, state: 'done' | 'retrying' | 'rejected' | 'superseded', attempts?: number): Milestone => ({
  kind: 'sink',
  articleId,
  at: '2026-03-01T08:01:00.000Z',
  version: 1,
  sink: { kind: 'outlet', id: 'a' },
  state,
  ...(attempts === undefined ? {} : { attempts }),
})

test('a delivery that is done says after how many attempts, and whether only a newer version was acknowledged, as far as that was told', {
  timeout: 60_000,
}, async t => {
  const { ask, tell, log } = await open(t)
  await publishEvents(log)(
    ['press.told', 'press.untold', 'press.refused'].map(
      articleId =>
        ({
          id: `intent-${articleId}`,
          type: 'delivery.wanted',
          source: '/services/outlets',
          subject: 'a',
          time: AT,
          data: { outletId: 'a', articleId, version: 1, action: 'published' },
        }) as NewswireEvent,
    ),
  )
  const group = await log.subscribe({ topic: topics.deliveries.name, group: 'outlets', handle: async () => undefined })
  await tell(fannedOut('press.told'), sink('press.told', 'retrying', 2), sink('press.told', 'done', 3))
  await tell(fannedOut('press.refused'), sink('press.refused', 'rejected', 1), sink('press.refused', 'superseded'))
  const deliveries = async () => (await ask('GET', '/v1/outlets/a/deliveries')).body.deliveries
  while ((await deliveries()).some((one: { state: string }) => one.state === 'pending'))
    await setTimeout(50, undefined, { signal: t.signal })
  await group.stop()
  const listed = (await deliveries()).map((one: { articleId: string; state: string; attempts: number | null }) => [
    one.articleId,
    one.state,
    one.attempts,
  ])
  assert.deepEqual(listed, [
    ['press.told', 'done', 3],
    ['press.untold', 'done', null],
    ['press.refused', 'superseded', null],
  ])
})

test('who is paused is told of outlets that are in force', () => {
  const paused = { at: AT, by: 'operator' as const }
  const states = new Map(['a', 'b', 'gone'].map(id => [id, { ...emptyOutletState, paused }]))
  const outlets = new Map([
    ['a', outletOf('a')],
    ['b', { ...outletOf('b'), retired: true }],
    ['c', outletOf('c')],
  ])
  assert.deepEqual(toPaused(outlets, states), [{ id: 'a', ...paused }])
})

test('every outlet is listed with how it stands and what it has still to get', async t => {
  const { ask, tell, objects } = await open(t)
  await tell(fannedOut('press.a'), fannedOut('press.b'), sink('press.a', 'done'), sink('press.b', 'retrying'))
  const health = { at: AT, failingSince: AT, openUntil: '2999-01-01T00:00:00.000Z', lastError: 'it answered 503' }
  await amendOutletState(objects, 'a', () => ({ health }))
  const { body } = await ask('GET', '/v1/outlets')
  const [a, b] = body.outlets
  assert.deepEqual(
    [a.id, a.kind, a.state, a.breaker, a.failingSince, a.lastError],
    ['a', 'webhook', 'failing', 'open', AT, 'it answered 503'],
  )
  assert.deepEqual([a.open, a.oldestOpenAt, a.lastDoneAt], [{ retrying: 1 }, AT, '2026-03-01T08:01:00.000Z'])
  assert.deepEqual([b.state, b.open, b.lastDoneAt, b.secrets], ['well', {}, null, [{ from: 'environment', since: null, until: null }]])
})

test('what is asked for is a record with the asker’s id, once; a second replay waits for the first', async t => {
  const { ask, log } = await open(t)
  const body = { id: 'mine', fromSequence: 5 }
  const asked = await ask('POST', '/v1/outlets/a/replay', body)
  assert.deepEqual([asked.status, asked.body.id, asked.body.state, asked.body.by], [202, 'mine', 'asked', 'operator'])
  assert.equal((await ask('POST', '/v1/outlets/a/replay', body)).status, 202, 'the same again')
  const other = await ask('POST', '/v1/outlets/a/replay', { fromSequence: 5 })
  assert.deepEqual([other.status, other.body.code], [409, 'NEWSWIRE_OUTLET_BUSY'])
  assert.equal((await ask('POST', '/v1/outlets/b/replay', { fromTime: new Date().toISOString() })).status, 202, 'another outlet’s does not')
  const shown = await ask('GET', '/v1/outlets/a')
  assert.deepEqual(shown.body.requests.length, 1)
  const partition = log.partitionOf(topics.outletRequests.name, 'a')
  const { records } = await log.read({ topic: topics.outletRequests.name, partition, from: 'start', limit: 10 })
  const ofA = records.filter(one => one.key === 'a').map(one => fromRecord(one))
  assert.equal(new Set(ofA.map(one => one?.id)).size, 1, 'a repeat is the same event')
})

test('a wrong wish is refused with what was expected', async t => {
  const { ask } = await open(t)
  for (const body of [{}, { fromSequence: 1, fromTime: AT }, { fromSequence: -1 }, { fromTime: AT }, { from: 1 }])
    assert.equal((await ask('POST', '/v1/outlets/a/replay', body)).status, 422, JSON.stringify(body))
  assert.equal((await ask('POST', '/v1/outlets/none/test', {})).status, 404)
  assert.equal((await ask('POST', '/v1/outlets/a/secrets', { overlapHours: 1000 })).status, 422)
  assert.equal((await ask('GET', '/v1/outlets/a/deliveries?after=-1')).status, 400)
})

test('an act that needs no words may come without any, whatever its type says', async t => {
  const { app } = await open(t)
  const answer = await app.inject({ method: 'POST', url: '/v1/outlets/a/test', headers: { 'content-type': 'application/json' } })
  assert.equal(answer.statusCode, 202, answer.body)
})

test('pausing twice is pausing once, and resuming ends it', async t => {
  const { ask } = await open(t)
  const first = await ask('POST', '/v1/outlets/a/pause', {})
  const second = await ask('POST', '/v1/outlets/a/pause', {})
  assert.equal(first.body.paused.by, 'operator')
  assert.deepEqual(second.body, first.body)
  assert.equal((await ask('GET', '/v1/outlets/a')).body.state, 'paused')
  assert.equal((await ask('POST', '/v1/outlets/a/resume', { at: '2027-01-01T00:00:00Z' })).status, 422)
  assert.deepEqual((await ask('POST', '/v1/outlets/a/resume', {})).body, { paused: null })
  assert.equal((await ask('POST', '/v1/outlets/a/pause', { until: '2027-01-01T00:00:00Z' })).status, 422, 'it would be for ever')
  assert.equal((await ask('GET', '/v1/outlets/a')).body.paused, null)
})

test('a new secret is shown once and never again; at most three sign at once; without a key to seal with it is refused', async t => {
  const { ask, objects } = await open(t)
  const made = await ask('POST', '/v1/outlets/a/secrets', { id: 'one' })
  assert.equal(made.status, 201)
  assert.match(made.body.secret, /^whsec_/)
  assert.equal((await ask('POST', '/v1/outlets/a/secrets', { id: 'one' })).body.code, 'NEWSWIRE_OUTLET_SECRET_SHOWN')
  assert.equal((await ask('POST', '/v1/outlets/a/secrets', { id: 'two' })).status, 201)
  assert.equal((await ask('POST', '/v1/outlets/a/secrets', { id: 'three' })).body.code, 'NEWSWIRE_OUTLET_SECRETS')
  assert.equal((await ask('POST', '/v1/outlets/a/secrets', { id: 'four', overlapHours: 0 })).status, 201)
  const { body } = await ask('GET', '/v1/outlets/a')
  assert.deepEqual(
    body.secrets.map((one: { from: string; until: string | null }) => [one.from, one.until]),
    [['system', null]],
  )
  for (const { key } of await objects.list(''))
    assert.ok(!Buffer.from((await objects.get(key))?.bytes ?? []).includes(made.body.secret), key)
  const unsealed = await (await open(t, { canSeal: false })).ask('POST', '/v1/outlets/a/secrets', {})
  assert.deepEqual([unsealed.status, unsealed.body.code], [503, 'NEWSWIRE_SECRET_KEY_MISSING'])
})

test('replays of all outlets are listed in one place, newest first, and may be asked for there', async t => {
  const { ask } = await open(t)
  assert.deepEqual((await ask('GET', '/v1/replays')).body, { replays: [] })
  const asked = await ask('POST', '/v1/replays', { outlet: 'a', id: 'r1', fromSequence: 0 })
  assert.deepEqual([asked.status, asked.body.outlet, asked.body.state], [202, 'a', 'asked'])
  await ask('POST', '/v1/outlets/a/test', {})
  await ask('POST', '/v1/outlets/b/replay', { id: 'r2', fromTime: new Date().toISOString() })
  const { replays } = (await ask('GET', '/v1/replays')).body
  assert.deepEqual(new Set(replays.map((one: { outlet: string; id: string }) => `${one.outlet} ${one.id}`)), new Set(['a r1', 'b r2']))

  const refused = async (body: unknown) => {
    const answer = await ask('POST', '/v1/replays', body)
    return [answer.status, answer.body.code]
  }
  assert.deepEqual(await refused({ outlet: 'c', fromSequence: 0 }), [404, 'NEWSWIRE_NOT_FOUND'])
  assert.deepEqual(await refused({ outlet: 'a', id: 'r3', fromSequence: 1 }), [409, 'NEWSWIRE_OUTLET_BUSY'])
  assert.deepEqual(await refused({ outlet: 'a' }), [422, 'NEWSWIRE_INVALID'])
})
