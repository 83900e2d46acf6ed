import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accepted, answered, createOneOutlet, noAnswer } from './one-outlet.ts'

const MINUTE = 60_000

/** An outlet that answered 503 to everything, and was left so: nothing is in flight. */
const leftBehind = async (subjects: readonly string[], order: 'article' | 'strict' = 'article') => {
  const outlet = createOneOutlet()
  outlet.settings.target = { concurrency: 4, order, deliver: 'an address' }
  outlet.answers(() => answered(503))
  for (const subject of subjects) {
    outlet.release(subject, 1)
    outlet.want(subject, 1)
    await outlet.pass(0)
  }
  await outlet.pass(3_000)
  for (const subject of subjects) assert.ok(outlet.stored(subject), `${subject} is written down`)
  outlet.sent.length = 0
  outlet.answers(() => accepted)
  return outlet
}
const sentOf = ({ sent }: ReturnType<typeof createOneOutlet>) => sent.map(one => `${one.subject}${one.version}`)

test('what has been read is sent while the rest is still to be read', async () => {
  const outlet = await leftBehind(['a', 'b', 'c'])
  outlet.readAtMost(1)
  await outlet.restart()
  await outlet.pass(MINUTE)
  assert.deepEqual(sentOf(outlet), ['a1'])
  outlet.readAtMost(2)
  await outlet.pass(MINUTE)
  assert.deepEqual(sentOf(outlet).sort(), ['a1', 'b1', 'c1'])
  assert.equal(outlet.stored('c'), null)
})

test('what is wanted before it was read is read first: it goes once, and what nobody knows the end of is not forgotten', async () => {
  const outlet = createOneOutlet()
  outlet.answers(() => noAnswer)
  outlet.release('a', 1)
  outlet.want('a', 1)
  await outlet.pass(3_000)
  outlet.readAtMost(0)
  await outlet.restart()
  outlet.answers(() => accepted)
  outlet.release('a', 2, { kill: true })
  const committed = outlet.want('a', 2, { kill: true })
  await outlet.pass(2 * MINUTE)
  assert.equal(committed.done, true)
  assert.deepEqual(outlet.versions('a'), [1, 2, 2], 'the first may arrive late, so its retraction is repeated')
  assert.deepEqual(
    outlet.sent.map(one => one.settling),
    [false, false, true],
  )
  outlet.readAtMost(5)
  await outlet.pass(2 * MINUTE)
  assert.deepEqual(outlet.versions('a'), [1, 2, 2], 'what is read then is over')
})

test('an intent that the store knows already is done at once, and what it is about goes when it is due', async () => {
  const outlet = await leftBehind(['a'])
  outlet.readAtMost(0)
  await outlet.restart()
  const committed = outlet.want('a', 1)
  await outlet.pass(0)
  assert.equal(committed.done, true)
  await outlet.pass(MINUTE)
  assert.deepEqual(sentOf(outlet), ['a1'])
})

test('a strict line begins once everything is read, and a retraction does not wait for that', async () => {
  const outlet = await leftBehind(['z', 'b', 'a'], 'strict')
  outlet.readAtMost(1)
  await outlet.restart()
  await outlet.pass(MINUTE)
  assert.deepEqual(sentOf(outlet), [], 'a is read, and was wanted last')
  outlet.release('b', 2, { kill: true })
  outlet.want('b', 2, { kill: true })
  await outlet.pass(MINUTE)
  assert.deepEqual(sentOf(outlet), ['b2'])
  outlet.readAtMost(5)
  await outlet.pass(MINUTE)
  assert.deepEqual(sentOf(outlet), ['b2', 'z1', 'a1'])
})

