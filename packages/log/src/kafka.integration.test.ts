/** The log on a real Kafka: the contract of every log, and what only Kafka can get wrong. Takes the brokers from `KAFKA_BROKERS`. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { codeOf } from '@newswire/events/errors'
import { newId } from '@newswire/events/ids'
import { type TopicSpec, topics } from '@newswire/events/topics'
import type { ISocketFactory } from 'kafkajs'
import { createKafkaLog, type KafkaLogOptions } from './kafka.ts'
import { createKafkaClient } from './kafka-client.ts'
import { type Capability, logContract, type MakeSubject } from './log.contract.ts'
import type { Log, LogRecord, NewRecord, SubscribeOptions } from './log.ts'

const brokers = process.env['KAFKA_BROKERS']?.split(',').filter(one => one !== '')
const skip = brokers === undefined ? 'KAFKA_BROKERS is not set: no Kafka to test on' : false

const spec = (name: string, rest: Partial<TopicSpec> = {}): TopicSpec => ({ ...topics.prepared, name, partitions: 4, ...rest })
const specs: readonly TopicSpec[] = [spec('work'), spec('other', { partitions: 2 }), spec('dead-letters', { partitions: 1 })]

const until = async (what: string, isSo: () => boolean, deadlineMs = 30_000): Promise<void> => {
  const giveUpMs = performance.now() + deadlineMs
  while (!isSo()) {
    if (performance.now() > giveUpMs) assert.fail(`not within ${deadlineMs} ms: ${what}`)
    await wait(10)
  }
}

const deleteAll = async (prefix: string) => {
  const admin = createKafkaClient({ brokers: brokers ?? [], clientId: 'cleaner' }).admin()
  await admin.connect()
  const mine = (await admin.listTopics()).filter(name => name.startsWith(prefix))
  if (mine.length > 0) await admin.deleteTopics({ topics: mine })
  const groups = (await admin.listGroups()).groups.map(group => group.groupId).filter(name => name.startsWith(prefix))
  if (groups.length > 0) await admin.deleteGroups(groups).catch(() => undefined)
  await admin.disconnect()
}

type House = Readonly<{ prefix: string; open(options?: Partial<KafkaLogOptions>): Promise<Log> }>

/** A prefix of its own with its topics; everything opened is closed and deleted after the test. */
const createHouse = async (t: TestContext): Promise<House> => {
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

if (brokers) logContract('kafka', make, capabilities)
else test('the contract of the log', { skip }, () => assert.fail('skipped'))

const record = (n: number, key: string, topic = 'work'): NewRecord => ({ topic, key, value: null, headers: { n: String(n) } })
const numberOf = (one: LogRecord): number => Number(one.headers['n'])

const readAll = async (log: Log, topic: string): Promise<LogRecord[]> => {
  const all: LogRecord[] = []
  const following = await log.follow({ topic, from: 'start', onRecords: records => void all.push(...records) })
  await following.ready
  await following.stop()
  return all
}

/** Per key the numbers must rise: nothing overtakes. */
const assertOrderPerKey = (records: readonly LogRecord[]) => {
  const last = new Map<string | null, number>()
  for (const one of records) {
    assert.ok(numberOf(one) >= (last.get(one.key) ?? -1), `${one.key}: ${numberOf(one)} after ${last.get(one.key)}`)
    last.set(one.key, numberOf(one))
  }
}

test('50 publishers at once: nothing lost, nothing twice, order kept per key, and each is told where its record is', { skip }, async t => {
  const log = await (await createHouse(t)).open()
  const publisher = async (key: number) => {
    const positions = []
    for (let n = 0; n < 20; n += 1) positions.push(...(await log.publish([record(n, `key-${key}`), record(n, `key-${key}`)])))
    return positions
  }
  const told = await Promise.all(Array.from({ length: 50 }, (_, key) => publisher(key)))
  const all = await readAll(log, 'work')
  assert.equal(all.length, 2000)
  assertOrderPerKey(all)
  const places = new Map(all.map(one => [`${one.partition}/${one.position}`, one.key]))
  told.forEach((published, key) => {
    for (const one of published) assert.equal(places.get(`${one.partition}/${one.position}`), `key-${key}`)
  })
})

/** Sockets that, now and then, die instead of handing over the answer to a produce request: written, but not acknowledged. */
const losingAnswers = (every: number, onLost: () => void): ISocketFactory => {
  let produced = 0
  return ({ host, port, ssl, onConnect }) => {
    const socket: Socket = ssl ? connectTls({ host, port, ...ssl }, onConnect) : connectTcp({ host, port }, onConnect)
    let isDoomed = false
    const write = socket.write.bind(socket) as (data: Buffer | string, ...rest: unknown[]) => boolean
    socket.write = ((data: Buffer | string, ...rest: unknown[]) => {
      const bytes = Buffer.from(data as string, 'binary')
      if (bytes.length > 6 && bytes.readInt16BE(4) === 0) {
        produced += 1
        isDoomed = produced % every === 0
      }
      return write(data, ...rest)
    }) as Socket['write']
    const emit = socket.emit.bind(socket)
    socket.emit = ((name: string, ...args: unknown[]) => {
      if (name === 'data' && isDoomed) {
        isDoomed = false
        onLost()
        socket.destroy(new Error('the answer was lost'))
        return true
      }
      return emit(name, ...args)
    }) as Socket['emit']
    return socket
  }
}

test('lost acknowledgements cost nothing: no acknowledged record is missing, none is there twice, order is kept', { skip }, async t => {
  const house = await createHouse(t)
  let lost = 0
  const onLost = () => {
    lost += 1
  }
  const log = await house.open({ socketFactory: losingAnswers(3, onLost) })
  const publisher = async (key: number) => {
    for (let n = 0; n < 12; n += 1) await log.publish([record(n, `key-${key}`)])
  }
  await Promise.all(Array.from({ length: 10 }, (_, key) => publisher(key)))
  assert.ok(lost > 0, 'no answer was lost: the test tests nothing')
  const all = await readAll(await house.open(), 'work')
  assertOrderPerKey(all)
  assert.equal(new Set(all.map(one => `${one.key}/${numberOf(one)}`)).size, 120)
  assert.equal(all.length, 120)
})

test('two members share the partitions, a third joins, one leaves: all is handled, in order, and little of it twice', { skip }, async t => {
  const house = await createHouse(t)
  const handled: LogRecord[] = []
  const join = async () => {
    const log = await house.open()
    return log.subscribe({ topic: 'work', group: 'sharing', handle: async records => void handled.push(...records) })
  }
  const publisher = await house.open()
  let sent = 0
  let isSending = true
  const send = async () => {
    while (isSending) {
      await publisher.publish([record(sent, `key-${sent % 16}`)])
      sent += 1
      await wait(5)
    }
  }
  const first = await join()
  const sending = send()
  const second = await join()
  await until('two members hold two each', () => first.partitions().length === 2 && second.partitions().length === 2)
  const third = await join()
  await until('the third holds something', () => third.partitions().length > 0)
  await second.stop()
  await until('the others hold all', () => first.partitions().length + third.partitions().length === 4)
  const then = sent
  await until('the others handle all', () => sent > then + 50)
  isSending = false
  await sending
  await until('all is handled', () => new Set(handled.map(numberOf)).size === sent)
  assert.ok(handled.length < sent * 1.5, `${handled.length} calls for ${sent} records`)
  await until('no one lags', () => first.stats().inFlight + third.stats().inFlight === 0)
})

const memberProgram = `
const [url, brokers, prefix] = process.argv.slice(1)
const { createKafkaLog } = await import(url)
const log = await createKafkaLog({ brokers: brokers.split(','), clientId: 'member', topicPrefix: prefix })
await log.subscribe({ topic: 'work', group: 'dying', sessionTimeoutMs: 6000, handle: async () => {} })
console.log('joined')
`

const startMember = async (t: TestContext, prefix: string): Promise<ChildProcess> => {
  const args = ['--input-type=module', '--eval', memberProgram, import.meta.resolve('./kafka.ts'), (brokers ?? []).join(','), prefix]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

test('a member that dies loses its partitions within its session and a little, and nothing of its work is lost', { skip }, async t => {
  const house = await createHouse(t)
  const log = await house.open()
  const handled = new Set<number>()
  const child = await startMember(t, house.prefix)
  const mine = await log.subscribe({
    topic: 'work',
    group: 'dying',
    sessionTimeoutMs: 6000,
    handle: async records => records.forEach(one => void handled.add(numberOf(one))),
  })
  await until('both hold two', () => mine.partitions().length === 2)
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
  for (let n = 0; n < 40; n += 1) await log.publish([record(n, `key-${n}`)])
  const diedMs = performance.now()
  await until('all of it is handled here', () => handled.size === 40, 6000 + 5000)
  assert.equal(mine.partitions().length, 4)
  assert.ok(performance.now() - diedMs < 11_000)
})

test('a handler that takes longer than the session keeps its partitions, its record, and nobody waiting', { skip }, async t => {
  const log = await (await createHouse(t)).open()
  const calls = new Map<string | null, number>()
  const changes: number[] = []
  const delays: number[] = []
  const subscription = await log.subscribe({
    topic: 'work',
    group: 'slow',
    sessionTimeoutMs: 6000,
    onAssigned: async ({ gained, lost }) => void changes.push(gained.length, lost.length),
    handle: async ([first]) => {
      if (!first) return
      calls.set(first.key, (calls.get(first.key) ?? 0) + 1)
      if (first.key === 'slow') await wait(8000)
      else delays.push(performance.now() - Number(first.headers['at']))
    },
  })
  await log.publish([record(0, 'slow')])
  await until('the slow one has begun', () => calls.has('slow'))
  let oldestHeartbeatMs = 0
  for (let n = 0; subscription.stats().inFlight > 0; n += 1) {
    await log.publish([{ ...record(n, `quick-${n}`), headers: { at: String(performance.now()) } }])
    oldestHeartbeatMs = Math.max(oldestHeartbeatMs, performance.now() - subscription.lastHeartbeatMs())
    await wait(100)
  }
  await until('the quick ones are handled', () => delays.length === calls.size - 1)
  assert.equal(calls.get('slow'), 1)
  assert.deepEqual(changes, [4, 0])
  assert.ok(oldestHeartbeatMs < 4000, `a heartbeat was ${oldestHeartbeatMs} ms old`)
  delays.sort((a, b) => a - b)
  assert.ok((delays[Math.floor(delays.length / 2)] ?? Number.POSITIVE_INFINITY) < 500, `the others took ${delays}`)
})

test('a topic deleted while running harms only who publishes to it', { skip }, async t => {
  const house = await createHouse(t)
  const log = await house.open()
  await log.publish([record(1, 'a'), record(1, 'a', 'other')])
  const admin = createKafkaClient({ brokers: brokers ?? [], clientId: 'deleter' }).admin()
  await admin.connect()
  await admin.deleteTopics({ topics: [`${house.prefix}other`] })
  await admin.disconnect()
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

test('a group whose place retention took goes on where the topic begins, and says so', { skip }, async t => {
  const house = await createHouse(t)
  const errors: Error[] = []
  const log = await house.open({ onError: error => errors.push(error) })
  const handled: number[] = []
  const options: SubscribeOptions = { topic: 'work', group: 'late', handle: async records => void handled.push(...records.map(numberOf)) }
  await (await log.subscribe(options)).stop()
  const published = await log.publish(Array.from({ length: 10 }, (_, n) => record(n, 'k')))
  const partition = log.partitionOf('work', 'k')
  const admin = createKafkaClient({ brokers: brokers ?? [], clientId: 'retention' }).admin()
  await admin.connect()
  const offset = String(published[6]?.position)
  await admin.deleteTopicRecords({ topic: `${house.prefix}work`, partitions: [{ partition, offset }] })
  await admin.disconnect()
  await log.subscribe(options)
  await until('the kept ones are handled', () => handled.length >= 4)
  assert.deepEqual(handled, [6, 7, 8, 9])
  assert.deepEqual(errors.map(codeOf), ['NEWSWIRE_LOG_GAP'])
})

/** A topic that the cleaner takes up within seconds, which no topic of ours does. */
const createCompactedTopic = async (topic: string) => {
  const settings = {
    'cleanup.policy': 'compact',
    'segment.ms': '500',
    'min.cleanable.dirty.ratio': '0.001',
    'max.compaction.lag.ms': '100',
  }
  const admin = createKafkaClient({ brokers: brokers ?? [], clientId: 'compaction' }).admin()
  await admin.connect()
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }))
  await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1, configEntries }] })
  await admin.disconnect()
}

