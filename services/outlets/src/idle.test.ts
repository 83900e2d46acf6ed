/** When an actor may be let go of: only when another one, made anew, would do what it would. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accepted, answered, createOneOutlet, noAnswer } from './one-outlet.ts'

const MINUTE = 60_000

test('an outlet that has everything is idle, and one that has still to get something is not', async () => {
  const outlet = createOneOutlet()
  await outlet.pass(0)
  assert.equal(outlet.actor().isIdle(), true)
  const answer = Promise.withResolvers<typeof accepted>()
  outlet.answers(() => answer.promise)
  outlet.release('a', 1)
  outlet.want('a', 1)
  await outlet.pass(0)
  assert.equal(outlet.actor().isIdle(), false, 'it is in flight')
  await outlet.pass(3_000)
  assert.equal(outlet.actor().isIdle(), false, 'it is in flight, and written down')
  answer.resolve(accepted)
  await outlet.pass(0)
  assert.equal(outlet.actor().isIdle(), true)
})

test('what waits for its time in the store keeps it, also after a restart', async () => {
  const outlet = createOneOutlet()
  outlet.answers(() => answered(503))
  outlet.release('a', 1)
  outlet.want('a', 1)
  await outlet.pass(3_000)
  assert.equal(outlet.actor().isIdle(), false)
  outlet.readAtMost(0)
  await outlet.restart()
  assert.equal(outlet.actor().isIdle(), false, 'nothing is read yet')
  outlet.readAtMost(5)
  outlet.answers(() => accepted)
  await outlet.pass(MINUTE)
  assert.equal(outlet.stored('a'), null)
  assert.equal(outlet.actor().isIdle(), true)
})

test('a failure is remembered for the minute in which it counts for the breaker', async () => {
  const outlet = createOneOutlet()
  outlet.answers((_sending, count) => (count === 1 ? answered(503) : accepted))
  outlet.release('a', 1)
  outlet.want('a', 1)
  await outlet.pass(10_000)
  assert.equal(outlet.stored('a'), null)
  assert.equal(outlet.actor().isIdle(), false)
  await outlet.pass(MINUTE)
  assert.equal(outlet.actor().isIdle(), true)
})

test('an older version that may still arrive is remembered for ten minutes: a retraction is repeated', async () => {
  const outlet = createOneOutlet()
  outlet.answers((_sending, count) => (count === 1 ? noAnswer : accepted))
  outlet.release('a', 1)
  outlet.want('a', 1)
  await outlet.pass(1_000)
  outlet.release('a', 2)
  outlet.want('a', 2)
  await outlet.pass(2 * MINUTE)
  assert.equal(outlet.versions('a').at(-1), 2)
  assert.equal(outlet.actor().isIdle(), false)
  await outlet.pass(10 * MINUTE)
  assert.equal(outlet.actor().isIdle(), true)
})

test('an outlet with a rate is idle once its next request may go at once', async () => {
  const outlet = createOneOutlet()
  outlet.settings.target = { concurrency: 4, rate: 1, deliver: 'an address' }
  outlet.release('a', 1)
  outlet.want('a', 1)
  await outlet.pass(0)
  assert.deepEqual(outlet.versions('a'), [1])
  assert.equal(outlet.actor().isIdle(), false)
  await outlet.pass(2_000)
  assert.equal(outlet.actor().isIdle(), true)
})

test('one that is closed is not idle: it is let go of once', async () => {
  const outlet = createOneOutlet()
  await outlet.pass(0)
  await outlet.actor().close()
  assert.equal(outlet.actor().isIdle(), false)
})
