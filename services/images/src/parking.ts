/**
 * Works on parked submissions of the partitions this process holds. Every step is a swap of the object, then the publish it stands for, so
 * any process can go on from any step; two that work on one at once lose at the swap, or publish the same event again.
 */
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { messageOf, UnavailableError } from '@newswire/events/errors'
import { follow } from '@newswire/events/events'
import { deriveId } from '@newswire/events/ids'
import type { Publish } from '@newswire/log/events'
import { getDocument, swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import { listKeys } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import type { Logger } from '@newswire/runtime/logger'
import { toPicturesMilestone, toPrepared } from './announce.ts'
import { type BringBack, fromOriginal } from './bring-back.ts'
import { gather } from './gather.ts'
import {
  afterPublished,
  missingOf,
  nextDelayMs,
  type Parked,
  parkedDocument,
  patienceMs,
  toAnnouncing,
  toArriving,
  toSettleFor,
  withSettled,
} from './parked.ts'
import type { Settle, Settled } from './settle-picture.ts'

type ParkingNeeds = Readonly<{
  objects: Objects
  publish: Publish
  settle: Settle
  bringBack: BringBack
  now: () => number
  /** Multiplies waits; below 1 only in tests. */
  retryScale: number
  logger: Logger
}>

export type Parking = Readonly<{
  /** Writes the object, then works on it in the background. `running`: tries that were begun already. Safe to repeat. */
  park(parked: Parked, running?: readonly Promise<Settled>[]): Promise<void>
  /** Takes up what lies in the store for articles that `isMine` says are this process's. */
  takeUp(isMine: (articleId: string) => boolean): Promise<void>
  waiting(): number
  stop(): Promise<void>
}>

type Held = { value: Parked; etag: string }

export const createParking = (needs: ParkingNeeds): Parking => {
  const { objects, publish, settle, bringBack, now, retryScale, logger } = needs
  const working = new Map<string, Promise<void>>()
  const stopping = new AbortController()
  const stopped = once(stopping.signal, 'abort')
  const keyOf = (parked: Parked) => keys.parked(parked.submission.articleId, parked.submission.submissionId)

  /** Leaves nothing behind on the signal, which lives as long as the process. */
  const pause = (ms: number): Promise<void> => wait(ms * retryScale, undefined, { signal: stopping.signal }).catch(() => undefined)

  /** The next state in place of this one; `null` when another process was first, which then goes on with it. */
  const swap = async (held: Held, value: Parked): Promise<Held | null> => {
    const result = await swapDocument(objects, keyOf(value), value, held.etag)
    return result.ok ? { value, etag: result.etag } : null
  }

  const tryWaiting = (value: Parked, urls: readonly string[]): readonly Promise<Settled>[] => {
    const { restoring, submission } = value
    const settleFor = { ...toSettleFor(submission), ...(restoring && { rights: restoring.rights }) }
    const tryOne: Settle = restoring === undefined ? settle : fromOriginal(settle)
    return value.pictures.filter(one => urls.includes(one.url)).map(one => tryOne({ ...one, state: 'waiting' }, settleFor, stopping.signal))
  }

  const park: Parking['park'] = async (parked, running) => {
    const put = await swapDocument(objects, keyOf(parked), parked, null)
    if (put.ok) return begin({ value: parked, etag: put.etag }, running)
    const known = await getDocument(objects, keyOf(parked), parkedDocument)
    if (known !== null) begin(known)
  }

  const publishAnnouncement = async ({ submission, position, pictures, cause, parkedAt }: Parked) => {
    const { restored, late } = await bringBack(submission, cause, missingOf(pictures))
    for (const one of late) await park(one)
    const at = now()
    const milestone = toPicturesMilestone(submission, cause, new Date(at).toISOString(), at - Date.parse(parkedAt), pictures)
    return publish([...restored, toPrepared(submission, position, pictures, cause), milestone], { synced: true })
  }

  const publishArrival = (value: Parked) =>
    publish(
      [
        follow(value.cause, {
          type: 'pictures.arrived',
          id: deriveId('arrived', value.submission.submissionId, ...value.arriving.map(one => one.url)),
          source: '/services/images',
          subject: value.submission.articleId,
          time: value.submission.receivedAt,
          data: {
            articleId: value.submission.articleId,
            submissionId: value.restoring?.submissionId ?? value.submission.submissionId,
            pictures: value.arriving,
          },
        }),
      ],
      { synced: true },
    )

  /** The article was purged by law meanwhile, and nothing is made for it any more. */
  const isGone = async (value: Parked): Promise<boolean> => (await objects.head(keyOf(value))) === null

  const stepParked = async (held: Held, running: readonly Promise<Settled>[] | undefined): Promise<Held | null> => {
    const { value } = held
    if (running === undefined && (await isGone(value))) return null
    const deadlineMs =
      Date.parse(value.parkedAt) + patienceMs(value.submission.command === 'publish' ? value.submission.article.urgency : 8) * retryScale
    const waiting = value.pictures.filter(one => one.state === 'waiting').map(one => one.url)
    const restMs = Math.max(0, deadlineMs - now()) / retryScale
    const { settled } = await gather(running ?? tryWaiting(value, waiting), pause(restMs))
    if (stopping.signal.aborted) return null
    const next = { ...value, n: value.n + 1, attempts: value.attempts + 1, pictures: withSettled(value.pictures, settled) }
    if (!next.pictures.some(one => one.state === 'waiting') || now() >= deadlineMs) return swap(held, toAnnouncing(next))
    await pause(Math.min(nextDelayMs('parked', next.attempts) ?? 0, Math.max(0, deadlineMs - now()) / retryScale))
    return stopping.signal.aborted ? null : swap(held, next)
  }

  const stepLate = async (held: Held): Promise<Held | null> => {
    const { value } = held
    const delay = nextDelayMs('late', value.attempts)
    if (delay === null) {
      logger.warn({ articleId: value.submission.articleId, missing: value.missing.length }, 'picture.given-up')
      return swap(held, { ...value, n: value.n + 1, phase: 'done' })
    }
    await pause(delay)
    if (stopping.signal.aborted || (await isGone(value))) return null
    const { settled } = await gather(tryWaiting(value, value.missing), stopped)
    if (stopping.signal.aborted) return null
    return swap(held, toArriving({ ...value, attempts: value.attempts + 1 }, settled))
  }

  const step = async (held: Held, running?: readonly Promise<Settled>[]): Promise<Held | null> => {
    switch (held.value.phase) {
      case 'parked':
        return stepParked(held, running)
      case 'announcing':
        await publishAnnouncement(held.value)
        return swap(held, afterPublished(held.value))
      case 'late':
        return stepLate(held)
      case 'arriving':
        await publishArrival(held.value)
        return swap(held, afterPublished(held.value))
      case 'done':
        return null
      default:
        return held.value.phase satisfies never
    }
  }

  const work = async (first: Held, running?: readonly Promise<Settled>[]): Promise<void> => {
    let held: Held | null = first
    let begun = running
    while (held !== null && !stopping.signal.aborted) {
      try {
        // Awaited once: tries that failed would fail again at once, for ever.
        const tries: readonly Promise<Settled>[] | undefined = begun
        begun = undefined
        held = await step(held, tries)
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error
        await pause(1_000)
      }
    }
  }

  const begin = (held: Held, running?: readonly Promise<Settled>[]) => {
    const key = keyOf(held.value)
    if (working.has(key) || held.value.phase === 'done') return
    const done = work(held, running)
      .catch(error => logger.error({ err: error, articleId: held.value.submission.articleId }, 'parking.failed'))
      .finally(() => working.delete(key))
    working.set(key, done)
  }

  /** A finished one is deleted only when no process that lost it can still be swapping it: well after its last step. */
  const SWEEP_AFTER_MS = 600_000
  const takeUpKey = async (key: string, isMine: (articleId: string) => boolean) => {
    const held = await getDocument(objects, key, parkedDocument)
    if (held === null || !isMine(held.value.submission.articleId)) return
    if (held.value.phase !== 'done') return begin(held)
    const head = await objects.head(key)
    if (head !== null && now() - head.lastModified.getTime() > SWEEP_AFTER_MS) await objects.delete(key)
  }

  return {
    park,
    takeUp: async isMine => {
      for (const key of await listKeys(objects, keys.parkedPrefix)) {
        if (working.has(key)) continue
        await takeUpKey(key, isMine).catch(error => logger.error({ key, reason: messageOf(error) }, 'parking.unreadable'))
      }
    },
    waiting: () => working.size,
    stop: async () => {
      stopping.abort()
      await Promise.all(working.values())
    },
  }
}
