/** An article that somebody asked for once more (a replay): pure. */
import { type Delivery, type Intent, isArmed, type Mode, wantVersion } from './machine.ts'

/**
 * Like any intent, but one that is not newer counts too: what was refused or given up is tried from the start, what waits for its time is due
 * now. What is on its way, or about to go, goes once, and keeps its place in a strict line. The settle-repeat of a kill keeps its time.
 */
export const wantAgain = (delivery: Delivery | null, intent: Intent, nowMs: number, mode?: Mode): Delivery => {
  if (delivery === null || intent.version > delivery.want) return wantVersion(delivery, intent, nowMs, mode)
  if (delivery.phase === 'inflight' || delivery.settling) return delivery
  return {
    ...delivery,
    phase: 'pending',
    sequence: isArmed(delivery) ? delivery.sequence : Math.max(intent.sequence, delivery.sequence),
    open: delivery.open.length === 0 ? [delivery.want] : delivery.open,
    attempts: 0,
    firstFailedAtMs: null,
    lastError: null,
    failed: undefined,
    nextAtMs: nowMs,
  }
}
