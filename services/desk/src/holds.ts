/**
 * Wakes articles up when an embargo ends or an expiry comes. A timer decides nothing: it puts `hold.due` into the article's own lane, where the
 * state decides. What is due soon is kept in memory by the process that owns the article; the objects under `holds/` bring it back after a
 * restart or a move of the partition. A due hold is fired again in every round while something is due, and swept when nothing has been for a while.
 */
import { toRecord } from '@newswire/events/events'
import { newId } from '@newswire/events/ids'
import type { Log } from '@newswire/log/log'
import { getDocument } from '@newswire/objects/documents'
import { keys, parseHoldKey } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import type { Logger } from '@newswire/runtime/logger'
import { sideBySide } from '@newswire/runtime/side-by-side'
import { holdKey } from './handle.ts'
import { SOURCE } from './outcomes.ts'
import { dueTimes, state } from './state.ts'

/** Timers are set for what is due within this time after the next round; what is later is found by a round. */
const AHEAD_MS = 60_000
/** A hold is put before the swap that needs it; this long after its time no such swap can still be under way. */
const SWEEP_AFTER_MS = 600_000
/** Documents read at once in a round. */
const ABREAST = 16

type Holds = Readonly<{
  /** Wakes the article at these times, ms since 1970. Times that are known already, or far away, cost nothing. */
  remember(articleId: string, dueTimes: readonly number[]): void
  /** Looks at everything under `holds/` that is due or soon will be, of the articles owned here. Rounds do not overlap. */
  round(): Promise<void>
  /** How many wake-ups are waiting in memory. */
  waiting(): number
  stop(): void
}>

type Needs = Readonly<{
  log: Pick<Log, 'publish'>
  objects: Pick<Objects, 'get' | 'list' | 'delete'>
  owns: (articleId: string) => boolean
  /** Wall clock, ms since 1970. */
  now: () => number
  logger: Pick<Logger, 'warn'>
  /** How long after a round the next one comes, ms. */
  roundMs: number
}>

export const createHolds = ({ log, objects, owns, now, logger, roundMs }: Needs): Holds => {
  /** By the hold's key: a time in memory, exact to the millisecond, and the object of the same second are one wake-up. */
  const timers = new Map<string, NodeJS.Timeout>()
  let isStopped = false
  let running: Promise<void> | null = null

  const fire = async (articleId: string, dueMs: number): Promise<void> => {
    const dueAt = new Date(dueMs).toISOString()
    const event = { id: newId(), type: 'hold.due', source: SOURCE, subject: articleId, time: dueAt, data: { articleId, dueAt } } as const
    try {
      await log.publish([toRecord(event)], { synced: true })
    } catch (error) {
      logger.warn({ articleId, dueAt, error }, 'hold.fire.failed') // the next round fires it again
    }
  }

  const schedule = (key: string, articleId: string, dueMs: number): void => {
    const delay = dueMs - now()
    if (isStopped || timers.has(key) || delay > roundMs + AHEAD_MS) return
    const timer = setTimeout(
      () => {
        timers.delete(key)
        if (isStopped || !owns(articleId)) return
        if (now() < dueMs) return schedule(key, articleId, dueMs) // timers may come a little early
        void fire(articleId, dueMs)
      },
      Math.max(0, Math.ceil(delay)),
    )
    timers.set(key, timer)
  }

  const remember = (articleId: string, times: readonly number[]): void => {
    for (const dueMs of times) schedule(holdKey(dueMs, articleId), articleId, dueMs)
  }

  const onPast = async (key: string, articleId: string, second: number): Promise<void> => {
    const found = await getDocument(objects, keys.current(articleId), state)
    const due = found === null ? [] : dueTimes(found.value).filter(dueMs => dueMs <= now())
    if (due.length > 0) await fire(articleId, Math.max(...due))
    else if (now() > second * 1000 + SWEEP_AFTER_MS) await objects.delete(key)
  }

  const look = async (key: string): Promise<void> => {
    const hold = parseHoldKey(key)
    if (hold === null || isStopped || !owns(hold.articleId)) return
    try {
      if (hold.dueSecond * 1000 > now()) schedule(key, hold.articleId, hold.dueSecond * 1000)
      else await onPast(key, hold.articleId, hold.dueSecond)
    } catch (error) {
      logger.warn({ articleId: hold.articleId, error }, 'hold.look.failed')
    }
  }

  const lookAtAll = async (): Promise<void> => {
    for await (const page of listPages(objects, keys.holdPrefix)) {
      const horizon = now() + roundMs + AHEAD_MS
      const soon = page.filter(({ key }) => (parseHoldKey(key)?.dueSecond ?? Number.POSITIVE_INFINITY) * 1000 <= horizon)
      await sideBySide(soon, ABREAST, ({ key }) => look(key))
      const last = parseHoldKey(page.at(-1)?.key ?? '')
      if (isStopped || (last !== null && last.dueSecond * 1000 > horizon)) return
    }
  }

  return {
    remember,
    round: () => {
      running ??= lookAtAll()
        .catch(error => logger.warn({ error }, 'hold.round.failed'))
        .finally(() => {
          running = null
        })
      return running
    },
    waiting: () => timers.size,
    stop: () => {
      isStopped = true
      for (const timer of timers.values()) clearTimeout(timer)
      timers.clear()
    },
  }
}
