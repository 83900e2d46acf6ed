/** One attempt for one subject: its state is read, sent, and what came of it is told and written. Decisions are in `machine.ts`. */
import { messageOf, UnavailableError } from '@newswire/events/errors'
import type { Book, BookNeeds, End } from './book.ts'
import type { Passage } from './breaker.ts'
import type { Health } from './health.ts'
import type { Item } from './item.ts'
import type { Kind, Ready, Send, Target } from './kind.ts'
import {
  admit,
  afterAttempt,
  afterSkipped,
  beginAttempt,
  comeBack,
  type Delivery,
  failedAt,
  hold,
  isRemembered,
  loseSight,
  type Mode,
  nextVersion,
  type Outcome,
  postpone,
  triedAt,
} from './machine.ts'
import { isMoved, placeOf } from './outlet-state.ts'
import { OWN_FAULT_MS } from './schedule.ts'
import type { News } from './tell.ts'

/** The state that was read is behind the intent: looked at again soon, then, with an alarm, less often. */
const BEHIND_AGAIN_MS = 100
const BEHIND_PATIENCE_MS = 5_000

type Needs = Pick<BookNeeds, 'clock' | 'owns' | 'scale' | 'logger' | 'isClosing'> &
  Readonly<{ kind: Kind; book: Book; health: Health; random: () => number }>

/** How an attempt was let go ahead, whatever is wanted since: `way`, past the breaker; `sequence`, in whose place; `kill`, past everything else. */
export type Turn = Readonly<{ way: Passage; sequence: number; kill: boolean }>
/** From the reading of the state to the end of what came of it. `landed` is called once the answer is there, if anything was sent: what is left is to tell it. Never throws. */
export type Fly = (item: Item, turn: Turn, landed: () => void) => Promise<void>

