/** Streams of events over a real socket: what is told, how a client that comes back goes on, and that a slow one costs nothing. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { toRecord } from '@newswire/events/events'
import { newId } from '@newswire/events/ids'
import type { Milestone } from '@newswire/events/milestone'
import { createHttpServer } from '@newswire/http/server'
import { toDeadLetter } from '@newswire/log/dead-letter'
import { createEmbeddedLog } from '@newswire/log/embedded'
import { createLogger } from '@newswire/runtime/logger'
import { createTrace } from '@newswire/trace/trace'
import { createEventRing } from './event-ring.ts'
import { addEventRoutes } from './event-routes.ts'
import { createEventStreams } from './event-stream.ts'
import { followEvents } from './follow-events.ts'
import { type LiveEvent, parseEventId, toEventId } from './live-events.ts'

const AT = '2026-03-01T08:00:00.000Z'
const DEADLINE_MS = 30_000
type Told = Readonly<{ id: string; name: string; data: Record<string, unknown> }>

/** Reads as WHATWG HTML §9.2.6 says, as much as is needed of it. */
const parseBlock = (block: string): Told | null => {
  const fields = new Map(block.split('\n').map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]))
  const [id, name, data] = [fields.get('id'), fields.get('event'), fields.get('data')]
  return id === undefined || name === undefined || data === undefined ? null : { id, name, data: JSON.parse(data) }
}

const listen = async (t: TestContext, url: string, lastEventId?: string) => {
  // `fetch` would open a spare connection after each that is left, and closing would wait for that.
  const request = get(url, { agent: false, headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId } })
  t.after(() => request.destroy())
  const [answer] = (await once(request, 'response', { signal: AbortSignal.timeout(DEADLINE_MS) })) as [IncomingMessage]
  const events: Told[] = []
  let [comments, rest] = [0, '']
  const reading = (async () => {
    for await (const part of answer) {
      const blocks = (rest + Buffer.from(part).toString()).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        if (block.startsWith(':')) comments += 1
        const told = parseBlock(block)
        if (told !== null) events.push(told)
      }
    }
  })().catch(() => undefined)
  const until = async (what: string, holds: () => boolean) => {
    const deadline = Date.now() + DEADLINE_MS
    while (!holds()) {
      assert.ok(Date.now() < deadline, `${what}: ${JSON.stringify(events)}`)
      await setTimeout(10)
    }
  }
  return { answer, events, until, ended: reading, comments: () => comments, leave: () => request.destroy() }
}

