/** One search index, from the side of who has it written: its thread, and the log that is handed to it. */
import { setTimeout } from 'node:timers/promises'
import { MessageChannel, Worker } from 'node:worker_threads'
import { messageOf } from '@newswire/events/errors'
import { topics } from '@newswire/events/topics'
import { mayPass } from '@newswire/log/late-log'
import type { Following, Log, LogRecord, Position, Start } from '@newswire/log/log'
import type { Cursor, FromLog, FromWriter, ToWriter, WriterData } from './search-messages.ts'

export type IndexThread = Readonly<{
  /** Resolves once everything that was in the log at start is in the index; rejects when it cannot be. */
  ready: Promise<void>
  /** Facts as JSON, from elsewhere than the log; resolves when more may be given. */
  seed(facts: readonly string[]): Promise<void>
  /** Behind the last record of the log that is or may soon be in the index, by partition; the same for good once `stop` was called. */
  given(): Cursor
  /** Resolves once everything that the log still has before these positions is in the index; rejects when it failed or is stopped. */
  has(positions: Cursor): Promise<void>
  stop(): Promise<void>
}>

type Options = Readonly<{
  log: Pick<Log, 'kind' | 'whenThere' | 'ends' | 'read' | 'follow'>
  file: string
  onApplied: (articles: number) => void
  /** Once: it cannot go on. What it wrote is not to be shown any more, because what came since is missing. */
  onFailed: (error: Error) => void
}>

/**
 * How late a search may find what is in the log: each time costs a fetch, a waking of the thread, a transaction of FTS5 and its part of merging, 0.5 CPU-ms an
 * article at 50/s with 50 ms. What is taken back is left out as soon as the view knows.
 */
const PATIENCE_MS = 250
/** Records before the log's end from which on a thread more is worth its memory. */
const MANY = 1_000
/** Before a log that has just come is asked again, ms. */
const AGAIN_MS = 1_000
/** How often one that waits for what the log has looks again, ms, and how often it asks whether the log still goes so far. */
const LOOK_MS = 5
const ASK_MS = 1_000
const topic = topics.articles.name

