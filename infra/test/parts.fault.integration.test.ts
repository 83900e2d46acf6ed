/** That a fault test may rely on: a part that was taken away comes back on its port with what it had acknowledged. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import kafkajs from 'kafkajs'
import { readRealParts } from '../../test/support/real-parts.ts'

const parts = readRealParts()

for (const verb of ['stop', 'kill'] as const) {
  test(`an object outlives a ${verb} of the store`, { skip: parts.s3Faults.skip }, async t => {
    const { endpoint, bucket, region, accessKeyId, secretAccessKey } = parts.s3Faults.use()
    const client = new S3Client({ endpoint, region, forcePathStyle: true, maxAttempts: 1, credentials: { accessKeyId, secretAccessKey } })
    t.after(async () => {
      await parts.control('s3', 'start')
      client.destroy()
    })
    const Key = `outlives/${randomUUID()}`
    await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: Buffer.from(verb) }))
    await parts.control('s3', verb)
    await assert.rejects(client.send(new GetObjectCommand({ Bucket: bucket, Key })))
    await parts.control('s3', 'start')
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }))
    assert.equal(await Body?.transformToString(), verb)
  })

  test(`a record outlives a ${verb} of the broker`, { skip: parts.kafkaFaults.skip }, async t => {
    const { brokers } = parts.kafkaFaults.use()
    const kafka = new kafkajs.Kafka({
      brokers: [...brokers],
      logLevel: kafkajs.logLevel.NOTHING,
      retry: { retries: 20, maxRetryTime: 500 },
    })
    const admin = kafka.admin()
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
    t.after(async () => {
      await parts.control('kafka', 'start')
      await Promise.all([admin.disconnect(), producer.disconnect()])
    })
    await Promise.all([admin.connect(), producer.connect()])
    const topic = `outlives-${randomUUID()}`
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true })
    await producer.send({ topic, acks: -1, messages: [{ value: 'before' }] })
    await parts.control('kafka', verb)
    await assert.rejects(
      new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING, retry: { retries: 0 } }).admin().connect(),
    )
    await parts.control('kafka', 'start')
    await producer.send({ topic, acks: -1, messages: [{ value: 'after' }] })
    const [{ low, high } = { low: '', high: '' }] = await admin.fetchTopicOffsets(topic)
    assert.deepEqual({ low, high }, { low: '0', high: '2' })
    await admin.deleteTopics({ topics: [topic] })
  })
}
