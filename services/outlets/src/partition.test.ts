import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createDiskObjects } from '@newswire/objects/disk'
import type { Actor } from './actor.ts'
import { type Clock, DOUBT_MS } from './book.ts'
import { createHandover } from './handover.ts'
import { holdPartition, TAKE_OVER_WAIT_MS } from './partition.ts'
import { forgotten } from './worker.ts'

const clock: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}
const SCALE = 0.02
const WAIT_MS = TAKE_OVER_WAIT_MS * SCALE
/** Whoever waits under this scale has not come to an end when the test's own time is over. */
const FOR_EVER = { scale: 1_000 }
const IN_TIME = { timeout: 10_000 }

const storeFor = async (t: TestContext) => {
  const folder = await mkdtemp(join(tmpdir(), 'newswire-partition-'))
  const objects = await createDiskObjects({ root: folder, fsync: 'normal' })
  t.after(async () => {
    await objects.close()
    await rm(folder, { recursive: true, force: true })
  })
  return objects
}

/** Says what was asked of it; ends when told. */
const quietActor = (calls: string[], ended: Promise<void> = Promise.resolve(), isAllWritten = true): Actor => ({
  want: async () => undefined,
  load: async clean => void calls.push(clean ? 'load after a clean end' : 'load'),
  review: () => undefined,
  refresh: async () => undefined,
  sweep: async () => undefined,
  stats: () => ({ backlog: 0, inFlight: 0, oldestSinceMs: null, suspended: false, open: false }),
  close: async () => {
    calls.push('close')
    await ended
    return isAllWritten
  },
})

const hold = (
  objects: Awaited<ReturnType<typeof storeFor>>,
  owner: string,
  { shared = true, actor = quietActor([]), scale = SCALE, now = clock.now } = {},
) =>
  holdPartition(3, {
    handover: createHandover(objects, owner),
    clock: { ...clock, now },
    scale,
    shared,
    ids: () => ['partner'],
    createActor: () => actor,
    onError: error => assert.fail(String(error)),
  })

const timeOf = async (act: () => Promise<unknown>): Promise<number> => {
  const beganAt = performance.now()
  await act()
  return performance.now() - beganAt
}

test('a partition that nobody ever held is taken at once', IN_TIME, async t => {
  const partition = hold(await storeFor(t), 'first', FOR_EVER)
  assert.deepEqual(await partition.ready, { clean: true })
  await partition.release()
})

test('a partition that was handed over is taken at once', IN_TIME, async t => {
  const objects = await storeFor(t)
  const first = hold(objects, 'first')
  await first.ready
  await first.release()
  const second = hold(objects, 'second', FOR_EVER)
  assert.deepEqual(await second.ready, { clean: true })
  await second.release()
})

test('without a hand-over the next owner waits until a zombie can send no more', async t => {
  const objects = await storeFor(t)
  await hold(objects, 'killed').ready
  const calls: string[] = []
  const next = hold(objects, 'next', { actor: quietActor(calls) })
  assert.ok((await timeOf(() => next.ready)) >= WAIT_MS * 0.95)
  assert.deepEqual(await next.ready, { clean: false })
  assert.deepEqual(calls, ['load'], 'what is pending is read after the wait, when nobody changes it any more')
  await next.release()
})

test('the embedded log never waits, but knows that the end was not clean', IN_TIME, async t => {
  const objects = await storeFor(t)
  await hold(objects, 'killed', { shared: false }).ready
  const next = hold(objects, 'next', { shared: false, ...FOR_EVER })
  assert.deepEqual(await next.ready, { clean: false })
  await next.release()
})

test('the mark comes only after everything in flight has come to an end, and ends the wait of the next owner', async t => {
  const objects = await storeFor(t)
  const flight = Promise.withResolvers<void>()
  const first = hold(objects, 'first', { actor: quietActor([], flight.promise) })
  await first.ready
  const released = first.release()
  const { isClean } = createHandover(objects, 'somebody')
  assert.equal(await isClean(3), false)
  const second = hold(objects, 'second')
  flight.resolve()
  await released
  assert.deepEqual(await second.ready, { clean: true })
  await second.release()
})

test('an owner that could not write down an end says so: the next one need not wait, and does not take it for clean', IN_TIME, async t => {
  const objects = await storeFor(t)
  const first = hold(objects, 'first', { actor: quietActor([], undefined, false) })
  await first.ready
  await first.release()
  const calls: string[] = []
  const second = hold(objects, 'second', { ...FOR_EVER, actor: quietActor(calls) })
  assert.deepEqual(await second.ready, { clean: false })
  assert.deepEqual(calls, ['load'])
  await second.release()
  const third = hold(objects, 'third', FOR_EVER)
  assert.deepEqual(await third.ready, { clean: false }, 'what nobody remembers may still arrive in the time of the one after')
  await third.release()
})

test('after ten minutes nothing of a forgotten owner can arrive any more, and the hand-over is clean again', IN_TIME, async t => {
  const objects = await storeFor(t)
  await hold(objects, 'killed', { shared: false }).ready
  let passedMs = 0
  const next = hold(objects, 'next', { shared: false, now: () => clock.now() + passedMs })
  assert.deepEqual(await next.ready, { clean: false })
  passedMs = DOUBT_MS
  await next.release()
  const after = hold(objects, 'after', FOR_EVER)
  assert.deepEqual(await after.ready, { clean: true })
  await after.release()
})

test('a zombie cannot declare clean what somebody else holds by now', async t => {
  const objects = await storeFor(t)
  const zombie = hold(objects, 'zombie', { shared: false })
  await zombie.ready
  const owner = hold(objects, 'owner', { shared: false })
  await owner.ready
  await zombie.release()
  assert.equal(await createHandover(objects, 'somebody').isClean(3), false)
  await owner.release()
  assert.equal(await createHandover(objects, 'somebody').isClean(3), true)
})

test('a partition that is lost while it waits lets its intents go, and leaves the mark as it was', async t => {
  const objects = await storeFor(t)
  await hold(objects, 'killed').ready
  const next = hold(objects, 'next')
  const gone = assert.rejects(next.ready, { code: 'NEWSWIRE_OUTLETS_LOST' })
  await next.release()
  await gone
  assert.equal(next.isHeld(), false)
  assert.equal(await createHandover(objects, 'somebody').isClean(3), false)
})

test('after an end that was not clean everything may have been sent for ten minutes, but of what first came since', () => {
  const [unclean, clean] = [
    { clean: false, sinceMs: 1_000 },
    { clean: true, sinceMs: 1_000 },
  ]
  assert.equal(forgotten(unclean, { timestamp: 900, first: true }), 0, 'the owner before may have had it in hand')
  assert.equal(forgotten(unclean, { timestamp: 1_001, first: true }), null)
  assert.equal(forgotten(unclean, { timestamp: 1_001, first: false }), 0, 'of an earlier version')
  assert.equal(forgotten(unclean, { timestamp: 1_001 + DOUBT_MS, first: false }), null)
  assert.equal(forgotten(clean, { timestamp: 900, first: true }), null)
})
