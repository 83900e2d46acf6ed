/**
 * The deliveries to one target, an outlet or a callback: whose turn it is, and the attempts. Order holds because there is at most one request in
 * flight per subject, always at the state that was read for it. Decisions are in `machine.ts` and `breaker.ts`, memory is in `book.ts`.
 */
import { UnavailableError } from '@newswire/events/errors'
import type { OutletHealth } from '@newswire/events/outlet'
import { wantAgain } from './again.ts'
import { createAskFirst, type Ended } from './ask-first.ts'
import { createAsking } from './asking.ts'
import { type BookNeeds, createBook } from './book.ts'
import { createFly } from './flight.ts'
import { createFlights } from './flights.ts'
import { createHealth } from './health.ts'
import { type Item, sequenceOf } from './item.ts'
import type { Kind } from './kind.ts'
import { asKnown } from './known.ts'
import { oldestSinceMs } from './left.ts'
import { type Delivery, type Intent, isSettling, postpone, wantVersion } from './machine.ts'
import { isMoved, type OutletStates } from './outlet-state.ts'
import type { OwnSide } from './own-side.ts'
import { createPace } from './pace.ts'
import { createPatience } from './patience.ts'
import type { Cause } from './pending.ts'
import { Shelved } from './shelved.ts'
import type { Slots } from './slots.ts'
import type { News } from './tell.ts'
import { createTurns } from './turns.ts'

type ActorNeeds = Omit<BookNeeds, 'asking' | 'isClosing'> &
  Readonly<{
    kind: Kind
    states: OutletStates
    slots: Slots
    ownSide: OwnSide
    random: () => number
    /** Hears when it begins to fail and when it is well again (default: nobody). */
    onHealth?: (health: OutletHealth) => void
    /** Hears when it may have become idle (default: nobody). */
    onIdle?: () => void
    /** Who hears how the target fares (default: `logger`). */
    healthLogger?: BookNeeds['logger']
  }>

export type ActorStats = Readonly<{ backlog: number; inFlight: number; oldestSinceMs: number | null; suspended: boolean; open: boolean }>

export type Actor = Readonly<{
  /** Resolves once the target holds the version or a newer one, or the store says that it has still to get it. Rejects what wants a version that is not there. */
  want(subject: string, intent: Intent, cause: Cause): Promise<void>
  /**
   * Begins to read what is left from before; it is sent as it becomes known, in order and by its own time. Before anything is wanted; safe to
   * repeat. Resolves when the rest may be wanted. `clean`: whoever was here before had come to an end.
   */
  load(clean: boolean): Promise<void>
  /** In place of `load`, of a target whose actor was idle when this process let go of it: nothing is left from before. */
  begin(): Promise<void>
  /** Whether it has nothing to do and nothing to remember: one that is closed now and made anew when something comes does what this one would. */
  isIdle(): boolean
  /**
   * Something outside changed: the configuration, a subscription. What was held by its terms is looked at again, all that a retired target was still to get,
   * and what waits after a failure when it is delivered otherwise now: what failed at another address says nothing of this one.
   */
  review(): void
  /** Its kept state changed: a pause, its end. What waited for an outlet that is back is due at once. */
  refresh(): Promise<void>
  stats(): ActorStats
  /** As `stats` has it, at no cost. */
  backlog(): number
  /** Whether all that is left from before is known. */
  isWhole(): boolean
  /** Tidies up in the store; what an earlier owner wrote late is taken in. */
  sweep(): Promise<void>
  /**
   * Begins nothing more, waits for what is in flight. Intents not done are rejected. Twice is once. False: something that was sent may still
   * arrive, and the store does not know of it.
   */
  close(): Promise<boolean>
}>

const lost = (id: string) =>
  new UnavailableError('NEWSWIRE_OUTLETS_LOST', `${id} is no longer this process's; its new owner goes on with it`)

type Left = Delivery | Shelved
/** For its next attempt, which may be made at once: a settle-repeat keeps its minute. */
const isWaiting = (one: Left): boolean =>
  one instanceof Shelved ? one.armed && !one.held && !one.settling : one.phase === 'wait' && !isSettling(one)
/** For the time before which nothing of it may be sent. */
const isHeldByTerms = (one: Left): boolean => (one instanceof Shelved ? one.armed && one.held : one.heldUntilMs !== undefined)

