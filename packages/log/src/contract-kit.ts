/** What the contract of the log is told about an adapter, and the few tools its cases share. */
import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { type TopicSpec, topics } from '@newswire/events/topics'
import type { ChildTarget } from './contract-child.ts'
import type { Handled } from './lane-tries.ts'
import type { Log, LogRecord, NewRecord, SubscribeOptions } from './log.ts'

export type MakeOptions = Readonly<{
  /** Topics to be there. On shared brokers the adapter puts a prefix of the test before all names. */
  specs: readonly TopicSpec[]
  /** Only for cases that need `clock`. */
  now?: () => number
  /** Only for cases that need `clock`: how often retention looks. */
  retentionEveryMs?: number
  /** Bytes that may wait to be written, for the case of a full queue. */
  maxWaitingBytes?: number
  onError?: (error: Error) => void
  onHandled?: (handled: Handled) => void
}>

export type Subject = Readonly<{
  log: Log
  /** How a child process opens the same log. Where one owner is allowed, `log` must be closed first. */
  target: ChildTarget
  /** Opens the same log again; whatever was open before has been closed or killed. Closed at the end of the test. */
  reopen(): Promise<Log>
  /** One more client of the same log, beside `log`: the same object where one owner is allowed. */
  another(): Promise<Log>
}>

/** Waits are scaled (`retryScale` 0.02), everything is gone at the end of the test. */
export type MakeSubject = (t: TestContext, options: MakeOptions) => Promise<Subject>

export type Capability =
  /** `now` and `retentionEveryMs` are obeyed: time can be moved in a test. */
  | 'clock'
  /** A second owner of the same log is refused. */
  | 'single-owner'
  /** Members in several processes share partitions, with sessions that end. */
  | 'sessions'
  /** The queue of what waits to be written can be made small. */
  | 'small-queue'

export type Case = Readonly<{ title: string; needs?: Capability; run: (t: TestContext, make: MakeSubject) => Promise<void> }>

/** For waits on a condition: long enough for a busy machine and a rebalance. */
const DEADLINE_MS = 45_000

export const spec = (over: Partial<TopicSpec> = {}): TopicSpec => ({
  name: `t-${randomUUID().slice(0, 8)}`,
  key: 'article',
  partitions: 6,
  cleanup: 'delete',
  retentionMs: 86_400_000,
  maxRecordBytes: 1_048_576,
  synced: true,
  purpose: 'one test',
  ...over,
})

export const newGroup = (): string => `g-${randomUUID().slice(0, 8)}`
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const text = (record: Pick<LogRecord, 'value'>): string => new TextDecoder().decode(record.value ?? new Uint8Array())
export const record = (topic: string, key: string | null, value: string): NewRecord => ({ topic, key, value: bytes(value) })

/** Waits until `check` gives a value; fails with what `what` says after the deadline. */
export const eventually = async <T>(
  what: () => string,
  check: () => T | undefined | null | false | Promise<T | undefined | null | false>,
): Promise<T> => {
  const until = performance.now() + DEADLINE_MS
  for (;;) {
    const found = await check()
    if (found !== undefined && found !== null && found !== false) return found
    if (performance.now() > until) throw new Error(`not within ${DEADLINE_MS} ms: ${what()}`)
    await wait(10)
  }
}

/** One topic and an open log. */
export const withTopic = async (t: TestContext, make: MakeSubject, over: Partial<TopicSpec> = {}, options: Partial<MakeOptions> = {}) => {
  const one = spec(over)
  const subject = await make(t, { ...options, specs: [one, topics.deadLetters, ...(options.specs ?? [])] })
  return { ...subject, topic: one.name }
}

/** Subscribes and keeps what was handled, in order. */
export const collect = async (log: Log, options: Omit<SubscribeOptions, 'handle'> & Partial<Pick<SubscribeOptions, 'handle'>>) => {
  const seen: LogRecord[] = []
  const subscription = await log.subscribe({
    ...options,
    handle: async (records, context) => {
      await options.handle?.(records, context)
      seen.push(...records)
    },
  })
  const until = (count: number): Promise<true> =>
    eventually(
      () => `${count} records handled, there are ${seen.length}: ${JSON.stringify(subscription.stats())}`,
      () => seen.length >= count,
    )
  return { seen, subscription, until, texts: () => seen.map(text) }
}

/** Every record of a topic, read partition by partition. */
export const readAll = async (log: Log, topic: string): Promise<LogRecord[]> => {
  const all: LogRecord[] = []
  for (const { partition, start } of await log.ends(topic)) {
    let from = start
    for (;;) {
      const { records, next, end } = await log.read({ topic, partition, from: { positions: { [partition]: from } }, limit: 100 })
      all.push(...records)
      if (next >= end) break
      if (next <= from) throw new Error(`read() does not get on: at ${from} of ${topic}/${partition}, which ends at ${end}`)
      from = next
    }
  }
  return all
}

export const committedEverything = (log: Log, group: string): Promise<true> =>
  eventually(
    () => `${group} has committed everything`,
    async () => {
      const lag = await log.lag(group)
      return lag.length > 0 && lag.every(one => one.records === 0 && one.committed !== null)
    },
  )
