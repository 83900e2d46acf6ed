/** The contract of crashes: a process is killed between two lines, and nothing is lost or taken back. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { topics } from '@newswire/events/topics'
import type { ChildOrder } from './contract-child.ts'
import { type Case, collect, committedEverything, eventually, newGroup, readAll, record, spec, text, withTopic } from './contract-kit.ts'

/** The shortest that brokers allow by default. */
const SESSION_MS = 6000
const CHILD = fileURLToPath(new URL('./contract-child.ts', import.meta.url))

type Child = Readonly<{
  lines: readonly string[]
  said: (start: string) => Promise<string>
  kill: (signal: NodeJS.Signals) => Promise<void>
}>

const ended = (child: ChildProcess): Promise<void> =>
  new Promise(resolve => {
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    else child.once('exit', () => resolve())
  })

type Order = ChildOrder extends infer One ? (One extends ChildOrder ? Omit<One, 'sessionTimeoutMs'> : never) : never

const startChild = (t: TestContext, order: Order): Child => {
  const child = spawn(process.execPath, [CHILD, JSON.stringify({ ...order, sessionTimeoutMs: SESSION_MS })], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  let complaints = ''
  createInterface({ input: child.stdout }).on('line', line => lines.push(line))
  child.stderr.on('data', chunk => {
    complaints += String(chunk)
  })
  const kill = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    await ended(child)
  }
  t.after(() => kill('SIGKILL'))
  const said = (start: string) =>
    eventually(
      () => `a child says "${start}"; it said ${JSON.stringify(lines)} ${complaints}`,
      () => {
        if (child.exitCode) throw new Error(`the child ended with ${child.exitCode}: ${complaints}`)
        return lines.find(line => line.startsWith(start))
      },
    )
  return { lines, said, kill }
}

