import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { codeOf } from '@newswire/events/errors'
import type { Producer, ProducerBatch, RecordMetadata } from 'kafkajs'
import type { KafkaClient } from './kafka-client.ts'
import { createKafkaProducer, type Prepared } from './kafka-producer.ts'

type Answer = (batch: ProducerBatch) => Promise<RecordMetadata[]>

const acknowledge: Answer = async ({ topicMessages = [] }) =>
  topicMessages.flatMap(({ topic, messages }) =>
    [...new Set(messages.map(message => message.partition ?? 0))].map(partition => ({
      topicName: topic,
      partition,
      errorCode: 0,
      baseOffset: '100',
    })),
  )

/** A client whose producers answer as told; `made` counts them. */
const createClient = (answer: Answer) => {
  const state = { made: 0, inFlight: 0, mostInFlight: 0, batches: [] as string[][] }
  const sendBatch = async (batch: ProducerBatch) => {
    state.inFlight += 1
    state.mostInFlight = Math.max(state.mostInFlight, state.inFlight)
    state.batches.push((batch.topicMessages ?? []).flatMap(one => one.messages.map(message => String(message.key))))
    try {
      return await answer(batch)
    } finally {
      state.inFlight -= 1
    }
  }
  const nothing = async () => undefined
  const producer = () => {
    state.made += 1
    return { connect: nothing, disconnect: nothing, sendBatch } as unknown as Producer
  }
  return { state, client: { producer } as unknown as KafkaClient }
}

const record = (key: string, bytes = 200): Prepared => ({
  topic: 't',
  partition: 0,
  bytes,
  maxBatchBytes: 1_048_576,
  message: { key, value: null, partition: 0 },
  writtenAtMs: 0,
})
const patience = { timeoutMs: 5000 }
const book = { known: () => ({ partitions: 2, leaders: [1, 1], maxRecordBytes: 1_048_576 }), refresh: async () => undefined }
const options = { book, maxWaitingBytes: 64 * 1_048_576 }
const refusal = (type: string) => Object.assign(new Error(type), { type, retriable: false })

test('one request is in flight at a time, and what waits meanwhile goes together in the next', async () => {
  const { client, state } = createClient(async batch => {
    await wait(5)
    return acknowledge(batch)
  })
  const producer = createKafkaProducer(client, options)
  await producer.send([record('first')], patience)
  const a = producer.send([record('a')], patience)
  while (state.inFlight === 0) await wait(1)
  const sent = await Promise.all([a, ...['b', 'c', 'd'].map(key => producer.send([record(key)], patience))])
  assert.equal(state.mostInFlight, 1)
  assert.deepEqual(state.batches, [['first'], ['a'], ['b', 'c', 'd']])
  assert.deepEqual(
    sent.flat(),
    [100, 100, 101, 102].map(offset => ({ partition: 0, offset })),
  )
  await producer.close(100)
})

test('what is patient goes along with the next record that is not, in the order in which they came', async () => {
  const { client, state } = createClient(acknowledge)
  const producer = createKafkaProducer(client, options)
  const patient = producer.send([record('patient')], { timeoutMs: 600_000, patienceMs: 500_000 })
  const other = producer.send([record('other')], { timeoutMs: 600_000, patienceMs: 500_000 })
  const sent = await Promise.all([patient, other, producer.send([record('hurried')], patience)])
  assert.deepEqual(state.batches, [['patient', 'other', 'hurried']])
  assert.deepEqual(
    sent.flat().map(({ offset }) => offset),
    [100, 101, 102],
  )
  await producer.close(100)
})

test('what is patient goes by itself when its time is over, when it is much, and when the log is closed', async () => {
  const { client, state } = createClient(acknowledge)
  const producer = createKafkaProducer(client, options)
  await producer.send([record('soon')], { timeoutMs: 600_000, patienceMs: 1 })
  const forever = { timeoutMs: 600_000, patienceMs: 500_000 }
  await producer.send(
    Array.from({ length: 64 }, (_, index) => record(`much-${index}`)),
    forever,
  )
  const last = producer.send([record('last')], forever)
  await Promise.all([producer.close(60_000), last])
  assert.deepEqual(
    state.batches.map(batch => batch.at(-1)),
    ['soon', 'much-63', 'last'],
  )
})

test('what is patient holds up no record of another leader', async () => {
  const { client, state } = createClient(acknowledge)
  const led = { ...book, known: () => ({ partitions: 2, leaders: [1, 2], maxRecordBytes: 1_048_576 }) }
  const producer = createKafkaProducer(client, { ...options, book: led })
  const patient = producer.send([record('patient')], { timeoutMs: 600_000, patienceMs: 500_000 })
  const elsewhere = { ...record('hurried'), partition: 1, message: { key: 'hurried', value: null, partition: 1 } }
  await producer.send([elsewhere], patience)
  assert.deepEqual(state.batches, [['hurried']])
  await Promise.all([producer.close(60_000), patient])
  assert.deepEqual(state.batches, [['hurried'], ['patient']])
})

