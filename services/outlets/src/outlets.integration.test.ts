import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import type { Milestone } from '@newswire/events/milestone'
import type { Log } from '@newswire/log/log'
import { type Got, ok, outletAt, startPartner, startWorld, status, until } from './partner.ts'
import { killFact, liveFact, SECRET } from './samples.ts'

const live = (articleId: string, version = 1) => liveFact({ articleId, version, releasedAt: new Date().toISOString() })
const kill = (articleId: string, version: number) => killFact({ articleId, version, releasedAt: new Date().toISOString() })
const versions = (got: readonly Got[]) => got.map(one => Number(one.headers['x-newswire-version']))
const committed = async (log: Log) => (await log.lag('outlets')).every(one => one.records === 0)
const sinks = (milestones: readonly Milestone[]) =>
  milestones.flatMap(one => (one.kind === 'sink' ? [`${one.sink.id} v${one.version} ${one.state}`] : []))

/** As a partner would check it, from the text of the specification alone. */
const isSigned = ({ headers, body }: Got): boolean => {
  const key = Buffer.from(SECRET.replace(/^whsec_/, ''), 'base64')
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  return (headers['webhook-signature'] ?? '').split(' ').includes(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`)
}

test('a released article reaches the partner once, signed, and leaves nothing behind', async t => {
  const partner = await startPartner(t)
  const world = await startWorld(t, [outletAt('partner', partner)])
  await world.release(live('press.a'))
  await until('the delivery', () => partner.got.length === 1)
  const [got] = partner.got
  assert.ok(got !== undefined && isSigned(got))
  assert.equal(got.headers['x-newswire-article'], 'press.a')
  assert.equal(got.headers['x-newswire-action'], 'published')
  assert.equal(JSON.parse(got.body).data.article.title, 'The bridge is open again')
  await until('the commit', () => committed(world.log))
  await until('nothing to be pending', async () => (await world.pending('partner')).length === 0)
  const milestones = await world.milestones()
  assert.deepEqual(sinks(milestones), ['partner v1 done'])
  const fannedOut = milestones.find(one => one.kind === 'fanned-out')
  assert.ok(fannedOut?.kind === 'fanned-out' && fannedOut.stage === 'outlets')
  assert.deepEqual(fannedOut.sinks, [{ kind: 'outlet', id: 'partner' }])
  assert.match(await world.metrics(), /newswire_outlet_deliveries_total\{[^}]*result="accepted"[^}]*\} 1/)
})

test('versions, and a retraction, arrive in order; sequence rises', async t => {
  const partner = await startPartner(t)
  const world = await startWorld(t, [outletAt('partner', partner)])
  for (const fact of [live('press.a', 1), live('press.a', 2), kill('press.a', 3)]) {
    await world.release(fact)
    await until(`version ${fact.version}`, () => versions(partner.got).includes(fact.version))
  }
  assert.deepEqual(versions(partner.got), [1, 2, 3])
  assert.equal(JSON.parse(partner.got.at(-1)?.body ?? '').type, 'article.retracted')
  const sequences = partner.got.map(one => Number(one.headers['x-newswire-sequence']))
  assert.deepEqual(
    [...sequences].sort((a, b) => a - b),
    sequences,
  )
})

test('a partner that is down is written down, its records are committed, others go on, and it gets everything afterwards', async t => {
  const down = await startPartner(t)
  await down.stop()
  const well = await startPartner(t)
  const world = await startWorld(t, [outletAt('down', down), outletAt('well', well)])
  for (const id of ['press.a', 'press.b', 'press.c']) await world.release(live(id))
  await until('the healthy partner', () => well.got.length === 3)
  await until('what is pending', async () => (await world.pending('down')).length === 3)
  await until('the commit', () => committed(world.log))
  const again = await startPartner(t, Number(new URL(down.url).port))
  await until('the rest', () => new Set(again.got.map(one => one.headers['x-newswire-article'])).size === 3)
  await until('nothing pending', async () => (await world.pending('down')).length === 0)
  assert.equal(well.got.length, 3)
  await until('the milestones', async () => sinks(await world.milestones()).filter(one => one === 'down v1 done').length === 3)
  assert.ok(sinks(await world.milestones()).includes('down v1 retrying'))
})

test('a partner that hangs holds up neither the partition nor anybody else', async t => {
  const hanging = await startPartner(t)
  hanging.answer = () => undefined
  const well = await startPartner(t)
  const world = await startWorld(t, [outletAt('hanging', hanging), outletAt('well', well)])
  await world.release(live('press.a'))
  await world.release(live('press.b'))
  await until('the healthy partner', () => well.got.length === 2)
  await until('what is pending', async () => (await world.pending('hanging')).length === 2)
  await until('the commit', () => committed(world.log))
  hanging.answer = ok
  await until('nothing pending', async () => (await world.pending('hanging')).length === 0)
  const ids = new Map(hanging.got.map(one => [one.headers['webhook-id'], one.body]))
  assert.equal(ids.size, 2, 'every attempt at one version has one id')
  assert.equal(new Set(hanging.got.map(one => `${one.headers['webhook-id']} ${one.body}`)).size, 2, 'and one body')
})

test('500 is tried again; what the partner says is in no milestone', async t => {
  const partner = await startPartner(t)
  partner.answer = (got, response, count) => (count < 3 ? status(500) : ok)(got, response, count)
  const world = await startWorld(t, [outletAt('partner', partner)])
  await world.release(live('press.a'))
  await until('the third attempt', () => partner.got.length === 3)
  await until('the end', async () => sinks(await world.milestones()).includes('partner v1 done'))
  const retrying = (await world.milestones()).filter(one => one.kind === 'sink' && one.state === 'retrying')
  assert.equal(retrying.length, 2)
  assert.ok(retrying.every(one => one.kind === 'sink' && one.lastError === 'it answered 500' && one.nextAt !== undefined))
  assert.ok(!JSON.stringify(await world.milestones()).includes('nobody may quote'))
})

test('429 with Retry-After is not tried before its time', async t => {
  const partner = await startPartner(t)
  partner.answer = (got, response, count) => (count < 2 ? status(429, { 'retry-after': '1' }) : ok)(got, response, count)
  const world = await startWorld(t, [outletAt('partner', partner)])
  await world.release(live('press.a'))
  await until('the second attempt', () => partner.got.length === 2)
  const [first, second] = partner.got
  assert.ok(first && second && second.at - first.at >= 950, `${(second?.at ?? 0) - (first?.at ?? 0)} ms apart`)
})

test('422 is not tried again; the next version is', async t => {
  const partner = await startPartner(t)
  partner.answer = status(422)
  const world = await startWorld(t, [outletAt('partner', partner)])
  await world.release(live('press.a', 1))
  await until('the rejection', async () => sinks(await world.milestones()).includes('partner v1 rejected'))
  await until('the commit', () => committed(world.log))
  partner.answer = ok
  await world.release(live('press.a', 2))
  await until('the next version', async () => sinks(await world.milestones()).includes('partner v2 done'))
  assert.deepEqual(versions(partner.got), [1, 2])
  assert.ok(sinks(await world.milestones()).includes('partner v1 superseded'))
  await until('nothing to be pending', async () => (await world.pending('partner')).length === 0)
})

test('410 suspends the outlet and keeps what is pending, until its address changes', async t => {
  const gone = await startPartner(t)
  gone.answer = status(410)
  const world = await startWorld(t, [outletAt('partner', gone)])
  await world.release(live('press.a'))
  await until('the suspension', async () => sinks(await world.milestones()).includes('partner v1 suspended'))
  await world.restart()
  await world.release(live('press.b'))
  await until('what is pending', async () => (await world.pending('partner')).length === 2)
  assert.equal(gone.got.length, 1, 'nothing is sent to a suspended outlet, also after a restart')
  const moved = await startPartner(t)
  world.outlets.set('partner', outletAt('partner', moved))
  world.changed()
  await until('both articles', () => moved.got.length === 2)
})

test('what is pending survives a restart and is delivered after it', async t => {
  const partner = await startPartner(t)
  partner.answer = status(503)
  const world = await startWorld(t, [outletAt('partner', partner)], { retryScale: 0.2 })
  await world.release(live('press.a'))
  await until('what is pending', async () => (await world.pending('partner')).length === 1)
  await world.restart()
  partner.answer = ok
  await until('the delivery', async () => (await world.pending('partner')).length === 0)
  assert.equal(new Set(partner.got.map(one => one.headers['webhook-id'])).size, 1)
  assert.equal(await world.count('deliveries'), 1)
})

test('a stop does not wait for a partner that hangs, and remembers that it may have got the article', { timeout: 15_000 }, async t => {
  const partner = await startPartner(t)
  partner.answer = () => undefined
  const world = await startWorld(t, [outletAt('partner', partner)], { retryScale: 1 })
  await world.release(live('press.a'))
  await until('the request', () => partner.got.length === 1)
  const beganAt = performance.now()
  await world.service.stop()
  assert.ok(performance.now() - beganAt < 14_000, 'less than the request itself may take')
  const [key] = await world.pending('partner')
  const found = await world.objects.get(key ?? '')
  assert.equal(JSON.parse(Buffer.from(found?.bytes ?? []).toString()).delivery.maybeSent, 1)
})

test('a retraction while the article is in retry: only the kill is delivered', async t => {
  const partner = await startPartner(t)
  partner.answer = status(500)
  const world = await startWorld(t, [outletAt('partner', partner)], { retryScale: 1 })
  await world.release(live('press.a', 1))
  await until('the failure', async () => (await world.pending('partner')).length === 1)
  const failed = partner.got.length
  partner.answer = ok
  await world.release(kill('press.a', 2))
  await until('the kill', () => partner.got.length > failed)
  await until('nothing pending', async () => (await world.pending('partner')).length === 0)
  assert.deepEqual(versions(partner.got.slice(failed)), [2])
  assert.equal(partner.got.at(-1)?.headers['x-newswire-action'], 'retracted')
})

test('a retraction reaches a retired outlet that once had the article, and no other', async t => {
  const first = await startPartner(t)
  const second = await startPartner(t)
  const world = await startWorld(t, [outletAt('first', first)])
  await world.release(live('press.a', 1))
  await until('the article', () => first.got.length === 1)
  world.outlets.set('first', outletAt('first', first, { retired: true }))
  world.outlets.set('second', outletAt('second', second))
  await world.release(kill('press.a', 2))
  await until('the kill', () => first.got.length === 2)
  assert.equal(first.got[1]?.headers['x-newswire-action'], 'retracted')
  await until('the commit', () => committed(world.log))
  assert.equal(second.got.length, 0)
})

test('a replay of all of articles sends nothing, not even to an outlet that matches only now', async t => {
  const partner = await startPartner(t)
  const later = await startPartner(t)
  const world = await startWorld(t, [outletAt('partner', partner)])
  for (const fact of [live('press.a', 1), live('press.b', 1), live('press.a', 2), kill('press.b', 2)]) await world.release(fact)
  await until('all of it', () => new Set(partner.got.map(one => one.headers['webhook-id'])).size >= 2)
  await until(
    'the commit',
    async () => (await committed(world.log)) && (await world.log.lag('outlets-route')).every(one => one.records === 0),
  )
  const before = { sent: partner.got.length, intents: await world.count('deliveries'), milestones: await world.count('milestones') }
  world.outlets.set('later', outletAt('later', later))
  await world.restart({ replay: true })
  await until('the replay', async () => (await world.log.lag('outlets-route')).every(one => one.records === 0))
  await until('the commit', () => committed(world.log))
  assert.deepEqual(
    { sent: partner.got.length, intents: await world.count('deliveries'), milestones: await world.count('milestones') },
    before,
  )
  assert.equal(later.got.length, 0)
})

test('an intent that names no outlet of its partition ends in dead letters, and the next is handled', async t => {
  const partner = await startPartner(t)
  const world = await startWorld(t, [outletAt('partner', partner)])
  const value = new TextEncoder().encode(JSON.stringify({ outletId: '../../etc', articleId: 'press.a', version: 1 }))
  const headers = {
    ce_specversion: '1.0',
    ce_id: 'x',
    ce_type: 'delivery.wanted',
    ce_source: '/x',
    ce_subject: 'x',
    ce_time: '2026-11-24T00:00:00Z',
  }
  await world.log.publish([
    { topic: 'deliveries', key: 'partner', value, headers },
    { topic: 'deliveries', key: 'partner', value: new TextEncoder().encode('no json'), headers },
  ])
  await world.release(live('press.a'))
  await until('the delivery', () => partner.got.length === 1)
  await until('the dead letters', async () => (await world.count('dead-letters')) === 2)
  await until('the commit', () => committed(world.log))
})
