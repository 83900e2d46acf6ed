/** The doctor beside a real broker and a real store. Needs KAFKA_BROKERS and S3_*; skipped, visibly, without. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { topicSpecs } from '@newswire/events/topics'
import { deleteAll } from '@newswire/log/kafka-kit'
import { listPages } from '@newswire/objects/listing'
import { processEnvironment, readSettings } from '@newswire/runtime/settings'
import { connectLog } from '../compose.ts'
import { openObjects } from '../open-objects.ts'
import { lookAtLog } from './log.ts'
import { lookAtStore } from './store.ts'

const environment = processEnvironment()
const brokers = environment.KAFKA_BROKERS
const bucket = environment.S3_BUCKET
const fresh = () => {
  const name = `doctor-${randomUUID()}`
  return readSettings({ ...environment, KAFKA_TOPIC_PREFIX: `${name}.`, S3_PREFIX: name })
}
const states = (findings: readonly { check: string; state: string }[]) => findings.map(({ check, state }) => `${check} ${state}`)

test('a store on S3 is tried and left as it was; one that refuses or is away is told', {
  skip: bucket === undefined && 'S3_BUCKET names no store',
}, async t => {
  const settings = fresh()
  const { findings, objects } = await lookAtStore(settings, false)
  assert.deepEqual(states(findings), ['store ok'])
  await objects?.close()
  const store = await openObjects(settings)
  t.after(() => store.close())
  for await (const page of listPages(store, '')) assert.deepEqual(page, [])
  assert.ok(settings.s3)
  const nowhere = await lookAtStore({ ...settings, s3: { ...settings.s3, bucket: `none-${randomUUID()}` } }, false)
  assert.deepEqual([states(nowhere.findings), nowhere.objects], [['store failed'], null])
})

test('topics that are missing on Kafka are a failure that says what makes them; once made, all is well', {
  skip: brokers === undefined && 'KAFKA_BROKERS names no broker',
}, async t => {
  const settings = fresh()
  const before = await lookAtLog(settings, null)
  assert.deepEqual(states(before.findings), ['log ok', 'topics failed'])
  assert.equal(before.findings[1]?.remedy, '`newswire topics apply`')

  const log = await connectLog(settings, { get: async () => null, put: () => assert.fail('nothing is written') }, 'doctor-test')
  t.after(async () => {
    await log.close({ drainMs: 0 })
    await deleteAll(settings.kafkaTopicPrefix)
  })
  await log.topics(topicSpecs, { apply: true })
  const after = await lookAtLog(settings, null)
  await after.log?.close({ drainMs: 0 })
  assert.deepEqual(states(after.findings), ['log ok', 'topics ok', 'log-mark warning'])

  const emptyStore = { get: async () => null, head: async () => null, list: async () => [], close: async () => undefined }
  const lookAtMark = async () => {
    const look = await lookAtLog(settings, emptyStore)
    await look.log?.close({ drainMs: 0 })
    return look.findings[2] ?? assert.fail('nothing is said of the mark')
  }
  assert.equal((await lookAtMark()).state, 'ok', 'a first start')
  await log.publish([{ topic: 'articles', key: 'press.a', value: Buffer.from('{}') }])
  const wrongStore = await lookAtMark()
  assert.deepEqual([wrongStore.state, /the store knows of no log/.test(wrongStore.detail)], ['failed', true])
  assert.match(wrongStore.remedy ?? '', /S3_BUCKET and S3_PREFIX.*another KAFKA_TOPIC_PREFIX/)
})

test('brokers that nobody can reach are named with why', async () => {
  const { findings, log } = await lookAtLog(readSettings({ KAFKA_BROKERS: '127.0.0.1:1,127.0.0.1:2' }), null)
  assert.deepEqual([states(findings), log], [['log failed'], null])
  assert.match(findings[0]?.detail ?? '', /127\.0\.0\.1:1 \(ECONNREFUSED\), 127\.0\.0\.1:2 \(ECONNREFUSED\)/)
})
