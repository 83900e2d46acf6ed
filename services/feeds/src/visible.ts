/** How quick the way is from the front door to a feed. Pure. */
import type { Fact } from '@newswire/events/fact'

/**
 * Seconds from when a change was taken until `nowMs` (ms since 1970), for one that a feed shows since. `null` for an import, and for a retraction that
 * is told once more because something else changed: it is dated by the first.
 */
export const visibleAfter = ({ lane, state, receivedAt, releasedAt }: Fact, nowMs: number): number | null => {
  if (lane !== 'live' || (state === 'retracted' && receivedAt === undefined)) return null
  return (nowMs - Date.parse(receivedAt ?? releasedAt)) / 1000
}
