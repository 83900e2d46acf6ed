/** How long a request is tried again while brokers are away or their leaders settle. Pure. */
import { RejectError } from '@newswire/events/errors'
import { endsForGood } from './kafka-errors.ts'

/**
 * For a start, which ends the process when it fails, ms. A broker that died is noticed after 9 s (`broker.session.timeout.ms`), and a single one that
 * is restarted answers again within half a minute; elections come on top. Who cannot start by then is started again by whoever watches over it.
 */
export const START_WITHIN_MS = 60_000
/** For everything else, ms: somebody waits for the answer, or a fetch loop stands still meanwhile, well below a session. */
export const ASK_WITHIN_MS = 10_000
/** A topic that a broker does not know may be so new that the broker has not heard of it yet, ms. */
const NEW_TOPIC_WITHIN_MS = 2_000

const STEP_MS = 100
const MAX_PAUSE_MS = 1_000

const patienceMs = (error: unknown, withinMs: number): number => {
  if (error instanceof RejectError) return error.code === 'NEWSWIRE_LOG_UNKNOWN_TOPIC' ? Math.min(withinMs, NEW_TOPIC_WITHIN_MS) : 0
  return endsForGood(error) ? 0 : withinMs
}

/** The pause before the next try, ms; `null` when there is none. `attempt`: tries that failed, this one with them; `elapsedMs`: since the first began. */
export const pauseBeforeNext = (
  error: unknown,
  { attempt, elapsedMs, withinMs }: Readonly<{ attempt: number; elapsedMs: number; withinMs: number }>,
): number | null => {
  const pauseMs = Math.min(STEP_MS * attempt, MAX_PAUSE_MS)
  return elapsedMs + pauseMs <= patienceMs(error, withinMs) ? pauseMs : null
}
