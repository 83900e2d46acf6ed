/** Tools of the integration tests on a real Kafka, which is taken from `KAFKA_BROKERS`. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { newId } from '@newswire/events/ids'
import { type TopicSpec, topics } from '@newswire/events/topics'
import type { Admin } from 'kafkajs'
import { createKafkaLog, type KafkaLogOptions } from './kafka.ts'
import { createKafkaClient } from './kafka-client.ts'
import type { Log, LogRecord, NewRecord } from './log.ts'

export const brokers = process.env['KAFKA_BROKERS']?.split(',').filter(one => one !== '')
export const skip = brokers === undefined ? 'KAFKA_BROKERS is not set: no Kafka to test on' : false

export const spec = (name: string, rest: Partial<TopicSpec> = {}): TopicSpec => ({ ...topics.prepared, name, partitions: 4, ...rest })
const specs: readonly TopicSpec[] = [spec('work'), spec('other', { partitions: 2 }), spec('dead-letters', { partitions: 1 })]

export const until = async (what: string, isSo: () => boolean, deadlineMs = 30_000): Promise<void> => {
  const giveUpMs = performance.now() + deadlineMs
  while (!isSo()) {
    if (performance.now() > giveUpMs) assert.fail(`not within ${deadlineMs} ms: ${what}`)
    await wait(10)
  }
}

export const withAdmin = async (work: (admin: Admin) => Promise<unknown>): Promise<void> => {
  const admin = createKafkaClient({ brokers: brokers ?? [], clientId: 'test-admin' }).admin()
  await admin.connect()
  try {
    await work(admin)
  } finally {
    await admin.disconnect()
  }
}

export const deleteAll = (prefix: string) =>
  withAdmin(async admin => {
    const mine = (await admin.listTopics()).filter(name => name.startsWith(prefix))
    if (mine.length > 0) await admin.deleteTopics({ topics: mine })
    const groups = (await admin.listGroups()).groups.map(group => group.groupId).filter(name => name.startsWith(prefix))
    if (groups.length > 0) await admin.deleteGroups(groups).catch(() => undefined)
  })

type House = Readonly<{ prefix: string; open(options?: Partial<KafkaLogOptions>): Promise<Log> }>

/** A prefix of its own with its topics; everything opened is closed and deleted after the test. */
export const createHouse = async (t: TestContext): Promise<House> => {
  const prefix = `test-${newId()}.`
  const opened: Log[] = []
  const open = async (options: Partial<KafkaLogOptions> = {}): Promise<Log> => {
    const log = await createKafkaLog({ brokers: brokers ?? [], clientId: 'test', topicPrefix: prefix, retryScale: 0.01, ...options })
    opened.push(log)
    return log
  }
  t.after(async () => {
    await Promise.all(opened.map(log => log.close({ drainMs: 1000 })))
    await deleteAll(prefix)
  })
  await (await open()).topics(specs, { apply: true })
  return { prefix, open }
}

export const record = (n: number, key: string, topic = 'work'): NewRecord => ({ topic, key, value: null, headers: { n: String(n) } })
export const numberOf = (one: LogRecord): number => Number(one.headers['n'])

export const readAll = async (log: Log, topic: string): Promise<LogRecord[]> => {
  const all: LogRecord[] = []
  const following = await log.follow({ topic, from: 'start', onRecords: records => void all.push(...records) })
  await following.ready
  await following.stop()
  return all
}

/** Per key the numbers must rise: nothing overtakes. */
export const assertOrderPerKey = (records: readonly LogRecord[]) => {
  const last = new Map<string | null, number>()
  for (const one of records) {
    assert.ok(numberOf(one) >= (last.get(one.key) ?? -1), `${one.key}: ${numberOf(one)} after ${last.get(one.key)}`)
    last.set(one.key, numberOf(one))
  }
}
