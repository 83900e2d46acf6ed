/**
 * What callbacks have still to be asked or told (WebSub §5.2, §5.3). An errand is part of the subscription's object, so it survives the
 * process that took it: one gateway holds it for a while, and when that one is gone another takes it over. Each is the newest of its
 * subscription; a newer request ends it. What is in force stays in force until its successor is verified.
 */
import { randomBytes } from 'node:crypto'
import { messageOf } from '@newswire/events/errors'
import type { Errand, Subscription } from '@newswire/events/subscription'
import type { OutboundRequest, OutboundResult } from '@newswire/outbound/outbound'
import type { Logger } from '@newswire/runtime/logger'
import type { Draft, Subscriptions } from '@newswire/runtime/subscriptions'
import { type Answer, toAnswer, toQuestion } from './hub-intent.ts'
import { ownerOf } from './hub-limits.ts'

/** Waits between the tries of one errand; after the last it is given up. */
const DELAYS_MS: readonly number[] = [10_000, 60_000]
/** From the question to the end of its answer, and then it may be somebody else's. */
const REQUEST_MS = 10_000
const LEAST_REQUEST_MS = 1_000
const AT_ONCE = 32
/** Of callbacks of one owner: those that hang hold up only each other. */
const AT_ONCE_OF_OWNER = 4
/** Our own store is away. */
const AGAIN_MS = 1_000
export const GONE = 'this feed is no longer distributed here'

type Concluded = Readonly<{ mode: Errand['mode']; answer: Answer | 'given-up' }>

export type Errands = Readonly<{
  /** A new errand, held by this gateway. */
  make(errand: Pick<Errand, 'mode' | 'secretId' | 'seconds' | 'reason'>): Errand
  /** Goes on it now, or when its next try is due. Twice is once. */
  begin(one: Subscription): void
  /** Whether nobody can be on it any more. */
  isFree(errand: Errand): boolean
  inHand(): number
  /** Begins nothing more and gives up what runs: it stays in the store. */
  stop(): Promise<void>
}>

type Needs = Readonly<{
  subscriptions: Pick<Subscriptions, 'amend'>
  request: (request: OutboundRequest) => Promise<OutboundResult>
  /** Whether the subscriber may have the feed. */
  isServed: (one: Subscription) => boolean
  /** The counter of the newest build that is known; 0 when there is none. */
  counterOf: (feedId: string) => number
  /** Secrets that nothing refers to any more. */
  forget: (secretIds: readonly string[]) => Promise<void>
  onConcluded: (concluded: Concluded) => void
  /** Differs for every gateway and start. */
  me: string
  /** No other gateway can be there (the embedded log). */
  alone: boolean
  scale: number
  now: () => number
  logger: Pick<Logger, 'warn' | 'info'>
}>

/** What stands after the end of its errand. `null`: it goes on, with another try. */
const afterErrand = (
  before: Subscription,
  errand: Errand,
  { answer, since, nowMs, scale }: { answer: Answer; since: number; nowMs: number; scale: number },
): Draft | null => {
  const isLastTry = errand.tries + 1 > DELAYS_MS.length
  if (answer === 'unclear' && !isLastTry) return null
  if (errand.mode === 'deny' || (errand.mode === 'unsubscribe' && answer === 'agreed')) return { ...before, lease: null, errand: null }
  if (answer !== 'agreed') return { ...before, errand: null }
  const lease = {
    secretId: errand.secretId,
    seconds: errand.seconds,
    verifiedAt: new Date(nowMs).toISOString(),
    until: new Date(nowMs + errand.seconds * 1_000 * scale).toISOString(),
    since,
  }
  return { ...before, lease, errand: null }
}

/** An errand whose time has come. */
type Turn = Readonly<{ id: string; errandId: string; owner: string }>

/** Secrets that a state refers to. */
const secretsOf = (one: Pick<Subscription, 'lease' | 'errand'> | null): string[] =>
  [one?.lease?.secretId, one?.errand?.secretId].filter(id => typeof id === 'string')

export const unreferenced = (before: Parameters<typeof secretsOf>[0], after: Parameters<typeof secretsOf>[0]): string[] =>
  secretsOf(before).filter(id => !secretsOf(after).includes(id))

