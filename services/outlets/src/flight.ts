/** One attempt for one subject: its state is read, sent, and what came of it is told and written. Decisions are in `machine.ts`. */
import { messageOf, UnavailableError } from '@newswire/events/errors'
import type { Book, BookNeeds, End, Item } from './book.ts'
import type { Passage } from './breaker.ts'
import type { Health } from './health.ts'
import type { Kind, Ready } from './kind.ts'
import {
  admit,
  afterAttempt,
  afterSkipped,
  beginAttempt,
  comeBack,
  type Delivery,
  hold,
  loseSight,
  type Mode,
  nextVersion,
  type Outcome,
  postpone,
} from './machine.ts'
import { OWN_FAULT_MS } from './schedule.ts'
import type { News } from './tell.ts'

/** The state that was read is behind the intent: looked at again soon, then, with an alarm, less often. */
const BEHIND_AGAIN_MS = 100
const BEHIND_PATIENCE_MS = 5_000

type Needs = Pick<BookNeeds, 'clock' | 'owns' | 'scale' | 'logger' | 'isClosing'> &
  Readonly<{ kind: Kind; book: Book; health: Health; random: () => number }>

/** How an attempt was let go ahead, whatever is wanted since: `way`, past the breaker; `sequence`, in whose place; `kill`, past everything else. */
export type Turn = Readonly<{ way: Passage; sequence: number; kill: boolean }>
/** From the reading of the state to the end of what came of it. Never throws. */
export type Fly = (item: Item, turn: Turn) => Promise<void>

export const createFly = ({ kind, book, health, clock, owns, isClosing, scale, random, logger }: Needs): Fly => {
  const modeOf = (): Mode => ({ every: kind.target()?.versions === 'all' })

  const later = (item: Item, ms: number) => {
    if (item.delivery === null) return
    const isKnown = isSaved(item)
    item.delivery = postpone(loseSight(item.delivery), clock.now() + ms * scale)
    if (isKnown) item.saved = item.delivery // only its turn is another one
  }

  /** The state to send; `null` when there is none to be sent now, and the item looks again later. */
  const resolve = async (item: Item, want: number): Promise<Ready | null> => {
    try {
      const found = kind.read(item.subject, want)
      const ready = found instanceof Promise ? await found : found
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

  /** False: nothing was sent. */
  const attempt = async (item: Item, { way, sequence, kill }: Turn): Promise<boolean> => {
    if (!owns()) later(item, OWN_FAULT_MS)
    const ready = owns() && item.delivery !== null ? await resolve(item, nextVersion(item.delivery, modeOf())) : null
    const target = kind.target()
    if (ready === null || target === null || item.delivery === null || isClosing()) return false
    if (kill && !ready.kill && target.order === 'strict') {
      item.delivery = comeBack(item.delivery, ready, clock.now())
      return false
    }
    const admission = admit(item.delivery, ready, clock.now())
    if (admission.way === 'hold') {
      const isKnown = isSaved(item) && item.waiters.length === 0 && item.delivery.heldUntilMs === admission.untilMs
      item.delivery = hold(item.delivery, admission.untilMs)
      if (isKnown) item.saved = item.delivery
      else await book.remember(item, [toHeld(item.delivery, admission.untilMs)])
      return false
    }
    item.delivery = beginAttempt(item.delivery, ready)
    if (ready.send === null || admission.way === 'skip') {
      await end(item, item.delivery, afterSkipped(item.delivery, clock.now(), modeOf()), {
        state: 'skipped',
        ...(admission.way === 'skip' ? { reason: admission.reason } : {}),
      })
      return false
    }
    const { settling } = item.delivery
    const outcome = await ready.send({ sequence, settling, sinceMs: item.sinceMs }, () => owns() && !isClosing())
    const noted = health.note(outcome, way, target, clock.now())
    await conclude(item, noted instanceof Promise ? await noted : noted)
    return true
  }

  const conclude = (item: Item, outcome: Outcome): Promise<void> | undefined => {
    const inflight = item.delivery
    if (inflight === null) return undefined
    const mode = modeOf()
    const next = afterAttempt(inflight, outcome, clock.now(), { random, scale, ...mode })
    if (next === null || outcome.kind === 'accepted') return end(item, inflight, next, { state: 'done' })
    item.delivery = next
    return outcome.kind === 'own' ? undefined : book.remember(item, toNews(inflight, next, outcome, mode))
  }

  const end = (item: Item, begun: Delivery, next: Delivery | null, how: End): Promise<void> =>
    next === null ? book.finish(item, begun, how) : book.carryOn(item, begun, next, how)

  return async (item, turn) => {
    try {
      if (!(await attempt(item, turn))) health.abandoned(turn.way)
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
