import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { UnavailableError } from '@newswire/events/errors'
import type { Objects } from '@newswire/objects/objects'
import { DueQueue } from './due-queue.ts'
import { liveFact } from './samples.ts'
import { createSlots } from './slots.ts'
import { createTell, type Said, type Told, toMilestones, toSinkMilestone } from './tell.ts'
import { createView } from './view.ts'

test('what is due comes out in the order of its time', () => {
  for (let size = 0; size < 60; size++) {
    // Multiples of a prime visit every residue in a scattered order; the last third repeats times that are there already.
    const times = Array.from({ length: size }, (_, index) => (index * 37) % 41)
    const queue = new DueQueue<number>()
    for (const at of times) queue.push(at, at)
    const out: number[] = []
    for (let next = queue.peek(); next !== undefined; next = queue.peek()) {
      out.push(next.item)
      queue.pop()
    }
    assert.deepEqual(
      out,
      times.toSorted((a, b) => a - b),
    )
  }
})

test('what no longer stands is let go of before it is most of what is kept, and the order holds', () => {
  const turns = new Map<number, number>()
  const queue = new DueQueue<number>((id, turn) => turns.get(id) === turn)
  for (let turn = 1; turn <= 100; turn++)
    for (let id = 0; id < 100; id++) {
      turns.set(id, turn)
      queue.push((id * 37) % 101, id, turn)
    }
  const out: number[] = []
  let entries = 0
  for (let next = queue.peek(); next !== undefined; next = queue.peek()) {
    if (turns.get(next.item) === next.turn) out.push(next.atMs)
    entries += 1
    queue.pop()
  }
  assert.equal(out.length, 100)
  assert.deepEqual(
    out,
    out.toSorted((a, b) => a - b),
  )
  assert.ok(entries <= 256, `${entries} entries for 100 things`)
})

describe('slots', () => {
  const never = () => assert.fail('nothing became free')

  test('failing outlets get a fifth of them, healthy ones all', () => {
    const slots = createSlots({ total: 10 })
    const failing = () => slots.take({ failing: true, urgent: false, onFree: never })
    assert.ok(failing() !== null && failing() !== null)
    assert.equal(failing(), null)
    for (let i = 0; i < 8; i++) assert.ok(slots.take({ failing: false, urgent: false, onFree: never }) !== null)
    assert.equal(slots.take({ failing: false, urgent: false, onFree: never }), null)
    assert.equal(slots.inUse(), 10)
  })

  test('whoever was turned away is called when one is free, kills first; giving back twice is once', () => {
    const slots = createSlots({ total: 1, reserve: 0 })
    const free = slots.take({ failing: false, urgent: false, onFree: never })
    const called: string[] = []
    slots.take({ failing: false, urgent: false, onFree: () => called.push('other') })
    slots.take({ failing: false, urgent: true, onFree: () => called.push('kill') })
    free?.()
    free?.()
    assert.deepEqual(called, ['kill', 'other'])
    assert.equal(slots.inUse(), 0)
  })

  test('a kill does not wait for what others have in flight; those of failing outlets leave half of that to the others', () => {
    const slots = createSlots({ total: 10, reserve: 4 })
    const ignore = () => undefined
    const take = (failing: boolean, urgent: boolean) => slots.take({ failing, urgent, onFree: ignore })
    for (let i = 0; i < 2; i++) assert.ok(take(true, false) !== null)
    for (let i = 0; i < 8; i++) assert.ok(take(false, false) !== null)
    assert.equal(take(false, false), null)
    const kills = [take(true, true), take(true, true), take(true, true), take(false, true), take(false, true), take(false, true)]
    assert.deepEqual(
      kills.map(one => one !== null),
      [true, true, false, true, true, false],
    )
  })
})

describe('slow requests', () => {
  const slotsOf = (options: Parameters<typeof createSlots>[0]) => {
    const timers = new Set<() => void>()
    const after = (_ms: number, run: () => void) => {
      timers.add(run)
      return () => void timers.delete(run)
    }
    const pass = () => {
      for (const run of timers) run()
      timers.clear()
    }
    return { slots: createSlots({ ...options, after }), pass, timers }
  }
  const request = { failing: false, urgent: false, onFree: () => undefined }

  test('give their places to others, up to so many', () => {
    const { slots, pass } = slotsOf({ total: 2, slow: 1 })
    slots.take(request)
    slots.take(request)
    const called: string[] = []
    assert.equal(slots.take({ ...request, onFree: () => void called.push('free') }), null)
    pass()
    assert.deepEqual(called, ['free'])
    assert.ok(slots.take(request) !== null)
    assert.equal(slots.take(request), null)
    assert.equal(slots.inUse(), 3)
  })

  test('that end give back what they have, and leave no timer', () => {
    const { slots, pass, timers } = slotsOf({ total: 1, slow: 1 })
    const slow = slots.take(request)
    pass()
    const quick = slots.take(request)
    slow?.()
    slow?.()
    quick?.()
    assert.equal(slots.inUse(), 0)
    assert.equal(timers.size, 0)
  })

  test('that failed before keep to their share', () => {
    const { slots, pass } = slotsOf({ total: 10 })
    slots.take({ ...request, failing: true })
    slots.take({ ...request, failing: true })
    pass()
    assert.equal(slots.take({ ...request, failing: true }), null)
  })
})