export const crashCases: readonly Case[] = [
  {
    title: 'what publish has resolved is there after a kill of the process right after it',
    run: async (t, make) => {
      const { log, topic, target, reopen } = await withTopic(t, make)
      await log.close()
      const child = startChild(t, { target, topic, act: 'publish', count: 100 })
      await child.said('published')
      await child.kill('SIGKILL')
      const again = await reopen()
      assert.deepEqual(
        (await readAll(again, topic)).map(text),
        Array.from({ length: 100 }, (_, i) => `${i}`),
      )
      const before = (await readAll(again, topic)).at(-1)
      const [next] = await again.publish([record(topic, 'k', 'after')])
      assert.ok((next?.position ?? 0) > (before?.position ?? 0))
      const { until, texts } = await collect(again, { topic, group: newGroup() })
      await until(101)
      assert.equal(texts().at(-1), 'after')
    },
  },
  {
    title: 'a kill within a handler brings its record again, and none is skipped',
    run: async (t, make) => {
      const { log, topic, target, reopen } = await withTopic(t, make)
      const group = newGroup()
      await log.publish(Array.from({ length: 20 }, (_, i) => record(topic, 'k', `${i}`)))
      await log.close()
      const child = startChild(t, { target, topic, act: 'handle-until', group, at: '10' })
      await child.said('handling')
      await child.kill('SIGKILL')
      const again = await reopen()
      const { texts, until } = await collect(again, { topic, group })
      await eventually(
        () => `the last record, got ${texts().join()}`,
        () => texts().includes('19'),
      )
      const first = Number(texts()[0])
      assert.ok(first <= 10, `went on at ${first}`)
      assert.deepEqual(
        texts(),
        Array.from({ length: 20 - first }, (_, i) => `${first + i}`),
      )
      await until(20 - first)
      await committedEverything(again, group)
    },
  },
  {
    title: 'what a handler published is there although the process was killed before its input was committed',
    run: async (t, make) => {
      const to = spec()
      const { log, topic, target, reopen } = await withTopic(t, make, {}, { specs: [to] })
      const group = newGroup()
      await log.publish([record(topic, 'k', 'x')])
      await log.close()
      const child = startChild(t, { target, topic, act: 'forward', group, to: to.name })
      await child.said('forwarded')
      await child.kill('SIGKILL')
      const again = await reopen()
      assert.deepEqual((await readAll(again, to.name)).map(text), ['x'])
      const { until, texts } = await collect(again, { topic, group })
      await until(1)
      assert.deepEqual(texts(), ['x'])
    },
  },
  {
    title: 'a second owner of the same log is refused and told who has it, and may have it when the first is gone',
    needs: 'single-owner',
    run: async (t, make) => {
      const { log, topic, target, reopen } = await withTopic(t, make)
      await assert.rejects(reopen(), (error: unknown) => {
        assert.equal((error as { code?: unknown }).code, 'NEWSWIRE_LOG_OWNED')
        return new RegExp(`process ${process.pid}`).test(String(error))
      })
      await log.publish([record(topic, 'k', 'mine')])
      await log.close()
      const child = startChild(t, { target, topic, act: 'publish', count: 1 })
      await child.said('published')
      await assert.rejects(reopen(), (error: unknown) => (error as { code?: unknown }).code === 'NEWSWIRE_LOG_OWNED')
      await child.kill('SIGKILL')
      assert.deepEqual((await readAll(await reopen(), topic)).map(text), ['mine', '0'])
    },
  },
  {
    title: 'two members share the partitions; when one leaves or is killed, the other has them all and nothing is missing',
    needs: 'sessions',
    run: async (t, make) => {
      const { log, topic, target } = await withTopic(t, make)
      const group = newGroup()
      const mine = await collect(log, { topic, group, sessionTimeoutMs: SESSION_MS })
      const all = (await log.ends(topic)).length
      const holds = (count: (held: number) => boolean) =>
        eventually(
          () => `partitions are shared as wanted, held: ${mine.subscription.partitions().length} of ${all}`,
          () => count(mine.subscription.partitions().length),
        )
      await holds(held => held === all)
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        const child = startChild(t, { target, topic, act: 'member', group })
        await child.said('member')
        await holds(held => held > 0 && held < all)
        const values = Array.from({ length: 30 }, (_, i) => `${signal}-${i}`)
        await log.publish(values.map(value => record(topic, value, value)))
        const have = () => new Set([...mine.texts(), ...child.lines.map(line => line.replace('handled ', ''))])
        await eventually(
          () => 'both together handled everything',
          () => values.every(value => have().has(value)),
        )
        await child.kill(signal)
        await log.publish(values.map(value => record(topic, value, `${value}-after`)))
        await holds(held => held === all)
        await eventually(
          () => 'the one that is left handled everything',
          () => values.every(value => mine.texts().includes(`${value}-after`)),
        )
      }
      await committedEverything(log, group)
    },
  },
  {
    title: 'a handler three times longer than the session keeps its partition and its record comes once',
    needs: 'sessions',
    run: async (t, make) => {
      const { log, topic } = await withTopic(t, make)
      const { until, texts, subscription } = await collect(log, {
        topic,
        group: newGroup(),
        sessionTimeoutMs: SESSION_MS,
        handle: async ([one]) => {
          if (one && text(one) === 'long') await new Promise(resolve => setTimeout(resolve, 3 * SESSION_MS))
        },
      })
      await log.publish([record(topic, 'k', 'long'), record(topic, 'k', 'next')])
      await until(2)
      assert.deepEqual(texts(), ['long', 'next'])
      assert.equal(subscription.partitions().length, (await log.ends(topic)).length)
    },
  },
  {
    title: 'members that come and go never handle a key at the same time, and nothing is lost',
    run: async (t, make) => {
      const { log, topic, another } = await withTopic(t, make)
      const group = newGroup()
      const second = await another()
      const inside = new Set<string>()
      const handled = new Set<string>()
      const handle = async ([one]: readonly { key: string | null; value: Uint8Array | null }[]) => {
        const key = one?.key ?? ''
        assert.ok(!inside.has(key), `two handlers in ${key}`)
        inside.add(key)
        await new Promise(resolve => setTimeout(resolve, 2))
        inside.delete(key)
        if (one) handled.add(text(one))
      }
      const first = await collect(log, { topic, group, handle, retry: [], sessionTimeoutMs: SESSION_MS })
      const values = Array.from({ length: 400 }, (_, i) => `${i}`)
      await log.publish(values.map((value, i) => record(topic, `k${i % 40}`, value)))
      for (let i = 0; i < 3; i += 1) {
        const guest = await collect(second, { topic, group, handle, retry: [], sessionTimeoutMs: SESSION_MS })
        await eventually(
          () => 'the guest has partitions',
          () => guest.subscription.partitions().length > 0,
        )
        await guest.subscription.stop()
        await guest.subscription.stop()
      }
      await eventually(
        () => `everything handled, ${handled.size} of ${values.length}`,
        () => handled.size === values.length,
      )
      await committedEverything(log, group)
      assert.deepEqual(await readAll(log, topics.deadLetters.name), [])
      await first.subscription.stop()
    },
  },
]
