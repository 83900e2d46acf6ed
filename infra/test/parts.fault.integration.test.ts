/** That a fault test may rely on: a part that was taken away comes back on its port with what it had acknowledged. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { topics } from '@newswire/events/topics'
import { createKafkaLog } from '@newswire/log/kafka'
import { createKafkaClient } from '@newswire/log/kafka-client'
import { readRealParts } from '../../test/support/real-parts.ts'

const parts = readRealParts()

const deleteTopics = async (brokers: readonly string[], prefix: string): Promise<void> => {
  const admin = createKafkaClient({ brokers, clientId: 'outlives' }).admin()
  await admin.connect()
  await admin.deleteTopics({ topics: (await admin.listTopics()).filter(name => name.startsWith(prefix)) })
  await admin.disconnect()
}

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
    const prefix = `outlives-${randomUUID()}.`
    const log = await createKafkaLog({ brokers, clientId: 'outlives', topicPrefix: prefix })
    t.after(async () => {
      await parts.control('kafka', 'start')
      await log.close({ drainMs: 0 })
      await deleteTopics(brokers, prefix)
    })
    await log.topics([{ ...topics.prepared, name: 'kept', partitions: 1 }], { apply: true })
    const write = (n: number) => log.publish([{ topic: 'kept', key: null, value: null, headers: { n: String(n) } }], { timeoutMs: 60_000 })
    await write(1)
    await parts.control('kafka', verb)
    assert.equal((await log.health()).ok, false)
    await parts.control('kafka', 'start')
    await write(2)
    assert.deepEqual(await log.ends('kept'), [{ partition: 0, start: 0, end: 2 }])
  })
}
