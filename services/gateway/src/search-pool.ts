/** The threads that answer searches, and how much may wait for them. */
import { Worker } from 'node:worker_threads'
import { UnavailableError } from '@newswire/events/errors'
import type { FromReader, ToReader } from './search-messages.ts'
import type { SearchFound, SearchQuery } from './search-reader.ts'

type SearchPool = Readonly<{
  /** From now on searches are answered from this file; those that were asked before are answered from the one before. */
  open(file: string): void
  /** Throws `UnavailableError` `NEWSWIRE_SEARCH_BUSY` when too much waits, `NEWSWIRE_SEARCH_FAILED` when it cannot be answered. */
  find(query: SearchQuery): Promise<SearchFound>
  stop(): Promise<void>
}>

/** As many as search may keep busy: more would only share the same processors with whatever serves feeds. */
const THREADS = 2
/** Under way and waiting. At a few milliseconds each, whoever came last would have to wait for a second. */
const MAX_WAITING = 256
const MAX_HEAP_MB = 128

type Waiting = Readonly<{ query: SearchQuery; answer: PromiseWithResolvers<SearchFound> }>
type Thread = { readonly worker: Worker; current: Waiting | null; id: number }

const failed = (reason: string) => new UnavailableError('NEWSWIRE_SEARCH_FAILED', `the search index could not be asked: ${reason}`)

export const createSearchPool = (onCrash: (error: Error) => void): SearchPool => {
  const threads: Thread[] = []
  const waiting: Waiting[] = []
  let file: string | null = null
  let isStopped = false

  const next = (thread: Thread) => {
    const first = waiting.shift()
    if (first === undefined) return
    thread.current = first
    thread.id += 1
    thread.worker.postMessage({ kind: 'find', id: thread.id, query: first.query } satisfies ToReader)
  }
  const start = (): Thread => {
    const worker = new Worker(new URL('./search-reader-thread.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    })
    const thread: Thread = { worker, current: null, id: 0 }
    worker.on('message', (message: FromReader) => {
      const asked = thread.current
      thread.current = null
      if ('found' in message) asked?.answer.resolve(message.found)
      else asked?.answer.reject(failed(message.error))
      next(thread)
    })
    worker.on('error', onCrash)
    // The next search starts another one.
    worker.on('exit', () => {
      threads.splice(threads.indexOf(thread), 1)
      thread.current?.answer.reject(failed('the thread ended'))
      if (!isStopped && waiting.length > 0 && threads.length === 0) next(start())
    })
    if (file !== null) worker.postMessage({ kind: 'open', file } satisfies ToReader)
    worker.unref()
    threads.push(thread)
    return thread
  }

  return {
    open: opened => {
      file = opened
      for (const { worker } of threads) worker.postMessage({ kind: 'open', file } satisfies ToReader)
    },
    find: async query => {
      if (isStopped || file === null) throw failed('it is closed')
      if (waiting.length >= MAX_WAITING) throw new UnavailableError('NEWSWIRE_SEARCH_BUSY', `${MAX_WAITING} searches are waiting already`)
      const answer = Promise.withResolvers<SearchFound>()
      waiting.push({ query, answer })
      const idle = threads.find(({ current }) => current === null) ?? (threads.length < THREADS ? start() : undefined)
      if (idle !== undefined) next(idle)
      return answer.promise
    },
    stop: async () => {
      isStopped = true
      for (const { answer } of waiting.splice(0)) answer.reject(failed('it is closed'))
      await Promise.all(threads.map(({ worker }) => worker.terminate()))
    },
  }
}