test('the holes of a compacted topic are passed, from wherever reading begins, by followers, readers and groups', { skip }, async t => {
  const house = await createHouse(t)
  await createCompactedTopic(`${house.prefix}compacted`)
  const log = await house.open()
  const publish = (n: number) => log.publish(Array.from({ length: 10 }, (_, i) => record(n, `key-${i % 5}`, 'compacted')))
  for (let n = 0; n < 20; n += 1) await publish(n)
  const kept = async () => (await readAll(log, 'compacted')).map(one => one.position)
  const giveUpMs = performance.now() + 90_000
  for (let n = 20; (await kept()).length >= 200; n += 1) {
    assert.ok(performance.now() < giveUpMs, 'the cleaner did nothing for 90 s')
    await publish(n)
    await wait(700)
  }
  const all = await kept()
  const [range] = await log.ends('compacted')
  assert.ok(range && all.length < range.end)
  for (let from = 0; from < range.end; from += 13) {
    const { records, next, end } = await log.read({ topic: 'compacted', partition: 0, from: { positions: { 0: from } }, limit: 10_000 })
    assert.deepEqual(
      records.map(one => one.position),
      all.filter(position => position >= from),
    )
    assert.equal(next, end)
  }
  await log.replay('behind', 'compacted', { positions: { 0: 3 } })
  const handled: number[] = []
  await log.subscribe({
    topic: 'compacted',
    group: 'behind',
    handle: async records => void handled.push(...records.map(one => one.position)),
  })
  await until('the group has all that is kept', () => new Set(handled).size >= all.filter(position => position >= 3).length)
})
