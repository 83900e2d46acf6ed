import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RejectError } from '@newswire/events/errors'
import { eventually, text } from './contract-kit.ts'
import { createLanes, type LanesOptions } from './lanes.ts'
import type { LogRecord, SubscribeOptions } from './log.ts'

const record = (position: number, key: string | null = 'k', value = `${position}`, headers = {}): LogRecord => ({
  topic: 't',
  partition: 0,
  position,
  key,
  value: new TextEncoder().encode(value),
  headers,
  timestamp: 0,
})

type Handle = SubscribeOptions['handle']

const lanesFor = (handle: Handle, over: Partial<LanesOptions> = {}, subscription: Partial<SubscribeOptions> = {}) => {
  const flow: string[] = []
  const errors: Error[] = []
  const lanes = createLanes({
    subscription: { topic: 't', group: 'g', handle, ...subscription },
    bury: async () => undefined,
    flow: { pause: partition => flow.push(`pause ${partition}`), resume: partition => flow.push(`resume ${partition}`) },
    onError: error => errors.push(error),
    retryScale: 0.001,
    ...over,
  })
  const isAt = (partition: number, position: number) =>
    eventually(
      () => `done up to ${position}, is at ${lanes.done().get(partition)}`,
      () => lanes.done().get(partition) === position,
    )
  return { lanes, flow, errors, isAt }
}

const gate = () => Promise.withResolvers<void>()
const holding = { gained: [0], lost: [] }

test('only what is done without a gap may be committed, also over holes', async () => {
  const slow = gate()
  const { lanes, isAt } = lanesFor(([one]) => (one?.key === 'slow' ? slow.promise : Promise.resolve()))
  await lanes.assign(holding)
  assert.equal(lanes.done().size, 0)
  lanes.add(0, [record(5, 'a'), record(7, 'slow'), record(9, 'b')], 20)
  await isAt(0, 6)
  await eventually(
    () => 'the third is handled',
    () => lanes.stats().handled === 2,
  )
  assert.equal(lanes.done().get(0), 6)
  slow.resolve()
  await isAt(0, 20)
  lanes.add(0, [], 31)
  assert.equal(lanes.done().get(0), 31)
  await lanes.stop()
})

test('a lost partition drops what waits, aborts what is in flight, and its end no longer counts', async () => {
  const open = gate()
  const handled: string[] = []
  let signal: AbortSignal | undefined
  const { lanes } = lanesFor(async ([one], context) => {
    handled.push(one ? text(one) : '')
    signal = context.signal
    await open.promise
  })
  await lanes.assign(holding)
  lanes.add(0, [record(0), record(1)])
  assert.deepEqual(handled, ['0'])
  await lanes.assign({ gained: [], lost: [0] })
  assert.equal(signal?.aborted, true)
  const isQuiet = lanes.quiet(0)
  open.resolve()
  await isQuiet
  assert.deepEqual([handled, lanes.done().size, lanes.stats().handled, lanes.stats().waiting], [['0'], 0, 0, 0])
  lanes.add(0, [record(0)])
  assert.deepEqual(handled, ['0'])
  await lanes.stop()
})

test('a lane that comes back with its partition waits for the call that still runs from before', async () => {
  const gates = [gate(), gate()]
  const begun: string[] = []
  const { lanes, isAt } = lanesFor(async ([one]) => {
    begun.push(one ? text(one) : '')
    await gates[begun.length - 1]?.promise
  })
  await lanes.assign(holding)
  lanes.add(0, [record(0)])
  await lanes.assign({ gained: [0], lost: [0] })
  lanes.add(0, [record(0), record(1, 'other')])
  assert.deepEqual(begun, ['0', '1'])
  gates[1]?.resolve()
  await eventually(
    () => 'the other lane is done',
    () => lanes.stats().handled === 1,
  )
  assert.deepEqual(begun, ['0', '1'])
  gates[0]?.resolve()
  await isAt(0, 2)
  assert.deepEqual(begun, ['0', '1', '0'])
  await lanes.stop()
})