/** `owner`: under whose name its state and what is pending are kept. */
export const createActor = (owner: string, needs: ActorNeeds): Actor => {
  const { clock, kind, slots, ownSide, logger, healthLogger = logger, onIdle = () => undefined } = needs
  const modeOf = () => ({ every: kind.target()?.versions === 'all' })
  const isStrict = () => kind.target()?.order === 'strict'
  const pace = createPace()
  const asking = createAsking()
  let wakeUp: { atMs: number; cancel: () => void } | null = null
  let loading: Promise<void> | null = null
  let closing: Promise<boolean> | null = null
  const isClosing = () => closing !== null
  const book = createBook(owner, { ...needs, asking, isClosing })
  const askFirst = createAskFirst({ book, asking, kind })
  const turns = createTurns(isStrict, book.shelved)
  const health = createHealth(owner, { ...needs, about: kind.about, logger: healthLogger, untilAvailable: book.untilAvailable })
  const fly = createFly({ ...needs, book, health, isClosing })
  const queue = (item: Item) => turns.queue(book.shelve(item) ?? item)
  const flights = createFlights({ ...needs, book, health, turns, fly, isStrict, queue, onRoom: () => pump(), onEnd: onIdle })

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

  /** As it was when this was looked at last. */
  let seen = kind.target()

  /** Begins the next attempt, if one may begin now. A kill does not wait for ordinary requests that hang. */
  const beginNext = (kill: boolean): boolean => {
    if (turns.isNone(kill)) return false
    const target = kind.target()
    if (target === null || health.isPaused() || (!kill && health.isSuspended(target))) return false
    const strict = target.order === 'strict'
    if (!flights.isRoom((strict ? 1 : health.limit(target)) + (kill ? 1 : 0))) return false
    const nowMs = clock.now()
    const next = turns.first(kill, nowMs)
    if (next === null) return false
    // The first of a strict line may be among those that are not read yet, or are asked for.
    if (!kill && strict && (!book.isWhole() || asking.isAnyBefore(sequenceOf(next.item)))) return false
    const atMs = Math.max(next.atMs, pace.nextMs(target.rate, nowMs))
    if (atMs > nowMs) {
      wakeAt(atMs)
      return false
    }
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
    flights.launch(next.item, { way: passed.way, sequence: sequenceOf(next.item), kill }, free)
    return true
  }

  const pump = (): void => {
    let going = closing === null
    while (going) going = beginNext(true) || beginNext(false)
  }

  /** What is said of one that is kept because nothing goes out; a paused outlet gets no retractions either. */
  const toKept = ({ want: version, kill }: Delivery): News[] => {
    if (health.isPaused()) return [{ version, state: 'suspended', reason: 'the outlet is paused' }]
    return isSuspended() && !kill ? [{ version, state: 'suspended' }] : []
  }

  const arm = createPatience({ book, turns, clock, isHopeless: () => health.isFailing() || isSuspended(), toKept, isClosing })

  /** Of everything that waits for its time: due at once. */
  const hurry = (isMeant: (delivery: Left) => boolean) => {
    for (const item of book.items.values()) {
      if (item.busy || item.delivery === null || !isMeant(item.delivery)) continue
      item.delivery = postpone(item.delivery, clock.now())
      turns.queue(item)
    }
    for (const one of book.shelved.values()) {
      if (one.busy || !isMeant(one)) continue
      one.nextAtMs = clock.now()
      one.held = false
      one.armed = true
      turns.queue(one)
    }
    pump()
  }

  const backlog = () => book.items.size + book.shelved.size

  const isOld = (subject: string, { again, version }: Intent) => !again && book.settledUpTo(subject) >= version

  /** Gives an intent its turn, at once. Resolves when it is done. */
  const take = (subject: string, intent: Intent, cause: Cause): Promise<void> => {
    const item = book.open(subject, cause)
    item.cause = cause
    const nowMs = clock.now()
    if (item.delivery === null) item.sinceMs = nowMs
    const known = asKnown(intent, { settledUpTo: () => book.settledUpTo(subject), doubt: book.doubt(subject) })
    item.delivery = (intent.again ? wantAgain : wantVersion)(item.delivery, known, nowMs, modeOf())
    const isRemembered = kind.newestOnly && item.held !== null
    const done = isRemembered
      ? Promise.resolve()
      : new Promise<void>((resolve, reject) => item.waiters.push({ version: intent.version, resolve, reject }))
    turns.queue(item)
    pump()
    if (!isRemembered) arm(item)
    return done
  }

  const takeOnceAsked = async (subject: string, intent: Intent, cause: Cause, asked: Promise<Ended>): Promise<void> => {
    const ended = await asked
    let found: Item | null
    try {
      // Again where it was shelved between the finding and now: what is left of it would be unknown.
      do found = await book.untilAvailable(() => book.find(subject))
      while (found === null ? book.shelved.has(subject) : book.items.get(subject) !== found)
    } finally {
      ended()
    }
    if (closing !== null) throw lost(owner)
    if (!isOld(subject, intent)) return take(subject, intent, cause)
    if (found !== null) queue(found)
    pump()
  }

  return {
    want: (subject, intent, cause) => {
      if (closing !== null) return Promise.reject(lost(owner))
      if (isOld(subject, intent)) return Promise.resolve()
      const asked = askFirst(subject, intent)
      return asked === null ? take(subject, intent, cause) : takeOnceAsked(subject, intent, cause, asked)
    },
    load: async clean => {
      await health.load()
      loading ??= book.load(clean, turns.queue, pump).then(onIdle)
      if (kind.newestOnly) await loading
    },
    begin: async () => {
      await health.load()
      book.begin()
    },
    isIdle: () =>
      closing === null &&
      flights.count() === 0 &&
      !asking.isAnyBefore(Number.POSITIVE_INFINITY) &&
      book.isEmpty() &&
      health.isUnmarked(clock.now()) &&
      pace.isFull(clock.now()),
    sweep: async () => {
      await book.sweep(turns.queue)
      pump()
    },
    review: () => {
      const target = kind.target()
      const isRetired = target?.retired === true
      const isTried = isMoved(seen, target)
      seen = target ?? seen
      if (isTried) health.recover()
      hurry(one => (isRetired && !one.kill) || (isTried && isWaiting(one)) || isHeldByTerms(one))
    },
    refresh: async () => {
      const wasHeld = isSuspended()
      await book.untilAvailable(health.load)
      if (wasHeld && !isSuspended()) {
        health.recover()
        hurry(isWaiting)
      } else pump()
    },
    stats: () => ({
      backlog: backlog(),
      inFlight: flights.count(),
      oldestSinceMs: oldestSinceMs(book, clock.now()),
      suspended: isSuspended(),
      open: health.isOpen(),
    }),
    backlog,
    isWhole: book.isWhole,
    close: () => {
      closing ??= (async () => {
        wakeUp?.cancel()
        for (const item of book.items.values()) item.patience?.()
        await flights.ended()
        for (const item of book.items.values()) for (const one of item.waiters) one.reject(lost(owner))
        return !book.isInDoubt()
      })()
      return closing
    },
  }
}
