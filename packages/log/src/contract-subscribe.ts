/** The contract of subscriptions: at least once, in order within a lane, lanes side by side, commits without gaps. */
import assert from 'node:assert/strict'
import { type Case, collect, committedEverything, eventually, newGroup, record, text, withTopic } from './contract-kit.ts'
import type { LogRecord } from './log.ts'

/** A promise that a test opens. */
const gate = () => Promise.withResolvers<void>()

export const subscribeCases: readonly Case[] = [
  {
    title: 'two groups each get everything',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const [a, b] = await Promise.all([collect(log, { topic, group: newGroup() }), collect(log, { topic, group: newGroup() })])
      await log.publish(Array.from({ length: 30 }, (_, i) => record(topic, `k${i}`, `${i}`)))
      await Promise.all([a.until(30), b.until(30)])
      assert.deepEqual(new Set(a.texts()), new Set(b.texts()))
    },
  },
  {
    title: 'a group goes on where it stopped, and one that starts at the end sees only what comes after',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const group = newGroup()
      await log.publish([record(topic, 'k', 'before')])
      const late = await collect(log, { topic, group: newGroup(), from: 'end' })
      await eventually(
        () => 'the late group holds partitions',
        () => late.subscription.partitions().length > 0,
      )
      const first = await collect(log, { topic, group })
      await first.until(1)
      await first.subscription.stop()
      await log.publish([record(topic, 'k', 'after')])
      const second = await collect(log, { topic, group })
      await second.until(1)
      await late.until(1)
      assert.deepEqual([first.texts(), second.texts(), late.texts()], [['before'], ['after'], ['after']])
    },
  },
  {
    title: 'records of a lane are handled one after the other, lanes side by side, never more than wanted at once',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const open = gate()
      const now = new Map<string, number>()
      let most = 0
      const { until, seen, subscription } = await collect(log, {
        topic,
        group: newGroup(),
        concurrency: 3,
        handle: async ([one]) => {
          const key = one?.key ?? ''
          now.set(key, (now.get(key) ?? 0) + 1)
          assert.equal(now.get(key), 1, key)
          most = Math.max(
            most,
            [...now.values()].reduce((sum, count) => sum + count, 0),
          )
          await open.promise
          now.set(key, 0)
        },
      })
      await log.publish(Array.from({ length: 40 }, (_, i) => record(topic, `k${i % 8}`, `${i}`)))
      await eventually(
        () => '3 calls in flight',
        () => subscription.stats().inFlight === 3,
      )
      open.resolve()
      await until(40)
      assert.equal(most, 3)
      assert.equal(subscription.stats().dead, 0)
      for (let k = 0; k < 8; k += 1)
        assert.deepEqual(
          seen.filter(one => one.key === `k${k}`).map(text),
          [0, 1, 2, 3, 4].map(i => `${i * 8 + k}`),
        )
    },
  },
  {
    title: 'a lane may be something else than the key, and one call gets up to a batch of what waits in it',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const open = gate()
      const calls: string[][] = []
      const { until } = await collect(log, {
        topic,
        group: newGroup(),
        batch: 4,
        lane: (one: LogRecord) => text(one).slice(0, 1),
        handle: async records => {
          calls.push(records.map(text))
          await open.promise
        },
      })
      await log.publish(['a1', 'b1', 'a2', 'a3', 'b2', 'a4', 'a5', 'a6'].map(value => record(topic, 'k', value)))
      await eventually(
        () => 'both lanes began',
        () => calls.length === 2,
      )
      open.resolve()
      await until(8)
      assert.ok(
        calls.every(call => call.length <= 4 && new Set(call.map(value => value.slice(0, 1))).size === 1),
        JSON.stringify(calls),
      )
      assert.deepEqual(
        calls.flat().filter(value => value.startsWith('a')),
        ['a1', 'a2', 'a3', 'a4', 'a5', 'a6'],
      )
      assert.deepEqual(
        calls.flat().filter(value => value.startsWith('b')),
        ['b1', 'b2'],
      )
    },
  },
  {
    title: 'records without a key do not wait for one another',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const open = gate()
      let begun = 0
      const { until } = await collect(log, {
        topic,
        group: newGroup(),
        concurrency: 10,
        handle: async () => {
          begun += 1
          await open.promise
        },
      })
      await log.publish(Array.from({ length: 10 }, (_, i) => record(topic, null, `${i}`)))
      await eventually(
        () => `10 calls at once, there are ${begun}`,
        () => begun === 10,
      )
      open.resolve()
      await until(10)
    },
  },
  {
    title: 'a lane that hangs holds up no other lane, also not of its partition, and nothing behind it is committed',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const open = gate()
      const group = newGroup()
      const { until, seen } = await collect(log, {
        topic,
        group,
        handle: async ([one]) => {
          if (one?.key === 'slow') await open.promise
        },
      })
      const partition = log.partitionOf(topic, 'slow')
      const neighbours = Array.from({ length: 200 }, (_, i) => `n${i}`).filter(key => log.partitionOf(topic, key) === partition)
      const [slow] = await log.publish([record(topic, 'slow', 'slow'), ...neighbours.map(key => record(topic, key, key))])
      await until(neighbours.length)
      assert.ok(!seen.some(one => one.key === 'slow'))
      const held = (await log.lag(group)).find(one => one.partition === partition)
      assert.ok((held?.committed ?? 0) <= (slow?.position ?? -1), `committed ${held?.committed}, the slow one is at ${slow?.position}`)
      open.resolve()
      await until(neighbours.length + 1)
      await committedEverything(log, group)
    },
  },
  {
    title: 'more waits than may be buffered: fetching pauses, nothing is lost, everything comes in order',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const open = gate()
      const { until, subscription, texts } = await collect(log, { topic, group: newGroup(), maxBuffered: 10, handle: () => open.promise })
      const all = Array.from({ length: 600 }, (_, i) => record(topic, 'k', `${i}`))
      for (let i = 0; i < all.length; i += 100) await log.publish(all.slice(i, i + 100))
      await eventually(
        () => 'one record in hand',
        () => subscription.stats().inFlight === 1,
      )
      open.resolve()
      await until(600)
      assert.deepEqual(
        texts(),
        all.map((_, i) => `${i}`),
      )
    },
  },
  {
    title: 'paused, nothing new is begun; resumed, nothing is missing and nothing comes twice',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const { until, subscription, texts } = await collect(log, { topic, group: newGroup() })
      await log.publish([record(topic, 'k', '0')])
      await until(1)
      subscription.pause()
      await log.publish(Array.from({ length: 20 }, (_, i) => record(topic, 'k', `${i + 1}`)))
      await eventually(
        () => 'records wait',
        () => subscription.stats().waiting > 0,
      )
      assert.equal(subscription.stats().inFlight, 0)
      assert.deepEqual(texts(), ['0'])
      subscription.resume()
      await until(21)
      assert.deepEqual(
        texts(),
        Array.from({ length: 21 }, (_, i) => `${i}`),
      )
    },
  },
  {
    title: 'a subscriber is told of its partitions before their records are handled, and again when it may and stops',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const told = gate()
      const gained = new Set<number>()
      const lost = new Set<number>()
      await log.publish([record(topic, 'k', 'x')])
      const { until, seen, subscription } = await collect(log, {
        topic,
        group: newGroup(),
        onAssigned: async change => {
          for (const partition of change.gained) gained.add(partition)
          for (const partition of change.lost) lost.add(partition)
          await told.promise
        },
      })
      await eventually(
        () => 'partitions are held and the record is there',
        () => gained.size > 0 && subscription.stats().waiting === 1,
      )
      assert.equal(seen.length, 0)
      assert.deepEqual(new Set(subscription.partitions().map(one => one.partition)), gained)
      assert.ok(subscription.partitions().every(one => one.sinceMs <= performance.now()))
      told.resolve()
      await until(1)
      assert.ok(performance.now() - subscription.lastHeartbeatMs() < 10_000)
      await subscription.stop()
      assert.deepEqual(lost, gained)
      assert.deepEqual(subscription.partitions(), [])
    },
  },
  {
    title: 'stop finishes what is in hand and commits it, begins nothing more, and twice is once',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const group = newGroup()
      const open = gate()
      const begun: string[] = []
      const { until, subscription, texts } = await collect(log, {
        topic,
        group,
        handle: async ([one]) => {
          begun.push(one ? text(one) : '')
          await open.promise
        },
      })
      await log.publish([record(topic, 'k', 'in hand'), record(topic, 'k', 'waiting')])
      await eventually(
        () => 'the first is in hand',
        () => begun.length === 1,
      )
      const stopping = [subscription.stop(), subscription.stop()]
      open.resolve()
      await Promise.all(stopping)
      await until(1)
      assert.deepEqual([begun, texts()], [['in hand'], ['in hand']])
      const next = await collect(log, { topic, group })
      await next.until(1)
      assert.deepEqual(next.texts(), ['waiting'])
    },
  },
  {
    title: 'a handler that does not end is aborted after the drain, is not committed, and is handled again',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const group = newGroup()
      let reason: unknown
      const hanging = await log.subscribe({
        topic,
        group,
        handle: (_, { signal }) =>
          new Promise(resolve => {
            signal.addEventListener('abort', () => {
              reason = signal.reason
              resolve()
            })
          }),
      })
      await log.publish([record(topic, 'k', 'x')])
      await eventually(
        () => 'the record is in hand',
        () => hanging.stats().inFlight === 1,
      )
      await hanging.stop({ drainMs: 20 })
      assert.match(String(reason), /20 ms/)
      const next = await collect(log, { topic, group })
      await next.until(1)
      assert.deepEqual(next.texts(), ['x'])
    },
  },
]
