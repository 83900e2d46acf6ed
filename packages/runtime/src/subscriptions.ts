/**
 * The WebSub subscriptions of all feeds, in memory and current: the objects under `hub/subscriptions/` are the truth, `subscriptions` carries
 * thin notes of what changed, and a look at everything every minute heals a note that was lost. Changes are compare-and-swap.
 */
import { randomUUID } from 'node:crypto'
import { messageOf, UnavailableError } from '@newswire/events/errors'
import { fromRecord, type NewswireEvent } from '@newswire/events/events'
import { deriveId } from '@newswire/events/ids'
import { isOver, type Subscription, splitSubscriptionId, subscription } from '@newswire/events/subscription'
import { topics } from '@newswire/events/topics'
import { publishEvents } from '@newswire/log/events'
import type { Log, LogRecord } from '@newswire/log/log'
import { getDocument, swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import type { Logger } from './logger.ts'
import { createRounds } from './rounds.ts'
import { sideBySide } from './side-by-side.ts'

/** The next state of a subscription; the counter and the time are set when it is swapped in. */
export type Draft = Omit<Subscription, 'n' | 'nonce' | 'changedAt' | 'swept'>

export type Subscriptions = Readonly<{
  get(id: string): Subscription | null
  all(): Iterable<Subscription>
  /** Called with every new state, also one that this process made. */
  onChange(listener: (changed: Subscription) => void): () => void
  /**
   * Swaps in what `decide` makes of the state as it stands (`null`: there is none); asked again when somebody else was there first, and
   * `null` leaves it as it is. Resolves with the state that stands then; durable. Throws `UnavailableError` when the store is away, or
   * when it is just being swept.
   */
  amend(id: string, decide: (before: Subscription | null) => Draft | null): Promise<Subscription | null>
  /** Deletes one that is over, for good. Nothing when it is not, or no longer. */
  sweep(id: string): Promise<void>
  close(): Promise<void>
}>

export type SubscriptionsOptions = Readonly<{
  objects: Pick<Objects, 'get' | 'put' | 'list' | 'delete'>
  log: Pick<Log, 'whenThere' | 'follow' | 'publish'>
  logger: Pick<Logger, 'warn' | 'error'>
  now: () => number
  /** Named in the notes: `/services/gateway`. */
  source: string
  /** How often everything is looked at again, in ms (default 60 000). */
  relistEveryMs?: number
}>

const RELIST_EVERY_MS = 60_000
const AGAIN_AFTER_MS = 1_000
const READS_AT_ONCE = 16
const RACES = 8
/** One that is being swept is gone in a moment; when not, whoever swept it died, and is surely dead after this. */
const SWEEPING_MS = 600_000
const LOOK_AGAIN_MS = 100

export const keyOf = (id: string): string => {
  const { topicSha256, callbackSha256 } = splitSubscriptionId(id)
  return keys.subscription(topicSha256, callbackSha256)
}

const idOfKey = (key: string): string => key.slice(keys.subscriptionPrefix.length, -'.json'.length).replace('/', '-')

/** Reads everything, then follows. Throws `UnavailableError` when the store is away at the start. */
export const openSubscriptions = async (options: SubscriptionsOptions): Promise<Subscriptions> => {
  const { objects, log, logger, now, source, relistEveryMs = RELIST_EVERY_MS } = options
  const held = new Map<string, { value: Subscription; etag: string | null }>()
  const listeners = new Set<(changed: Subscription) => void>()
  const notes = new Set<Promise<unknown>>()
  const publish = publishEvents(log)

  const take = (value: Subscription, etag: string | null) => {
    const before = held.get(value.id)
    if (before !== undefined && before.value.n > value.n) return
    held.set(value.id, { value, etag })
    if (before !== undefined && before.value.n === value.n) return
    for (const listener of listeners)
      try {
        listener(value)
      } catch (error) {
        logger.error({ err: error }, 'subscriptions.listener-failed')
      }
  }

  const read = async (id: string) => {
    const found = await getDocument(objects, keyOf(id), subscription)
    return found === null || found.value.id === id ? found : null
  }
  /** One that cannot be read is told of and passed over: it harms no other. */
  const look = async (id: string) => {
    try {
      const found = await read(id)
      if (found !== null) take(found.value, found.etag)
    } catch (error) {
      if (error instanceof UnavailableError) throw error
      logger.error({ subscriptionId: id, reason: messageOf(error) }, 'subscription.unreadable')
    }
  }

  const relist = async () => {
    const before = new Set(held.keys())
    for await (const page of listPages(objects, keys.subscriptionPrefix)) {
      const unknown = page
        .map(({ key, etag }) => ({ id: idOfKey(key), etag }))
        .filter(({ id, etag }) => before.delete(id) === false || held.get(id)?.etag !== etag)
      await sideBySide(unknown, READS_AT_ONCE, ({ id }) => look(id))
    }
    // What was known before and is not there any more was swept.
    for (const id of before)
      if (
        await read(id).then(
          found => found === null,
          () => false,
        )
      )
        held.delete(id)
  }
  const rounds = createRounds({
    run: relist,
    everyMs: relistEveryMs,
    retryMs: Math.min(relistEveryMs, AGAIN_AFTER_MS),
    onError: error => logger.warn({ reason: messageOf(error) }, 'subscriptions.unread'),
  })

  const onRecord = async (record: LogRecord) => {
    const event = fromRecord(record)
    if (event?.type === 'subscription.changed' && (held.get(event.data.id)?.value.n ?? 0) < event.data.n) await look(event.data.id)
  }
  const onRecords = async (records: readonly LogRecord[]) => {
    for (const record of records)
      await onRecord(record).catch(error => {
        // Everything is looked at again now. A record that is no event of ours ends in the dead letters by way of the console.
        logger.warn({ reason: messageOf(error), position: record.position }, 'subscriptions.change-unread')
        rounds.request()
      })
  }

  /** Nobody waits for the note: the state stands, and whoever misses the note sees the state within a minute. */
  const tell = ({ id, feedId, n, changedAt }: Subscription) => {
    const event: NewswireEvent<'subscription.changed'> = {
      id: deriveId('subscription.changed', id, n),
      type: 'subscription.changed',
      source,
      subject: id,
      time: changedAt,
      data: { id, feedId, n },
    }
    const note = publish([event])
      .catch(error => logger.warn({ reason: messageOf(error) }, 'subscriptions.note-lost'))
      .finally(() => notes.delete(note))
    notes.add(note)
  }

  const stamp = (state: Draft & Pick<Subscription, 'swept'>, n: number): Subscription => ({
    ...state,
    n: n + 1,
    nonce: randomUUID(),
    changedAt: new Date(now()).toISOString(),
  })
  const swap = async (next: Subscription, replaces: string | null): Promise<boolean> => {
    const put = await swapDocument(objects, keyOf(next.id), next, replaces)
    if (!put.ok) return false
    take(next, put.etag)
    tell(next)
    return true
  }

  const amend: Subscriptions['amend'] = async (id, decide) => {
    for (let race = 0; race < RACES; race++) {
      const found = await read(id)
      if (found?.value.swept && now() - Date.parse(found.value.changedAt) < SWEEPING_MS) {
        await new Promise(resolve => setTimeout(resolve, LOOK_AGAIN_MS))
        continue
      }
      const draft = decide(found === null || found.value.swept ? null : found.value)
      if (draft === null) return found?.value ?? null
      const next = stamp({ ...draft, swept: false }, found?.value.n ?? 0)
      if (await swap(next, found?.etag ?? null)) return next
    }
    throw new UnavailableError(
      'NEWSWIRE_HUB_BUSY',
      `subscription ${id} is changed by others again and again, or is just being swept; try again`,
    )
  }

  const sweep: Subscriptions['sweep'] = async id => {
    const found = await read(id)
    if (found === null || found.value.swept || !isOver(found.value, now())) return
    // No store makes a conditional delete a fence (architecture §6.20), so the swap is the fence, and nobody swaps what is swept.
    const next = stamp({ ...found.value, swept: true }, found.value.n)
    const put = await swapDocument(objects, keyOf(id), next, found.etag)
    if (!put.ok) return
    await objects.delete(keyOf(id))
    held.delete(id)
  }

  // Following begins before the list is read, so nothing falls between the two.
  const following = await log.follow({ topic: topics.subscriptions.name, from: 'end', onRecords })
  const close = async () => {
    await following.stop()
    await rounds.stop()
    await Promise.all(notes)
  }
  try {
    await relist()
  } catch (error) {
    await close()
    throw error
  }
  rounds.later()
  // What changed before a log that comes late could be followed is in the list alone.
  if (log.whenThere !== undefined) following.ready.then(rounds.request, () => undefined)
  return {
    get: id => held.get(id)?.value ?? null,
    all: () => [...held.values()].map(one => one.value),
    onChange: listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    amend,
    sweep,
    close,
  }
}
