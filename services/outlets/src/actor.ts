/**
 * The deliveries to one target, an outlet or a callback: whose turn it is, and the attempts. Order holds because there is at most one request in
 * flight per subject, always at the state that was read for it. Decisions are in `machine.ts` and `breaker.ts`, memory is in `book.ts`.
 */
import { messageOf, UnavailableError } from '@newswire/events/errors'
import type { OutletHealth } from '@newswire/events/outlet'
import { wantAgain } from './again.ts'
import { type BookNeeds, createBook, type End, type Item } from './book.ts'
import type { Passage } from './breaker.ts'
import { createHealth } from './health.ts'
import type { Kind, Ready } from './kind.ts'
import {
  admit,
  afterAttempt,
  afterSkipped,
  beginAttempt,
  type Delivery,
  hold,
  type Intent,
  type Mode,
  nextVersion,
  type Outcome,
  postpone,
  restore,
  wantVersion,
} from './machine.ts'
import type { OutletStates } from './outlet-state.ts'
import type { OwnSide } from './own-side.ts'
import { createPace } from './pace.ts'
import type { Cause } from './pending.ts'
import { OWN_FAULT_MS } from './schedule.ts'
import type { Slots } from './slots.ts'
import type { News } from './tell.ts'
import { createTurns } from './turns.ts'

export type ActorNeeds = Omit<BookNeeds, 'isClosing'> &
  Readonly<{
    kind: Kind
    states: OutletStates
    slots: Slots
    ownSide: OwnSide
    random: () => number
    /** Hears when it begins to fail and when it is well again (default: nobody). */
    onHealth?: (health: OutletHealth) => void
    /** Who hears how the target fares (default: `logger`). */
    healthLogger?: BookNeeds['logger']
  }>

export type ActorStats = Readonly<{ backlog: number; inFlight: number; oldestSinceMs: number | null; suspended: boolean; open: boolean }>

export type Actor = Readonly<{
  /** Resolves once the target holds the version or a newer one, or the store says that it has still to get it. */
  want(subject: string, intent: Intent, cause: Cause): Promise<void>
  /** Reads what is left from before. Before anything is wanted; safe to repeat. `clean`: whoever was here before had come to an end. */
  load(clean: boolean): Promise<void>
  /** Something outside changed: the configuration, a subscription. What was held by its terms is looked at again. */
  review(): void
  /** Its kept state changed: a pause, its end. What waited for an outlet that is back is due at once. */
  refresh(): Promise<void>
  stats(): ActorStats
  /** Tidies up in the store; what an earlier owner wrote late is taken in. */
  sweep(): Promise<void>
  /**
   * Begins nothing more, waits for what is in flight. Intents not done are rejected. Twice is once. False: something that was sent may still
   * arrive, and the store does not know of it.
   */
  close(): Promise<boolean>
}>

/** An intent that has not succeeded within this is written down, and its record is done. */
export const PATIENCE_MS = 2_000
/** The state that was read is behind the intent: looked at again soon, then, with an alarm, less often. */
const BEHIND_AGAIN_MS = 100
const BEHIND_PATIENCE_MS = 5_000

const lost = (id: string) =>
  new UnavailableError('NEWSWIRE_OUTLETS_LOST', `${id} is no longer this process's; its new owner goes on with it`)

