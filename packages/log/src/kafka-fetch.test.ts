/** Loops that fetch, on a broker that answers as it is told. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Cluster } from 'kafkajs'
import { beganAt, fetchInSessions, type Pace, plainPace } from './kafka-fetch.ts'

type Request = Readonly<{
  maxWaitTime: number
  minBytes: number
  sessionId?: number
  sessionEpoch?: number
  topics: readonly Readonly<{ topic?: string; partitions: readonly Readonly<{ partition: number; fetchOffset: string }>[] }>[]
}>
type Answer = Readonly<{ errorCode: number; sessionId: number; responses: readonly object[] }>

/** As kafkajs' broker: `fetch` looks its request up, whose fields are what counts. */
const createBroker = (answer: (request: Request) => Answer | Promise<Answer>) => {
  const asked: Request[] = []
  const broker = {
    lookupRequest: () => (request: Request) => request,
    async fetch(wanted: Request): Promise<Answer> {
      const request = this.lookupRequest()(wanted)
      asked.push(request)
      return await answer(request)
    },
  }
  const find = async (pace: Pace = plainPace) => {
    const cluster = fetchInSessions({ findBroker: async () => broker } as unknown as Cluster, pace)
    return (await cluster.findBroker({ nodeId: '1' })) as unknown as typeof broker
  }
  return { asked, find }
}

const empty: Answer = { errorCode: 0, sessionId: 7, responses: [] }
const loop = (fetchOffset: string, maxWaitTime = 250): Request => ({
  maxWaitTime,
  minBytes: 1,
  topics: [{ partitions: [{ partition: 0, fetchOffset }] }],
})
const offsetsIn = ({ topics }: Request) => topics.flatMap(({ partitions }) => partitions.map(one => one.fetchOffset))

test('what a loop asks goes in a session, and names only what moved', async () => {
  const { asked, find } = createBroker(() => empty)
  const broker = await find()
  for (const offset of ['5', '5', '6']) await broker.fetch(loop(offset))
  assert.deepEqual(
    asked.map(one => [one.sessionId, one.sessionEpoch, offsetsIn(one)]),
    [
      [0, 0, ['5']],
      [7, 1, []],
      [7, 2, ['6']],
    ],
  )
})

test('a fetch that does not wait, and one beside another, are asked as they are', async () => {
  const first = Promise.withResolvers<Answer>()
  const answers = [first.promise, empty, empty]
  const { asked, find } = createBroker(() => answers.shift() ?? empty)
  const broker = await find()
  const waiting = broker.fetch(loop('5'))
  await broker.fetch(loop('5'))
  await broker.fetch(loop('5', 0))
  first.resolve(empty)
  await waiting
  assert.deepEqual(
    asked.map(one => one.sessionEpoch),
    [0, undefined, undefined],
  )
})

test('a session that the broker has forgotten costs one request more and no record', async () => {
  const answers: Answer[] = [empty, { errorCode: 70, sessionId: 0, responses: [] }, { ...empty, sessionId: 8 }]
  const { asked, find } = createBroker(() => answers.shift() ?? empty)
  const broker = await find()
  await broker.fetch(loop('5'))
  assert.equal((await broker.fetch(loop('6'))).sessionId, 8)
  assert.deepEqual(asked.map(offsetsIn), [['5'], ['6'], ['6']])
})

test('a fetch that fails is followed by one that names everything', async () => {
  let isAway = false
  const { asked, find } = createBroker(() => {
    if (isAway) throw new Error('connection lost')
    return empty
  })
  const broker = await find()
  await broker.fetch(loop('5'))
  isAway = true
  await assert.rejects(broker.fetch(loop('5')), /connection lost/)
  isAway = false
  await broker.fetch(loop('5'))
  assert.deepEqual(asked.map(offsetsIn), [['5'], [], ['5']])
})

test('a fetch that the brokers refuse as a whole fails, and is not taken for an empty one', async () => {
  const { find } = createBroker(() => ({ errorCode: 41, sessionId: 0, responses: [] }))
  await assert.rejects((await find()).fetch(loop('5')), /error 41/)
})

test('what was fetched from further on than kafkajs knows says from where, so that nobody takes it for what comes before', async () => {
  const messages = [{ value: Buffer.from('50') }]
  const { asked, find } = createBroker(() => ({ ...empty, responses: [{ topicName: 'topic', partitions: [{ partition: 0, messages }] }] }))
  const broker = await find({ pauseMs: () => 0, nextOf: () => 50 })
  await broker.fetch({ ...loop('10'), topics: [{ topic: 'topic', partitions: [{ partition: 0, fetchOffset: '10' }] }] })
  assert.deepEqual(asked.map(offsetsIn), [['50']])
  assert.equal(beganAt(messages), 50)
  assert.equal(beganAt([]), 0)
})

