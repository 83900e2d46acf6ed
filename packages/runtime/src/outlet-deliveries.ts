/**
 * What came for one outlet since a sequence (contract §6), from what every process can read: the intents in `deliveries`, how far their group is,
 * and what is written down as pending. What the group has committed is either with the outlet or written down, so no list of successes is needed.
 */
import { messageOf, RejectError } from '@newswire/events/errors'
import { fromRecord } from '@newswire/events/events'
import { isArticleId } from '@newswire/events/ids'
import { type PendingPart, pendingPart } from '@newswire/events/outlet'
import { topics } from '@newswire/events/topics'
import { leftOf } from '@newswire/log/dead-letter'
import type { Log, LogRecord, Position, Start } from '@newswire/log/log'
import { getDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { keptFor } from './kept-for.ts'
import { sideBySide } from './side-by-side.ts'

/** `superseded`: it never acknowledged this version, but a newer one; only said where every outcome is known (the console). */
type CameState = 'done' | 'superseded' | 'pending' | 'retrying' | 'rejected' | 'dead' | 'suspended'
export type Came = Readonly<{
  /** What `x-newswire-sequence` said, or will. */
  sequence: number
  articleId: string
  version: number
  /** `null`: written by an older build that did not say. */
  action: 'published' | 'updated' | 'corrected' | 'retracted' | null
  /** When it was wanted. */
  at: string
  /** It came once more because somebody asked for it. */
  replayed: boolean
  /** `done`: the outlet holds this version or a newer one, or was due nothing of it. */
  state: CameState
  /** The newest version after it in the same page that is done: then what is done may be that one alone. `null`: none. */
  supersededBy: number | null
  /** `null`: it is done, and nothing that is read here remembers how often it was tried (the console's trace does). */
  attempts: number | null
  nextAt: string | null
  lastError: string | null
}>

export type CamePage = Readonly<{
  deliveries: readonly Came[]
  /** What to ask for next as `after`; the same as was asked when nothing came. */
  next: number
  /** Ask again at once: there may be more. */
  more: boolean
  /** What came before is no longer kept: something between `after` and the first one listed may be missing. */
  gap: boolean
}>

/** `held`: nothing goes out to it now (`isHeld`). `sinceMs`: begin at this time in place of a sequence. */
export type CameQuery = Readonly<{ after: number; limit: number; held: boolean; sinceMs?: number }>

/** Outlets share partitions, so most records may be others'. A question reads at most so many, and says where to go on. */
const MOST_SCANNED = 5_000
const SCAN_PAGE = 500
const READS_AT_ONCE = 16
/** One listing; with more pending than this each article of the page is looked up. */
const LISTED_AT_ONCE = 1_000
/** How far a group is costs a round trip to every partition, so all who ask within this share it. */
const SHARED_FOR_MS = 1_000

type Stood = Omit<Came, 'supersededBy'>
type Intent = Omit<Stood, 'state' | 'attempts' | 'nextAt' | 'lastError'>

/** Whether a record may be of this outlet: most are others', and need not be parsed. */
const mayName = ({ key, value }: LogRecord, outletId: string): boolean =>
  key === outletId || (value !== null && Buffer.from(value.buffer, value.byteOffset, value.byteLength).includes(`"${outletId}"`))

/** The intent of a record for this outlet; `null` for others', and for what is none of ours (its group puts that into the dead letters). */
export const toIntent = (record: LogRecord, outletId: string): Intent | null => {
  if (!mayName(record, outletId)) return null
  try {
    const event = fromRecord(record)
    if (event?.type !== 'delivery.wanted') return null
    if (event.data.outletId !== outletId && !event.data.also?.includes(outletId)) return null
    if (leftOf(record)?.includes(outletId) === false) return null
    const { articleId, version, kill, action, again } = event.data
    // It is no part of a key: one such record would fail the whole list, as long as it is kept.
    if (!isArticleId(articleId)) return null
    const at = new Date(record.timestamp).toISOString()
    return {
      sequence: record.position,
      articleId,
      version,
      action: kill ? 'retracted' : (action ?? null),
      at,
      replayed: again !== undefined,
    }
  } catch (error) {
    if (error instanceof RejectError) return null
    throw new Error(`the intents of ${outletId} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}

const PHASES = { rejected: 'rejected', dead: 'dead', wait: 'retrying', pending: 'pending', inflight: 'pending' } as const

/** `committed`: the group is done with everything before it. Pure. */
export const stateOf = (
  { version, sequence }: Pick<Came, 'version' | 'sequence'>,
  { delivery, committed, held }: Readonly<{ delivery: PendingPart['delivery']; committed: Position | null; held: boolean }>,
): Pick<Came, 'state' | 'attempts' | 'nextAt' | 'lastError'> => {
  const isWrittenDown = delivery !== null && (delivery.open.includes(version) || version > delivery.want)
  if (!isWrittenDown) {
    const isDone = committed !== null && sequence < committed
    return { state: isDone ? 'done' : held ? 'suspended' : 'pending', attempts: isDone ? null : 0, nextAt: null, lastError: null }
  }
  const { phase, attempts, nextAtMs, lastError } = delivery
  const isArmed = phase !== 'rejected' && phase !== 'dead'
  const state = PHASES[phase] === 'pending' && attempts > 0 ? 'retrying' : PHASES[phase]
  return {
    state: isArmed && held ? 'suspended' : state,
    attempts,
    nextAt: isArmed && !held ? new Date(nextAtMs).toISOString() : null,
    lastError,
  }
}

/** Pure. */
export const withNewer = (deliveries: readonly Stood[]): Came[] => {
  const newest = new Map<string, number>()
  for (const { articleId, version, state } of deliveries)
    if (state === 'done') newest.set(articleId, Math.max(version, newest.get(articleId) ?? 0))
  return deliveries.map(one => {
    const newer = newest.get(one.articleId) ?? 0
    return { ...one, supersededBy: newer > one.version ? newer : null }
  })
}

export type CameList = (outletId: string, query: CameQuery) => Promise<CamePage>

type Needs = Readonly<{ log: Pick<Log, 'read' | 'lag' | 'ends' | 'partitionOf'>; objects: Pick<Objects, 'get' | 'list'> }>

const scan = async (log: Needs['log'], partition: number, outletId: string, { after, limit, sinceMs }: CameQuery) => {
  const intents: Intent[] = []
  let next = after
  let from: Start = sinceMs === undefined ? { positions: { [partition]: after } } : { timeMs: sinceMs }
  let reached = -1
  for (let scanned = 0; ; ) {
    const page = await log.read({ topic: topics.deliveries.name, partition, from, limit: SCAN_PAGE })
    for (const record of page.records) {
      // 0 is where everybody begins, so it never hides the first record of a new log, whose sequence is 0.
      if (after > 0 && record.position <= after) continue
      const intent = toIntent(record, outletId)
      if (intent !== null) intents.push(intent)
      next = record.position
      if (intents.length >= limit && next > 0) return { intents, next, more: record.position + 1 < page.end }
    }
    scanned += page.records.length
    const isEnd = page.next >= page.end || page.next <= reached
    if (isEnd || scanned >= MOST_SCANNED) return { intents, next, more: !isEnd }
    reached = page.next
    from = { positions: { [partition]: reached } }
  }
}

/** What is written down of these articles; in one listing where little is. */
const readPending = async (objects: Needs['objects'], outletId: string, articleIds: readonly string[]) => {
  const listed = await objects.list(keys.pendingPrefix(outletId), { limit: LISTED_AT_ONCE })
  const known = listed.length < LISTED_AT_ONCE ? new Set(listed.map(({ key }) => key)) : null
  const wanted = articleIds.filter(id => known === null || known.has(keys.pending(outletId, id)))
  const found = new Map<string, PendingPart>()
  await sideBySide(wanted, READS_AT_ONCE, async articleId => {
    const document = await getDocument(objects, keys.pending(outletId, articleId), pendingPart)
    if (document !== null) found.set(articleId, document.value)
  })
  return found
}

export const createCameList = ({ log, objects }: Needs): CameList => {
  const standing = keptFor(SHARED_FOR_MS, async () => {
    const [lags, ends] = await Promise.all([log.lag('outlets'), log.ends(topics.deliveries.name)])
    const ofTopic = lags.filter(one => one.topic === topics.deliveries.name)
    return {
      committed: new Map(ofTopic.map(one => [one.partition, one.committed])),
      starts: new Map(ends.map(one => [one.partition, one.start])),
    }
  })
  return async (outletId, query) => {
    const partition = log.partitionOf(topics.deliveries.name, outletId)
    const { intents, next, more } = await scan(log, partition, outletId, query)
    // Before what is pending: what the group has committed by now is written down by now.
    const { committed, starts } = await standing()
    const pending = await readPending(objects, outletId, [...new Set(intents.map(one => one.articleId))])
    return {
      deliveries: withNewer(
        intents.map(intent => ({
          ...intent,
          ...stateOf(intent, {
            delivery: pending.get(intent.articleId)?.delivery ?? null,
            committed: committed.get(partition) ?? null,
            held: query.held,
          }),
        })),
      ),
      next,
      more,
      gap: query.after > 0 && query.after + 1 < (starts.get(partition) ?? 0),
    }
  }
}