test('a request that fails takes its producer with it and is sent again, whole and first', async () => {
  let failures = 2
  const { client, state } = createClient(async batch => {
    failures -= 1
    if (failures >= 0) throw new Error('connection closed')
    return acknowledge(batch)
  })
  const producer = createKafkaProducer(client, options)
  await Promise.all([producer.send([record('a'), record('b')], patience), producer.send([record('c')], patience)])
  assert.equal(state.made, 3)
  assert.deepEqual(state.batches, [
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
  ])
  assert.equal(producer.state().failingSinceMs, null)
  await producer.close(100)
})

test('a record that no answer is about is not taken for written: it is sent again', async () => {
  let isPartial = true
  const { client, state } = createClient(async batch => {
    const answers = await acknowledge(batch)
    const given = isPartial ? answers.filter(one => one.partition === 0) : answers
    isPartial = false
    return given
  })
  const producer = createKafkaProducer(client, options)
  const moved = { ...record('moved'), partition: 1, message: { key: 'moved', value: null, partition: 1 } }
  const sent = await producer.send([record('stayed'), moved], patience)
  assert.deepEqual(state.batches, [['stayed', 'moved'], ['moved']])
  assert.deepEqual(sent, [
    { partition: 0, offset: 100 },
    { partition: 1, offset: 100 },
  ])
  assert.equal(state.made, 2)
  await producer.close(100)
})

test('a request goes to one leader, and records of a partition keep their order', async () => {
  const { client, state } = createClient(acknowledge)
  const known = () => ({ partitions: 2, leaders: [1, 2], maxRecordBytes: 1_048_576 })
  const producer = createKafkaProducer(client, { ...options, book: { ...book, known } })
  const at = (key: string, partition: number): Prepared => ({ ...record(key), partition, message: { key, value: null, partition } })
  await Promise.all([producer.send([at('a1', 0), at('b1', 1), at('a2', 0)], patience), producer.send([at('b2', 1)], patience)])
  assert.deepEqual(state.batches, [
    ['a1', 'a2'],
    ['b1', 'b2'],
  ])
  await producer.close(100)
})

test('only the call at fault is refused; those that travelled with it are written', async () => {
  const { client } = createClient(async batch => {
    if (batch.topicMessages?.some(one => one.messages.some(message => message.key === 'bad'))) throw refusal('INVALID_RECORD')
    return acknowledge(batch)
  })
  const producer = createKafkaProducer(client, options)
  const outcomes = await Promise.all(
    ['first', 'good', 'bad', 'fine'].map(key => producer.send([record(key)], patience).then(() => 'written', codeOf)),
  )
  assert.deepEqual(outcomes, ['written', 'written', 'NEWSWIRE_LOG_REFUSED', 'written'])
  await producer.close(100)
})

test('a record that the brokers find too large is a reject', async () => {
  const { client } = createClient(() => Promise.reject(refusal('MESSAGE_TOO_LARGE')))
  const producer = createKafkaProducer(client, options)
  await assert.rejects(producer.send([record('a')], patience), { code: 'NEWSWIRE_LOG_TOO_LARGE' })
  await producer.close(100)
})

test('while the brokers do not answer, callers are told in time, the queue is bounded, and it recovers by itself', async () => {
  let isAway = true
  const { client } = createClient(async batch => {
    while (isAway) await wait(5)
    return acknowledge(batch)
  })
  const producer = createKafkaProducer(client, options)
  const late = producer.send([record('a')], { timeoutMs: 30 })
  await assert.rejects(late, { code: 'NEWSWIRE_LOG_UNAVAILABLE', message: /it may still be written/ })
  const large = producer.send([record('b', 60 * 1_048_576)], patience)
  await assert.rejects(producer.send([record('c', 5 * 1_048_576)], patience), { code: 'NEWSWIRE_LOG_BUSY' })
  isAway = false
  assert.deepEqual(await large, [{ partition: 0, offset: 100 }])
  await producer.send([record('c', 5 * 1_048_576)], patience)
  assert.equal(producer.state().queuedBytes, 0)
  await producer.close(100)
})

test('an aborted publish lets go at once', async () => {
  const { client } = createClient(() => new Promise(() => undefined))
  const producer = createKafkaProducer(client, options)
  const controller = new AbortController()
  const sent = producer.send([record('a')], { timeoutMs: 60_000, signal: controller.signal })
  controller.abort(new Error('the handler lost its partition'))
  await assert.rejects(sent, { code: 'NEWSWIRE_LOG_UNAVAILABLE', message: /lost its partition/ })
  await producer.close(10)
})

test('what could not be sent before closing is rejected, and nothing is taken afterwards', async () => {
  const { client } = createClient(() => new Promise(() => undefined))
  const producer = createKafkaProducer(client, options)
  const first = producer.send([record('a')], patience)
  const second = producer.send([record('b')], patience)
  const outcomes = Promise.all([first.catch(codeOf), second.catch(codeOf)])
  await producer.close(10)
  assert.deepEqual(await outcomes, ['NEWSWIRE_LOG_UNAVAILABLE', 'NEWSWIRE_LOG_UNAVAILABLE'])
  await assert.rejects(producer.send([record('c')], patience), { code: 'NEWSWIRE_LOG_UNAVAILABLE' })
})