test('fetching is asked to pause above the limit, by records and by bytes, and to go on well below it', async () => {
  const open = gate()
  const { lanes, flow, isAt } = lanesFor(() => open.promise, {}, { maxBuffered: 10, concurrency: 1 })
  await lanes.assign({ gained: [0, 1], lost: [] })
  lanes.add(
    0,
    Array.from({ length: 10 }, (_, i) => record(i)),
  )
  assert.deepEqual([flow, lanes.isFull(0)], [[], false])
  lanes.add(0, [record(10)])
  assert.deepEqual([flow, lanes.isFull(0)], [['pause 0'], true])
  lanes.add(1, [{ ...record(0), value: new Uint8Array(17 * 1_048_576) }])
  assert.deepEqual(flow, ['pause 0', 'pause 1'])
  open.resolve()
  await isAt(0, 11)
  await isAt(1, 1)
  assert.deepEqual(flow.sort(), ['pause 0', 'pause 1', 'resume 0', 'resume 1'])
  await lanes.stop()
})

test('one stuck lane lets others run ahead of it only so far', async () => {
  const open = gate()
  const { lanes, flow } = lanesFor(([one]) => (one?.key === 'stuck' ? open.promise : Promise.resolve()), {}, { maxBuffered: 10 })
  await lanes.assign(holding)
  lanes.add(0, [record(0, 'stuck')])
  for (let i = 1; i <= 250 && !lanes.isFull(0); i += 5) {
    lanes.add(
      0,
      Array.from({ length: 5 }, (_, k) => record(i + k, `k${i + k}`)),
    )
    await eventually(
      () => 'the others are handled',
      () => lanes.stats().handled === i + 4,
    )
  }
  assert.deepEqual(flow, ['pause 0'])
  open.resolve()
  await eventually(
    () => 'it goes on',
    () => flow.length === 2,
  )
  await lanes.stop()
})

test('a dead letter that cannot be written is tried until it can, and only then is its record done', async () => {
  let tries = 0
  const { lanes, errors, isAt } = lanesFor(() => Promise.reject(new RejectError('NEWSWIRE_TEST', 'no')), {
    bury: async () => {
      tries += 1
      assert.notEqual(lanes.done().get(0), 1)
      if (tries < 4) throw new RangeError('the log does not take it')
    },
  })
  await lanes.assign(holding)
  lanes.add(0, [record(0)])
  await isAt(0, 1)
  assert.deepEqual([tries, errors.length, lanes.stats().dead, lanes.stats().unavailableSinceMs], [4, 3, 1, null])
  assert.match(errors[0]?.message ?? '', /dead letter of g cannot be written yet: the log does not take it/)
  await lanes.stop()
})

test('a record redriven for another group is committed without being handled', async () => {
  const handled: string[] = []
  const { lanes, isAt } = lanesFor(async ([one]) => void handled.push(one ? text(one) : ''))
  await lanes.assign(holding)
  lanes.add(0, [record(0, 'k', 'other', { 'newswire-redrive-group': 'h' }), record(1, 'k', 'mine', { 'newswire-redrive-group': 'g' })])
  await isAt(0, 2)
  assert.deepEqual(handled, ['mine'])
  await lanes.stop()
})

test('an assignment that the subscriber cannot take yet is told again, visibly, and nothing is handled before', async () => {
  let tries = 0
  const handled: string[] = []
  const { lanes, errors, isAt } = lanesFor(
    async ([one]) => void handled.push(`${one && text(one)} after ${tries}`),
    { retryScale: 0.05 },
    {
      onAssigned: async ({ gained }) => {
        if (gained.length === 0) return
        tries += 1
        if (tries < 3) throw new Error('the store is away')
      },
    },
  )
  void lanes.assign(holding)
  lanes.add(0, [record(0)])
  await eventually(
    () => 'the outage is seen',
    () => lanes.stats().unavailableSinceMs !== null,
  )
  await isAt(0, 1)
  assert.deepEqual([handled, errors.length, lanes.stats().unavailableSinceMs], [['0 after 3'], 2, null])
  await lanes.stop()
})

test('a lane function and observers that throw cost no record', async () => {
  const { lanes, errors, isAt } = lanesFor(
    async () => undefined,
    {
      onHandled: () => {
        throw new Error('observer')
      },
    },
    {
      lane: () => {
        throw new TypeError('lane')
      },
    },
  )
  await lanes.assign(holding)
  lanes.add(0, [record(0), record(1)])
  await isAt(0, 2)
  assert.deepEqual(new Set(errors.map(error => error.message)), new Set(['lane', 'observer']))
  await lanes.stop()
})