const open = async (t: TestContext, limits: { mostClients?: number; heartbeatMs?: number } = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-events-'))
  const log = await createEmbeddedLog({ file: join(folder, 'log.db'), fsync: 'normal' })
  t.after(async () => {
    await log.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const start = async (name: string) => {
    const trace = await createTrace({ log, file: join(folder, `${name}.db`), onPoison: () => undefined })
    const events = await followEvents({ log, trace, waitMs: DEADLINE_MS, ...limits })
    const logger = createLogger({ service: 'console', level: 'silent' })
    const server = createHttpServer({ name: 'console', logger, host: '127.0.0.1', port: 0 })
    addEventRoutes(server.app, events)
    const url = `${await server.listen()}/v1/events`
    let isStopped = false
    const stop = async () => {
      if (isStopped) return
      isStopped = true
      await events.stop()
      await server.close({ drainMs: 5_000 })
      await trace.stop()
    }
    t.after(stop)
    return { url, stop, clients: events.clients }
  }
  const tell = (...milestones: Milestone[]) =>
    log.publish(
      milestones.map(data =>
        toRecord({ id: newId(), type: 'milestone.reached', source: '/services/desk', subject: data.articleId, time: data.at, data }),
      ),
    )
  return { log, start, tell }
}

const released = (articleId: string, version = 1, action: 'published' | 'retracted' = 'published'): Milestone => ({
  kind: 'released',
  articleId,
  at: AT,
  version,
  action,
  submissionId: 's',
  title: 'not told',
})
const articles = (events: readonly Told[]) =>
  events.flatMap(one => (one.data['articleId'] === undefined ? [] : [String(one.data['articleId'])]))

test('what moves is told by name with its id, without a title, and dead letters by their code alone', async t => {
  const { log, start, tell } = await open(t)
  const { url } = await start('a')
  const client = await listen(t, url)
  assert.equal(client.answer.statusCode, 200)
  assert.equal(client.answer.headers['content-type'], 'text/event-stream; charset=utf-8')
  assert.equal(client.answer.headers['cache-control'], 'no-store')
  const outlets = Array.from({ length: 3 }, (_, at) => ({ kind: 'outlet' as const, id: `o${at}` }))
  await tell(
    {
      kind: 'submission',
      articleId: 'press.b',
      at: AT,
      submissionId: 's2',
      stage: 'desk',
      state: 'refused',
      code: 'NEWSWIRE_STALE',
      detail: 'a stranger’s words',
    },
    released('press.a'),
    { kind: 'fanned-out', articleId: 'press.a', at: AT, version: 1, stage: 'outlets', sinks: outlets, decisions: [] },
    { kind: 'sink', articleId: 'press.a', at: AT, version: 1, sink: { kind: 'outlet', id: 'o1' }, state: 'done', attempts: 1 },
    { ...released('press.a', 2, 'retracted'), detail: 'a stranger’s reason' },
  )
  const [published] = await log.publish([{ topic: 'prepared', key: 'press.a', value: Buffer.from('{"half'), headers: { ce_id: 'x' } }])
  assert.ok(published)
  const record = { ...published, key: 'press.a', value: Buffer.from('{"half'), headers: {}, timestamp: 0 }
  const error = { code: 'NEWSWIRE_EVENT_DATA', message: 'a stranger’s words' }
  await log.publish([toDeadLetter({ record, group: 'desk', attempts: 1, firstFailedAt: AT, lastFailedAt: AT, error, failures: [] }, null)])
  await client.until('all to be told', () => client.events.length >= 7)
  assert.deepEqual(client.events.map(one => one.name).sort(), [
    'dead-letter',
    'fanned-out',
    'open',
    'released',
    'retracted',
    'sink',
    'submission',
  ])
  const by = (name: string) => client.events.find(one => one.name === name)?.data
  assert.deepEqual(by('released'), { articleId: 'press.a', at: AT, version: 1, action: 'published', submissionId: 's' })
  assert.deepEqual(by('fanned-out'), { articleId: 'press.a', version: 1, at: AT, stage: 'outlets', sinks: 3 })
  assert.deepEqual([by('dead-letter')?.['service'], by('dead-letter')?.['code']], ['desk', 'NEWSWIRE_EVENT_DATA'])
  assert.doesNotMatch(JSON.stringify(client.events), /not told|stranger/)
})

test('who comes back with the last id misses nothing and gets nothing twice, also at another console and after a restart', async t => {
  const { start, tell } = await open(t)
  const [first, other] = [await start('a'), await start('b')]
  const client = await listen(t, first.url)
  await client.until('it is open', () => client.events.length === 1)
  await tell(released('press.a'), released('press.b'))
  await client.until('both', () => articles(client.events).length === 2)
  const last = client.events.at(-1)?.id
  client.leave()
  await first.stop()
  await tell(released('press.c'), released('press.d'))
  const again = await listen(t, other.url, last)
  await again.until('what came meanwhile', () => articles(again.events).length >= 2)
  await tell(released('press.e'))
  await again.until('what came then', () => articles(again.events).length >= 3)
  assert.deepEqual(articles(again.events).sort(), ['press.c', 'press.d', 'press.e'])
  assert.equal(
    again.events.some(one => one.name === 'gap'),
    false,
  )
  const restarted = await listen(t, (await start('a')).url, last)
  await restarted.until('the same', () => articles(restarted.events).length >= 3)
  assert.deepEqual(articles(restarted.events).sort(), ['press.c', 'press.d', 'press.e'])
})

test('who comes back too late, or with an id that is none, is told of a gap and goes on from now', async t => {
  const { start, tell } = await open(t)
  await tell(released('press.a'))
  const { url } = await start('a')
  for (const id of ['m0.99999999', 'x', 'm0.1-m0.1\u00e9', '9'.repeat(3_000)]) {
    const client = await listen(t, url, id)
    await client.until('the gap', () => client.events.length > 0)
    assert.deepEqual(
      client.events.map(one => one.name),
      ['gap'],
      id,
    )
    await tell(released('press.b'))
    await client.until('what comes then', () => articles(client.events).length > 0)
    client.leave()
  }
})

test('an idle stream is kept open by comments, there are only so many, and stopping ends them', async t => {
  const { start } = await open(t, { mostClients: 2, heartbeatMs: 20 })
  const { url, stop, clients } = await start('a')
  const [one, two] = [await listen(t, url), await listen(t, url)]
  await one.until('heartbeats', () => one.comments() >= 3)
  const refused = await fetch(url)
  assert.equal(refused.status, 503)
  assert.equal(refused.headers.get('retry-after'), '30')
  assert.equal(((await refused.json()) as { code: string }).code, 'NEWSWIRE_EVENTS_FULL')
  assert.equal((await fetch(url, { method: 'HEAD' })).status, 405)
  two.leave()
  await one.until('the place to be free', () => clients() === 1)
  const three = await listen(t, url)
  assert.equal(three.answer.statusCode, 200)
  await stop()
  await Promise.all([one.ended, three.ended])
  assert.equal(clients(), 0)
})

test('a client that takes nothing is cut once the ring has gone past it, and holds no more than its stream until then', async t => {
  const ring = createEventRing({ mostEvents: 50 })
  const streams = createEventStreams({ ring, aheadBytes: 4_096 })
  t.after(streams.stop)
  const [slow, quick] = [streams.open(undefined), streams.open(undefined)]
  assert.ok(slow && quick)
  quick.resume()
  const cut = new Promise<void>(resolve => slow.once('close', () => resolve()))
  for (let position = 0; position < 5_000; position++) {
    ring.add({ topic: 'm', partition: 0, position, name: 'sink', data: { articleId: 'press.a', filler: 'x'.repeat(100) } })
    streams.moved()
    assert.ok(slow.readableLength < 8_192, `it holds ${slow.readableLength} bytes`)
    if (position % 10 === 0) await setTimeout()
  }
  await cut
  assert.equal(quick.destroyed, false, 'who keeps up is not cut')
  assert.equal(streams.clients(), 1)
})

test('what one event says is bounded, because each stream takes it whole', () => {
  const ring = createEventRing()
  ring.add({ topic: 'm', partition: 0, position: 1, name: 'sink', data: { lastError: 'x'.repeat(4_000_000) } })
  const kept = ring.at(0)
  assert.ok(kept && kept.data.length < 1_000)
  assert.equal(toEventId(ring.last()), 'm0.1')
})

test('what comes after the end of a stream is written to nobody', async () => {
  const ring = createEventRing()
  const streams = createEventStreams({ ring })
  const stream = streams.open(undefined)
  assert.ok(stream)
  const failures: unknown[] = []
  stream.on('error', error => failures.push(error))
  const closed = new Promise<void>(resolve => stream.once('close', () => resolve()))
  stream.resume()
  await setTimeout()
  streams.stop()
  ring.add({ topic: 'd', partition: 0, position: 1, name: 'dead-letter', data: {} })
  streams.moved()
  await closed
  assert.deepEqual(failures, [])
})

test('a client whose socket is not read is cut as well, and its memory is given back', async t => {
  const { start, tell } = await open(t)
  const { url, clients } = await start('a')
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  t.after(() => socket.destroy())
  socket.pause()
  socket.write(`GET /v1/events HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`)
  const deadline = Date.now() + DEADLINE_MS
  while (clients() === 0) {
    assert.ok(Date.now() < deadline)
    await setTimeout(10)
  }
  const lastError = 'x'.repeat(4_000)
  const sinks = Array.from(
    { length: 500 },
    (_, at): Milestone => ({
      kind: 'sink',
      articleId: `press.a${at}`,
      at: AT,
      version: 1,
      sink: { kind: 'outlet', id: 'o' },
      state: 'retrying',
      attempts: 1,
      lastError,
    }),
  )
  while (clients() > 0) {
    assert.ok(Date.now() < deadline, 'it was not cut')
    await tell(...sinks)
    await setTimeout(10)
  }
})

test('the ring keeps the newest within its bounds, and knows whom it can serve', () => {
  const ring = createEventRing({ mostEvents: 3 })
  const event = (partition: number, position: number): LiveEvent => ({ topic: 'm', partition, position, name: 'sink', data: {} })
  assert.ok(ring.reaches(new Map()), 'nothing came yet')
  for (const [partition, position] of [
    [0, 10],
    [1, 0],
    [0, 11],
    [0, 11],
    [0, 12],
  ] as const)
    ring.add(event(partition, position))
  assert.equal(toEventId(ring.last()), 'm0.12-m1.0')
  assert.deepEqual([ring.first(), ring.next(), ring.at(0), ring.at(4)], [1, 4, null, undefined])
  const reaches = (id: string) => ring.reaches(parseEventId(id) ?? new Map())
  assert.ok(reaches('m0.10-m1.0'), 'all since 10 is there')
  assert.ok(reaches('m0.10'), 'all of the other partition is there')
  assert.equal(reaches('m0.9-m1.0'), false, '10 is gone')
  assert.equal(reaches('m0.13-m1.0'), false, 'another log')
  assert.equal(reaches('m0.12-m1.0-m7.0'), false, 'a partition that nothing is known of')
  const many = new Map(Array.from({ length: 600 }, (_, partition) => [`m${partition}`, 10 ** 12 + partition]))
  assert.deepEqual(parseEventId(toEventId(many)), many, 'an id of hundreds of partitions')
  assert.equal(parseEventId('m0.1-'), null)
  assert.equal(parseEventId(`m0.${'1'.repeat(17)}`), null)
  const large = createEventRing({ mostBytes: 1_000 })
  for (let position = 0; position < 100; position++) large.add({ ...event(0, position), data: { filler: 'x'.repeat(100) } })
  assert.ok(large.next() - large.first() < 10)
})
