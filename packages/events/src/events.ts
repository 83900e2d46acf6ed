/** Every event: its type, the topic it goes to, the schema of its data. Adding a row is the whole change. */
import { z } from 'zod'
import { createAttached } from './attached.ts'
import { configChanged } from './config.ts'
import { deliveryWanted } from './delivery.ts'
import { type Envelope, fromHeaders, toHeaders } from './envelope.ts'
import { RejectError } from './errors.ts'
import { fact } from './fact.ts'
import { feedBuilt, feedChange } from './feed.ts'
import { milestone } from './milestone.ts'
import { outletChanged, outletRequested } from './outlet.ts'
import { holdDue, latePictures, prepared, referencesChanged, submission } from './submission.ts'
import { subscriptionChanged } from './subscription.ts'
import { topics } from './topics.ts'

/** Type → where it goes and what it carries. `submission.accepted` goes to `submissions.backfill` when its lane says so. */
export const eventTable = {
  'submission.accepted': { topic: topics.submissions, data: submission, key: (data: { articleId: string }) => data.articleId },
  'submission.prepared': { topic: topics.prepared, data: prepared, key: (data: { articleId: string }) => data.articleId },
  'pictures.arrived': { topic: topics.prepared, data: latePictures, key: (data: { articleId: string }) => data.articleId },
  'hold.due': { topic: topics.prepared, data: holdDue, key: (data: { articleId: string }) => data.articleId },
  'references.changed': { topic: topics.prepared, data: referencesChanged, key: (data: { articleId: string }) => data.articleId },
  'article.published': { topic: topics.articles, data: fact, key: (data: { articleId: string }) => data.articleId },
  'article.updated': { topic: topics.articles, data: fact, key: (data: { articleId: string }) => data.articleId },
  'article.corrected': { topic: topics.articles, data: fact, key: (data: { articleId: string }) => data.articleId },
  'article.retracted': { topic: topics.articles, data: fact, key: (data: { articleId: string }) => data.articleId },
  'article.purged': { topic: topics.articles, data: fact, key: (data: { articleId: string }) => data.articleId },
  'feed.changed': { topic: topics.feedChanges, data: feedChange, key: (data: { feedId: string }) => data.feedId },
  'feed.built': { topic: topics.feeds, data: feedBuilt, key: (data: { feedId: string }) => data.feedId },
  'delivery.wanted': { topic: topics.deliveries, data: deliveryWanted, key: (data: { outletId: string }) => data.outletId },
  'milestone.reached': { topic: topics.milestones, data: milestone, key: (data: { articleId: string }) => data.articleId },
  'config.changed': {
    topic: topics.configChanges,
    data: configChanged,
    key: (data: { kind: string; id: string }) => `${data.kind}/${data.id}`,
  },
  'outlet.requested': { topic: topics.outletRequests, data: outletRequested, key: (data: { outletId: string }) => data.outletId },
  'outlet.changed': { topic: topics.outletRequests, data: outletChanged, key: (data: { outletId: string }) => data.outletId },
  'subscription.changed': { topic: topics.subscriptions, data: subscriptionChanged, key: (data: { id: string }) => data.id },
} as const

export type EventType = keyof typeof eventTable
type EventData<T extends EventType> = z.output<(typeof eventTable)[T]['data']>
/** An event with its envelope; `T` narrows the data. */
export type NewswireEvent<T extends EventType = EventType> = { [K in T]: Envelope & { readonly type: K; readonly data: EventData<K> } }[T]

/** What `articles` carries: a released fact, whatever was done. */
export type ArticleEvent = NewswireEvent<Extract<EventType, `article.${string}`>>
/** `null`, as `fromRecord` gives it for a type that is unknown here, is none. */
export const isArticleEvent = (event: NewswireEvent | null): event is ArticleEvent =>
  event !== null && eventTable[event.type].topic === topics.articles

/** A record to publish: what `Log.publish` takes. */
export type EventRecord = Readonly<{ topic: string; key: string; value: Uint8Array; headers: Record<string, string> }>

const decoder = new TextDecoder('utf-8', { fatal: true })

/** What the value of a record was made of here: of one that is published, and of those of a log that hold the very bytes of such. */
const made = createAttached<object, NewswireEvent['data']>('made')
const held = createAttached<object, NewswireEvent['data']>('held')

