/** What operators and partners ask of an outlet, at the service itself: replays, tests, pauses, secrets. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import type { OutletConfig } from '@newswire/events/config'
import { newId } from '@newswire/events/ids'
import type { OutletRequest } from '@newswire/events/outlet'
import { publishEvents } from '@newswire/log/events'
import { keys } from '@newswire/objects/keys'
import { createSealing } from '@newswire/objects/sealed'
import { createOutletControl } from '@newswire/runtime/outlet-control'
import { amendOutletState } from '@newswire/runtime/outlet-states'
import { type Got, outletAt, type Partner, startPartner, startWorld, status, until, type World } from './partner.ts'
import { killFact, liveFact, SECRET } from './samples.ts'
import { sweepSecrets } from './secret-sweep.ts'

const live = (articleId: string, version = 1) => liveFact({ articleId, version, releasedAt: new Date().toISOString() })
const kill = (articleId: string, version: number) => killFact({ articleId, version, releasedAt: new Date().toISOString() })
const named = (got: readonly Got[]) => got.map(one => `${one.headers['x-newswire-article']} v${one.headers['x-newswire-version']}`)
const idsOf = (got: readonly Got[]) => got.map(one => one.headers['webhook-id'])

/** As a partner that knows one secret would check it. */
const isSignedWith = (secret: string, { headers, body }: Got): boolean => {
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  const mac = createHmac('sha256', Buffer.from(secret.replace(/^whsec_/, ''), 'base64'))
    .update(signed)
    .digest('base64')
  return (headers['webhook-signature'] ?? '').split(' ').includes(`v1,${mac}`)
}

type Bench = Readonly<{ partner: Partner; world: World; outlet: OutletConfig; control: ReturnType<typeof createOutletControl> }>

const open = async (t: TestContext, more: Parameters<typeof outletAt>[2] = {}): Promise<Bench> => {
  const partner = await startPartner(t)
  const outlet = outletAt('partner', partner, more)
  const world = await startWorld(t, [outlet])
  const control = createOutletControl({
    objects: world.objects,
    publish: publishEvents(world.log),
    sealing: createSealing(world.objects, Buffer.alloc(32, 7)),
    logger: { info: () => undefined, warn: () => undefined } as never,
    source: '/services/console',
    now: Date.now,
  })
  return { partner, world, outlet, control }
}

const ended = async ({ control }: Bench, id: string): Promise<OutletRequest> => {
  let found: OutletRequest | undefined
  await until(`the end of ${id}`, async () => {
    found = (await control.requests('partner')).find(one => one.id === id)
    return found?.state === 'done' || found?.state === 'failed'
  })
  assert.ok(found)
  return found
}
const release = async ({ world, partner }: Bench, ...facts: Parameters<World['release']>[0][]) => {
  for (const fact of facts) {
    const before = partner.got.length
    await world.release(fact)
    await until('the delivery', () => partner.got.length > before)
  }
}

test('a replay sends everything since a sequence once, as it is now, under the ids it had; the same request again sends nothing', async t => {
  const bench = await open(t)
  const { partner, control } = bench
  await release(bench, live('press.a'), live('press.b'), live('press.c'), live('press.b', 2), kill('press.c', 2))
  const before = [...partner.got]
  const sequence = Number(before[0]?.headers['x-newswire-sequence'])
  const id = newId()
  await control.ask('partner', { kind: 'replay', from: { sequence } }, { id, by: 'partner' })
  const done = await ended(bench, id)
  // 0 is where everybody begins, so the very first record of a log comes along.
  const wanted = ['press.b v2', 'press.c v2', ...(sequence === 0 ? ['press.a v1'] : [])]
  assert.deepEqual([done.state, done.articles], ['done', wanted.length])
  await until('the replay', () => partner.got.length === before.length + wanted.length)
  const again = partner.got.slice(before.length)
  assert.deepEqual(named(again).sort(), wanted.sort())
  for (const one of again) assert.ok(idsOf(before).includes(one.headers['webhook-id'] ?? ''), 'a version keeps its id')
  const sequences = again.map(one => Number(one.headers['x-newswire-sequence']))
  assert.ok(Math.min(...sequences) > Number(before.at(-1)?.headers['x-newswire-sequence']))

  await control.ask('partner', { kind: 'replay', from: { sequence } }, { id, by: 'partner' })
  await bench.world.restart()
  const testId = newId()
  await control.ask('partner', { kind: 'test' }, { id: testId, by: 'partner' })
  await ended(bench, testId)
  assert.equal(named(partner.got.slice(before.length)).filter(one => one !== 'undefined vundefined').length, wanted.length)
})

test('a replay from a time takes up what was refused, and one from too long ago is not taken', async t => {
  const bench = await open(t)
  const { partner, control, world } = bench
  partner.answer = status(422)
  await release(bench, live('press.a'))
  await until('the refusal to be written down', async () => (await world.pending('partner')).length === 1)
  partner.answer = (_, response) => void response.writeHead(204).end()
  const id = newId()
  await control.ask('partner', { kind: 'replay', from: { time: new Date(Date.now() - 3_600_000).toISOString() } }, { id, by: 'operator' })
  await until('it to be sent again', () => partner.got.length === 2)
  await until('nothing to be pending', async () => (await world.pending('partner')).length === 0)
  for (const time of ['2020-01-01T00:00:00Z', 'yesterday', '2026-01-01', new Date(Date.now() + 60_000).toISOString()])
    await assert.rejects(control.ask('partner', { kind: 'replay', from: { time } }, { id: newId(), by: 'operator' }), /at most 14 days ago/)
})

