/** The contract of publishing: order, placement, bytes, refusals. */
import assert from 'node:assert/strict'
import { bytes, type Case, collect, eventually, newGroup, readAll, record, spec, text, withTopic } from './contract-kit.ts'
import type { Log, NewRecord } from './log.ts'
import { partitionOf } from './partition.ts'

const rejectsWith = (code: string) => (error: unknown) => {
  assert.equal((error as { code?: unknown }).code, code)
  return true
}

const publishInOrder = async (log: Log, topic: string, key: string, count: number) => {
  for (let i = 0; i < count; i += 1) await log.publish([record(topic, key, `${i}`)])
}

export const publishCases: readonly Case[] = [
  {
    title: 'records of a key keep the order in which they were published, beside 50 other publishers',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const keys = Array.from({ length: 50 }, (_, i) => `key-${i}`)
      await Promise.all(keys.map(key => publishInOrder(log, topic, key, 10)))
      const all = await readAll(log, topic)
      assert.equal(all.length, 500)
      for (const key of keys)
        assert.deepEqual(
          all.filter(one => one.key === key).map(text),
          Array.from({ length: 10 }, (_, i) => `${i}`),
          key,
        )
    },
  },
  {
    title: 'calls that overlap keep the order of their beginning within a key',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      await Promise.all(Array.from({ length: 200 }, (_, i) => log.publish([record(topic, 'k', `${i}`)])))
      assert.deepEqual(
        (await readAll(log, topic)).map(text),
        Array.from({ length: 200 }, (_, i) => `${i}`),
      )
    },
  },
  {
    title: 'a key is placed by murmur2, also an empty one and one beyond ASCII, and records without a key spread',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const count = (await log.ends(topic)).length
      const keys = ['', 'a', 'demo.2026-11-24', 'tin-tức/Hà Nội', '新聞', '🗞️']
      const published = await log.publish(keys.map(key => record(topic, key, key)))
      keys.forEach((key, i) => {
        assert.equal(published[i]?.partition, partitionOf(key, count), key)
        assert.equal(log.partitionOf(topic, key), partitionOf(key, count), key)
      })
      const spread = await log.publish(Array.from({ length: 60 }, (_, i) => record(topic, null, `${i}`)))
      assert.equal(new Set(spread.map(one => one.partition)).size, count)
    },
  },
  {
    title: 'records of one call stay together within a partition, and the results say where each one is',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const call = (name: string) => log.publish(Array.from({ length: 20 }, (_, i) => record(topic, `k${i % 3}`, `${name}-${i}`)))
      const results = await Promise.all(['a', 'b', 'c', 'd'].map(call))
      const all = await readAll(log, topic)
      for (const { partition } of await log.ends(topic)) {
        const names = all.filter(one => one.partition === partition).map(one => text(one).slice(0, 1))
        assert.equal(names.filter((name, i) => name !== names[i - 1]).length, new Set(names).size, names.join(''))
      }
      results.flat().forEach(({ partition, position }, i) => {
        const there = all.find(one => one.partition === partition && one.position === position)
        assert.equal(there && text(there), `${'abcd'[Math.floor(i / 20)]}-${i % 20}`)
      })
    },
  },
  {
    title: 'keys, values and headers come back byte for byte; no value is not an empty value',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const odd = Uint8Array.from({ length: 512 }, (_, i) => i % 256)
      const sent: NewRecord[] = [
        { topic, key: 'k', value: odd, headers: { ce_id: '1', empty: '', 'tin tức': 'Hà Nội 🗞️' } },
        { topic, key: 'k', value: null },
        { topic, key: 'k', value: new Uint8Array() },
        { topic, key: '', value: bytes('empty key') },
        { topic, key: null, value: bytes('no key') },
        { topic, key: 'a\nb\u0000c', value: bytes('odd key') },
      ]
      const published = await log.publish(sent)
      const { seen, until } = await collect(log, { topic, group: newGroup() })
      await until(sent.length)
      const all = await readAll(log, topic)
      for (const source of [seen, all])
        sent.forEach((one, i) => {
          const got = source.find(({ partition, position }) => partition === published[i]?.partition && position === published[i]?.position)
          assert.equal(got?.key, one.key)
          assert.deepEqual(got?.value && Buffer.from(got.value), one.value && Buffer.from(one.value))
          assert.deepEqual(got?.headers, one.headers ?? {})
        })
    },
  },
  {
    title: 'a buffer may be used again once publish has resolved',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const value = bytes('as published')
      const publishing = log.publish([{ topic, key: 'k', value }])
      await publishing
      value.fill(0)
      assert.deepEqual((await readAll(log, topic)).map(text), ['as published'])
    },
  },
  {
    title: 'a record that is too large refuses its call whole, and others go on',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make, { maxRecordBytes: 65_536 })
      const large: NewRecord = { topic, key: 'k', value: new Uint8Array(70_000) }
      await assert.rejects(log.publish([record(topic, 'k', 'neighbour'), large]), rejectsWith('NEWSWIRE_LOG_TOO_LARGE'))
      await log.publish([record(topic, 'k', 'next')])
      assert.deepEqual((await readAll(log, topic)).map(text), ['next'])
    },
  },
  {
    title: 'an unknown topic is refused by name, writes nothing of its call, and other topics keep working',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const call = log.publish([record(topic, 'k', 'same call'), record('t-nowhere', 'k', 'x')])
      await assert.rejects(call, (error: unknown) => rejectsWith('NEWSWIRE_LOG_UNKNOWN_TOPIC')(error) && /t-nowhere/.test(String(error)))
      await assert.rejects(log.ends('t-nowhere'), rejectsWith('NEWSWIRE_LOG_UNKNOWN_TOPIC'))
      await log.publish([record(topic, 'k', 'still here')])
      assert.deepEqual((await readAll(log, topic)).map(text), ['still here'])
    },
  },
  {
    title: 'publishing is refused at once when too much waits, keeps what it took, and recovers',
    needs: 'small-queue',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make, {}, { maxWaitingBytes: 20_000 })
      const calls = await Promise.allSettled(
        Array.from({ length: 50 }, (_, i) => log.publish([{ topic, key: `${i}`, value: new Uint8Array(4000) }])),
      )
      const refused = calls.filter(one => one.status === 'rejected')
      assert.ok(refused.length > 0 && refused.length < 50, `${refused.length} of 50 refused`)
      for (const one of refused) assert.equal((one.reason as { code?: unknown }).code, 'NEWSWIRE_LOG_BUSY')
      assert.equal((await readAll(log, topic)).length, 50 - refused.length)
      await log.publish([record(topic, 'k', 'again')])
    },
  },
  {
    title: 'no records are nothing to publish, and a call given up before it began writes nothing',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      assert.deepEqual(await log.publish([]), [])
      await assert.rejects(log.publish([record(topic, 'k', 'x')], { signal: AbortSignal.abort() }), rejectsWith('NEWSWIRE_LOG_UNAVAILABLE'))
      assert.equal((await readAll(log, topic)).length, 0)
    },
  },
  {
    title: 'topics are created when asked, reported when missing or different, and never lose what they hold',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const wanted = spec({ partitions: 3 })
      assert.deepEqual(
        (await log.topics([wanted])).map(one => one.state),
        ['missing'],
      )
      assert.deepEqual(
        (await log.topics([wanted], { apply: true })).map(one => one.state),
        ['created'],
      )
      await eventually(
        () => 'the new topic is there',
        async () => (await log.topics([wanted]))[0]?.state === 'as-wanted',
      )
      await log.publish([record(wanted.name, 'k', 'kept')])
      const [changed] = await log.topics([{ ...wanted, partitions: 30 }], { apply: true })
      assert.equal(changed?.state, 'differs')
      assert.match(changed?.differences.join() ?? '', /partitions/)
      assert.deepEqual((await readAll(log, wanted.name)).map(text), ['kept'])
      await log.publish([record(topic, 'k', 'other')])
    },
  },
]
