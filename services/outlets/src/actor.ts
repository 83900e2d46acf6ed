/**
 * One outlet: what it still has to get, in memory, and the attempts at it. Order holds because there is at most one request in flight per
 * article, always at the state that was read for it. All decisions are in `machine.ts` and `breaker.ts`; here are the effects, in this
 * order: attempt, milestone, state, and only then is an intent's record done.
 */
import type { OutletConfig } from '@newswire/events/config'
import { messageOf, UnavailableError } from '@newswire/events/errors'
import type { Fact } from '@newswire/events/fact'
import type { Logger } from '@newswire/runtime/logger'
import { closedBreaker, forgetProbe, isFailing, limitOf, nextPassageMs, noteFailure, notePassage, noteSuccess, type Passage, passage } from './breaker.ts'
import { createDueQueue } from './due-queue.ts'
import { type Categories, dueTo } from './entitled.ts'
import { afterAttempt, beginAttempt, type Delivery, type Intent, isArmed, isSendable, type Outcome, postpone, restore, wantVersion } from './machine.ts'
import { isSuspended, type OutletStates, type Suspension, targetOf } from './outlet-state.ts'
import type { OwnSide } from './own-side.ts'
import type { Cause, Held, Pending, PendingStore } from './pending.ts'
import type { Slots } from './slots.ts'
import { type Tell, type Told, toSinkMilestone } from './tell.ts'
import type { ReadReleased } from './view.ts'
import type { Send } from './webhook.ts'

/** Time as the actor knows it: never runs backwards; `after` returns how to cancel. */
export type Clock = Readonly<{ now(): number; after(ms: number, run: () => void): () => void }>

export type ActorNeeds = Readonly<{
  clock: Clock
  /** The outlet as it is configured now, and the categories; `null` when the configuration does not know it. */
  configured: () => Readonly<{ outlet: OutletConfig; categories: Categories }> | null
  read: ReadReleased
  send: Send
  pending: PendingStore
  states: OutletStates
  tell: Tell
  /** Whether this process surely owns the outlet now. */
  owns: () => boolean
  slots: Slots
  ownSide: OwnSide
  scale: number
  random: () => number
  logger: Pick<Logger, 'warn' | 'error' | 'info'>
  /** After each attempt that was made: for metrics. `fact` is what was sent. */
  onAttempt?: (result: Readonly<{ outcome: Outcome['kind']; fact: Fact; tookMs: number; sinceIntentMs: number }>) => void
}>

export type ActorStats = Readonly<{ backlog: number; inFlight: number; oldestSinceMs: number | null; suspended: boolean; open: boolean }>

export type Actor = Readonly<{
  /** Resolves once the outlet holds the version or a newer one, or the store says that it has still to get it. */
  want(articleId: string, intent: Intent, cause: Cause): Promise<void>
  /** Reads what is left from before. Before anything is wanted. */
  load(): Promise<void>
  /** Something outside changed: configuration, ownership, a free slot. */
  pump(): void
  stats(): ActorStats
  /** Begins nothing more, waits for what is in flight. Intents not done are rejected. Twice is once. */
  close(): Promise<void>
}>

/** An intent that has not succeeded within this is written down, and its record is done. */
export const PATIENCE_MS = 2_000
const OWN_FAULT_MS = 1_000
const BEHIND_AGAIN_MS = 100
const BEHIND_PATIENCE_MS = 5_000
const ACKNOWLEDGED_KEPT = 10_000

type Waiter = Readonly<{ version: number; resolve: () => void; reject: (error: unknown) => void }>
type Item = {
  readonly articleId: string
  /** `null` while the end of it is being told. */
  delivery: Delivery | null
  cause: Cause
  sinceMs: number
  held: Held | null
  /** The store knows that at least this version has still to get there. */
  savedWant: number
  saving: Promise<void>
  waiters: Waiter[]
  patience: (() => void) | null
  busy: boolean
  behindSinceMs: number | null
  /** Raised whenever it is queued again: older entries of the queue are void. */
  turn: number
}

