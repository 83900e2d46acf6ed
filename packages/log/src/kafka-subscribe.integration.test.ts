/** Subscriptions on a real Kafka: members that come, go, die and are slow, and places that retention or compaction took. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { codeOf } from '@newswire/events/errors'
import { type NewswireEvent, toRecord } from '@newswire/events/events'
import { assertOrderPerKey, brokers, createHouse, numberOf, readAll, record, skip, until, withAdmin } from './kafka-kit.ts'
import type { Log, LogRecord, SubscribeOptions, Subscription } from './log.ts'

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
const [url, brokers, prefix, session, file] = process.argv.slice(1)
const { createKafkaLog } = await import(url)
const log = await createKafkaLog({ brokers: brokers.split(','), clientId: 'member', topicPrefix: prefix, membersFile: () => file ?? null })
await log.subscribe({ topic: 'work', group: 'dying', sessionTimeoutMs: Number(session), handle: async () => {} })
console.log('joined')
`

const startMember = async (t: TestContext, prefix: string, more: readonly string[]): Promise<ChildProcess> => {
  const url = import.meta.resolve('./kafka.ts')
  const args = ['--input-type=module', '--eval', memberProgram, url, (brokers ?? []).join(','), prefix, ...more]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

test('a member that dies loses its partitions within its session and a little, and nothing of its work is lost', { skip }, async t => {
  const house = await createHouse(t)
  const log = await house.open()
  const handled = new Set<number>()
  const child = await startMember(t, house.prefix, ['6000'])
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

/** Elsewhere nobody is told whether the machine was started anew. */
const skipDead = skip || (process.platform !== 'linux' && 'needs Linux')

test('who knows that the member before it is dead does not wait for its session', { skip: skipDead }, async t => {
  const house = await createHouse(t)
  const folder = await mkdtemp(join(tmpdir(), 'newswire-members-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'members.json')
  const sessionTimeoutMs = 90_000
  const child = await startMember(t, house.prefix, [String(sessionTimeoutMs), file])
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
  const log = await house.open({ membersFile: () => file })
  const joining = log.subscribe({ topic: 'work', group: 'dying', sessionTimeoutMs, handle: async () => undefined })
  let mine: Subscription | undefined
  joining.then(
    one => {
      mine = one
    },
    () => undefined,
  )
  await until('it holds all, long before the session is over', () => mine?.partitions().length === 4, sessionTimeoutMs / 2)
  await (await joining).stop()
  await until('who left is no ghost', () => readFileSync(file, 'utf8').endsWith('"members":{}}'))
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

test('a group whose place retention took goes on where the topic begins, and says so', { skip }, async t => {
  const house = await createHouse(t)
  const errors: Error[] = []
  const log = await house.open({ onError: error => errors.push(error) })
  const handled: number[] = []
  const options: SubscribeOptions = { topic: 'work', group: 'late', handle: async records => void handled.push(...records.map(numberOf)) }
  await (await log.subscribe(options)).stop()
  const published = await log.publish(Array.from({ length: 10 }, (_, n) => record(n, 'k')))
  const partition = log.partitionOf('work', 'k')
  const topic = `${house.prefix}work`
  await withAdmin(async admin => {
    await admin.fetchTopicOffsets(topic) // deleteTopicRecords expects the topic's metadata to be there
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(published[6]?.position) }] })
  })
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
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }))
  await withAdmin(admin => admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1, configEntries }] }))
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

test('what others publish comes to a consumer that had got all by hand, in order and once', { skip }, async t => {
  const house = await createHouse(t)
  const [here, elsewhere] = [await house.open(), await house.open()]
  const handled: LogRecord[] = []
  const followed: LogRecord[] = []
  await here.subscribe({ topic: 'work', group: 'mixed', handle: async records => void handled.push(...records) })
  await here.follow({ topic: 'work', from: 'start', onRecords: records => void followed.push(...records) })
  let n = 0
  const publish = async (log: Log) => {
    n += 1
    await log.publish([record(n, `key-${n % 8}`)])
  }
  const all = (what: string) => until(what, () => handled.length >= n && followed.length >= n)
  for (let i = 0; i < 40; i += 1) await publish(here)
  await all('what was published here')
  for (let i = 0; i < 40; i += 1) await publish(i % 3 === 0 ? elsewhere : here)
  await all('what was published here and elsewhere')
  for (let i = 0; i < 40; i += 1) await publish(elsewhere)
  await all('what was published elsewhere')
  for (const records of [handled, followed]) {
    assert.deepEqual(new Set(records.map(numberOf)).size, n)
    assert.equal(records.length, n)
    assertOrderPerKey(records)
  }
})

const event: NewswireEvent<'config.changed'> = {
  id: 'e1',
  type: 'config.changed',
  source: '/services/console',
  subject: 'feeds/all',
  time: '2026-11-24T00:00:00.000Z',
  data: { kind: 'feeds', id: 'all', n: 1 },
}

test('who is patient now and then is handed what is published here while it is not, and fetches it while it is', { skip }, async t => {
  const log = await (await createHouse(t)).open()
  let patienceMs = 0
  const came: LogRecord[] = []
  await log.subscribe({
    topic: 'work',
    group: 'moody',
    patienceMs: () => patienceMs,
    handle: async records => void came.push(...records),
  })
  /** Nobody changes the bytes of an event's record, so who is handed it gets the very same. */
  const isHanded = async (): Promise<boolean> => {
    const published = Object.assign(toRecord(event), { topic: 'work' })
    const before = came.length
    await log.publish([published])
    await until('it is handled', () => came.length > before)
    return came.at(-1)?.value === published.value
  }
  // A fetch may be quicker than the answer to the publisher.
  let tries = 0
  while (!(await isHanded())) assert.ok(++tries < 200, 'nothing was handed on')
  patienceMs = 50
  for (let n = 0; n < 5; n += 1) assert.equal(await isHanded(), false)
})
