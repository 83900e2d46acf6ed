/**
 * Search over all that is public: an index of the gateway's own, made from the log, in a file below `views/` that can be deleted at any time. A new one is made
 * beside it and takes its place whole, when it has everything; until then the old one answers.
 */
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '@newswire/events/errors'
import type { Fact } from '@newswire/events/fact'
import type { Log } from '@newswire/log/log'
import { type IndexThread, startIndexThread } from './search-index-thread.ts'
import { createSearchPool } from './search-pool.ts'
import type { SearchFound, SearchQuery } from './search-reader.ts'

/** Facts as JSON, some at a time, from elsewhere than the log. */
export type Seeds = AsyncIterable<readonly string[]>

export type Search = Readonly<{
  /** Whether everything that was in the log at start is in the index; before, an old retraction might not be known yet. */
  isReady(): boolean
  failure(): Error | null
  /** Rises whenever something was written: as long as it stays, every answer stays. */
  revision(): number
  find(query: SearchQuery): Promise<SearchFound>
  /** A fact that the store has, while the log does not tell: what it tells later of this version, or of older ones, is known then. */
  take(fact: Fact): void
  /**
   * Makes the index again, from the log and before that from `seeds`, and puts it in the place of the one that answers meanwhile. Who asks while it is made
   * waits for that one. `onTaken` says how many versions it has read.
   */
  rebuild(options?: { seeds?: Seeds; onTaken?: (articles: number) => void }): Promise<void>
  stop(): Promise<void>
}>

type Options = Readonly<{
  log: Pick<Log, 'kind' | 'whenThere' | 'ends' | 'read' | 'follow'>
  dataDir: string
  onTrouble: (error: Error) => void
  /** Before an index that failed is made again, ms (default 5 000); doubled each time, up to a minute; the first time it is opened again as it is. */
  againAfterMs?: number
}>

const NAME = /^gateway-search-(\d+)\.db$/
const AGAIN_AFTER_MS = 5_000
const AGAIN_MOST_MS = 60_000

const removeIndex = (file: string) => {
  for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${file}${end}`, { force: true })
}

/** Indexes that are there, by number. One that is being made has another ending until it is whole. */
const listNumbers = (folder: string): readonly number[] =>
  readdirSync(folder)
    .flatMap(name => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => b - a)

export const openSearch = ({ log, dataDir, onTrouble, againAfterMs = AGAIN_AFTER_MS }: Options): Search => {
  const folder = join(dataDir, 'views')
  mkdirSync(folder, { recursive: true })
  const [newest = 1, ...older] = listNumbers(folder)
  const fileOf = (number: number) => join(folder, `gateway-search-${number}.db`)
  for (const number of older) removeIndex(fileOf(number))
  for (const name of readdirSync(folder)) if (/^gateway-search-\d+\.new/.test(name)) rmSync(join(folder, name), { force: true })

  let number = newest
  let revision = 0
  let isReady = false
  let failed: Error | null = null
  let isStopped = false
  let failures = 0
  let timer: NodeJS.Timeout | undefined
  let rebuilding: Promise<void> | null = null
  let making: IndexThread | undefined
  const pool = createSearchPool(onTrouble)

  const failedWith = (error: Error) => {
    if (isStopped) return
    failed = error
    isReady = false
    onTrouble(error)
    // Log and disk may only have been away; a file that cannot be used is made again.
    const again = failures === 0 ? reopen : rebuild
    timer = setTimeout(() => void again().catch(() => undefined), Math.min(againAfterMs * 2 ** failures, AGAIN_MOST_MS))
    timer.unref()
    failures += 1
  }
  /** From `before` on it is the current one, which answers once it has everything that can have been found in `before`. */
  const serve = async (of: number, before?: IndexThread): Promise<void> => {
    const file = fileOf(of)
    const thread = startIndexThread({
      log,
      file,
      onApplied: () => {
        revision += 1
      },
      onFailed: error => {
        if (current === thread) failedWith(error)
      },
    })
    current = thread
    await thread.ready
    if (before !== undefined) {
      // Both are told of the log by themselves, so one may be ahead of the other: the old one is told nothing more, and the new one waited for.
      void before.stop()
      await thread.has(before.given())
    }
    if (current !== thread) return
    isReady = true
    failed = null
    revision += 1
    pool.open(file)
  }
  let current: IndexThread
  // Its failure is told by the thread.
  const open = (of: number) => void serve(of).catch(() => undefined)
  open(number)
  const reopen = async () => {
    await current.stop()
    if (!isStopped) open(number)
  }

  /** A whole index under a name that the next start would not take. */
  const make = async (file: string, seeds: Seeds | undefined, onTaken: (articles: number) => void): Promise<void> => {
    let articles = 0
    let trouble: Error | null = null
    const thread = startIndexThread({
      log,
      file,
      onApplied: more => {
        articles += more
        onTaken(articles)
      },
      onFailed: error => {
        trouble = error
      },
    })
    making = thread
    try {
      await thread.ready
      for await (const facts of seeds ?? []) await thread.seed(facts)
      // The last of them may wait for a disk that is full. One that failed has told it, and one that is stopped is not wanted.
      await thread.has({}).catch(() => undefined)
    } finally {
      making = undefined
      await thread.stop()
    }
    if (trouble !== null) throw trouble
  }

  const rebuildOnce = async (seeds: Seeds | undefined, onTaken: (articles: number) => void): Promise<void> => {
    const next = number + 1
    const draft = join(folder, `gateway-search-${next}.new`)
    removeIndex(draft)
    try {
      await make(draft, seeds, onTaken)
      if (isStopped) return
      // Its thread has let go of it, so that it is one file; under its name it is found by the next start too.
      renameSync(draft, fileOf(next))
    } catch (error) {
      removeIndex(draft)
      throw error
    }
    const before = { thread: current, number }
    number = next
    try {
      await serve(next, before.thread)
    } finally {
      await before.thread.stop()
    }
    failures = 0
    removeIndex(fileOf(before.number))
  }
  const rebuild: Search['rebuild'] = ({ seeds, onTaken = () => undefined } = {}) => {
    if (isStopped) return Promise.reject(new Error('the search index is closed'))
    rebuilding ??= rebuildOnce(seeds, onTaken)
      .catch(error => {
        const wrapped = new Error(`the search index was not made again: ${messageOf(error)}`, { cause: error })
        if (failed === null) onTrouble(wrapped)
        else failedWith(wrapped)
        throw wrapped
      })
      .finally(() => {
        rebuilding = null
      })
    return rebuilding
  }

  return {
    isReady: () => isReady,
    failure: () => failed,
    revision: () => revision,
    find: pool.find,
    take: fact => {
      if (!isReady) return
      const thread = current
      // One that takes the place of another may not have begun. A thread that failed says so itself.
      void thread.ready.then(() => thread.seed([JSON.stringify(fact)])).catch(() => undefined)
    },
    rebuild,
    stop: async () => {
      if (isStopped) return
      isStopped = true
      clearTimeout(timer)
      await making?.stop()
      // Before what waits for it: it may be waiting for a log that is away.
      await current.stop()
      await rebuilding?.catch(() => undefined)
      await pool.stop()
    },
  }
}
