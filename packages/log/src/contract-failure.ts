/** The contract of failure: what a handler throws never stops a partition, and nothing is lost by it. */
import assert from 'node:assert/strict'
import { RejectError, UnavailableError } from '@newswire/events/errors'
import { topics } from '@newswire/events/topics'
import { bytes, type Case, collect, committedEverything, eventually, newGroup, readAll, record, text, withTopic } from './contract-kit.ts'
import { leftOf, parseDeadLetter, toRedrive } from './dead-letter.ts'
import type { Handled } from './lane-tries.ts'

const reject = () => new RejectError('NEWSWIRE_TEST_POISON', 'this can never succeed')

export const failureCases: readonly Case[] = [
  {
    title: 'a record that fails is tried again before the next of its lane, and other lanes go on',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const tries: string[] = []
      const { until, texts } = await collect(log, {
        topic,
        group: newGroup(),
        handle: async ([one], { attempt }) => {
          tries.push(`${one && text(one)} ${attempt}`)
          if (one && text(one) === 'a1' && attempt < 3) throw new Error('not yet')
        },
      })
      await log.publish([record(topic, 'a', 'a1'), record(topic, 'a', 'a2'), record(topic, 'b', 'b1')])
      await until(3)
      assert.deepEqual(
        tries.filter(one => one.startsWith('a')),
        ['a1 1', 'a1 2', 'a1 3', 'a2 1'],
      )
      assert.ok(texts().includes('b1'))
    },
  },
  ...[TypeError, RangeError, ReferenceError, SyntaxError].map(
    (Kind): Case => ({
      title: `a ${Kind.name} in a handler follows the schedule, then the record is a dead letter and the subscription lives`,
      run: async (t, make) => {
        const { log, topic } = await withTopic(t, make)
        const group = newGroup()
        const { until, texts, subscription } = await collect(log, {
          topic,
          group,
          retry: [1, 1],
          handle: async ([one]) => {
            if (one && text(one) === 'bad') throw new Kind('a bug')
          },
        })
        await log.publish([record(topic, 'k', 'bad'), record(topic, 'k', 'good')])
        await until(1)
        assert.deepEqual(texts(), ['good'])
        assert.equal(subscription.stats().dead, 1)
        const [dead] = await readAll(log, topics.deadLetters.name)
        assert.ok(dead)
        assert.equal(parseDeadLetter(dead).attempts, 3)
        await committedEverything(log, group)
      },
    }),
  ),
  {
    title: 'what a handler throws may be anything: nothing, a text, at once instead of later',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const thrown: Record<string, unknown> = { nothing: undefined, text: 'a text', object: Object.create(null) }
      const { until, subscription } = await collect(log, {
        topic,
        group: newGroup(),
        retry: [],
        handle: ([one]) => {
          const name = one ? text(one) : ''
          if (name in thrown) throw thrown[name]
          return Promise.resolve()
        },
      })
      await log.publish([...Object.keys(thrown), 'good'].map(name => record(topic, 'k', name)))
      await until(1)
      assert.equal(subscription.stats().dead, 3)
    },
  },
  {
    title: 'a dead letter has the key, bytes and headers unchanged, and says where it came from and why; its input is committed',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const group = newGroup()
      const value = Uint8Array.from({ length: 300 }, (_, i) => i % 256)
      const headers = { ce_id: 'original', ce_type: 'submission.accepted', ce_subject: 'demo.a' }
      const subscription = await log.subscribe({ topic, group, handle: () => Promise.reject(reject()) })
      const [published] = await log.publish([{ topic, key: 'demo.a', value, headers }])
      await eventually(
        () => 'a dead letter is counted',
        () => subscription.stats().dead === 1,
      )
      const [dead, ...others] = await readAll(log, topics.deadLetters.name)
      assert.ok(dead)
      assert.equal(others.length, 0)
      assert.equal(dead.key, 'demo.a')
      assert.deepEqual(dead.value && Buffer.from(dead.value), Buffer.from(value))
      for (const [name, wanted] of Object.entries(headers)) assert.equal(dead.headers[name], wanted)
      const { service, topic: origin, partition, position, attempts, errorCode, errorMessage, failures } = parseDeadLetter(dead)
      assert.deepEqual({ service, topic: origin, partition, position }, { service: group, ...published })
      assert.deepEqual([attempts, errorCode, errorMessage], [1, 'NEWSWIRE_TEST_POISON', 'this can never succeed'])
      assert.equal(failures.length, 1)
      await committedEverything(log, group)
    },
  },
  {
    title: 'a record that was done in part is redriven for what is left of it alone, however often',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const failing = new Set(['b', 'c'])
      const seen: string[][] = []
      const subscription = await log.subscribe({
        topic,
        group: newGroup(),
        retry: [],
        handle: async ([one], { leave }) => {
          const wanted = (one && leftOf(one)) ?? ['a', 'b', 'c']
          seen.push([...wanted])
          const left = wanted.filter(name => failing.has(name))
          leave?.(left)
          if (left.length > 0) throw new Error('the rest fails')
        },
      })
      await log.publish([record(topic, 'k', 'all')])
      for (const [times, mended] of ['b', 'c'].entries()) {
        await eventually(
          () => `a dead letter more than ${times} is counted`,
          () => subscription.stats().dead === times + 1,
        )
        failing.delete(mended)
        const dead = (await readAll(log, topics.deadLetters.name)).filter(one => parseDeadLetter(one).topic === topic)
        const [newest] = dead.toSorted((a, b) => parseDeadLetter(b).redriven - parseDeadLetter(a).redriven)
        assert.ok(newest)
        await log.publish([toRedrive(newest)])
      }
      await eventually(
        () => `the rest is done: ${JSON.stringify(seen)}`,
        () => seen.length === 3 && subscription.stats().handled === 1,
      )
      assert.deepEqual(seen, [['a', 'b', 'c'], ['b', 'c'], ['c']])
    },
  },
  {
    title: 'what is unavailable is waited for without an end in sight, visibly, and without a dead letter',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      let tries = 0
      const { until, subscription } = await collect(log, {
        topic,
        group: newGroup(),
        retry: [1],
        handle: async () => {
          tries += 1
          if (tries < 12) throw new UnavailableError('NEWSWIRE_TEST_AWAY', 'the store is away')
        },
      })
      await log.publish([record(topic, 'k', 'x')])
      await eventually(
        () => 'the outage is seen',
        () => (subscription.stats().unavailableSinceMs ?? Number.POSITIVE_INFINITY) <= performance.now(),
      )
      await until(1)
      assert.equal(tries, 12)
      assert.deepEqual([subscription.stats().dead, subscription.stats().unavailableSinceMs], [0, null])
    },
  },
  {
    title: 'a poison record in a batch is found and goes alone to the dead letters',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      await log.publish(Array.from({ length: 8 }, (_, i) => record(topic, 'k', i === 5 ? 'poison' : `${i}`)))
      const { until, texts, subscription } = await collect(log, {
        topic,
        group: newGroup(),
        batch: 100,
        handle: async records => {
          if (records.some(one => text(one) === 'poison')) throw reject()
        },
      })
      await until(7)
      await eventually(
        () => 'one dead letter',
        () => subscription.stats().dead === 1,
      )
      assert.deepEqual(texts(), ['0', '1', '2', '3', '4', '6', '7'])
      assert.deepEqual((await readAll(log, topics.deadLetters.name)).map(text), ['poison'])
    },
  },
  {
    title: 'stop returns at once while a lane waits for its next try, and the record is handled again later',
    run: async (t, make) => {
      const outcomes: Handled[] = []
      const { log, topic } = await withTopic(t, make, {}, { onHandled: one => outcomes.push(one) })
      const group = newGroup()
      const failing = await log.subscribe({ topic, group, retry: [10_000_000], handle: () => Promise.reject(new Error('later')) })
      await log.publish([record(topic, 'k', 'x')])
      await eventually(
        () => 'the first try has failed',
        () => outcomes.some(one => one.outcome === 'retry'),
      )
      await failing.stop({ drainMs: 60_000 })
      const next = await collect(log, { topic, group })
      await next.until(1)
    },
  },
  {
    title: 'a dead letter redriven is the same record again, handled by the group that failed and by no other',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const [failed, other] = [newGroup(), newGroup()]
      let isMended = false
      const mended = await collect(log, {
        topic,
        group: failed,
        handle: async () => {
          if (!isMended) throw reject()
        },
      })
      const bystander = await collect(log, { topic, group: other })
      const [first] = await log.publish([{ topic, key: 'k', value: bytes('x'), headers: { ce_id: 'same' } }])
      await bystander.until(1)
      const dead = await eventually(
        () => 'a dead letter',
        async () => (await readAll(log, topics.deadLetters.name))[0],
      )
      isMended = true
      await log.publish([toRedrive(dead)])
      await mended.until(1)
      const [again] = mended.seen
      assert.deepEqual([again?.key, again && text(again), again?.headers.ce_id], ['k', 'x', 'same'])
      assert.equal(again?.headers['newswire-first-position'], String(first?.position))
      assert.equal(again?.headers['newswire-dead-redriven'], '1')
      await committedEverything(log, other)
      assert.equal(bystander.seen.length, 1)
    },
  },
  {
    title: 'a record that cannot be handled in dead-letters stays there and makes no further dead letter',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const group = newGroup()
      await log.publish([{ topic: topics.deadLetters.name, key: topic, value: bytes('a'), headers: {} }])
      const subscription = await log.subscribe({ topic: topics.deadLetters.name, group, handle: () => Promise.reject(reject()) })
      await eventually(
        () => 'it was given up',
        () => subscription.stats().dead === 1,
      )
      await committedEverything(log, group)
      assert.equal((await readAll(log, topics.deadLetters.name)).length, 1)
    },
  },
]
