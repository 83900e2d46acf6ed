import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { RejectError, UnavailableError } from '@newswire/events/errors'
import type { NewswireEvent } from '@newswire/events/events'
import { toDeadLetter, toRedrive } from '@newswire/log/dead-letter'
import type { EventContext } from '@newswire/log/events'
import { createDiskObjects } from '@newswire/objects/disk'
import { steadyClock } from './engine.ts'
import { createHandover } from './handover.ts'
import { idleActor } from './sample-actor.ts'
import { createWorker } from './worker.ts'

const recordOf = (position: number) => ({
  topic: 'deliveries',
  partition: 0,
  position,
  key: 'partner',
  value: null,
  headers: {},
  timestamp: 0,
})

/** A worker that knows no outlet yet, and which versions its actor was told of. */
const workerFor = async (t: TestContext) => {
  const folder = await mkdtemp(join(tmpdir(), 'newswire-worker-'))
  const objects = await createDiskObjects({ root: folder, fsync: 'normal' })
  const outlets = new Map<string, unknown>()
  const told: number[] = []
  const names: string[] = []
  const failing = new Map<string, Error>()
  const worker = createWorker({
    handover: createHandover(objects, 'owner'),
    clock: steadyClock(Date.now),
    scale: 0.01,
    shared: false,
    partitionOf: id => (id === 'elsewhere' ? 1 : 0),
    outlets: () => outlets,
    createActor: id => ({
      ...idleActor,
      want: async (_, { version }) => {
        const error = failing.get(id)
        if (error !== undefined) throw error
        told.push(version)
        names.push(id)
      },
    }),
    onError: error => assert.fail(String(error)),
  })
  t.after(async () => {
    await worker.stop()
    await objects.close()
    await rm(folder, { recursive: true, force: true })
  })
  await worker.onAssigned({ gained: [0], lost: [] })
  const left: (readonly string[])[] = []
  const want = (version: number, also: readonly string[] = [], since?: number, headers: Readonly<Record<string, string>> = {}) => {
    const data = { outletId: 'partner', also, articleId: 'press.a', version, since, action: 'updated' }
    const record = { partition: 0, position: version, timestamp: Date.now(), headers }
    const leave = (named: readonly string[]) => void left.push(named)
    return worker.onWanted({ id: `${version}`, data } as NewswireEvent<'delivery.wanted'>, { record, leave } as unknown as EventContext)
  }
  return { worker, outlets, told, names, failing, left, want }
}

test('intents of an outlet that is not known yet go on in their order once it is, and what comes after them stays behind', async t => {
  const { worker, outlets, told, want } = await workerFor(t)
  const early = [want(1), want(2)]
  outlets.set('partner', {})
  const late = want(3)
  worker.pump()
  await Promise.all([...early, late, want(4)])
  assert.deepEqual(told, [1, 2, 3, 4])
})

test('intents of an outlet that nobody knows go back to the log, which gives them up in the end', async t => {
  const { told, want } = await workerFor(t)
  await assert.rejects(want(1), /outlet partner is not in the configuration/)
  assert.deepEqual(told, [])
})

test('an intent of several outlets is told to each of them, and goes back whole to the log when one of them is unknown', async t => {
  const { outlets, told, want } = await workerFor(t)
  for (const id of ['partner', 'other']) outlets.set(id, {})
  await want(1, ['other'])
  assert.deepEqual(told, [1, 1])
  await assert.rejects(want(2, ['stranger', 'other']), /outlet stranger is not in the configuration/)
  assert.deepEqual(told, [1, 1, 2, 2])
})

test('an intent that names an outlet of another partition, or what is no outlet, is poison, and nobody is told of it', async t => {
  const { outlets, told, want } = await workerFor(t)
  for (const id of ['partner', 'elsewhere']) outlets.set(id, {})
  for (const also of ['elsewhere', '../other']) await assert.rejects(want(1, [also]), { code: 'NEWSWIRE_OUTLETS_INTENT' })
  assert.deepEqual(told, [])
})

test('an intent of several outlets waits while one of them cannot be told for a fault of ours, whatever is wrong with the others', async t => {
  const { outlets, failing, want } = await workerFor(t)
  for (const id of ['partner', 'other', 'third']) outlets.set(id, {})
  failing.set('partner', new RejectError('NEWSWIRE_X', 'it is poison to this one'))
  failing.set('third', new UnavailableError('NEWSWIRE_Y', 'away'))
  await assert.rejects(want(1, ['other', 'third']), UnavailableError)
  failing.set('third', new Error('a hiccup'))
  await assert.rejects(want(1, ['other', 'third']), /hiccup/)
  failing.delete('third')
  await assert.rejects(want(1, ['other', 'third']), { code: 'NEWSWIRE_X' })
})

test('a redriven intent of several outlets is told to those alone that did not take it', async t => {
  const { outlets, names, failing, left, want } = await workerFor(t)
  for (const id of ['partner', 'other', 'third']) outlets.set(id, {})
  failing.set('third', new RejectError('NEWSWIRE_X', 'it is poison to this one'))
  await assert.rejects(want(1, ['other', 'third']), { code: 'NEWSWIRE_X' })
  assert.deepEqual([names, left], [['partner', 'other'], [['third']]])
  const dead = { record: recordOf(1), group: 'outlets', attempts: 1, firstFailedAt: '', lastFailedAt: '', failures: [] }
  const letter = toDeadLetter({ ...dead, error: { code: 'NEWSWIRE_X', message: '' }, left: ['third'] }, null)
  const { headers = {} } = toRedrive({ key: null, value: null, headers: letter.headers ?? {} })
  failing.clear()
  await want(1, ['other', 'third'], undefined, headers)
  assert.deepEqual(names, ['partner', 'other', 'third'])
})

test('an outlet that an intent names twice is told once', async t => {
  const { outlets, told, want } = await workerFor(t)
  for (const id of ['partner', 'other']) outlets.set(id, {})
  await want(1, ['other', 'partner', 'other'])
  assert.deepEqual(told, [1, 1])
})

test('an intent that wants more versions than an article can have is poison', async t => {
  const { outlets, told, want } = await workerFor(t)
  outlets.set('partner', {})
  await assert.rejects(want(Number.MAX_SAFE_INTEGER, [], 0), { code: 'NEWSWIRE_OUTLETS_INTENT' })
  await want(3, [], 1)
  assert.deepEqual(told, [3])
})
