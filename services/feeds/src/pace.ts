/**
 * How long a feed rests after a build, so that building leaves the event loop to others. With `active` feeds that each cost `busyMs` a
 * build and are built once a period, building takes `active × busyMs / period` of the loop; the rest makes the period long enough for that
 * to be `share`. A feed that is alone rests for milliseconds; twenty in a storm for some tenths of a second, in which intents merge.
 */
import { followUtilization } from '@newswire/runtime/loop-utilization'

/** No feed waits longer than this, however many there are. */
const MAX_REST_MS = 2000

/** Milliseconds to rest. `share` is the part of the loop that all building together may take, 0 to 1. */
export const restAfter = ({ busyMs, active, share }: { busyMs: number; active: number; share: number }): number =>
  Math.min(MAX_REST_MS, Math.max(0, (busyMs * Math.max(1, active)) / share - busyMs))

/** How far back building is looked at, milliseconds: short beside a storm, long beside a build. */
const LATELY_MS = 1000

type Pace = Readonly<{
  /** How long a feed rests after a build that took the loop for `busyMs`, milliseconds. `active`: feeds that are being built or rest. */
  restMs(build: Readonly<{ busyMs: number; active: number }>): number
}>

/**
 * Rests are for storms: as long as all building together has taken less of the loop lately than it may, a feed is built again at once, for whoever comes a
 * moment after another.
 */
export const createPace = (share: () => number, nowMs: () => number = () => performance.now()): Pace => {
  let spentMs = 0
  let atMs = nowMs()
  return {
    restMs: ({ busyMs, active }) => {
      const now = nowMs()
      spentMs = spentMs * Math.exp((atMs - now) / LATELY_MS) + busyMs
      atMs = now
      const most = share()
      return spentMs / LATELY_MS < most ? 0 : restAfter({ busyMs, active, share: most })
    },
  }
}

/** Above this the loop is full: what comes waits for its turn. */
const FULL = 0.95
/** How much of its part building keeps then: feeds are older by up to `MAX_REST_MS`, and the front door goes first. */
const KEPT_WHEN_FULL = 0.4
/** Utilization is looked at again after so long, milliseconds. */
const LOOK_AFTER_MS = 500

/** The part of the loop that building may take now, by how full the loop was lately. */
export const followLoop = (share: number, look?: typeof performance.eventLoopUtilization): (() => number) => {
  const utilization = followUtilization(LOOK_AFTER_MS, look)
  return () => (utilization() > FULL ? share * KEPT_WHEN_FULL : share)
}

/** Begins to measure what this thread does, whoever else has the processor meanwhile; calling the result gives milliseconds. */
export const startWork = (): (() => number) => {
  const before = process.threadCpuUsage()
  return () => {
    const { user, system } = process.threadCpuUsage(before)
    return (user + system) / 1000
  }
}