test('a test is one signed event without an article; what came of it is told in our words', async t => {
  const bench = await open(t)
  const { partner, control } = bench
  const ids = [newId(), newId()]
  await control.ask('partner', { kind: 'test' }, { id: ids[0] ?? '', by: 'partner' })
  const good = await ended(bench, ids[0] ?? '')
  assert.deepEqual([good.state, good.answer], ['done', 'it was accepted'])
  const [got] = partner.got
  assert.ok(got !== undefined && isSignedWith(SECRET, got))
  assert.equal(JSON.parse(got.body).type, 'newswire.test')
  assert.deepEqual([got.headers['x-newswire-action'], got.headers['x-newswire-version']], ['test', undefined])
  partner.answer = status(401)
  await control.ask('partner', { kind: 'test' }, { id: ids[1] ?? '', by: 'partner' })
  const bad = await ended(bench, ids[1] ?? '')
  assert.deepEqual([bad.state, bad.answer], ['failed', 'it answered 401'])
  assert.equal(partner.got.length, 2, 'it is not tried again')
})

test('a paused outlet gets nothing, retractions neither, over a restart too; once resumed it gets each article as it then is', async t => {
  const bench = await open(t, { concurrency: 8 })
  const { partner, control, world } = bench
  await release(bench, live('press.a'))
  await control.pause('partner', 'partner')
  const told = async (state: string) => (await world.milestones()).filter(one => one.kind === 'sink' && one.state === state).length
  // A note takes a moment to come: from the first that is kept on, nothing goes out.
  await until('the pause to be known', async () => {
    await world.release(live(`press.probe-${newId()}`))
    return (await told('suspended')) > 0
  })
  const before = partner.got.length
  await world.release(live('press.b'))
  await world.release(live('press.b', 2))
  await world.release(kill('press.a', 2))
  await until('all to be written down', async () => (await world.pending('partner')).length >= 3)
  await world.restart()
  await until('the commit', async () => (await world.log.lag('outlets')).every(one => one.records === 0))
  assert.equal(partner.got.length, before)
  const paused = await control.status(bench.outlet, 'operator')
  assert.deepEqual([paused.state, paused.paused?.by, paused.pending.retractions], ['paused', 'partner', 1])

  await control.resume('partner', 'partner')
  await until('nothing to be pending', async () => (await world.pending('partner')).length === 0)
  const after = named(partner.got.slice(before))
  assert.equal(after[0], 'press.a v2', 'the retraction goes first')
  assert.ok(after.includes('press.b v2') && !after.includes('press.b v1'))
  assert.equal((await control.status(bench.outlet, 'operator')).state, 'well')
})

test('a partner does not end an operator’s pause', async t => {
  const { control } = await open(t)
  await control.pause('partner', 'partner')
  await control.pause('partner', 'operator')
  await assert.rejects(control.resume('partner', 'partner'), /only an operator/)
  assert.equal((await control.resume('partner', 'operator')).paused, null)
})

test('from a rotation on both secrets sign, also after a restart, until the one before ends; without a note too', async t => {
  const bench = await open(t)
  const { partner, control, world, outlet } = bench
  const { secret } = await control.rotate(outlet, { id: 'first', by: 'partner' })
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
  await assert.rejects(control.rotate(outlet, { id: 'first', by: 'partner' }), /shown once/)
  await until('the new secret to sign', async () => {
    await release(bench, live(`press.${newId()}`))
    const last = partner.got.at(-1)
    return last !== undefined && isSignedWith(secret, last)
  })
  for (const got of partner.got) assert.ok(isSignedWith(SECRET, got))
  await world.restart()
  await release(bench, live('press.restarted'))
  const both = partner.got.at(-1)
  assert.ok(both && isSignedWith(SECRET, both) && isSignedWith(secret, both))

  // As if the note had been lost: the listing finds it.
  await amendOutletState(world.objects, 'partner', ({ signing }) => {
    assert.ok(signing)
    return { signing: { ...signing, environment: { ...signing.environment, until: new Date().toISOString() } } }
  })
  await until('the old secret to end', async () => {
    await release(bench, live(`press.${newId()}`))
    const last = partner.got.at(-1)
    return last !== undefined && isSignedWith(secret, last) && !isSignedWith(SECRET, last)
  })
  const stored = Buffer.from((await world.objects.get(keys.outletState('partner')))?.bytes ?? []).toString()
  assert.ok(!stored.includes(secret))
})

test('an operator ends the secrets before at once, and what is over is swept; one that is in force is not', async t => {
  const { control, world, outlet } = await open(t)
  await control.rotate(outlet, { id: '1', by: 'operator', overlapMs: 0 })
  await control.rotate(outlet, { id: '2', by: 'operator', overlapMs: 0 })
  const sealed = async () => (await world.objects.list(keys.secretPrefix)).length
  assert.equal(await sealed(), 2)
  const sweep = (aheadMs: number, holds = true) =>
    sweepSecrets({ objects: world.objects, holds: () => holds, now: () => Date.now() + aheadMs })
  assert.equal(await sweep(0), 0)
  assert.equal(await sweep(3_600_000, false), 0, 'another process’s')
  assert.equal(await sweep(3_600_000), 1)
  assert.deepEqual([await sealed(), (await control.state('partner')).signing?.sealed.length], [1, 1])
  assert.deepEqual(
    (await control.status(outlet, 'operator')).secrets.map(one => one.from),
    ['system'],
  )
})