export const createErrands = (needs: Needs): Errands => {
  const { subscriptions, request, isServed, counterOf, forget, onConcluded, me, alone, scale, now, logger } = needs
  const requestMs = Math.min(Math.max(REQUEST_MS * scale, LEAST_REQUEST_MS), REQUEST_MS)
  const holdMs = 3 * requestMs
  const inHand = new Map<string, { errandId: string; timer?: NodeJS.Timeout }>()
  const waiting: Turn[] = []
  const running = new Map<Promise<void>, string>()
  const ending = new AbortController()

  const hold = (errand: Errand, fromMs: number): Errand => ({ ...errand, heldBy: me, heldUntil: new Date(fromMs + holdMs).toISOString() })
  const after = (id: string, errandId: string, ms: number, run: () => void) => {
    const timer = setTimeout(run, Math.max(0, ms))
    inHand.set(id, { errandId, timer })
  }
  const letGo = (id: string, errandId: string) => {
    if (inHand.get(id)?.errandId === errandId) inHand.delete(id)
  }

  /** Makes it ours, unless it has ended, or is another one by now, or somebody else holds it. */
  const take = async (id: string, errandId: string): Promise<Subscription | null> => {
    const taken = await subscriptions.amend(id, before => {
      const errand = before?.errand
      if (!before || errand?.id !== errandId || (errand.heldBy !== me && !isFree(errand))) return null
      const isKnown = errand.heldBy === me && Date.parse(errand.heldUntil) > now() + requestMs
      const mode = isServed(before) ? errand.mode : 'deny'
      if (isKnown && mode === errand.mode) return null
      return { ...before, errand: { ...hold(errand, now()), mode, reason: mode === 'deny' ? (errand.reason ?? GONE) : null } }
    })
    return taken?.errand?.id === errandId && taken.errand.heldBy === me ? taken : null
  }

  const ask = async (one: Subscription, errand: Errand): Promise<Answer> => {
    const challenge = randomBytes(32).toString('base64url')
    const question = toQuestion(one.callback, one.topic, errand, challenge)
    return toAnswer(errand.mode, await request({ ...question, timeoutMs: requestMs, signal: ending.signal }), challenge)
  }

  const conclude = async (one: Subscription, errand: Errand, answer: Answer, since: number): Promise<void> => {
    let ended: Subscription | null = null
    const stands = await subscriptions.amend(one.id, before => {
      ended = null
      if (before?.errand?.id !== errand.id) return null
      const nowMs = now()
      const draft = afterErrand(before, errand, { answer, since, nowMs, scale })
      ended = draft === null ? null : before
      if (draft !== null) return draft
      const nextMs = nowMs + (DELAYS_MS[errand.tries] ?? 0) * scale
      return { ...before, errand: { ...hold(before.errand, nextMs), tries: errand.tries + 1, nextAt: new Date(nextMs).toISOString() } }
    })
    letGo(one.id, errand.id)
    if (ended === null) {
      if (stands?.errand?.id === errand.id) begin(stands)
      return
    }
    onConcluded({ mode: errand.mode, answer: answer === 'unclear' ? 'given-up' : answer })
    logger.info({ subscriptionId: one.id, feedId: one.feedId, mode: errand.mode, answer, tries: errand.tries + 1 }, 'hub.errand-ended')
    await forget(unreferenced(ended, stands))
  }

  const go = async ({ id, errandId, owner }: Turn): Promise<void> => {
    try {
      const one = await take(id, errandId)
      if (one?.errand == null) return letGo(id, errandId)
      // Before the question: what is built from here on is news to whoever agrees.
      const since = counterOf(one.feedId)
      const answer = await ask(one, one.errand)
      if (!ending.signal.aborted) await conclude(one, one.errand, answer, since)
    } catch (error) {
      if (ending.signal.aborted) return
      logger.warn({ subscriptionId: id, reason: messageOf(error) }, 'hub.errand-waits')
      after(id, errandId, AGAIN_MS * scale, () => launch({ id, errandId, owner }))
    }
  }

  const mayRun = ({ owner }: Turn): boolean =>
    running.size < AT_ONCE && [...running.values()].filter(one => one === owner).length < AT_ONCE_OF_OWNER

  const launch = (turn: Turn): void => {
    if (ending.signal.aborted) return
    if (!mayRun(turn)) {
      waiting.push(turn)
      return
    }
    const run = go(turn).finally(() => {
      running.delete(run)
      const next = waiting.findIndex(mayRun)
      for (const one of next < 0 ? [] : waiting.splice(next, 1)) launch(one)
    })
    running.set(run, turn.owner)
  }

  const begin = (one: Subscription): void => {
    const { id, errand } = one
    if (errand === null || ending.signal.aborted || inHand.get(id)?.errandId === errand.id) return
    clearTimeout(inHand.get(id)?.timer)
    after(id, errand.id, Date.parse(errand.nextAt) - now(), () => launch({ id, errandId: errand.id, owner: ownerOf(one.callback) }))
  }

  const isFree = (errand: Errand): boolean => errand.heldBy === me || alone || Date.parse(errand.heldUntil) <= now()

  return {
    make: errand => {
      const at = new Date(now()).toISOString()
      const made = { ...errand, id: randomBytes(16).toString('hex'), acceptedAt: at, tries: 0, nextAt: at, heldBy: me, heldUntil: at }
      return hold(made, now())
    },
    begin,
    isFree,
    inHand: () => inHand.size,
    stop: async () => {
      ending.abort()
      for (const { timer } of inHand.values()) clearTimeout(timer)
      await Promise.all(running.keys())
    },
  }
}