const lost = (outletId: string) =>
  new UnavailableError('NEWSWIRE_OUTLETS_LOST', `outlet ${outletId} is no longer this process's; its new owner goes on with it`)

export const createActor = (outletId: string, needs: ActorNeeds): Actor => {
  const { clock, configured, read, send, pending, states, tell, owns, slots, ownSide, scale, random, logger, onAttempt } = needs
  const items = new Map<string, Item>()
  /** Versions that got there while this process owned the outlet: an intent that comes after its version was sent sends nothing. */
  const acknowledged = new Map<string, number>()
  const kills = createDueQueue<{ item: Item; turn: number }>()
  const others = createDueQueue<{ item: Item; turn: number }>()
  const flights = new Set<Promise<void>>()
  let breaker = closedBreaker
  let suspended: Suspension | null = null
  let wakeUp: { atMs: number; cancel: () => void } | null = null
  let closing: Promise<void> | null = null

  const outletNow = () => configured()?.outlet ?? null
  const isStopped = () => {
    const outlet = outletNow()
    return outlet !== null && isSuspended(suspended, outlet)
  }

  const settleWaiters = (item: Item, upTo: number) => {
    const done = item.waiters.filter(one => one.version <= upTo)
    item.waiters = item.waiters.filter(one => one.version > upTo)
    for (const one of done) one.resolve()
  }

  /** Our own log or store being away is waited out; anything else is a fault of this item. */
  const untilAvailable = async (act: () => Promise<void>): Promise<void> => {
    for (;;) {
      try {
        return await act()
      } catch (error) {
        if (!(error instanceof UnavailableError) || closing !== null) throw error
        await new Promise<void>(resolve => clock.after(OWN_FAULT_MS * scale, resolve))
      }
    }
  }

  const say = (item: Item, told: readonly Omit<Told, 'articleId'>[]) =>
    told.length === 0
      ? Promise.resolve()
      : untilAvailable(() => {
          const at = new Date(clock.now()).toISOString()
          return tell(told.map(one => toSinkMilestone(outletId, { articleId: item.articleId, ...one }, item.cause, at)))
        })

  /** Writes the state as it is when its turn comes; then the store remembers it and the records may be done. */
  const save = (item: Item): Promise<void> => {
    const mine = item.saving.then(() =>
      untilAvailable(async () => {
        const { delivery } = item
        if (delivery === null) return
        if (closing !== null) throw lost(outletId)
        item.held = await pending.save(outletId, toPending(item, delivery), item.held)
        item.savedWant = delivery.want
        settleWaiters(item, delivery.want)
      }),
    )
    item.saving = mine.catch(() => undefined)
    return mine
  }

  const toPending = ({ articleId, cause, sinceMs }: Item, delivery: Delivery): Pending => ({ articleId, delivery, cause, sinceMs })

  const fail = (item: Item, error: unknown) => {
    logger.error({ outletId, articleId: item.articleId, reason: messageOf(error) }, 'delivery.stuck')
    for (const one of item.waiters) one.reject(error)
    item.waiters = []
  }

  const saveInBackground = (item: Item) => {
    if (item.delivery === null) return
    const { phase, version, attempts } = item.delivery
    const told = isStopped() && phase === 'pending' ? [{ version: item.delivery.want, state: 'suspended' as const, attempts }] : []
    void version
    say(item, told)
      .then(() => save(item))
      .catch(error => {
        if (closing === null) fail(item, error)
      })
  }

  const forget = (item: Item) => {
    item.patience?.()
    item.patience = null
    items.delete(item.articleId)
  }

  const acknowledge = (articleId: string, version: number) => {
    acknowledged.delete(articleId)
    acknowledged.set(articleId, version)
    const oldest = acknowledged.keys().next()
    if (acknowledged.size > ACKNOWLEDGED_KEPT && !oldest.done) acknowledged.delete(oldest.value)
  }

  const enqueue = (item: Item) => {
    const { delivery } = item
    if (delivery === null || item.busy || !isArmed(delivery)) return
    item.turn += 1
    ;(delivery.kill ? kills : others).push(delivery.nextAtMs, { item, turn: item.turn })
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

  /** The earliest entry that still stands. */
  const first = (queue: typeof kills) => {
    for (let entry = queue.peek(); entry !== undefined; entry = queue.peek()) {
      if (entry.item.turn === entry.item.item.turn && !entry.item.item.busy) return { atMs: entry.atMs, item: entry.item.item }
      queue.pop()
    }
    return null
  }

  /** Begins the next attempt of one queue, if it may. False: nothing more can be begun from it now. */
  const beginNext = (queue: typeof kills, isKill: boolean): boolean => {
    const next = first(queue)
    const outlet = outletNow()
    if (next === null || outlet === null) return false
    const nowMs = clock.now()
    if (next.atMs > nowMs) {
      wakeAt(next.atMs)
      return false
    }
    if (!isKill && isStopped()) return false
    // A kill does not wait for ordinary requests that hang.
    if (flights.size >= limitOf(breaker, outlet.concurrency) + (isKill ? 1 : 0)) return false
    const way = passage(breaker, nowMs, isKill, scale)
    if (way === 'no') {
      wakeAt(nextPassageMs(breaker, nowMs, isKill, scale))
      return false
    }
    const free = slots.take({ failing: isFailing(breaker), urgent: isKill, onFree: pump })
    if (free === null) return false
    if (!ownSide.admit(nowMs)) {
      free()
      wakeAt(ownSide.nextCanaryMs())
      return false
    }
    queue.pop()
    breaker = notePassage(breaker, way, nowMs)
    next.item.busy = true
    const flight = fly(next.item, way).finally(() => {
      flights.delete(flight)
      next.item.busy = false
      free()
      enqueue(next.item)
      pump()
    })
    flights.add(flight)
    return true
  }

  const pump = (): void => {
    if (closing !== null) return
    while (beginNext(kills, true));
    while (beginNext(others, false));
  }

  const later = (item: Item, ms: number) => {
    if (item.delivery !== null) item.delivery = postpone(item.delivery, clock.now() + ms * scale)
  }

  /** What is to be sent; `null` when it cannot be now, or need not be. */
  const resolve = async (item: Item, want: number): Promise<Fact | null> => {
    try {
      const fact = await read(item.articleId, want)
      if (fact !== null && fact.version >= want) {
        item.behindSinceMs = null
        return fact
      }
    } catch (error) {
      if (!(error instanceof UnavailableError)) logger.error({ outletId, articleId: item.articleId, reason: messageOf(error) }, 'current.unreadable')
      later(item, error instanceof UnavailableError ? OWN_FAULT_MS : BEHIND_PATIENCE_MS)
      return null
    }
    item.behindSinceMs ??= clock.now()
    const isLong = clock.now() - item.behindSinceMs > BEHIND_PATIENCE_MS * scale
    if (isLong) logger.warn({ outletId, articleId: item.articleId, want }, 'current.behind')
    later(item, isLong ? BEHIND_PATIENCE_MS : BEHIND_AGAIN_MS)
    return null
  }

  const fly = async (item: Item, way: Passage): Promise<void> => {
    const abandon = () => {
      breaker = forgetProbe(breaker, way)
    }
    try {
      if (item.delivery === null) return abandon()
      if (!owns()) {
        later(item, OWN_FAULT_MS)
        return abandon()
      }
      const fact = await resolve(item, item.delivery.want)
      const now = configured()
      if (fact === null || now === null || closing !== null) return abandon()
      const due = dueTo(now.outlet, fact, now.categories)
      const latest = { version: fact.version, kill: due === 'retraction' }
      if (!isSendable(item.delivery, latest)) {
        later(item, BEHIND_AGAIN_MS)
        return abandon()
      }
      item.delivery = beginAttempt(item.delivery, latest)
      if (due === 'nothing') {
        abandon()
        return await finish(item, item.delivery, 'skipped')
      }
      const { sequence, settling } = item.delivery
      const beganAtMs = clock.now()
      const outcome = await send({ outlet: now.outlet, fact, due, sequence, settling }, () => owns() && closing === null)
      onAttempt?.({ outcome: outcome.kind, fact, tookMs: clock.now() - beganAtMs, sinceIntentMs: clock.now() - item.sinceMs })
      await conclude(item, outcome, way, now.outlet)
    } catch (error) {
      if (closing !== null) return
      abandon()
      fail(item, error)
      later(item, BEHIND_PATIENCE_MS)
    }
  }

  /** What an attempt says about the outlet, as against the article. */
  const noteOutlet = async (outcome: Outcome, way: Passage, outlet: OutletConfig): Promise<Outcome> => {
    const nowMs = clock.now()
    if (outcome.kind === 'own') {
      breaker = forgetProbe(breaker, way)
      return outcome
    }
    ownSide.note(outletId, !(outcome.kind === 'failed' && outcome.connect), nowMs)
    if (outcome.kind === 'failed' && outcome.connect && ownSide.isFrozen(nowMs)) {
      breaker = forgetProbe(breaker, way)
      return { kind: 'own', reason: outcome.reason, waitMs: OWN_FAULT_MS * scale }
    }
    if (outcome.kind === 'failed') {
      breaker = noteFailure(breaker, way, nowMs, scale)
      if (outcome.alarm) logger.error({ outletId, reason: outcome.reason }, 'outlet.misconfigured')
      else if (breaker.openUntilMs !== null) logger.warn({ outletId, reason: outcome.reason, opens: breaker.opens }, 'outlet.failing')
      return outcome
    }
    breaker = noteSuccess(breaker, nowMs, scale, outlet.concurrency)
    if (outcome.kind === 'gone' && !isStopped()) {
      suspended = { reason: outcome.reason, at: new Date(nowMs).toISOString(), target: targetOf(outlet) }
      logger.error({ outletId, reason: outcome.reason }, 'outlet.suspended')
      await untilAvailable(() => states.save(outletId, suspended))
    } else if (outcome.kind === 'accepted' && suspended !== null) {
      suspended = null
      await untilAvailable(() => states.save(outletId, null))
    }
    return outcome
  }

  const conclude = async (item: Item, attempted: Outcome, way: Passage, outlet: OutletConfig) => {
    const outcome = await noteOutlet(attempted, way, outlet)
    const inflight = item.delivery
    if (inflight === null) return
    const next = afterAttempt(inflight, outcome, clock.now(), { random, scale })
    if (outcome.kind === 'own') {
      item.delivery = next
      return
    }
    if (outcome.kind === 'accepted') return next === null ? finish(item, inflight, 'done') : carryOn(item, inflight, next)
    item.delivery = next
    if (next === null) return finish(item, inflight, 'done')
    const told = toTold(next, outcome)
    await say(item, told === null ? [] : [told])
    await save(item)
  }

  const toTold = (delivery: Delivery, outcome: Outcome): Omit<Told, 'articleId'> | null => {
    if (delivery.settling) return null // the kill itself was acknowledged
    const rest = {
      version: delivery.want,
      attempts: delivery.attempts,
      ...(delivery.lastError === null ? {} : { lastError: delivery.lastError }),
    }
    if (delivery.phase === 'rejected' || delivery.phase === 'dead') return { ...rest, state: delivery.phase }
    if (outcome.kind === 'gone') return { ...rest, state: 'suspended' }
    return { ...rest, state: 'retrying', nextAt: new Date(delivery.nextAtMs).toISOString() }
  }

  /** The end of every open version that `sent` settles. */
  const endings = (delivery: Delivery, state: 'done' | 'skipped'): Omit<Told, 'articleId'>[] => {
    const sent = delivery.version ?? delivery.want
    const older = delivery.open.filter(version => version < sent).map(version => ({ version, state: 'superseded' as const }))
    return delivery.settling ? older : [...older, { version: sent, state, attempts: delivery.attempts }]
  }

  /** It got there, and something is left: a newer version, or the settle-repeat. The intents up to it are done once that is written. */
  const carryOn = async (item: Item, inflight: Delivery, next: Delivery) => {
    const sent = inflight.version ?? inflight.want
    item.delivery = next
    acknowledge(item.articleId, sent)
    await say(item, endings(inflight, 'done'))
    if (next.settling || item.held !== null) await save(item)
    settleWaiters(item, sent)
  }

  const finish = async (item: Item, inflight: Delivery, state: 'done' | 'skipped') => {
    const sent = inflight.version ?? inflight.want
    item.delivery = null
    acknowledge(item.articleId, sent)
    await say(item, endings(inflight, state))
    await item.saving
    // A newer version that came meanwhile goes on from here; its own state overwrites what is stored.
    if (item.delivery === null) {
      const { held } = item
      if (held !== null) await untilAvailable(() => pending.clear(outletId, item, held))
      if (item.delivery === null) forget(item)
      else if (held !== null) item.held = null
    }
    settleWaiters(item, sent)
  }

  const isPatient = (item: Item) => item.held === null && !isFailing(breaker) && !isStopped()

  const newItem = (articleId: string, cause: Cause): Item => {
    const item: Item = {
      articleId,
      delivery: null,
      cause,
      sinceMs: clock.now(),
      held: null,
      savedWant: 0,
      saving: Promise.resolve(),
      waiters: [],
      patience: null,
      busy: false,
      behindSinceMs: null,
      turn: 0,
    }
    items.set(articleId, item)
    return item
  }

  const armPatience = (item: Item) => {
    item.patience?.()
    item.patience = null
    if (!isPatient(item)) return saveInBackground(item)
    item.patience = clock.after(PATIENCE_MS, () => {
      item.patience = null
      if (item.waiters.length > 0) saveInBackground(item)
    })
  }

  return {
    want: (articleId, intent, cause) => {
      if (closing !== null) return Promise.reject(lost(outletId))
      if ((acknowledged.get(articleId) ?? 0) >= intent.version) return Promise.resolve()
      const known = items.get(articleId)
      if (known !== undefined && known.savedWant >= intent.version) return Promise.resolve()
      const item = known ?? newItem(articleId, cause)
      item.cause = cause
      item.delivery = wantVersion(item.delivery, intent, clock.now())
      const done = new Promise<void>((resolve, reject) => item.waiters.push({ version: intent.version, resolve, reject }))
      enqueue(item)
      pump()
      armPatience(item)
      return done
    },
    load: async () => {
      suspended = await states.load(outletId)
      for await (const page of pending.load(outletId))
        for (const { pending: one, held } of page) {
          const item = newItem(one.articleId, one.cause)
          item.sinceMs = one.sinceMs
          item.held = held
          item.savedWant = one.delivery.want
          item.delivery = restore(one.delivery, clock.now(), scale)
          enqueue(item)
        }
    },
    pump,
    stats: () => {
      let oldestSinceMs: number | null = null
      for (const item of items.values()) oldestSinceMs = Math.min(oldestSinceMs ?? item.sinceMs, item.sinceMs)
      return { backlog: items.size, inFlight: flights.size, oldestSinceMs, suspended: isStopped(), open: breaker.openUntilMs !== null }
    },
    close: () => {
      closing ??= (async () => {
        wakeUp?.cancel()
        for (const item of items.values()) item.patience?.()
        await Promise.allSettled(flights)
        for (const item of items.values()) for (const one of item.waiters) one.reject(lost(outletId))
      })()
      return closing
    },
  }
}