test('a key that is stuck, with more than may wait, holds up nothing that comes behind it, and has a limit of its own', async () => {
  const stuck = gate()
  const handled: string[] = []
  const { lanes, flow, isAt } = lanesFor(
    async ([one]) => {
      if (one?.key === 'stuck') await stuck.promise
      else handled.push(`${one?.key}`)
    },
    {},
    { concurrency: 8, keyShare: 0.5, maxBuffered: 10, lane: ({ position }) => String(position) },
  )
  await lanes.assign(holding)
  const stuckAt = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => record(from + index, 'stuck'))
  lanes.add(0, stuckAt(0, 30))
  assert.equal(lanes.isFull(0), false)
  lanes.add(0, [record(30, 'behind')])
  await eventually(
    () => 'what is behind is handled',
    () => handled.length === 1,
  )
  lanes.add(0, stuckAt(31, 90))
  assert.deepEqual([lanes.isFull(0), flow], [true, ['pause 0']])
  stuck.resolve()
  await isAt(0, 90)
  assert.deepEqual([lanes.isFull(0), flow], [false, ['pause 0', 'resume 0']])
  await lanes.stop()
})

test('attempts count the tries of a record, also those it had within a batch', async () => {
  const calls: string[] = []
  const { lanes, isAt } = lanesFor(
    async (records, { attempt }) => {
      calls.push(`${records.map(text).join('+')} ${attempt}`)
      if (records.some(one => text(one) === '1')) throw new Error('bad')
    },
    {},
    { batch: 3, retry: [1] },
  )
  lanes.pause()
  await lanes.assign(holding)
  lanes.add(0, [record(0), record(1), record(2), record(3)])
  lanes.resume()
  await isAt(0, 4)
  assert.deepEqual(calls, ['0+1+2 1', '0+1+2 2', '0 3', '1 3', '1 4', '2 3', '3 1'])
  assert.deepEqual([lanes.stats().handled, lanes.stats().dead], [3, 1])
  await lanes.stop()
})

test('a partition goes on once what fills it waits for itself, whichever partition gave its key the places', async () => {
  const others = gate()
  const stuck = gate()
  const { lanes, flow } = lanesFor(
    async ([one]) => (one?.key === 'stuck' ? stuck.promise : others.promise),
    {},
    { concurrency: 8, keyShare: 0.5, maxBuffered: 10, lane: ({ position }) => String(position) },
  )
  await lanes.assign({ gained: [0, 1], lost: [] })
  // Two keys of the other partition have all places, so that this one's has none in hand.
  lanes.add(
    1,
    Array.from({ length: 8 }, (_, position) => ({ ...record(position, position % 2 ? 'x' : 'y'), partition: 1 })),
  )
  lanes.add(
    0,
    Array.from({ length: 30 }, (_, position) => record(position, 'stuck')),
  )
  assert.deepEqual([flow, lanes.isHalted()], [['pause 0'], true])
  others.resolve()
  await eventually(
    () => `it goes on: ${flow}`,
    () => flow.at(-1) === 'resume 0',
  )
  assert.equal(lanes.isHalted(), false)
  stuck.resolve()
  await lanes.stop()
})

test('a number of places that is none is one, and everything is handled', async () => {
  const said = [Number.NaN, 0, -3, 0.5, Number.POSITIVE_INFINITY, 1]
  const { lanes, isAt } = lanesFor(
    async () => undefined,
    {},
    { concurrency: 2, places: ({ position }) => said[position % said.length] ?? 1 },
  )
  await lanes.assign(holding)
  lanes.add(
    0,
    Array.from({ length: 12 }, (_, position) => record(position, `k${position}`)),
  )
  await isAt(0, 12)
  await lanes.stop()
})

test('what joins a lane is told of while the lane is still busy, and an observer that throws costs nothing', async () => {
  const first = gate()
  const waiting: number[] = []
  const { lanes, errors, isAt } = lanesFor(
    ([one]) => (one?.position === 0 ? first.promise : Promise.resolve()),
    {},
    {
      onWaiting: ({ position }) => {
        waiting.push(position)
        if (position === 2) throw new Error('an observer’s own fault')
      },
    },
  )
  await lanes.assign(holding)
  lanes.add(0, [record(0)])
  lanes.add(0, [record(1), record(2)])
  assert.deepEqual(waiting, [0, 1, 2])
  assert.deepEqual(
    errors.map(error => error.message),
    ['an observer’s own fault'],
  )
  first.resolve()
  await isAt(0, 3)
  await lanes.stop()
})