test('a strict line keeps its order while what is wanted is looked for, however long the store takes over each', async () => {
  const outlet = createOneOutlet()
  outlet.settings.target = { concurrency: 4, order: 'strict', deliver: 'an address' }
  outlet.readAtMost(0)
  await outlet.restart()
  const answerA = outlet.slowDown('a')
  for (const subject of ['a', 'b', 'c']) {
    outlet.release(subject, 1)
    outlet.want(subject, 1)
  }
  outlet.readAtMost(5)
  await outlet.pass(MINUTE)
  assert.deepEqual(sentOf(outlet), [], 'the first is not known yet')
  assert.equal(outlet.stored('b'), null, 'after a crash it would go before the first')
  answerA()
  await outlet.pass(MINUTE)
  assert.deepEqual(sentOf(outlet), ['a1', 'b1', 'c1'])
})

test('a strict line writes down in its order, also what is still looked for', async () => {
  const outlet = await leftBehind(['z'], 'strict')
  outlet.answers(() => answered(503))
  await outlet.pass(MINUTE)
  outlet.readAtMost(0)
  await outlet.restart()
  const answerA = outlet.slowDown('a')
  for (const subject of ['a', 'b']) {
    outlet.release(subject, 1)
    outlet.want(subject, 1)
  }
  outlet.readAtMost(5)
  await outlet.pass(10 * MINUTE)
  assert.equal(outlet.stored('b'), null)
  answerA()
  await outlet.pass(10 * MINUTE)
  assert.ok(outlet.stored('a'))
  assert.ok(outlet.stored('b'))
})

test('a store that is away while it reads is asked again, from where it was', async () => {
  const outlet = await leftBehind(['a', 'b', 'c'])
  outlet.readAtMost(1)
  await outlet.restart()
  await outlet.pass(MINUTE)
  outlet.setStoreAway(true)
  outlet.readAtMost(2)
  await outlet.pass(MINUTE)
  outlet.setStoreAway(false)
  await outlet.pass(MINUTE)
  assert.deepEqual(sentOf(outlet).sort(), ['a1', 'b1', 'c1'])
})

for (const versions of ['latest', 'all'] as const)
  test(`what an owner before writes late over a newer state takes nothing from it that is committed (versions: ${versions})`, async () => {
    const outlet = createOneOutlet()
    outlet.settings.target = { concurrency: 4, versions, deliver: 'an address' }
    outlet.answers(() => noAnswer)
    const want = async (version: number) => {
      outlet.release('a', version)
      const committed = outlet.want('a', version)
      await outlet.pass(3_000)
      assert.ok(committed.done)
    }
    await want(1)
    const old = outlet.stored('a')
    assert.ok(old)
    await want(2)
    await want(3)
    outlet.writeLate('a', old)
    outlet.answers(() => accepted)
    await outlet.pass(10 * MINUTE)
    assert.ok(outlet.states('a').includes('v3 done'))
    assert.equal(outlet.versions('a').at(-1), 3)
    assert.equal(outlet.stored('a'), null)
  })

test('it ends at once while it reads, and begins nothing more', async () => {
  const outlet = await leftBehind(['a', 'b'])
  outlet.readAtMost(0)
  await outlet.restart()
  await outlet.actor().close()
  outlet.readAtMost(5)
  await outlet.pass(MINUTE)
  assert.deepEqual(sentOf(outlet), [])
})

test('what lies in the store counts as backlog', async () => {
  const outlet = await leftBehind(['a', 'b'])
  assert.equal(outlet.actor().stats().backlog, 2)
  await outlet.restart()
  assert.equal(outlet.actor().stats().backlog, 2)
  await outlet.pass(MINUTE)
  assert.equal(outlet.actor().stats().backlog, 0)
})

test('a strict line waits for what is read because a repeat of its intent came: it stands where it stood, not where the repeat does', async () => {
  const outlet = await leftBehind(['a'], 'strict')
  outlet.readAtMost(0)
  await outlet.restart()
  outlet.release('b', 1)
  outlet.want('b', 1)
  const isRead = outlet.slowDown('a')
  outlet.want('a', 1)
  outlet.readAtMost(10)
  await outlet.pass(MINUTE)
  assert.deepEqual(sentOf(outlet), [])
  isRead()
  await outlet.pass(MINUTE)
  assert.deepEqual(sentOf(outlet), ['a1', 'b1'])
})
