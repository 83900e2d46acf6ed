/**
 * A process of its own, to be killed: opens a log, does one thing, says so on standard output and waits for its end.
 * Called with one argument, the JSON of a `ChildOrder`.
 */
import { fileURLToPath } from 'node:url'
import { topics } from '@newswire/events/topics'
import type { Log } from './log.ts'

export type ChildTarget =
  | Readonly<{ kind: 'embedded'; file: string; fsync: 'full' | 'normal' }>
  | Readonly<{ kind: 'kafka'; brokers: readonly string[]; topicPrefix: string }>

export type ChildOrder = Readonly<{ target: ChildTarget; topic: string; sessionTimeoutMs: number }> &
  (
    | /** Publishes so many records with the key `k`, says `published`. */ Readonly<{ act: 'publish'; count: number }>
    /** Handles records and commits them, until it gets `at`: says `handling`, and never ends. */
    | Readonly<{ act: 'handle-until'; group: string; at: string }>
    /** Publishes each record to `to`, says `forwarded` when that is durable, and never ends the handler. */
    | Readonly<{ act: 'forward'; group: string; to: string }>
    /** Takes part in the group, says each value that it handles. */
    | Readonly<{ act: 'member'; group: string }>
  )

const text = (value: Uint8Array | null): string => new TextDecoder().decode(value ?? new Uint8Array())
const say = (line: string) => process.stdout.write(`${line}\n`)
const never = new Promise<never>(() => undefined)

const open = async (target: ChildTarget): Promise<Log> => {
  if (target.kind === 'embedded') {
    const { createEmbeddedLog } = await import('./embedded.ts')
    return createEmbeddedLog({ file: target.file, fsync: target.fsync, specs: [topics.deadLetters], retryScale: 0.02 })
  }
  const { createKafkaLog } = await import('./kafka.ts')
  return createKafkaLog({ brokers: target.brokers, clientId: 'contract-child', topicPrefix: target.topicPrefix, retryScale: 0.02 })
}

const obey = async (order: ChildOrder): Promise<void> => {
  const log = await open(order.target)
  process.once('SIGTERM', () => void log.close().finally(() => process.exit(0)))
  const { topic, sessionTimeoutMs } = order
  switch (order.act) {
    case 'publish': {
      const values = Array.from({ length: order.count }, (_, i) => ({ topic, key: 'k', value: new TextEncoder().encode(`${i}`) }))
      await log.publish(values)
      say('published')
      return
    }
    case 'handle-until': {
      const { group, at } = order
      const handle = async (records: readonly { value: Uint8Array | null }[]) => {
        if (!records.some(record => text(record.value) === at)) return
        const committed = (await log.lag(group)).map(one => `${one.committed}`)
        say(`handling ${committed.join(' ')}`)
        await never
      }
      await log.subscribe({ topic, group, handle, sessionTimeoutMs })
      return
    }
    case 'forward': {
      const { group, to } = order
      await log.subscribe({
        topic,
        group,
        sessionTimeoutMs,
        handle: async records => {
          await log.publish(records.map(({ key, value }) => ({ topic: to, key, value })))
          say('forwarded')
          await never
        },
      })
      return
    }
    case 'member':
      await log.subscribe({
        topic,
        group: order.group,
        sessionTimeoutMs,
        handle: async records => {
          for (const { value } of records) say(`handled ${text(value)}`)
        },
      })
      say('member')
      return
    default:
      order satisfies never
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // Lives until it is killed, or until whoever started it is gone.
  process.stdin.resume().on('end', () => process.exit(0))
  await obey(JSON.parse(process.argv[2] ?? '{}') as ChildOrder)
}