test('of a thousand who wait only as many are asked as can have a place', () => {
  const slots = createSlots({ total: 1 })
  const free = slots.take({ failing: false, urgent: false, onFree: () => undefined })
  let asked = 0
  for (let n = 0; n < 1_000; n++) {
    const onFree = () => {
      asked += 1
      slots.take({ failing: false, urgent: false, onFree })
    }
    assert.equal(slots.take({ failing: false, urgent: false, onFree }), null)
  }
  free?.()
  assert.equal(asked, 1)
})

describe('milestones', () => {
  const news = (version: number, told: Partial<Told> = {}, outletId = 'partner'): Said => ({
    outletId,
    told: { articleId: 'press.a', version, state: 'retrying', attempts: 1, ...told },
    cause: { id: `cause-${outletId}`, correlationid: 'a-submission' },
    atMs: Date.parse('2026-11-24T03:00:00.000Z'),
  })
  const idOf = (version: number, attempts = 1) => toSinkMilestone(news(version, { attempts })).id

  test('a repeat has the same id, another attempt another one', () => {
    assert.equal(idOf(1), idOf(1))
    assert.notEqual(idOf(1), idOf(1, 2))
    assert.notEqual(idOf(1), idOf(2))
  })

  test('those that come while one is being published go together in the next', async () => {
    const batches: number[] = []
    const tell = createTell(async events => {
      batches.push(events.length)
      await new Promise(resolve => setImmediate(resolve))
      return []
    })
    const first = tell([news(1)])
    await new Promise(resolve => queueMicrotask(() => resolve(undefined)))
    await Promise.all([first, tell([news(2)]), tell([news(3), news(4)])])
    assert.deepEqual(batches, [1, 3])
  })

  test('outlets that hold the same version are told in one record, at the time of the last; what went otherwise is told alone', () => {
    const done = (version: number, outletId: string, told: Partial<Told> = {}) => news(version, { state: 'done', ...told }, outletId)
    const events = toMilestones([
      done(2, 'a'),
      news(2, {}, 'b'),
      done(1, 'c'),
      done(2, 'd', { attempts: 2 }),
      { ...done(2, 'e'), atMs: Date.parse('2026-11-24T03:00:01.000Z') },
      done(2, 'f', { articleId: 'press.b' }),
      { ...done(2, 'g'), cause: { id: 'of another submission' } },
    ])
    const told = events.map(({ data }) =>
      data.kind === 'sink' ? `${data.articleId} ${data.version} ${[data.sink.id, ...(data.also ?? [])]}` : '',
    )
    assert.deepEqual(told, ['press.a 2 a,e', 'press.a 2 b', 'press.a 1 c', 'press.a 2 d', 'press.b 2 f', 'press.a 2 g'])
    assert.equal(events[0]?.data.at, '2026-11-24T03:00:01.000Z')
    assert.equal(new Set(events.map(({ id }) => id)).size, events.length)
  })

  test('a failure is told to those who were in it, and the next goes on', async () => {
    let away = true
    const tell = createTell(async () => {
      if (away) throw new UnavailableError('NEWSWIRE_LOG_UNAVAILABLE', 'away')
      return []
    })
    await assert.rejects(tell([news(1)]), { code: 'NEWSWIRE_LOG_UNAVAILABLE' })
    away = false
    await tell([news(1)])
  })
})

describe('the read of the current state', () => {
  const storeOf = (versions: number[]) => {
    const reads: string[] = []
    const get: Objects['get'] = async key => {
      reads.push(key)
      const version = versions.length > 1 ? (versions.shift() ?? 1) : (versions[0] ?? 1)
      const fact = liveFact({ articleId: 'press.a', version })
      const bytes = new TextEncoder().encode(JSON.stringify({ released: { fact } }))
      return { bytes, etag: '1', contentType: 'application/json', lastModified: new Date(0) }
    }
    return { get, reads }
  }

  test('is shared by those who want this version or an older one, for a second', async () => {
    let nowMs = 0
    const store = storeOf([3])
    const { read } = createView(store, () => nowMs)
    await Promise.all([read('press.a', 3), read('press.a', 1), read('press.a', 3)])
    nowMs = 999
    assert.equal((await read('press.a', 2))?.version, 3)
    assert.equal(store.reads.length, 1)
    nowMs = 1_000
    await read('press.a', 2)
    assert.equal(store.reads.length, 2)
  })

  test('is never used for a newer version than it saw', async () => {
    const { read } = createView(storeOf([1, 2]), () => 0)
    assert.equal((await read('press.a', 1))?.version, 1)
    assert.equal((await read('press.a', 2))?.version, 2)
  })

  test('that failed is not kept', async () => {
    const store = storeOf([1])
    let away = true
    const get: Objects['get'] = key =>
      away ? Promise.reject(new UnavailableError('NEWSWIRE_OBJECTS_UNAVAILABLE', 'away')) : store.get(key)
    const { read } = createView({ get }, () => 0)
    await assert.rejects(async () => read('press.a', 1))
    away = false
    assert.equal((await read('press.a', 1))?.version, 1)
  })
})

test('ten thousand who are called, and give their place back at once, take no stack', () => {
  const slots = createSlots({ total: 1 })
  const first = slots.take({ failing: false, urgent: false, onFree: () => undefined })
  let called = 0
  const goAndStop = () => {
    called += 1
    slots.take({ failing: false, urgent: false, onFree: () => undefined })?.()
  }
  for (let n = 0; n < 10_000; n++) slots.take({ failing: false, urgent: false, onFree: () => goAndStop() })
  first?.()
  assert.deepEqual([called, slots.inUse()], [10_000, 0])
})
