/** The contract of reading without handling: follow, read, ends, lag, replay, health, close, and what time removes. */
import assert from 'node:assert/strict'
import { type Case, collect, committedEverything, eventually, newGroup, readAll, record, text, withTopic } from './contract-kit.ts'
import type { FollowOptions, Log, LogRecord } from './log.ts'

const DAY_MS = 86_400_000

const followed = async (log: Log, options: Omit<FollowOptions, 'onRecords'>) => {
  const seen: LogRecord[] = []
  const following = await log.follow({ ...options, onRecords: records => void seen.push(...records) })
  const until = (count: number) =>
    eventually(
      () => `${count} records followed, there are ${seen.length}`,
      () => seen.length >= count,
    )
  return { ...following, seen, until, texts: () => seen.map(text) }
}

const hasCode = (code: string) => (error: unknown) => (error as { code?: unknown }).code === code

export const readCases: readonly Case[] = [
  {
    title: 'a follower is ready when it has all that was there, also of an empty topic, and gets what comes after',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const empty = await followed(log, { topic, from: 'start' })
      await empty.ready
      await log.publish(Array.from({ length: 50 }, (_, i) => record(topic, `k${i}`, `${i}`)))
      const full = await followed(log, { topic, from: 'start' })
      await full.ready
      assert.equal(full.seen.length, 50)
      await empty.until(50)
      await log.publish([record(topic, 'k', 'live')])
      await full.until(51)
      assert.equal(full.texts().at(-1), 'live')
      await eventually(
        () => 'the cursor is at the ends',
        async () => (await log.ends(topic)).every(({ partition, end }) => full.cursor()[partition] === end),
      )
      await full.stop()
      await empty.stop()
    },
  },
  {
    title: 'patience costs a follower or a group nothing but time: a backlog of any size and a single late record arrive',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const large = 'x'.repeat(100_000)
      await log.publish(Array.from({ length: 12 }, () => record(topic, 'k', large)))
      const patient = { topic, patienceMs: 50 }
      const group = await collect(log, { ...patient, group: newGroup() })
      const following = await followed(log, { ...patient, from: 'start' })
      await following.ready
      assert.equal(following.seen.length, 12)
      await group.until(12)
      await log.publish([record(topic, 'k', 'alone')])
      await following.until(13)
      await group.until(13)
      assert.deepEqual([following.texts().at(-1), group.texts().at(-1)], ['alone', 'alone'])
    },
  },
  {
    title: 'a follower goes on behind its stored cursor, or begins at the end',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      await log.publish([record(topic, 'a', '1'), record(topic, 'b', '2')])
      const first = await followed(log, { topic, from: 'start' })
      await first.ready
      await first.stop()
      const live = await followed(log, { topic, from: 'end' })
      await live.ready
      await log.publish([record(topic, 'a', '3')])
      const second = await followed(log, { topic, from: { positions: first.cursor() } })
      await second.ready
      await live.until(1)
      assert.deepEqual([second.texts(), live.texts()], [['3'], ['3']])
    },
  },
  {
    title: 'the next batch of a follower waits for the one before, and one that throws stops and turns health red',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      let inside = 0
      await log.publish(Array.from({ length: 10 }, (_, i) => record(topic, `k${i}`, `${i}`)))
      const following = await log.follow({
        topic,
        from: 'start',
        onRecords: async () => {
          inside += 1
          assert.equal(inside, 1)
          await new Promise(resolve => setImmediate(resolve))
          inside -= 1
        },
      })
      await following.ready
      assert.equal((await log.health()).ok, true)
      const broken = await log.follow({ topic, from: 'start', onRecords: () => Promise.reject(new Error('a bug in a projection')) })
      await assert.rejects(broken.ready, /a bug in a projection/)
      const { ok, detail } = await log.health()
      assert.equal(ok, false)
      assert.match(JSON.stringify(detail), /a bug in a projection/)
      await broken.stop()
      await following.stop()
    },
  },
  {
    title: 'read gives at most what was asked for and where to go on, and says where the partition ends',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      await log.publish(Array.from({ length: 7 }, (_, i) => record(topic, 'k', `${i}`)))
      const partition = log.partitionOf(topic, 'k')
      const one = await log.read({ topic, partition, from: 'start', limit: 3 })
      const two = await log.read({ topic, partition, from: { positions: { [partition]: one.next } }, limit: 100 })
      assert.deepEqual(
        [one.records.map(text), two.records.map(text)],
        [
          ['0', '1', '2'],
          ['3', '4', '5', '6'],
        ],
      )
      assert.equal(two.next, two.end)
      const end = await log.read({ topic, partition, from: 'end', limit: 10 })
      assert.deepEqual([end.records, end.next], [[], two.end])
      assert.deepEqual(
        (await log.ends(topic)).map(({ start, end: last }) => last >= start),
        (await log.ends(topic)).map(() => true),
      )
    },
  },
  {
    title: 'reading from a time gives the first record of that time or later: all before the beginning, none after the end',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const beforeMs = Date.now() - 1000
      for (let i = 0; i < 4; i += 1) {
        await log.publish([record(topic, 'k', `${i}`)])
        const [last] = (await readAll(log, topic)).slice(-1)
        await eventually(
          () => 'the clock moves on',
          () => Date.now() > (last?.timestamp ?? 0),
        )
      }
      const partition = log.partitionOf(topic, 'k')
      const all = await readAll(log, topic)
      const at = async (timeMs: number) => (await log.read({ topic, partition, from: { timeMs }, limit: 10 })).records.map(text)
      assert.deepEqual(await at(beforeMs), ['0', '1', '2', '3'])
      assert.deepEqual(await at(all[2]?.timestamp ?? 0), ['2', '3'])
      assert.deepEqual(await at((all[2]?.timestamp ?? 0) + 1), ['3'])
      assert.deepEqual(await at(Date.now() + 60_000), [])
    },
  },
  {
    title: 'lag counts what is not committed and how old it is, and is nothing at rest',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const group = newGroup()
      const done = await collect(log, { topic, group })
      await log.publish([record(topic, 'k', 'handled')])
      await done.until(1)
      await committedEverything(log, group)
      await done.subscription.stop()
      await log.publish([record(topic, 'k', 'a'), record(topic, 'k', 'b')])
      const lag = await log.lag(group)
      const partition = log.partitionOf(topic, 'k')
      const behind = lag.find(one => one.partition === partition)
      assert.deepEqual([behind?.topic, behind?.records], [topic, 2])
      assert.ok(behind?.oldestMs !== null && (behind?.oldestMs ?? -1) >= 0 && (behind?.oldestMs ?? 0) < 60_000, `${behind?.oldestMs}`)
      assert.equal(
        lag.reduce((sum, one) => sum + one.records, 0),
        2,
      )
      for (const one of lag) if (one.partition !== partition) assert.equal(one.oldestMs, null)
      assert.deepEqual(await log.lag(newGroup()), [])
    },
  },
  {
    title: 'a group can be set back to the start, to a position or forward to the end, but not while it has members',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const group = newGroup()
      const published = await log.publish(['0', '1', '2'].map(value => record(topic, 'k', value)))
      const partition = log.partitionOf(topic, 'k')
      const run = async (count: number): Promise<string[]> => {
        const { until, texts, subscription } = await collect(log, { topic, group })
        await until(count)
        await assert.rejects(log.replay(group, topic, 'start'), hasCode('NEWSWIRE_LOG_GROUP_ACTIVE'))
        await committedEverything(log, group)
        await subscription.stop()
        return texts()
      }
      assert.deepEqual(await run(3), ['0', '1', '2'])
      await log.replay(group, topic, 'start')
      assert.deepEqual(await run(3), ['0', '1', '2'])
      await log.replay(group, topic, { positions: { [partition]: published[1]?.position ?? 0 } })
      assert.deepEqual(await run(2), ['1', '2'])
      await log.replay(group, topic, 'start')
      await log.replay(group, topic, 'end')
      assert.deepEqual(
        (await log.lag(group)).map(one => one.records),
        (await log.ends(topic)).map(() => 0),
      )
    },
  },
  {
    title: 'close drains and commits, nothing begins after it, twice is once, and a closed log says so',
    run: async (t, make) => {
      const { log, topic, reopen } = await withTopic(t, make)
      const group = newGroup()
      const open = Promise.withResolvers<void>()
      const { subscription, seen } = await collect(log, { topic, group, handle: () => open.promise })
      await log.publish([record(topic, 'k', 'in hand'), record(topic, 'k', 'waiting')])
      await eventually(
        () => 'the first is in hand',
        () => subscription.stats().inFlight === 1,
      )
      const closing = [log.close(), log.close()]
      open.resolve()
      await Promise.all(closing)
      assert.deepEqual(seen.map(text), ['in hand'])
      await assert.rejects(log.publish([record(topic, 'k', 'x')]), hasCode('NEWSWIRE_LOG_UNAVAILABLE'))
      assert.equal((await log.health()).ok, false)
      const again = await collect(await reopen(), { topic, group })
      await again.until(1)
      assert.deepEqual(again.texts(), ['waiting'])
    },
  },
  {
    title: 'a clock set back gives no record an earlier time than the one before it',
    needs: 'clock',
    run: async (t, make) => {
      let nowMs = Date.now()
      const { log, topic } = await withTopic(t, make, {}, { now: () => nowMs })
      await log.publish([record(topic, 'k', '1')])
      nowMs -= 3_600_000
      await log.publish([record(topic, 'k', '2')])
      const [one, two] = await readAll(log, topic)
      assert.ok(one && two && two.timestamp >= one.timestamp)
    },
  },
  {
    title: 'what is older than the retention goes, positions stay, and a group that was behind goes on at the start and says so',
    needs: 'clock',
    run: async (t, make) => {
      let nowMs = Date.now()
      const errors: Error[] = []
      const { log, topic } = await withTopic(
        t,
        make,
        { retentionMs: DAY_MS },
        { now: () => nowMs, retentionEveryMs: 5, onError: error => errors.push(error) },
      )
      const group = newGroup()
      const first = await collect(log, { topic, group })
      await log.publish([record(topic, 'k', 'handled')])
      await first.until(1)
      await first.subscription.stop()
      await log.publish(Array.from({ length: 300 }, (_, i) => record(topic, 'k', `old ${i}`)))
      nowMs += DAY_MS / 2
      const [kept] = await log.publish([record(topic, 'k', 'kept')])
      nowMs += DAY_MS / 2 + 1000
      await eventually(
        () => 'the old ones are gone',
        async () => (await readAll(log, topic)).length === 1,
      )
      const partition = log.partitionOf(topic, 'k')
      assert.equal((await log.ends(topic))[partition]?.start, kept?.position)
      const second = await collect(log, { topic, group })
      await second.until(1)
      assert.deepEqual(second.texts(), ['kept'])
      assert.ok(errors.some(hasCode('NEWSWIRE_LOG_GAP')), errors.map(String).join())
      nowMs += DAY_MS
      await eventually(
        () => 'the last one is gone',
        async () => (await readAll(log, topic)).length === 0,
      )
      const [next] = await log.publish([record(topic, 'k', 'new')])
      assert.ok((next?.position ?? 0) > (kept?.position ?? 0))
      await second.until(2)
    },
  },
  {
    title: 'compaction keeps the newest of each key and everything younger than its lag, ends tombstones, and moves nothing',
    needs: 'clock',
    run: async (t, make) => {
      let nowMs = Date.now()
      const { log, topic } = await withTopic(
        t,
        make,
        { cleanup: 'compact', retentionMs: DAY_MS, partitions: 1 },
        { now: () => nowMs, retentionEveryMs: 5 },
      )
      const published = await log.publish([
        ...['a1', 'a2', 'b1', 'c1', 'a3'].map(value => record(topic, value.slice(0, 1), value)),
        { topic, key: 'c', value: null },
      ])
      nowMs += DAY_MS + 1000
      await log.publish([record(topic, 'a', 'a4'), record(topic, 'b', 'b2')])
      await eventually(
        () => 'the old part is compacted',
        async () => (await readAll(log, topic)).length === 5,
      )
      const all = await readAll(log, topic)
      assert.deepEqual(all.map(text), ['b1', 'a3', '', 'a4', 'b2'])
      assert.deepEqual(
        all.slice(0, 3).map(one => one.position),
        [2, 4, 5].map(i => published[i]?.position),
      )
      nowMs += 2 * DAY_MS + 1000
      await log.publish([record(topic, 'd', 'd1')])
      await eventually(
        () => 'the tombstone is gone, and what is replaced',
        async () => (await readAll(log, topic)).map(text).join() === 'a4,b2,d1',
      )
      const follower = await followed(log, { topic, from: 'start' })
      await follower.ready
      assert.deepEqual(follower.texts(), ['a4', 'b2', 'd1'])
      await follower.stop()
    },
  },
]