export const startIndexThread = ({ log, file, onApplied, onFailed }: Options): IndexThread => {
  const worker = new Worker(new URL('./search-writer-thread.ts', import.meta.url), {
    workerData: { file, topic, logKind: log.kind } satisfies WriterData,
  })
  const ready = Promise.withResolvers<void>()
  ready.promise.catch(() => undefined)
  const following = Promise.withResolvers<Following>()
  following.promise.catch(() => undefined)
  const exited = Promise.withResolvers<void>()
  /** Who gave something and waits until the thread takes more. */
  const givers: PromiseWithResolvers<void>[] = []
  /** Who waits for the answer to a mark. */
  const markers: PromiseWithResolvers<void>[] = []
  const given: Record<number, Position> = {}
  let hasFailed = false
  let isStopping = false

  const tell = (message: ToWriter) => worker.postMessage(message)
  const give = (act: () => void): Promise<void> => {
    const taken = Promise.withResolvers<void>()
    givers.push(taken)
    act()
    return taken.promise
  }
  const fail = (error: Error) => {
    if (hasFailed || isStopping) return
    hasFailed = true
    ready.reject(error)
    following.reject(error)
    for (const one of [...givers.splice(0), ...markers.splice(0)]) one.reject(error)
    onFailed(error)
  }

  /** While much is read one thread prepares what the other writes. */
  let preparer: Worker | undefined
  let count = 0
  let hasReached = false
  const startPreparer = () => {
    const { port1: writer, port2: port } = new MessageChannel()
    preparer = new Worker(new URL('./search-prepare-thread.ts', import.meta.url), { workerData: { writer }, transferList: [writer] })
    preparer.on('message', onMessage).on('error', fail)
    worker.postMessage({ kind: 'listen', port } satisfies ToWriter, [port])
  }
  const endPreparer = async () => {
    const ending = preparer
    preparer = undefined
    await ending?.terminate()
  }
  const tellOfLog = (message: FromLog) => (preparer ?? worker).postMessage(message)

  const answer = async (ask: Extract<FromWriter, { kind: 'ask' }>): Promise<void> => {
    try {
      await log.whenThere?.()
      const value =
        ask.what === 'ends' ? await log.ends(topic) : await log.read({ topic, partition: ask.partition, from: ask.from, limit: 1 })
      tell({ kind: 'answer', id: ask.id, value })
    } catch (error) {
      // A log that has just come may still be choosing its leaders.
      if (log.whenThere === undefined || isStopping || !mayPass(error)) return tell({ kind: 'answer', id: ask.id, error: messageOf(error) })
      await setTimeout(AGAIN_MS, undefined, { ref: false })
      await answer(ask)
    }
  }
  const follow = async (from: Start): Promise<void> => {
    // What the file had.
    if (typeof from === 'object' && 'positions' in from) Object.assign(given, from.positions)
    const onRecords = async (records: readonly LogRecord[]) => {
      // What was given to the one thread must not be overtaken by what is given to the other.
      if (hasReached) await ready.promise.catch(() => undefined)
      else if (count > MANY && preparer === undefined) startPreparer()
      if (hasFailed || isStopping) return
      count += records.length
      for (const { partition, position } of records) given[partition] = position + 1
      const sent = records.map(({ partition, position, headers, value }) => ({ partition, position, headers, value }))
      // A thread that died says so itself; what is not taken must not stop the log for others.
      await give(() => tellOfLog({ kind: 'records', records: sent })).catch(() => undefined)
    }
    const current = await log.follow({ topic, from, onRecords, patienceMs: PATIENCE_MS })
    following.resolve(current)
    await current.ready
    hasReached = true
    tellOfLog({ kind: 'reached', cursor: current.cursor() })
  }

  const onMessage = (message: FromWriter) => {
    switch (message.kind) {
      case 'ask':
        void answer(message)
        return
      case 'follow':
        follow(message.from).catch(error => fail(error as Error))
        return
      case 'took':
        givers.shift()?.resolve()
        return
      case 'applied':
        onApplied(message.articles)
        return
      case 'ready':
        void endPreparer()
        ready.resolve()
        return
      case 'marked':
        markers.shift()?.resolve()
        return
      case 'failed':
        fail(new Error(message.message))
        return
      case 'stopped':
        return
      default:
        message satisfies never
    }
  }
  worker.on('message', onMessage).on('error', fail)
  worker.on('exit', () => {
    fail(new Error('the thread that writes the search index ended'))
    exited.resolve()
  })

  /** A topic that was made anew may be shorter: what lay behind its end is gone, and is never told. As they are while nobody can say. */
  const withinLog = async (positions: Cursor): Promise<Cursor> => {
    const ends = await log.ends(topic).catch(() => null)
    if (ends === null) return positions
    const endOf = (partition: string) => ends.find(one => one.partition === Number(partition))?.end ?? 0
    return Object.fromEntries(Object.entries(positions).map(([partition, position]) => [partition, Math.min(position, endOf(partition))]))
  }

  const has = async (positions: Cursor): Promise<void> => {
    await ready.promise
    const current = await following.promise
    let wanted = positions
    // Positions that were passed count too: what was there may have aged out before it was read.
    const isTold = () => Object.entries(wanted).every(([partition, position]) => (current.cursor()[Number(partition)] ?? 0) >= position)
    for (let askAtMs = performance.now() + ASK_MS; !hasFailed && !isStopping && !isTold(); ) {
      await setTimeout(LOOK_MS, undefined, { ref: false })
      if (performance.now() < askAtMs) continue
      wanted = await withinLog(positions)
      askAtMs = performance.now() + ASK_MS
    }
    if (hasFailed || isStopping) throw new Error('it failed or was stopped')
    const marked = Promise.withResolvers<void>()
    markers.push(marked)
    tell({ kind: 'mark' })
    await marked.promise
  }

  return {
    ready: ready.promise,
    given: () => ({ ...given }),
    has,
    seed: facts => (hasFailed ? Promise.reject(new Error('it failed')) : give(() => tell({ kind: 'seed', facts }))),
    stop: async () => {
      if (isStopping) return exited.promise
      isStopping = true
      ready.reject(new Error('it was stopped'))
      following.reject(new Error('it was stopped'))
      for (const marker of markers.splice(0)) marker.reject(new Error('it was stopped'))
      for (const giver of givers.splice(0)) giver.resolve()
      await following.promise.then(one => one.stop()).catch(() => undefined)
      tell({ kind: 'stop' })
      await Promise.all([exited.promise, endPreparer()])
    },
  }
}