test('after a pause a loop is answered at once, from where its consumer has come to meanwhile; after much there is no pause', async () => {
  let next = 5
  let pauses = 0
  const messages = [{ value: Buffer.alloc(300_000) }]
  const answers: Answer[] = [{ ...empty, responses: [{ partitions: [{ messages }] }] }, empty]
  const { asked, find } = createBroker(() => answers.shift() ?? empty)
  const pauseMs = () => {
    pauses += 1
    next += 1
    return 1
  }
  const broker = await find({ pauseMs, nextOf: () => next })
  await broker.fetch(loop('5'))
  await broker.fetch(loop('5'))
  await broker.fetch(loop('5'))
  assert.deepEqual(
    asked.map(one => [one.minBytes, offsetsIn(one)]),
    [
      [0, ['6']],
      [1, []],
      [0, ['7']],
    ],
  )
  assert.equal(pauses, 2)
})

test('where the brokers have lost what a consumer was handed, kafkajs goes on from where it finds itself', async () => {
  let end = 5
  const { asked, find } = createBroker(request => {
    if (offsetsIn(request).some(offset => Number(offset) > end))
      throw Object.assign(new Error('out of range'), { name: 'KafkaJSOffsetOutOfRange', type: 'OFFSET_OUT_OF_RANGE' })
    return empty
  })
  const broker = await find({ ...plainPace, nextOf: () => 9 })
  await assert.rejects(broker.fetch(loop('4')), /out of range/)
  await broker.fetch(loop('0'))
  end = 100
  await broker.fetch(loop('5'))
  assert.deepEqual(asked.map(offsetsIn), [['9'], ['0'], ['5']])
})

const withRecord: Answer = {
  ...empty,
  responses: [{ topicName: 'work', partitions: [{ partition: 0, messages: [{ value: Buffer.from('x') }] }] }],
}

test('a loop that nothing has come to for a while waits longer at the brokers, patient or not, until something comes', async () => {
  let now = 0
  let next = empty
  const { asked, find } = createBroker(() => next)
  for (const patience of [0, 1]) {
    const broker = await find({ ...plainPace, pauseMs: () => patience, nowMs: () => now })
    await broker.fetch(loop('5'))
    now += 5_001
    await broker.fetch(loop('5'))
    next = withRecord
    await broker.fetch(loop('5'))
    await broker.fetch(loop('6'))
    next = empty
    assert.deepEqual(
      asked.splice(0).map(one => [one.maxWaitTime, one.minBytes]),
      [
        [250, 1 - patience],
        [1000, 1],
        [1000, 1],
        [250, 1 - patience],
      ],
    )
  }
})

test('a loop to which all comes by hand, or one with a partition that is paused, waits no longer at the brokers for being quiet', async () => {
  let now = 0
  const { asked, find } = createBroker(() => empty)
  const broker = await find({ ...plainPace, pauseMs: () => 1, isRestless: () => true, nowMs: () => now })
  now += 60_000
  await broker.fetch(loop('5'))
  assert.deepEqual([asked[0]?.maxWaitTime, asked[0]?.minBytes], [250, 0])
})

test('what is patient is not waited for once its loop has ended', async () => {
  const { asked, find } = createBroker(() => empty)
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const broker = await find({ ...plainPace, pauseMs: () => 600_000, ended })
  await broker.fetch(loop('5', 0))
  // The first pause of a loop: nothing has come that it would go on for.
  const resting = broker.fetch(loop('5'))
  end()
  assert.deepEqual((await resting).responses, [])
  assert.equal(asked.length, 1)
})

test('a fetch that waits at the brokers is not waited for once its loop has ended, and none is begun', async () => {
  const { asked, find } = createBroker(() => new Promise<Answer>(() => undefined))
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const broker = await find({ ...plainPace, ended })
  const waiting = broker.fetch(loop('5'))
  end()
  assert.deepEqual((await waiting).responses, [])
  assert.deepEqual((await broker.fetch(loop('5'))).responses, [])
  assert.equal(asked.length, 1)
})

test('a loop that has not ended keeps nothing of what its fetches brought', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const { find } = createBroker(() => ({ ...empty, responses: [{ topicName: 'work', partitions: [{ partition: 0, messages: [] }] }] }))
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const broker = await find({ ...plainPace, ended })
  const brought: WeakRef<object>[] = []
  for (let fetches = 0; fetches < 50; fetches++) brought.push(new WeakRef(await broker.fetch(loop('5'))))
  const kept = () => brought.filter(one => one.deref() !== undefined).length
  // What a WeakRef was asked for stays until the turn has ended.
  for (let turns = 0; turns < 20 && kept() > 1; turns++) {
    await turn()
    collect()
  }
  assert.ok(kept() <= 1, `${kept()} of ${brought.length} answers are kept`)
  end()
})
