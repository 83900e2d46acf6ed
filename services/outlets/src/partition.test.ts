import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { UnavailableError } from '@newswire/events/errors'
import { createDiskObjects } from '@newswire/objects/disk'
import type { Actor } from './actor.ts'
import { DOUBT_MS } from './book.ts'
import type { Clock } from './clock.ts'
import { createHandover } from './handover.ts'
import { holdPartition, type Partition, type PartitionNeeds, TAKE_OVER_WAIT_MS } from './partition.ts'
import { idleActor } from './sample-actor.ts'
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
  ...idleActor,
  load: async clean => void calls.push(clean ? 'load after a clean end' : 'load'),
  begin: async () => void calls.push('begin'),
  isIdle: () => false,
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

/** Actors that say what is done to them, and are idle when they are told to be. */
const restingActors = async (
  t: TestContext,
  keepIdle: number,
  atTakeOver: Partial<Pick<PartitionNeeds, 'ids' | 'isLeft' | 'onError'>> = {},
) => {
  const calls: string[] = []
  const busy = new Set<string>()
  const failing = new Set<string>()
  const idle = new Map<string, () => void>()
  let wasBroken = false
  let partition: Partition | null = null
  // Before the store is closed.
  t.after(() => partition?.release())
  const resting = holdPartition(3, {
    handover: createHandover(await storeFor(t), 'owner'),
    clock,
    scale: SCALE,
    shared: false,
    ids: () => [],
    createActor: (id, _owns, onIdle) => {
      calls.push(`make ${id}`)
      idle.set(id, onIdle)
      let isClosed = false
      return {
        ...quietActor([]),
        load: async () => {
          calls.push(`load ${id}`)
          if (id === 'broken' && !wasBroken) {
            wasBroken = true
            throw new Error('its state cannot be read')
          }
        },
        begin: async () => {
          calls.push(`begin ${id}`)
          if (failing.delete(id)) throw new UnavailableError('NEWSWIRE_OBJECTS_UNAVAILABLE', 'away')
        },
        isIdle: () => !isClosed && !busy.has(id),
        close: async () => {
          isClosed = true
          calls.push(`close ${id}`)
          return true
        },
      }
    },
    keepIdle,
    onError: error => assert.fail(String(error)),
    ...atTakeOver,
  })
  partition = resting
  await resting.ready
  const touch = (id: string) => resting.use(id, async () => undefined)
  return {
    partition: resting,
    touch,
    setBusy: (id: string) => busy.add(id),
    failOnce: (id: string) => failing.add(id),
    setIdle: (id: string) => {
      busy.delete(id)
      idle.get(id)?.()
    },
    calls: () => calls.splice(0),
  }
}

test(
  'of those that have nothing to do the ones that were used last are kept; who comes back reads nothing that was left',
  IN_TIME,
  async t => {
    const { partition, touch, calls } = await restingActors(t, 2)
    for (const id of ['a', 'b', 'a', 'c']) await touch(id)
    assert.deepEqual(calls(), ['make a', 'load a', 'make b', 'load b', 'make c', 'load c', 'close b'])
    assert.deepEqual([...partition.rested()], ['b'])
    await touch('b')
    assert.deepEqual(calls(), ['make b', 'begin b', 'close a'])
    assert.deepEqual([...partition.rested()], ['a'])
    assert.ok(partition.isKnown('a') && partition.isKnown('b') && !partition.isKnown('d'))
  },
)

test('at a take-over nothing is made of those of which nothing is left, until something comes', IN_TIME, async t => {
  const ids = Array.from({ length: 100 }, (_, n) => `o${n}`)
  const asked: string[] = []
  const isLeft = async (id: string) => {
    asked.push(id)
    // The store is away for a moment; who is asked for once more counts as one.
    if (id === 'o50' && asked.filter(one => one === id).length === 1) throw new UnavailableError('NEWSWIRE_OBJECTS_UNAVAILABLE', 'away')
    return id === 'o7'
  }
  const { partition, touch, setBusy, calls } = await restingActors(t, 0, { ids: () => ids, isLeft })
  assert.deepEqual(calls(), ['make o7', 'load o7', 'close o7'])
  assert.deepEqual([...new Set(asked)].toSorted(), ids.toSorted())
  assert.deepEqual([...partition.rested()].toSorted(), ids.toSorted())
  setBusy('o8')
  await touch('o8')
  assert.deepEqual(calls(), ['make o8', 'begin o8'])
})

test('one that cannot be looked at or loaded at a take-over keeps none of the others from their work', IN_TIME, async t => {
  const told: string[] = []
  const isLeft = async (id: string) => {
    if (id === 'unlisted') throw new Error('its folder cannot be listed')
    return id === 'broken' || id === 'well'
  }
  const { touch, calls } = await restingActors(t, 9, {
    ids: () => ['unlisted', 'broken', 'well'],
    isLeft,
    onError: error => told.push(String(error)),
  })
  assert.deepEqual(calls().toSorted(), ['load broken', 'load unlisted', 'load well', 'make broken', 'make unlisted', 'make well'])
  assert.deepEqual(told.toSorted(), ['Error: its folder cannot be listed', 'Error: its state cannot be read'])
  await touch('well')
  await touch('broken')
  assert.deepEqual(calls(), ['load broken'], 'what could not be loaded is tried again when something comes')
})

test('whoever has something to do is kept until that is over', IN_TIME, async t => {
  const { touch, setBusy, setIdle, calls } = await restingActors(t, 0)
  setBusy('a')
  await touch('a')
  await touch('b')
  assert.deepEqual(calls(), ['make a', 'load a', 'make b', 'load b', 'close b'])
  setIdle('a')
  assert.deepEqual(calls(), ['close a'])
})

test('whoever is in use is kept, and all who use it at once have the same one', IN_TIME, async t => {
  const { partition, setIdle, calls } = await restingActors(t, 0)
  const goOn = Promise.withResolvers<void>()
  const first = partition.use('a', async actor => {
    await goOn.promise
    return actor
  })
  const second = partition.use('a', async actor => actor)
  await second
  setIdle('a')
  assert.deepEqual(calls(), ['make a', 'load a'])
  goOn.resolve()
  assert.equal(await first, await second)
  assert.deepEqual(calls(), ['close a'])
})

test('an actor that cannot begin is begun until it can, and whoever wanted something first is first to have it', IN_TIME, async t => {
  const { partition, touch, failOnce, calls } = await restingActors(t, 0)
  await touch('a')
  failOnce('a')
  const had: number[] = []
  await Promise.all([1, 2, 3].map(n => partition.use('a', async () => void had.push(n))))
  assert.deepEqual(had, [1, 2, 3])
  assert.deepEqual(
    calls().filter(one => !one.startsWith('close')),
    ['make a', 'load a', 'make a', 'begin a', 'begin a'],
  )
})