export const createFly = ({ kind, book, health, clock, owns, isClosing, scale, random, logger }: Needs): Fly => {
  const modeOf = (): Mode => ({ every: kind.target()?.versions === 'all' })

  const later = (item: Item, ms: number) => {
    if (item.delivery === null) return
    const isKnown = isSaved(item)
    item.delivery = postpone(loseSight(item.delivery), clock.now() + ms * scale)
    if (isKnown) item.saved = item.delivery // only its turn is another one
  }

  /** The state to send; `null` when there is none to be sent now, and the item looks again later. */
  const resolve = (item: Item, want: number): Promise<Ready | null> | Ready | null => {
    try {
      const found = kind.read(item.subject, want)
      if (!(found instanceof Promise)) return checked(item, want, found)
      return found.then(
        read => checked(item, want, read),
        error => unread(item, error),
      )
    } catch (error) {
      return unread(item, error)
    }
  }

  const unread = (item: Item, error: unknown): null => {
    const isOurs = error instanceof UnavailableError
    if (!isOurs) logger.error({ ...kind.fields(item.subject), reason: messageOf(error) }, 'current.unreadable')
    later(item, isOurs ? OWN_FAULT_MS : BEHIND_PATIENCE_MS)
    return null
  }

  const checked = (item: Item, want: number, ready: Ready | null): Ready | null => {
    if (ready !== null && ready.version >= want) {
      item.behindSinceMs = null
      return ready
    }
    item.behindSinceMs ??= clock.now()
    const isLong = clock.now() - item.behindSinceMs > BEHIND_PATIENCE_MS * scale
    if (isLong) logger.warn({ ...kind.fields(item.subject), want }, 'current.behind')
    later(item, isLong ? BEHIND_PATIENCE_MS : BEHIND_AGAIN_MS)
    return null
  }

  const read = (item: Item): Promise<Ready | null> | Ready | null => {
    if (!owns()) later(item, OWN_FAULT_MS)
    else if (item.delivery !== null) return resolve(item, nextVersion(item.delivery, modeOf()))
    return null
  }

  /** How to send what was read, once it counts as begun; or what is to end first when it is not to be sent now. */
  const begin = (item: Item, ready: Ready, { kill }: Turn, target: Target): Send | Promise<void> | null => {
    const { delivery } = item
    if (delivery === null || isClosing()) return null
    if (kill && !ready.kill && target.order === 'strict') {
      item.delivery = comeBack(delivery, ready, clock.now())
      return null
    }
    const admission = admit(delivery, ready, clock.now())
    if (admission.way === 'hold') return keep(item, delivery, admission.untilMs)
    const begun = triedAt(beginAttempt(delivery, ready), placeOf(target))
    item.delivery = begun
    if (ready.send !== null && admission.way === 'send') return ready.send
    const next = afterSkipped(begun, clock.now(), modeOf(), admission.way === 'skip' ? admission.rememberedUntilMs : undefined)
    const notDue = target.retired ? 'the outlet has left the configuration' : 'nothing of it is due here any more'
    return end(item, begun, next, { state: 'skipped', reason: admission.way === 'skip' ? admission.reason : notDue })
  }

  const keep = (item: Item, delivery: Delivery, untilMs: number): Promise<void> | null => {
    const isKnown = isSaved(item) && item.waiters.length === 0 && delivery.heldUntilMs === untilMs
    item.delivery = hold(delivery, untilMs)
    if (!isKnown) return book.remember(item, isRemembered(delivery) ? [] : [toHeld(item.delivery, untilMs)])
    item.saved = item.delivery
    return null
  }

  /** `tried`: where; `elsewhere`: where it is not delivered any more. */
  const conclude = (
    item: Item,
    outcome: Outcome,
    { tried, elsewhere }: Readonly<{ tried: Target; elsewhere: boolean }>,
  ): Promise<void> | undefined => {
    const inflight = item.delivery
    if (inflight === null) return undefined
    const mode = modeOf()
    const next = afterAttempt(inflight, outcome, clock.now(), { random, scale, ...mode })
    if (next === null || outcome.kind === 'accepted') return end(item, inflight, next, { state: 'done' })
    const failed = outcome.kind === 'failed' ? failedAt(next, placeOf(tried)) : next
    item.delivery = elsewhere && next.phase === 'wait' ? postpone(failed, clock.now()) : failed
    return outcome.kind === 'own' ? undefined : book.remember(item, toNews(inflight, item.delivery, outcome, mode))
  }

  const end = (item: Item, begun: Delivery, next: Delivery | null, how: End): Promise<void> =>
    next === null ? book.finish(item, begun, how) : book.carryOn(item, begun, next, how)

  return async (item, turn, landed) => {
    try {
      const found = read(item)
      const ready = found instanceof Promise ? await found : found
      const target = kind.target()
      const send = ready === null || target === null ? null : begin(item, ready, turn, target)
      if (target === null || typeof send !== 'function') {
        await send
        return health.abandoned(turn.way)
      }
      const settling = item.delivery?.settling ?? false
      const outcome = await send({ sequence: turn.sequence, settling, sinceMs: item.sinceMs }, () => owns() && !isClosing())
      const elsewhere = outcome.kind === 'failed' && isMoved(target, kind.target())
      if (elsewhere) health.abandoned(turn.way)
      const noted = elsewhere ? outcome : health.note(outcome, turn.way, target, clock.now())
      const told = conclude(item, noted instanceof Promise ? await noted : noted, { tried: target, elsewhere })
      landed()
      await told
    } catch (error) {
      health.abandoned(turn.way)
      if (isClosing()) return
      book.fail(item, error)
      later(item, BEHIND_PATIENCE_MS)
    }
  }
}

/** Whether the store would give it as it is, but for when its turn is. */
const isSaved = ({ saved, delivery }: Item): boolean => saved === delivery && delivery?.phase !== 'inflight'

/** Nothing is late of what is not due yet; whoever looks sees when it is. */
const toHeld = ({ want: version }: Delivery, untilMs: number): News => ({
  version,
  state: 'pending',
  nextAt: new Date(untilMs).toISOString(),
})

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