/** The record of an event: topic and key from the table, envelope as headers, data as JSON. Neither it nor the event is changed afterwards. */
export const toRecord = (event: NewswireEvent): EventRecord => {
  const row = eventTable[event.type]
  const backfill = event.type === 'submission.accepted' && event.data.lane === 'backfill'
  const record = {
    topic: backfill ? topics.submissionsBackfill.name : row.topic.name,
    key: (row.key as (data: unknown) => string)(event.data),
    value: Buffer.from(JSON.stringify(event.data)),
    headers: toHeaders(event),
  }
  made.set(record, event.data)
  return record
}

/** Whether a record is one of `toRecord`'s: nobody changes its bytes, so a log need not copy them. */
export const isMade = (record: object): boolean => made.get(record) !== undefined

/** Says that a record of a log holds the very bytes of another that was made here: its value need not be parsed, only checked. */
export const holdsSame = (record: object, published: object): void => {
  const data = made.get(published)
  if (data !== undefined) held.set(record, data)
}

/** Whether writing a value as JSON and parsing that gives an equal one, for what schemas let through: they know no dates. `-0` comes back as 0. */
const survivesJson = (value: unknown): boolean => {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  if (value === null || typeof value !== 'object') return value !== undefined
  const inside: readonly unknown[] = Array.isArray(value) ? value : Object.values(value)
  // By index, because a list may have holes, and those are written as null.
  for (let index = 0; index < inside.length; index += 1) if (!survivesJson(inside[index])) return false
  return true
}

/** Records that were read already: in one process a dozen handlers get the same record object, and decoding it is most of a thin one's work. */
const decoded = createAttached<object, NewswireEvent | null>('decoded')

/**
 * The event of a record, the same object for the same record: never change it. `null` when its type is unknown here (a newer producer's: ignore it).
 * Throws `RejectError`: `NEWSWIRE_EVENT_ENVELOPE` no CloudEvent, `NEWSWIRE_EVENT_DATA` data that is no JSON or not as its type says.
 */
export const fromRecord = (record: EncodedRecord): NewswireEvent | null => {
  const known = decoded.get(record)
  if (known !== undefined) return known
  const event = decode(record)
  decoded.set(record, event)
  held.delete(record)
  return event
}

/** The event of a record that somebody in this process has decoded already; `undefined` when nobody has. */
export const decodedOf = (record: EncodedRecord): NewswireEvent | null | undefined => decoded.get(record)

type EncodedRecord = Readonly<{ headers: Readonly<Record<string, string>>; value: Uint8Array | null }>

const parse = (value: Uint8Array, { type, id }: Envelope): unknown => {
  try {
    return JSON.parse(decoder.decode(value))
  } catch (cause) {
    throw new RejectError('NEWSWIRE_EVENT_DATA', `the data of ${type} ${id} is not UTF-8 JSON`, { cause })
  }
}

const decode = (record: EncodedRecord): NewswireEvent | null => {
  const envelope = fromHeaders(record.headers)
  const row = Object.hasOwn(eventTable, envelope.type) ? eventTable[envelope.type as EventType] : undefined
  if (row === undefined) return null
  if (record.value === null)
    throw new RejectError('NEWSWIRE_EVENT_DATA', `${envelope.type} ${envelope.id} has no data; every event here has`)
  const known = held.get(record)
  const result = row.data.safeParse(known !== undefined && survivesJson(known) ? known : parse(record.value, envelope))
  if (!result.success)
    throw new RejectError(
      'NEWSWIRE_EVENT_DATA',
      `the data of ${envelope.type} ${envelope.id} is not as it should be: ${z.prettifyError(result.error)}`,
    )
  return { ...envelope, type: envelope.type, data: result.data } as NewswireEvent
}

/** An event that follows from another: same correlation and trace, an id derived from the cause, so that a repeat has the same. */
export const follow = <T extends EventType>(
  cause: Pick<Envelope, 'id' | 'correlationid' | 'traceparent'>,
  event: { type: T; id: string; source: string; subject: string; time: string; data: EventData<T> },
): NewswireEvent<T> =>
  ({ ...event, correlationid: cause.correlationid ?? cause.id, causationid: cause.id, traceparent: cause.traceparent }) as NewswireEvent<T>
