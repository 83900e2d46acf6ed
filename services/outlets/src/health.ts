/**
 * How one target fares: its breaker, its suspension, and what its failures say about our own side. Decisions are `breaker.ts` and
 * `own-side.ts`; this keeps their state and says it to operators.
 */

import type { OutletHealth } from '@newswire/events/outlet'
import type { Logger } from '@newswire/runtime/logger'
import { own } from './answers.ts'
import * as rules from './breaker.ts'
import type { Target } from './kind.ts'
import type { Outcome } from './machine.ts'
import { isSuspended, type OutletStates, type Suspension, targetOf } from './outlet-state.ts'
import type { OwnSide } from './own-side.ts'

export type Health = Readonly<{
  load(): Promise<void>
  /** `no` comes with when to ask again. */
  passage(kill: boolean, nowMs: number): Readonly<{ way: Exclude<rules.Passage, 'no'> }> | Readonly<{ way: 'no'; askAtMs: number }>
  /** An attempt begins that passed in this way. */
  began(way: rules.Passage, nowMs: number): void
  /** It was not made after all. */
  abandoned(way: rules.Passage): void
  /** What an attempt came to; what it is to count as, once our own side is considered. At once, but for what the store must know before. */
  note(outcome: Outcome, way: rules.Passage, target: Target, nowMs: number): Promise<Outcome> | Outcome
  isFailing(): boolean
  /** Whether nothing that went wrong is remembered but what the store has. */
  isUnmarked(nowMs: number): boolean
  isOpen(): boolean
  isSuspended(target: Target): boolean
  /** Somebody said that nothing is to go out, retractions neither. */
  isPaused(): boolean
  /** It was held, and is no longer: it is let back to its concurrency one success at a time, as after an outage. */
  recover(): void
  limit(target: Target): number
}>

type Needs = Readonly<{
  /** Names the target in the log. */
  about: Readonly<Record<string, string>>
  states: OutletStates
  ownSide: OwnSide
  scale: number
  logger: Pick<Logger, 'warn' | 'error' | 'info'>
  untilAvailable: (act: () => Promise<void>) => Promise<void>
  /** Hears when its breaker opens, and when it is well again (default: nobody). Must not throw. */
  onHealth?: (health: OutletHealth) => void
}>

export const createHealth = (id: string, { states, ownSide, scale, about, logger, untilAvailable, onHealth }: Needs): Health => {
  let breaker = rules.closedBreaker
  let suspended: Suspension | null = null

  const suspend = async (value: Suspension | null) => {
    suspended = value
    await untilAvailable(() => states.save(id, value))
  }

  const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())
  const tellHealth = (nowMs: number, lastError: string | null) => {
    const { failingSinceMs, openUntilMs } = breaker
    onHealth?.({ at: new Date(nowMs).toISOString(), failingSince: iso(failingSinceMs), openUntil: iso(openUntilMs), lastError })
  }

  const noteFailure = (outcome: Extract<Outcome, { kind: 'failed' }>, way: rules.Passage, nowMs: number) => {
    const before = breaker.openUntilMs
    breaker = rules.noteFailure(breaker, way, nowMs, scale)
    if (outcome.alarm) logger.error({ ...about, reason: outcome.reason }, 'outlet.misconfigured')
    if (breaker.openUntilMs === before) return
    tellHealth(nowMs, outcome.reason)
    const failingForMs = nowMs - (breaker.failingSinceMs ?? nowMs)
    logger.warn({ ...about, reason: outcome.reason, opens: breaker.opens, failingForMs }, 'outlet.failing')
  }

  /** What is to be written before it counts; `null`: nothing. */
  const noteAlive = (outcome: Outcome, target: Target, nowMs: number): Promise<void> | null => {
    const wasFailing = breaker.failingSinceMs !== null
    const wasTold = breaker.opens > 0 || (states.failingSinceMs?.(id) ?? null) !== null
    breaker = rules.noteSuccess(breaker, nowMs, scale, target.concurrency)
    // One failure among many is no news, and nobody was told that it fails: neither is that it goes on.
    if (wasFailing && wasTold) logger.info({ ...about }, 'outlet.recovered')
    if (wasTold) tellHealth(nowMs, null)
    if (outcome.kind === 'gone' && !isSuspended(suspended, target)) {
      logger.error({ ...about, reason: outcome.reason }, 'outlet.suspended')
      return suspend({ reason: outcome.reason, at: new Date(nowMs).toISOString(), target: targetOf(target) })
    }
    return outcome.kind === 'accepted' && suspended !== null ? suspend(null) : null
  }

  return {
    load: async () => {
      suspended = await states.load(id)
      // An owner before wrote it down; a breaker begins closed all the same.
      breaker = { ...breaker, failingSinceMs: breaker.failingSinceMs ?? states.failingSinceMs?.(id) ?? null }
    },
    passage: (kill, nowMs) => {
      const way = rules.passage(breaker, nowMs, kill, scale)
      return way === 'no' ? { way, askAtMs: rules.nextPassageMs(breaker, nowMs, kill, scale) } : { way }
    },
    began: (way, nowMs) => {
      breaker = rules.notePassage(breaker, way, nowMs)
    },
    abandoned: way => {
      breaker = rules.forgetProbe(breaker, way)
    },
    note: (outcome, way, target, nowMs) => {
      if (outcome.kind === 'own') {
        breaker = rules.forgetProbe(breaker, way)
        return outcome
      }
      const connects = outcome.kind !== 'failed' || !outcome.connect
      ownSide.note(id, connects, nowMs)
      if (!connects && ownSide.isFrozen(nowMs)) {
        breaker = rules.forgetProbe(breaker, way)
        return own('nearly no outlet can be reached: the fault is taken to be ours')
      }
      if (outcome.kind === 'failed') {
        noteFailure(outcome, way, nowMs)
        return outcome
      }
      const written = noteAlive(outcome, target, nowMs)
      return written === null ? outcome : written.then(() => outcome)
    },
    isFailing: () => rules.isFailing(breaker),
    isUnmarked: nowMs => rules.isUnmarked(breaker, nowMs, scale),
    isOpen: () => breaker.openUntilMs !== null,
    isSuspended: target => isSuspended(suspended, target),
    isPaused: () => states.isPaused?.(id) ?? false,
    recover: () => {
      breaker = { ...rules.closedBreaker, ramp: 1 }
    },
    limit: target => rules.limitOf(breaker, target.concurrency),
  }
}
