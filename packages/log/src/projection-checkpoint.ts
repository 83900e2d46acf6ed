/**
 * Moves the write-ahead logs of views into their files on a thread, one for all views of the process: it syncs twice each time, and eight views that are
 * written 40 times a second held up the event loop by 15 ms about once a second.
 */
import { Worker } from 'node:worker_threads'

type Moving = Readonly<{
  /** Tells that so many records were applied in one transaction. */
  wrote(records: number): void
  /** Gives the write-ahead log back as well, once. */
  shrink(): void
  /** Resolves once no other connection of ours has the file open. */
  close(): Promise<void>
}>

export type MoveRequest = Readonly<{ id: number; path: string; isShrunk: boolean }>
/** `closing`: who waits for it in order to stop. */
type Thread = { readonly worker: Worker; readonly asked: Map<number, () => void>; closing: number }

/** About the pages that SQLite counts by itself: 4 MiB of them. */
const EVERY_PAGES = 1_000
/** What a transaction changes whatever is in it, and what each record adds, in pages: measured over all our views. */
const PAGES_OF = { transaction: 8, record: 2 } as const

/** Started when it is needed: a quiet installation does without its memory. */
let thread: Thread | null = null
let lastId = 0

const start = (): Thread => {
  const worker = new Worker(new URL('./projection-checkpoint-worker.ts', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
  })
  const asked = new Map<number, () => void>()
  const settle = (id: number) => {
    asked.get(id)?.()
    asked.delete(id)
  }
  worker.on('message', settle)
  // It has ended then: the next need starts another, and SQLite moves what grows beyond 64 MiB by itself.
  worker.on('error', () => undefined)
  worker.on('exit', () => {
    if (thread?.worker === worker) thread = null
    for (const id of [...asked.keys()]) settle(id)
  })
  worker.unref()
  return { worker, asked, closing: 0 }
}

/** Rejects when there may be no further thread. */
const move = (path: string, isShrunk: boolean): Promise<void> =>
  new Promise(resolve => {
    thread ??= start()
    lastId += 1
    thread.asked.set(lastId, resolve)
    thread.worker.postMessage({ id: lastId, path, isShrunk } satisfies MoveRequest)
  })

/** Who stops waits for it: it must not be what lets the process end, whoever else is done sooner. */
const keepAlive = (one: Thread | null): (() => void) => {
  if (one === null) return () => undefined
  one.closing += 1
  if (one.closing === 1) one.worker.ref()
  return () => {
    one.closing -= 1
    if (one.closing === 0) one.worker.unref()
  }
}

export const createMoving = (path: string): Moving => {
  let pages = 0
  let moving: Promise<void> | null = null
  const begin = (isShrunk: boolean) => {
    if (moving !== null) return
    pages = 0
    // Without a thread SQLite moves what grows by itself, and the next need asks for one again.
    moving = move(path, isShrunk)
      .catch(() => undefined)
      .finally(() => {
        moving = null
      })
  }
  return {
    wrote: records => {
      pages += PAGES_OF.transaction + PAGES_OF.record * records
      if (pages >= EVERY_PAGES) begin(false)
    },
    shrink: () => begin(true),
    close: async () => {
      if (moving === null) return
      const release = keepAlive(thread)
      await moving
      release()
    },
  }
}
