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
import { sideBySide } from '@newswire/runtime/side-by-side'
import { z } from 'zod'
import type { Delivery } from './machine.ts'
import { createOneCopy } from './one-copy.ts'

const delivery = z.object({
  phase: z.enum(['pending', 'inflight', 'wait', 'rejected', 'dead']),
  want: z.int(),
  kill: z.boolean(),
  sequence: z.int(),
  later: z.array(z.object({ version: z.int(), sequence: z.int() })).optional(),
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
  failed: z.object({ at: z.string(), after: z.int() }).optional(),
})

/** Of the event that the delivery follows from. */
const cause = z.object({ id: z.string(), correlationid: z.string().optional(), traceparent: z.string().optional() })
export type Cause = z.output<typeof cause>

/** Where what is pending lies, and how a document says whose it is. */
export type Shelf = Readonly<{
  key(owner: string, subject: string): string
  prefix(owner: string): string
  names(owner: string, subject: string): Readonly<Record<string, string>>
  /** The subject that a document names; `null` when it names none. */
  subjectOf(document: Readonly<Record<string, unknown>>): string | null
  /**
   * Where marks lie of what is pending and takes something back, each under the last part of the name that it marks (default: nothing is marked). They
   * are hints: one that is left over costs a look, one that is lost costs a retraction its place before everything else.
   */
  kills?: Readonly<{ key(owner: string, subject: string): string; prefix(owner: string): string }>
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
  kills: { key: keys.pendingKill, prefix: keys.pendingKillPrefix },
}
export const hubShelf: Shelf = {
  key: keys.hubPending,
  prefix: keys.hubPendingPrefix,
  names: (feedId, subscriptionId) => ({ feedId, subscriptionId }),
  subjectOf: document => namedIn(document, 'subscriptionId', isSubscriptionId),
}

/** `delivery` is `null` when it is done: only kept so that a late swap by an earlier owner fails. */
const documentOn = (shelf: Shelf, oneCopy: (text: string) => string) =>
  z.looseObject({ n: z.int(), delivery: delivery.nullable(), cause, sinceMs: z.number() }).transform((found, context) => {
    const subject = shelf.subjectOf(found)
    if (subject === null) {
      context.addIssue({ code: 'custom', message: 'it does not say what is to be delivered' })
      return z.NEVER
    }
    return { n: found.n, subject: oneCopy(subject), delivery: found.delivery, cause: found.cause, sinceMs: found.sinceMs }
  })

/** Something that an owner (an outlet, a feed) has still to get to a subject. */
export type Pending = Readonly<{ subject: string; delivery: Delivery; cause: Cause; sinceMs: number }>
/** What to swap by. */
export type Held = Readonly<{ etag: string; n: number }>

export type Stored = Readonly<{ pending: Pending; held: Held }>
/** `after`: what to go on from; `null`: there is no more. */
type Page = Readonly<{ stored: readonly Stored[]; after: string | null }>

