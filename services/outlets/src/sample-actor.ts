/** For tests: an actor with nothing to do. */
import type { Actor } from './actor.ts'

export const idleActor: Actor = {
  want: async () => undefined,
  load: async () => undefined,
  begin: async () => undefined,
  isIdle: () => true,
  review: () => undefined,
  refresh: async () => undefined,
  sweep: async () => undefined,
  stats: () => ({ backlog: 0, inFlight: 0, oldestSinceMs: null, suspended: false, open: false }),
  backlog: () => 0,
  isWhole: () => true,
  close: async () => true,
}