/** `owner`: under whose name its state and what is pending are kept. */
export const createActor = (owner: string, needs: ActorNeeds): Actor => {
  const { clock, kind, owns, slots, ownSide, scale, random, logger, healthLogger = logger } = needs
  const modeOf = () => ({ every: kind.target()?.versions === 'all' })
  const isStrict = () => kind.target()?.order === 'strict'
  const turns = createTurns(isStrict)
  const pace = createPace()
  const flights = new Set<Promise<void>>()
  let wakeUp: { atMs: number; cancel: () => void } | null = null
  let closing: Promise<boolean> | null = null
  const book = createBook(owner, { ...needs, isClosing: () => closing !== null })
  const health = createHealth(owner, { ...needs, about: kind.about, logger: healthLogger, untilAvailable: book.untilAvailable })

  /** Nothing goes out to it, or nothing but retractions. */
  const isSuspended = () => {
    const target = kind.target()
    return health.isPaused() || (target !== null && health.isSuspended(target))
  }

  const wakeAt = (atMs: number) => {
    if (closing !== null || !Number.isFinite(atMs) || (wakeUp !== null && wakeUp.atMs <= atMs)) return
    wakeUp?.cancel()
    const cancel = clock.after(Math.max(1, atMs - clock.now()), () => {
      wakeUp = null
      pump()
    })
    wakeUp = { atMs, cancel }
  }

  /** Begins the next attempt, if one may begin now. A kill does not wait for ordinary requests that hang. */
  const beginNext = (kill: boolean): boolean => {
    const nowMs = clock.now()
    const next = turns.first(kill, nowMs)
    const target = kind.target()
    if (next === null || target === null || health.isPaused() || (!kill && health.isSuspended(target))) return false
    const atMs = Math.max(next.atMs, pace.nextMs(target.rate, nowMs))
    if (atMs > nowMs) {
      wakeAt(atMs)
      return false
    }
    const most = isStrict() ? 1 : health.limit(target)
    if (flights.size >= most + (kill ? 1 : 0)) return false
    const passed = health.passage(kill, nowMs)
    if (passed.way === 'no') {
      wakeAt(passed.askAtMs)
      return false
    }
    const free = slots.take({ failing: health.isFailing(), urgent: kill, onFree: pump })
    if (free === null) return false
    if (!ownSide.admit(nowMs)) {
      free()
      wakeAt(ownSide.nextCanaryMs())
      return false
    }
    turns.take(kill)
    pace.take(target.rate, nowMs)
    health.began(passed.way, nowMs)
    launch(next.item, passed.way, free)
    return true
  }

  const launch = (item: Item, way: Passage, free: () => void) => {
    item.busy = true
    const flight = fly(item, way).finally(() => {
      flights.delete(flight)
      item.busy = false
      free()
      turns.queue(item)
      pump()
    })
    flights.add(flight)
  }

  const pump = (): void => {
    let going = closing === null
    while (going) going = beginNext(true) || beginNext(false)
  }

  const later = (item: Item, ms: number) => {
    if (item.delivery !== null) item.delivery = postpone(item.delivery, clock.now() + ms * scale)
  }

  /** The state to send; `null` when there is none to be sent now, and the item looks again later. */
  const resolve = async (item: Item, want: number): Promise<Ready | null> => {
    try {
      const ready = await kind.read(item.subject, want)
      if (ready !== null && ready.version >= want) {
        item.behindSinceMs = null
        return ready
      }
    } catch (error) {
      const isOurs = error instanceof UnavailableError
      if (!isOurs) logger.error({ ...kind.fields(item.subject), reason: messageOf(error) }, 'current.unreadable')
      later(item, isOurs ? OWN_FAULT_MS : BEHIND_PATIENCE_MS)
      return null
    }
    item.behindSinceMs ??= clock.now()
    const isLong = clock.now() - item.behindSinceMs > BEHIND_PATIENCE_MS * scale
    if (isLong) logger.warn({ ...kind.fields(item.subject), want }, 'current.behind')
    later(item, isLong ? BEHIND_PATIENCE_MS : BEHIND_AGAIN_MS)
    return null
  }

  /** One attempt from the reading of the state to the end of what came of it. Never throws. */
  const fly = async (item: Item, way: Passage): Promise<void> => {
    try {
      if (!(await attempt(item, way))) health.abandoned(way)
    } catch (error) {
      health.abandoned(way)
      if (closing !== null) return
      book.fail(item, error)
      later(item, BEHIND_PATIENCE_MS)
    }
  }

  /** False: nothing was sent. */
  const attempt = async (item: Item, way: Passage): Promise<boolean> => {
    if (!owns()) later(item, OWN_FAULT_MS)
    const ready = owns() && item.delivery !== null ? await resolve(item, nextVersion(item.delivery, modeOf())) : null
    const target = kind.target()
    if (ready === null || target === null || item.delivery === null || closing !== null) return false
    const admission = admit(item.delivery, ready, clock.now())
    if (admission.way === 'hold') {
      item.delivery = hold(item.delivery, admission.untilMs)
      await book.remember(item, [])
      return false
    }
    item.delivery = beginAttempt(item.delivery, ready)
    if (ready.send === null || admission.way === 'skip') {
      await end(item, item.delivery, afterSkipped(item.delivery, clock.now()), {
        state: 'skipped',
        ...(admission.way === 'skip' ? { reason: admission.reason } : {}),
      })
      return false
    }
    const { sequence, settling } = item.delivery
    const outcome = await ready.send({ sequence, settling, sinceMs: item.sinceMs }, () => owns() && closing === null)
    await conclude(item, await health.note(outcome, way, target, clock.now()))
    return true
  }

  const conclude = async (item: Item, outcome: Outcome): Promise<void> => {
    const inflight = item.delivery
    if (inflight === null) return
    const mode = modeOf()
    const next = afterAttempt(inflight, outcome, clock.now(), { random, scale, ...mode })
    if (next === null || outcome.kind === 'accepted') return end(item, inflight, next, { state: 'done' })
    item.delivery = next
    if (outcome.kind !== 'own') await book.remember(item, toNews(inflight, next, outcome, mode))
  }

  const end = (item: Item, begun: Delivery, next: Delivery | null, how: End): Promise<void> =>
    next === null ? book.finish(item, begun, how) : book.carryOn(item, begun, next, how)

  /** What is said of one that is kept because nothing goes out; a paused outlet gets no retractions either. */
  const toKept = ({ want: version, kill }: Delivery): News[] => {
    if (health.isPaused()) return [{ version, state: 'suspended', reason: 'the outlet is paused' }]
    return isSuspended() && !kill ? [{ version, state: 'suspended' }] : []
  }

  const writeDown = async (item: Item): Promise<void> => {
    item.patience?.()
    item.patience = null
    if (item.waiters.length === 0 || item.delivery === null) return
    await book.remember(item, toKept(item.delivery)).catch(error => (closing === null ? book.fail(item, error) : undefined))
  }

  /** Of a strict line the store must not know a later one before an earlier one: after a crash it would go first. */
  const before = (item: Item): Item[] => {
    const at = ({ delivery }: Item) => delivery?.sequence ?? Number.POSITIVE_INFINITY
    if (!isStrict()) return []
    return [...book.items.values()].filter(one => one.waiters.length > 0 && at(one) < at(item)).sort((a, b) => at(a) - at(b))
  }

  /** Writes down what takes too long, or at once when it will: an open breaker, a suspended outlet, one that is written down already. */
  const armPatience = (item: Item) => {
    const writeDownInTurn = async () => {
      for (const one of [...before(item), item]) await writeDown(one)
    }
    if (item.held !== null || health.isFailing() || isSuspended()) void writeDownInTurn()
    // The first who waits has waited longest: those who come after must not put it off.
    else item.patience ??= clock.after(PATIENCE_MS, () => void writeDownInTurn())
  }

  const take = (clean: boolean) => (item: Item, delivery: Delivery) => {
    item.delivery = restore(delivery, clean, clock.now(), scale)
    turns.queue(item)
  }

  return {
    want: async (subject, intent, cause) => {
      if (closing !== null) throw lost(owner)
      const isOld = Math.max(book.acknowledged(subject), book.items.get(subject)?.savedWant ?? 0) >= intent.version
      if (isOld && !intent.again) return
      const item = book.open(subject, cause)
      item.cause = cause
      if (item.delivery === null) item.sinceMs = clock.now()
      const wanted = intent.again ? wantAgain : wantVersion
      item.delivery = wanted(item.delivery, { ...intent, maybeSent: intent.maybeSent ?? book.doubt(subject) }, clock.now(), modeOf())
      const isRemembered = kind.newestOnly && item.held !== null
      const done = isRemembered
        ? undefined
        : new Promise<void>((resolve, reject) => item.waiters.push({ version: intent.version, resolve, reject }))
      turns.queue(item)
      pump()
      if (!isRemembered) armPatience(item)
      await done
    },
    load: async clean => {
      await health.load()
      await book.load(take(clean))
    },
    sweep: async () => {
      await book.sweep(take(false))
      pump()
    },
    review: () => {
      for (const item of book.items.values()) {
        if (item.busy || item.delivery?.heldUntilMs === undefined) continue
        item.delivery = postpone(item.delivery, clock.now())
        turns.queue(item)
      }
      pump()
    },
    refresh: async () => {
      const wasHeld = isSuspended()
      await book.untilAvailable(health.load)
      if (wasHeld && !isSuspended()) {
        health.recover()
        for (const item of book.items.values()) {
          if (item.busy || item.delivery?.phase !== 'wait') continue
          item.delivery = postpone(item.delivery, clock.now())
          turns.queue(item)
        }
      }
      pump()
    },
    stats: () => {
      let oldestSinceMs: number | null = null
      for (const { sinceMs, delivery } of book.items.values())
        if ((delivery?.heldUntilMs ?? 0) <= clock.now()) oldestSinceMs = Math.min(oldestSinceMs ?? sinceMs, sinceMs)
      return { backlog: book.items.size, inFlight: flights.size, oldestSinceMs, suspended: isSuspended(), open: health.isOpen() }
    },
    close: () => {
      closing ??= (async () => {
        wakeUp?.cancel()
        for (const item of book.items.values()) item.patience?.()
        await Promise.allSettled(flights)
        for (const item of book.items.values()) for (const one of item.waiters) one.reject(lost(owner))
        return !book.isInDoubt()
      })()
      return closing
    },
  }
}

/** What an attempt that did not succeed is told as. A failed settle-repeat is no news: the kill itself was acknowledged. */
const toNews = (tried: Delivery, delivery: Delivery, outcome: Outcome, { every }: Mode): News[] => {
  if (delivery.settling) return []
  const { attempts, lastError, phase } = delivery
  const version = every ? (tried.version ?? delivery.want) : delivery.want
  if (every && outcome.kind === 'refused' && phase === 'pending')
    return [{ version, state: 'rejected', attempts: tried.attempts, lastError: outcome.reason }]
  const rest = { version, attempts, ...(lastError === null ? {} : { lastError }) }
  if (phase === 'rejected' || phase === 'dead') return [{ ...rest, state: phase }]
  if (outcome.kind === 'gone') return [{ ...rest, state: 'suspended' }]
  return [{ ...rest, state: 'retrying', nextAt: new Date(delivery.nextAtMs).toISOString() }]
}
