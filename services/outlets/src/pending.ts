/**
 * `outlets/pending/<outlet>/<article>.json`, `hub/pending/<feed>/<subscription>.json`: deliveries that have not succeeded. A finished one is swapped for a tombstone and deleted
 * later, because no store makes a conditional delete a fence (architecture §6.20).
 */
import { UnavailableError } from '@newswire/events/errors'
import { isArticleId } from '@newswire/events/ids'
import { isSubscriptionId } from '@newswire/events/subscription'
import { getDocument, swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { ListedObject, Objects } from '@newswire/objects/objects'
import { createLimit } from '@newswire/runtime/limit'
import { z } from 'zod'
import type { Delivery } from './machine.ts'

const delivery = z.object({
  phase: z.enum(['pending', 'inflight', 'wait', 'rejected', 'dead']),
  want: z.int(),
  kill: z.boolean(),
  sequence: z.int(),
  open: z.array(z.int()),
  version: z.int().nullable(),
  attempts: z.int(),
  nextAtMs: z.number(),
  firstFailedAtMs: z.number().nullable(),
  maybeSent: z.int().nullable(),
  settling: z.boolean(),
  lastError: z.string().nullable(),
  first: z.boolean().optional(),
  heldUntilMs: z.number().optional(),
})

/** Of the event that the delivery follows from. */
export const cause = z.object({ id: z.string(), correlationid: z.string().optional(), traceparent: z.string().optional() })
export type Cause = z.output<typeof cause>

/** Where what is pending lies, and how a document says whose it is. */
export type Shelf = Readonly<{
  key(owner: string, subject: string): string
  prefix(owner: string): string
  names(owner: string, subject: string): Readonly<Record<string, string>>
  /** The subject that a document names; `null` when it names none. */
  subjectOf(document: Readonly<Record<string, unknown>>): string | null
}>

const namedIn = (document: Readonly<Record<string, unknown>>, name: string, isValid: (value: string) => boolean): string | null => {
  const value = document[name]
  return typeof value === 'string' && isValid(value) ? value : null
}

export const outletShelf: Shelf = {
  key: keys.pending,
  prefix: keys.pendingPrefix,
  names: (outletId, articleId) => ({ outletId, articleId }),
  subjectOf: document => namedIn(document, 'articleId', isArticleId),
}
export const hubShelf: Shelf = {
  key: keys.hubPending,
  prefix: keys.hubPendingPrefix,
  names: (feedId, subscriptionId) => ({ feedId, subscriptionId }),
  subjectOf: document => namedIn(document, 'subscriptionId', isSubscriptionId),
}

/** `delivery` is `null` when it is done: only kept so that a late swap by an earlier owner fails. */
const documentOn = (shelf: Shelf) =>
  z.looseObject({ n: z.int(), delivery: delivery.nullable(), cause, sinceMs: z.number() }).transform((found, context) => {
    const subject = shelf.subjectOf(found)
    if (subject === null) {
      context.addIssue({ code: 'custom', message: 'it does not say what is to be delivered' })
      return z.NEVER
    }
    return { n: found.n, subject, delivery: found.delivery, cause: found.cause, sinceMs: found.sinceMs }
  })

/** Something that an owner (an outlet, a feed) has still to get to a subject. */
export type Pending = Readonly<{ subject: string; delivery: Delivery; cause: Cause; sinceMs: number }>
/** What to swap by. */
export type Held = Readonly<{ etag: string; n: number }>

export type Stored = Readonly<{ pending: Pending; held: Held }>
/** `after`: what to go on from; `null`: there is no more. */
export type Page = Readonly<{ stored: readonly Stored[]; after: string | null }>

export type PendingStore = Readonly<{
  /**
   * What an owner still has to get out, a page at a time: the first one, or the one behind another. Unreadable objects are told to `onUnreadable`
   * and passed over. Owners take turns, a page each: whoever has much left keeps nobody else waiting.
   */
  page(owner: string, after?: string): Promise<Page>
  /** As it is now; `null` when nothing is left, or when it cannot be read, which is told. */
  read(owner: string, subject: string): Promise<Stored | null>
  /**
   * Writes the state over `held`; what an earlier owner wrote meanwhile is overwritten, while `mayStill` (default: always) holds: otherwise it was a
   * later one, and this rejects with `NEWSWIRE_OUTLETS_LOST`.
   */
  save(owner: string, pending: Pending, held: Held | null, mayStill?: () => boolean): Promise<Held>
  /** Ends it, unless somebody else has written since. */
  clear(owner: string, pending: Pick<Pending, 'subject' | 'cause' | 'sinceMs'>, held: Held): Promise<void>
  /**
   * Deletes tombstones that are older than any process that could still write them; `mayStill` is asked before each. What is old, not done and
   * not known is returned: an earlier owner that did not know of its end wrote it late. What is known is not read.
   */
  sweep(owner: string, mayStill: () => boolean, known?: Iterable<string>): Promise<readonly Stored[]>
}>

type Options = Readonly<{
  objects: Objects
  shelf: Shelf
  now: () => number
  onUnreadable: (key: string, error: unknown) => void
  /** Objects of a page (default 250). */
  pageSize?: number
}>

/** Longer than the session of a group, a zombie's last request and the wait of a take-over together. */
const SWEEP_AFTER_MS = 600_000
const READS_AT_ONCE = 16
/** Small, so that what was read is soon let go of: what lives longer is moved about in memory, and takes more of it. */
const PAGE = 250
/** Of all owners together. */
const PAGES_AT_ONCE = 4
const RACES = 5

export const createPendingStore = ({ objects, shelf, now, onUnreadable, pageSize = PAGE }: Options): PendingStore => {
  const pendingDocument = documentOn(shelf)
  /** A delete is no fence: while a key is being swept its writes wait, and while it is being written it is not swept. */
  const sweeping = new Map<string, Promise<void>>()
  const writing = new Set<string>()

  const sweepKey = async (key: string, mayStill: () => boolean): Promise<Stored | null> => {
    const found = await getDocument(objects, key, pendingDocument).catch(error => {
      if (error instanceof UnavailableError) throw error
      return null // told of when it was loaded; never deleted
    })
    if (found === null) return null
    const { delivery, ...rest } = found.value
    if (delivery !== null) return { pending: { ...rest, delivery }, held: { etag: found.etag, n: rest.n } }
    if (mayStill()) await objects.delete(key)
    return null
  }

  const write = async (key: string, owner: string, pending: Pending, held: Held | null, mayStill: () => boolean): Promise<Held> => {
    let over = held
    for (let race = 0; race < RACES; race++) {
      const n = (over?.n ?? 0) + 1
      const { subject, delivery, cause, sinceMs } = pending
      const put = await swapDocument(objects, key, { n, ...shelf.names(owner, subject), delivery, cause, sinceMs }, over?.etag ?? null)
      if (put.ok) return { etag: put.etag, n }
      const there = await getDocument(objects, key, pendingDocument)
      if (!mayStill()) throw new UnavailableError('NEWSWIRE_OUTLETS_LOST', `${key} was changed by somebody else, maybe by a new owner`)
      over = there === null ? null : { etag: there.etag, n: there.value.n }
    }
    throw new Error(`${key} is changed by somebody else again and again; look for a second owner of ${owner}`)
  }

  const pageTurns = createLimit(PAGES_AT_ONCE)

  const read = async (key: string): Promise<Stored | null> => {
    try {
      const found = await getDocument(objects, key, pendingDocument)
      return found === null || found.value.delivery === null
        ? null
        : { pending: { ...found.value, delivery: found.value.delivery }, held: { etag: found.etag, n: found.value.n } }
    } catch (error) {
      if (error instanceof UnavailableError) throw error
      onUnreadable(key, error)
      return null
    }
  }

  const pages = (owner: string) => listPages(objects, shelf.prefix(owner))

  const readAll = async (page: readonly ListedObject[]): Promise<Stored[]> => {
    const found: Stored[] = []
    for (let at = 0; at < page.length; at += READS_AT_ONCE) {
      const some = await Promise.all(page.slice(at, at + READS_AT_ONCE).map(one => read(one.key)))
      found.push(...some.filter(one => one !== null))
    }
    return found
  }

  return {
    page: (owner, after) =>
      pageTurns(async () => {
        const listed = await objects.list(shelf.prefix(owner), { limit: pageSize, ...(after === undefined ? {} : { startAfter: after }) })
        return { stored: await readAll(listed), after: listed.length < pageSize ? null : (listed.at(-1)?.key ?? null) }
      }),
    read: (owner, subject) => read(shelf.key(owner, subject)),
    save: async (owner, pending, held, mayStill = () => true) => {
      const key = shelf.key(owner, pending.subject)
      await sweeping.get(key)
      writing.add(key)
      try {
        return await write(key, owner, pending, held, mayStill)
      } finally {
        writing.delete(key)
      }
    },
    clear: async (owner, { subject, cause, sinceMs }, held) => {
      const value = { n: held.n + 1, ...shelf.names(owner, subject), delivery: null, cause, sinceMs }
      await swapDocument(objects, shelf.key(owner, subject), value, held.etag, { durable: false })
    },
    sweep: async (owner, mayStill, known = []) => {
      const strays: Stored[] = []
      const knownKeys = new Set(Array.from(known, subject => shelf.key(owner, subject)))
      for await (const page of pages(owner))
        for (const { key, lastModified } of page) {
          if (now() - lastModified.getTime() < SWEEP_AFTER_MS || writing.has(key) || knownKeys.has(key)) continue
          const swept = sweepKey(key, mayStill).finally(() => sweeping.delete(key))
          sweeping.set(
            key,
            swept.then(
              () => undefined,
              () => undefined,
            ),
          )
          const stray = await swept
          if (stray !== null) strays.push(stray)
        }
      return strays
    },
  }
}
