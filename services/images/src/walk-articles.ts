/**
 * Work that is done once for every article, a partition at a time, and done again when it has become other work (another table of presets). How far
 * it is, is an object for each partition: whoever holds the partition goes on where another process, or this one before it died, stopped.
 */
import { setTimeout } from 'node:timers/promises'
import { getDocument, swapDocument } from '@newswire/objects/documents'
import { keys, parseCurrentKey } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { z } from 'zod'

/** `table`: which work it is; the first one was a table of presets. */
const progress = z.object({
  n: z.int(),
  table: z.string(),
  after: z.string(),
  done: z.boolean(),
  /** An article was left out. */
  skipped: z.boolean().optional(),
})
type Progress = z.output<typeof progress>
type Held = { value: Progress; etag: string | null }

export type Walk = Readonly<{
  objects: Objects
  /** Names the work that is wanted now, and the one that needs no doing where nothing was ever done. */
  work: () => string
  doneAtFirst: string | null
  keyOf: (partition: number) => string
  /** Safe to repeat: after a crash up to `pageSize` articles are done once more. `'skipped'`: the walk goes on, and is not a whole one. */
  visit: (articleId: string, work: string, signal: AbortSignal) => Promise<'done' | 'skipped'>
  /** Asked after every page, before it counts as done: `true` ends the walk there (default: never). */
  isHalted?: () => Promise<boolean>
  partitions: () => readonly number[]
  partitionOf: (articleId: string) => number
  /** Articles looked at between two marks of progress (default 100). */
  pageSize?: number
  /** How long to rest after a page that took so long, both ms (default: not at all). */
  restMs?: (tookMs: number) => number
}>

const PAGE = 100

const readProgress = async ({ objects, keyOf, doneAtFirst }: Walk, partition: number, work: string): Promise<Held> => {
  const found = await getDocument(objects, keyOf(partition), progress)
  const { value, etag } = found ?? { value: { n: 0, table: doneAtFirst ?? '', after: '', done: doneAtFirst !== null }, etag: null }
  return { value: value.table === work ? value : { n: value.n, table: work, after: '', done: false }, etag }
}

/** What another process wrote meanwhile is its own: it goes on with that partition. */
const mark = async ({ objects, keyOf }: Walk, todo: Map<number, Held>, after: string, done: boolean): Promise<void> => {
  for (const [partition, { value, etag }] of todo) {
    if (!done && after <= value.after) continue
    const next = { ...value, n: value.n + 1, after, done }
    const result = await swapDocument(objects, keyOf(partition), next, etag)
    if (result.ok) todo.set(partition, { value: next, etag: result.etag })
    else todo.delete(partition)
  }
}

/** The work that was done for every article of a partition, none left out; `null` while there is none, or it is being done again. */
export const workDone = async ({ objects, keyOf }: Pick<Walk, 'objects' | 'keyOf'>, partition: number): Promise<string | null> => {
  const found = await getDocument(objects, keyOf(partition), progress)
  return found?.value.done === true && found.value.skipped !== true ? found.value.table : null
}

/**
 * Goes through the articles of the partitions held, from where they stand. Ends when all are done, when `signal` says so, or when other work is
 * wanted: then it is called again. Throws `UnavailableError` when the store is away, and what `visit` throws.
 */
export const walkArticles = async (walk: Walk, signal: AbortSignal): Promise<void> => {
  const work = walk.work()
  const todo = new Map<number, Held>()
  for (const partition of walk.partitions()) {
    const held = await readProgress(walk, partition, work)
    if (!held.value.done) todo.set(partition, held)
  }
  const isOver = () => signal.aborted || walk.work() !== work || todo.size === 0
  let startAfter = [...todo.values()].map(one => one.value.after).sort()[0] ?? ''
  while (!isOver()) {
    const begun = performance.now()
    const limit = walk.pageSize ?? PAGE
    const page = await walk.objects.list(keys.currentPrefix, { limit, ...(startAfter === '' ? {} : { startAfter }) })
    for (const { key } of page) {
      const articleId = parseCurrentKey(key)
      const held = articleId === null ? undefined : todo.get(walk.partitionOf(articleId))
      const isMine = articleId !== null && held !== undefined && walk.partitions().includes(walk.partitionOf(articleId))
      if (isMine && key > held.value.after && (await walk.visit(articleId, work, signal)) === 'skipped')
        held.value = { ...held.value, skipped: true }
      if (isOver()) return
      startAfter = key
    }
    if (await walk.isHalted?.()) return
    await mark(walk, todo, startAfter, page.length < limit)
    if (page.length < limit) return
    if (walk.restMs) await setTimeout(walk.restMs(performance.now() - begun), undefined, { signal }).catch(() => undefined)
  }
}
