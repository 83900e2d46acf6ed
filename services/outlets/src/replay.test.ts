/** A replay against an embedded log: what it wants, in which order, how many at once, and where it goes on. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fromRecord, toRecord } from '@newswire/events/events'
import { newId } from '@newswire/events/ids'
import { topics } from '@newswire/events/topics'
import { createEmbeddedLog } from '@newswire/log/embedded'
import { publishEvents } from '@newswire/log/events'
import { wantAgain } from './again.ts'
import { admit, hold, wantVersion } from './machine.ts'
import { type ReplayProgress, type ReplayRequest, replay } from './replay.ts'

const NONE: ReplayProgress = { sequence: null, articles: 0, endSequence: null }

const open = async (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-replay-'))
  const log = await createEmbeddedLog({ file: join(folder, 'log.db'), fsync: 'normal' })
  t.after(async () => {
    await log.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const newest = new Map<string, Readonly<{ version: number; kill: boolean }>>()
  const want = async (articleId: string, version = 1, outletId = 'partner', also: readonly string[] = []): Promise<number> => {
    const data = { outletId, also: [...also], articleId, version }
    const time = new Date().toISOString()
    const [found] = await log.publish([toRecord({ id: newId(), type: 'delivery.wanted', source: '/x', subject: outletId, time, data })])
    return found?.position ?? -1
  }
  const again = async () => {
    const partition = log.partitionOf(topics.deliveries.name, 'partner')
    const { records } = await log.read({ topic: topics.deliveries.name, partition, from: 'start', limit: 5_000 })
    return records.flatMap(record => {
      const event = fromRecord(record)
      return event?.type === 'delivery.wanted' && event.data.again !== undefined ? [{ id: event.id, ...event.data }] : []
    })
  }
  const run = async (from: ReplayRequest['from'], progress = NONE, { stopAfter = Number.POSITIVE_INFINITY } = {}) => {
    const controller = new AbortController()
    const notes: ReplayProgress[] = []
    let largest = 0
    const subscription = await log.subscribe({
      topic: topics.deliveries.name,
      group: 'outlets',
      from: 'start',
      handle: async () => undefined,
    })
    const publish = publishEvents(log)
    const request: ReplayRequest = { id: 'r1', outletId: 'partner', at: new Date().toISOString(), by: 'operator', kind: 'replay', from }
    const done = replay(request, progress, {
      newest: async articleId => newest.get(articleId) ?? null,
      log,
      publish: events => {
        largest = Math.max(largest, events.length)
        return publish(events)
      },
      note: async at => {
        notes.push(at)
        if (notes.length >= stopAfter) controller.abort()
      },
      wait: () => new Promise(resolve => setImmediate(resolve)),
      signal: controller.signal,
    })
    return { articles: await done.catch(() => null), notes, largest, stop: await subscription.stop() }
  }
  const isNeighbour = (id: string) => log.partitionOf(topics.deliveries.name, id) === log.partitionOf(topics.deliveries.name, 'partner')
  const neighbour = Array.from({ length: 1_000 }, (_, at) => `n${at}`).find(isNeighbour) ?? assert.fail('a thousand lie elsewhere')
  return { want, again, run, newest, neighbour }
}

test('each article is wanted once, at the newest version that came, by the order of its first coming; others’ are not', async t => {
  const { want, again, run } = await open(t)
  await want('press.before')
  const first = await want('press.a')
  await want('press.b')
  await want('press.x', 1, 'somebody-else')
  await want('press.c')
  await want('press.b', 2)
  assert.equal((await run({ sequence: first })).articles, 2)
  assert.deepEqual(
    (await again()).map(one => [one.articleId, one.version]),
    [
      ['press.b', 2],
      ['press.c', 1],
    ],
  )
})

test('what an outlet was sent by an intent that it shared goes again to it alone', async t => {
  const { want, again, run, neighbour } = await open(t)
  await want('press.first')
  const before = await want('press.before')
  await want('press.a', 1, 'partner', [neighbour])
  await want('press.b', 1, neighbour, ['partner'])
  await want('press.c', 1, neighbour)
  assert.equal((await run({ sequence: before })).articles, 2)
  assert.deepEqual(
    (await again()).map(one => [one.articleId, one.outletId, one.also]),
    [
      ['press.a', 'partner', undefined],
      ['press.b', 'partner', undefined],
    ],
  )
})

test('what goes again is the article as it is now, however long after the replay’s end that was released', async t => {
  const { want, again, run, newest } = await open(t)
  await want('press.first')
  const before = await want('press.before')
  await want('press.a')
  await want('press.b')
  newest.set('press.a', { version: 3, kill: false })
  newest.set('press.b', { version: 2, kill: true })
  await run({ sequence: before })
  assert.deepEqual(
    (await again()).map(one => [one.articleId, one.version, one.kill ?? false]),
    [
      ['press.a', 3, false],
      ['press.b', 2, true],
    ],
  )
})

test('64 are under way at once, and one that is stopped goes on behind the last of them', async t => {
  const { want, again, run } = await open(t)
  for (let n = 0; n < 150; n++) await want(`press.a${n}`)
  const from = { time: new Date(Date.now() - 60_000).toISOString() }
  const stopped = await run(from, NONE, { stopAfter: 1 })
  assert.deepEqual([stopped.articles, stopped.largest, stopped.notes.at(-1)?.articles], [null, 64, 64])
  const { articles } = await run(from, stopped.notes.at(-1))
  assert.equal(articles, 150)
  const ids = (await again()).map(one => one.articleId)
  assert.equal(new Set(ids).size, 150)
  assert.equal(ids.length, 150, 'nothing twice')
})

test('a replay that is done again from the start wants the same events', async t => {
  const { want, again, run } = await open(t)
  await want('press.a')
  await want('press.b')
  const from = { time: new Date(Date.now() - 60_000).toISOString() }
  await run(from)
  const ids = new Set((await again()).map(one => one.id))
  await run(from)
  assert.deepEqual(new Set((await again()).map(one => one.id)), ids)
})

test('what was refused or given up is tried from the start, what waits is due now, what is on its way goes once', () => {
  const intent = { version: 1, kill: false, sequence: 7, maybeSent: null, again: true }
  const pending = wantVersion(null, { ...intent, sequence: 1, again: false }, 0)
  const tried = { ...pending, attempts: 5, firstFailedAtMs: 1, lastError: 'it answered 422', nextAtMs: 9_000 }
  for (const phase of ['rejected', 'dead', 'wait'] as const) {
    const next = wantAgain({ ...tried, phase }, intent, 50)
    // What still waits keeps its place in a strict line: nothing has ended before what came after it.
    const sequence = phase === 'wait' ? 1 : 7
    assert.deepEqual([next.phase, next.attempts, next.nextAtMs, next.lastError, next.sequence], ['pending', 0, 50, null, sequence], phase)
  }
  const inflight = { ...tried, phase: 'inflight' as const }
  assert.equal(wantAgain(inflight, intent, 50), inflight)
  const settling = { ...tried, phase: 'wait' as const, settling: true }
  assert.equal(wantAgain(settling, intent, 50), settling)
  assert.equal(wantAgain(null, intent, 50).phase, 'pending')
  assert.equal(wantAgain({ ...tried, phase: 'rejected' }, { ...intent, version: 2 }, 50).want, 2)
})

test('what somebody asked for again still waits for its time at the outlet; a retraction does not', () => {
  const intent = { version: 1, kill: false, sequence: 7, maybeSent: null, again: true }
  const held = hold(wantVersion(null, { ...intent, again: false }, 0), 5_000)
  for (const before of [held, null])
    assert.deepEqual(admit(wantAgain(before, intent, 50), { version: 1, kill: false, notBeforeMs: 5_000 }, 50), {
      way: 'hold',
      untilMs: 5_000,
    })
  const kill = wantAgain(null, { ...intent, kill: true }, 50)
  assert.deepEqual(admit(kill, { version: 1, kill: true, notBeforeMs: 5_000 }, 50), { way: 'send' })
})