export type PendingStore = Readonly<{
  /** Whether anything lies there of an owner, be it what is done and not swept yet. */
  isAny(owner: string): Promise<boolean>
  /**
   * What an owner still has to get out, a page at a time: the first one, or the one behind another. Retractions come first, and once more in their place
   * among the others. Unreadable objects are told to `onUnreadable` and passed over. Owners take turns, a page each: whoever has much left keeps nobody
   * else waiting, and those who look for retractions do not wait for those who read the rest.
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

const encoder = new TextEncoder()

export const createPendingStore = ({ objects, shelf, now, onUnreadable, pageSize = PAGE }: Options): PendingStore => {
  const pendingDocument = documentOn(shelf, createOneCopy())
  /** A delete is no fence: while a key is being swept its writes wait, and while it is being written it is not swept. */
  const sweeping = new Map<string, Promise<void>>()
  const writing = new Set<string>()

  const isYoung = (lastModified: Date) => now() - lastModified.getTime() < SWEEP_AFTER_MS

  /** Writes of what lies under the key wait until that is done. */
  const holdingUp = <T>(key: string, sweep: () => Promise<T>): Promise<T> => {
    const swept = sweep().finally(() => sweeping.delete(key))
    const ended = swept.then(
      () => undefined,
      () => undefined,
    )
    sweeping.set(key, ended)
    return swept
  }

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
  const killTurns = createLimit(PAGES_AT_ONCE)

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

  const readAll = async (names: readonly string[]): Promise<Stored[]> =>
    (await sideBySide(names, READS_AT_ONCE, read)).filter(one => one !== null)

  const listAfter = (prefix: string, after: string | undefined) =>
    objects.list(prefix, { limit: pageSize, ...(after === undefined ? {} : { startAfter: after }) })
  /** What to go on from behind a listing; `null` when that was the last. */
  const behind = (listed: readonly ListedObject[]): string | null => (listed.length < pageSize ? null : (listed.at(-1)?.key ?? null))

  /** The key of what a mark is about. */
  const toNamed = (owner: string, marked: string, key: string) => shelf.prefix(owner) + key.slice(marked.length)

  const killPage = async (owner: string, marked: string, after: string | undefined): Promise<Page> => {
    const listed = await listAfter(marked, after)
    const stored = await readAll(listed.map(({ key }) => toNamed(owner, marked, key)))
    // Every key of the rest lies behind its prefix.
    return { stored: stored.filter(one => one.pending.delivery.kill), after: behind(listed) ?? shelf.prefix(owner) }
  }
  const restPage = async (owner: string, after: string | undefined): Promise<Page> => {
    const listed = await listAfter(shelf.prefix(owner), after)
    return { stored: await readAll(listed.map(one => one.key)), after: behind(listed) }
  }

  /** Before what it is about, so that no retraction is pending without it; it stays until the end of that is swept. */
  const mark = async (owner: string, { subject, delivery }: Pending): Promise<void> => {
    if (!delivery.kill || shelf.kills === undefined) return
    const document = encoder.encode(JSON.stringify(shelf.names(owner, subject)))
    await objects.put(shelf.kills.key(owner, subject), document, { ifNoneMatch: '*', durable: false })
  }

  /** A mark goes once what it is about is over, or is no retraction any more. */
  const sweepMarks = async (owner: string, mayStill: () => boolean, knownKeys: ReadonlySet<string>): Promise<void> => {
    const marked = shelf.kills?.prefix(owner)
    if (marked === undefined) return
    for await (const page of listPages(objects, marked))
      for (const { key, lastModified } of page) {
        const named = toNamed(owner, marked, key)
        if (isYoung(lastModified) || writing.has(named) || knownKeys.has(named)) continue
        await holdingUp(named, async () => {
          const left = await read(named)
          if (left?.pending.delivery.kill !== true && mayStill()) await objects.delete(key)
        })
      }
  }

  return {
    isAny: async owner => (await objects.list(shelf.prefix(owner), { limit: 1 })).length > 0,
    page: (owner, after) => {
      const marked = shelf.kills?.prefix(owner)
      const isOfKills = marked !== undefined && (after === undefined || after.startsWith(marked))
      return isOfKills ? killTurns(() => killPage(owner, marked, after)) : pageTurns(() => restPage(owner, after))
    },
    read: (owner, subject) => read(shelf.key(owner, subject)),
    save: async (owner, pending, held, mayStill = () => true) => {
      const key = shelf.key(owner, pending.subject)
      await sweeping.get(key)
      writing.add(key)
      try {
        await mark(owner, pending)
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
          if (isYoung(lastModified) || writing.has(key) || knownKeys.has(key)) continue
          const stray = await holdingUp(key, () => sweepKey(key, mayStill))
          if (stray !== null) strays.push(stray)
        }
      await sweepMarks(owner, mayStill, knownKeys)
      return strays
    },
  }
}
