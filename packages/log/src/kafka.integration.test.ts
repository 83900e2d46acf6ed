/** The log on a real Kafka: the contract of every log, and what only Kafka's topics and followers can get wrong. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf } from '@newswire/events/errors'
import { newId } from '@newswire/events/ids'
import { topics } from '@newswire/events/topics'
import { eventually } from './contract-kit.ts'
import { createKafkaLog } from './kafka.ts'
import { brokers, createHouse, deleteAll, numberOf, readAll, record, skip, spec, withAdmin } from './kafka-kit.ts'
import { type Capability, logContract, type MakeSubject } from './log.contract.ts'
import type { Log } from './log.ts'

const capabilities: readonly Capability[] = ['sessions', 'small-queue']

/** What the contract asks for: a prefix of its own on the shared brokers, deleted when its test is over. */
const make: MakeSubject = async (t, { specs: wanted, maxWaitingBytes, onError, onHandled }) => {
  const topicPrefix = `contract-${newId()}.`
  const opened: Log[] = []
  const open = async (): Promise<Log> => {
    const log = await createKafkaLog({
      brokers: brokers ?? [],
      clientId: 'contract',
      topicPrefix,
      retryScale: 0.02,
      ...(maxWaitingBytes === undefined ? {} : { maxWaitingBytes }),
      ...(onError ? { onError } : {}),
      ...(onHandled ? { onHandled } : {}),
    })
    opened.push(log)
    return log
  }
  t.after(async () => {
    await Promise.all(opened.map(log => log.close({ drainMs: 50 })))
    await deleteAll(topicPrefix)
  })
  const log = await open()
  await log.topics(wanted, { apply: true })
  return { log, target: { kind: 'kafka', brokers: brokers ?? [], topicPrefix }, reopen: open, another: open }
}

if (brokers) {
  logContract('kafka', make, capabilities)
} else test('the contract of the log', { skip }, () => assert.fail('skipped'))

test('a topic deleted while running harms only who publishes to it', { skip }, async t => {
  const house = await createHouse(t)
  const log = await house.open()
  await log.publish([record(1, 'a'), record(1, 'a', 'other')])
  await withAdmin(async admin => {
    await admin.deleteTopics({ topics: [`${house.prefix}other`] })
    // The controller answers before the brokers have heard of it.
    await eventually(
      () => 'the topic to be gone',
      async () => !(await admin.listTopics()).includes(`${house.prefix}other`),
    )
  })
  const toGone = log.publish([record(2, 'a', 'other')]).catch(codeOf)
  const toOther = log.publish([record(2, 'a')])
  assert.equal(await toGone, 'NEWSWIRE_LOG_UNKNOWN_TOPIC')
  await toOther
  // What travelled with the refused record may be there twice: it goes again with a new producer.
  assert.deepEqual([...new Set((await readAll(log, 'work')).map(numberOf))], [1, 2])
  await assert.rejects(log.ends('other'), { code: 'NEWSWIRE_LOG_UNKNOWN_TOPIC' })
})

test('topics are reported as they are: missing, created, as wanted, different', { skip }, async t => {
  const log = await (await createHouse(t)).open()
  const wanted = [spec('fresh'), spec('work'), spec('other', { partitions: 3, retentionMs: 1000 })]
  assert.deepEqual(
    (await log.topics(wanted)).map(one => one.state),
    ['missing', 'as-wanted', 'differs'],
  )
  const reports = await log.topics(wanted, { apply: true })
  assert.deepEqual(
    reports.map(one => one.state),
    ['created', 'as-wanted', 'differs'],
  )
  assert.deepEqual(reports[2]?.differences, [
    'partitions: wanted 3, found 2',
    `retention.ms: wanted 1000, found ${topics.prepared.retentionMs}`,
  ])
})

test('following is ready at once, without a group, however many follow', { skip }, async t => {
  const log = await (await createHouse(t)).open()
  for (let n = 0; n < 30; n += 1) await log.publish([record(n, `key-${n}`)])
  const counts = Array.from({ length: 6 }, () => 0)
  const beganMs = performance.now()
  const followings = await Promise.all(
    counts.map((_, i) =>
      log.follow({
        topic: 'work',
        from: 'start',
        onRecords: records => {
          counts[i] = (counts[i] ?? 0) + records.length
        },
      }),
    ),
  )
  await Promise.all(followings.map(following => following.ready))
  assert.deepEqual(counts, [30, 30, 30, 30, 30, 30])
  assert.ok(performance.now() - beganMs < 5000)
  for (const following of followings)
    assert.deepEqual(following.cursor(), Object.fromEntries((await log.ends('work')).map(one => [one.partition, one.end])))
})
