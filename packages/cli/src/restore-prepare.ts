/** What of an archived article is put and published when it is restored, as bytes: made on a thread beside the one that puts and publishes them. */
import type { Newest } from '@newswire/archive/read-days'
import { factEvent } from '@newswire/desk/outcomes'
import { restoredEvent, restoredState } from '@newswire/desk/restore'
import { dueTimes } from '@newswire/desk/state'
import type { ErrorCode } from '@newswire/events/errors'
import { type EventRecord, toRecord } from '@newswire/events/events'
import type { ListedObject } from '@newswire/objects/objects'

export type PreparedArticle = Readonly<{
  articleId: string
  version: number
  /** Its `current/`, as JSON, for a store that has none. */
  state: Uint8Array
  /** When it has something to do, ms since 1970. */
  dueMs: readonly number[]
  record: EventRecord
  /** Says that it is in force again, as the archive has it. */
  restored: EventRecord
}>

/** To the thread: days to read, once; the answers to what it asked of the store; leave to go on. */
export type ToRestorer =
  | Readonly<{ kind: 'days'; folders: readonly string[] }>
  | Readonly<{ kind: 'answer'; id: number; value: Uint8Array | null | readonly ListedObject[] }>
  | Readonly<{ kind: 'taken' }>

/** From it: questions for the store, articles in the order of the archive, and `day` behind the last of one. */
export type FromRestorer =
  | Readonly<{ kind: 'get'; id: number; key: string }>
  | Readonly<{ kind: 'list'; id: number; prefix: string; options: Readonly<{ startAfter?: string; limit?: number }> | undefined }>
  | Readonly<{ kind: 'articles'; articles: readonly PreparedArticle[] }>
  | Readonly<{ kind: 'day' }>
  /** `code`: of a damage of the archive; `null` of anything else. */
  | Readonly<{ kind: 'failed'; code: ErrorCode | null; message: string }>

const prepareOne = ({ newest: { fact }, live }: Newest, restoredAt: string): PreparedArticle => {
  const current = restoredState(fact, live?.fact ?? null)
  const { articleId, version } = fact
  const { released } = current
  if (released === null) throw new Error(`${articleId} has no released state`)
  return {
    articleId,
    version,
    state: Buffer.from(JSON.stringify(current)),
    dueMs: dueTimes(current),
    record: toRecord(factEvent(released)),
    restored: toRecord(restoredEvent(released, { at: restoredAt, isArchived: true })),
  }
}

/** Of one message; an article that is larger alone goes alone. */
type Limits = Readonly<{ articles: number; bytes: number }>
const LIMITS: Limits = { articles: 400, bytes: 4_194_304 }

type Prepared = Readonly<{ articles: readonly PreparedArticle[]; memory: ArrayBuffer; next: number }>

const sizeOf = ({ state, record, restored }: PreparedArticle): number =>
  state.byteLength + record.value.byteLength + restored.value.byteLength

/** Those of `found` from there on, as many as one message takes; `next` is the first of the others. The bytes of all lie in one piece of memory, which changes hands whole. */
export const prepareArticles = (found: readonly Newest[], from: number, limits = LIMITS): Prepared => {
  const each: PreparedArticle[] = []
  let bytes = 0
  const restoredAt = new Date().toISOString()
  for (const one of found.slice(from, from + limits.articles)) {
    if (bytes >= limits.bytes) break
    const prepared = prepareOne(one, restoredAt)
    bytes += sizeOf(prepared)
    each.push(prepared)
  }
  const memory = new Uint8Array(bytes)
  let at = 0
  const move = (bytes: Uint8Array): Uint8Array => {
    memory.set(bytes, at)
    at += bytes.byteLength
    return memory.subarray(at - bytes.byteLength, at)
  }
  const moveRecord = (record: EventRecord): EventRecord => ({ ...record, value: move(record.value) })
  const articles = each.map(one => ({ ...one, state: move(one.state), record: moveRecord(one.record), restored: moveRecord(one.restored) }))
  return { articles, memory: memory.buffer, next: from + each.length }
}
