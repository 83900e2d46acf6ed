/**
 * A changed table of presets: the pictures of every article that is live are made again from their originals, behind live work, one article at a time.
 * An article whose renditions are others afterwards gets a version of its own (a late picture's: no date moves); one whose are the same gets none.
 * The old renditions stay at their addresses.
 *
 * How far it is, is an object for each partition: whoever holds the partition goes on where another process, or this one before it died, stopped.
 * No object means that nothing but the default table was ever in force, which asks for nothing.
 */

import type { Picture } from '@newswire/events/article'
import { follow } from '@newswire/events/events'
import { isLive, type LiveFact } from '@newswire/events/fact'
import { deriveId } from '@newswire/events/ids'
import { withOutcome } from '@newswire/events/picture-outcome'
import type { Publish } from '@newswire/log/events'
import { getDocument, swapDocument } from '@newswire/objects/documents'
import { currentPrefix, keys, parseCurrentKey } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { getReleased } from '@newswire/objects/released'
import { z } from 'zod'
import type { Settle } from './settle-picture.ts'

const progress = z.object({ n: z.int(), table: z.string(), after: z.string(), done: z.boolean() })
type Progress = z.output<typeof progress>
type Held = { value: Progress; etag: string | null }

export type RerenderNeeds = Readonly<{
  objects: Objects
  publish: Publish
  settle: Settle
  /** Names the table in force, and the one that is in force where nobody said otherwise. */
  table: () => string
  defaultTable: string
  partitions: () => readonly number[]
  partitionOf: (articleId: string) => number
  /** Articles looked at between two marks of progress (default 100). */
  pageSize?: number
}>

const PAGE = 100

const keysOf = (picture: Picture): string => picture.renditions.map(one => one.key).join()

/** Those of the article's pictures that have other renditions now. */
const renderAgain = async ({ settle }: RerenderNeeds, fact: LiveFact, signal: AbortSignal): Promise<readonly Picture[]> => {
  const again: Picture[] = []
  for (const picture of fact.article.images) {
    if (picture.state !== 'ready' || picture.sha256 === undefined) continue
    const settleFor = { articleId: fact.articleId, lane: 'backfill' as const, rights: fact.article.rights }
    const settled = await settle({ ...picture, url: `newswire:${picture.sha256}` }, settleFor, signal)
    // What cannot be made now, or would be refused by now, stays as it is.
    if (settled.outcome !== 'settled' || settled.picture.state !== 'ready') continue
    if (keysOf(settled.picture) !== keysOf(picture)) again.push(withOutcome(picture, settled.picture))
  }
  return again
}

const renderArticle = async (needs: RerenderNeeds, articleId: string, table: string, signal: AbortSignal): Promise<void> => {
  const fact = (await getReleased(needs.objects, articleId))?.fact
  if (fact === undefined || !isLive(fact)) return
  const pictures = await renderAgain(needs, fact, signal)
  if (pictures.length === 0 || signal.aborted) return
  const { submissionId, version, releasedAt } = fact
  const arrived = follow(
    { id: submissionId, correlationid: submissionId },
    {
      type: 'pictures.arrived',
      id: deriveId('rerendered', articleId, version, table),
      source: '/services/images',
      subject: articleId,
      time: releasedAt,
      data: { articleId, submissionId, pictures: [...pictures] },
    },
  )
  await needs.publish([arrived], { synced: true })
}

const readProgress = async ({ objects, defaultTable }: RerenderNeeds, partition: number, table: string): Promise<Held> => {
  const found = await getDocument(objects, keys.rerender(partition), progress)
  const { value, etag } = found ?? { value: { n: 0, table: defaultTable, after: '', done: true }, etag: null }
  return { value: value.table === table ? value : { n: value.n, table, after: '', done: false }, etag }
}

/** What another process wrote meanwhile is its own: it goes on with that partition. */
const mark = async ({ objects }: RerenderNeeds, todo: Map<number, Held>, after: string, done: boolean): Promise<void> => {
  for (const [partition, { value, etag }] of todo) {
    if (!done && after <= value.after) continue
    const next = { ...value, n: value.n + 1, after, done }
    const result = await swapDocument(objects, keys.rerender(partition), next, etag)
    if (result.ok) todo.set(partition, { value: next, etag: result.etag })
    else todo.delete(partition)
  }
}

/**
 * Goes through the articles of the partitions held, from where they stand. Ends when all are done, when `signal` says so, or when the table has
 * changed once more: then it is called again. Safe to repeat; throws `UnavailableError` when store or log are away.
 */
export const rerenderAll = async (needs: RerenderNeeds, signal: AbortSignal): Promise<void> => {
  const table = needs.table()
  const todo = new Map<number, Held>()
  for (const partition of needs.partitions()) {
    const held = await readProgress(needs, partition, table)
    if (!held.value.done) todo.set(partition, held)
  }
  const isOver = () => signal.aborted || needs.table() !== table || todo.size === 0
  let startAfter = [...todo.values()].map(one => one.value.after).sort()[0] ?? ''
  while (!isOver()) {
    const limit = needs.pageSize ?? PAGE
    const page = await needs.objects.list(currentPrefix, { limit, ...(startAfter === '' ? {} : { startAfter }) })
    for (const { key } of page) {
      const articleId = parseCurrentKey(key)
      const held = articleId === null ? undefined : todo.get(needs.partitionOf(articleId))
      const isMine = articleId !== null && held !== undefined && needs.partitions().includes(needs.partitionOf(articleId))
      if (isMine && key > held.value.after) await renderArticle(needs, articleId, table, signal)
      if (isOver()) return
      startAfter = key
    }
    await mark(needs, todo, startAfter, page.length < limit)
    if (page.length < limit) return
  }
}
