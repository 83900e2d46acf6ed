/**
 * How long a feed rests after a build, so that building leaves the event loop to others. With `active` feeds that each cost `busyMs` a
 * build and are built once a period, building takes `active × busyMs / period` of the loop; the rest makes the period long enough for that
 * to be `share`. A feed that is alone rests for milliseconds; twenty in a storm for some tenths of a second, in which intents merge.
 */

/** No feed waits longer than this, however many there are. */
export const MAX_REST_MS = 2000

/** Milliseconds to rest. `share` is the part of the loop that all building together may take, 0 to 1. */
export const restAfter = ({ busyMs, active, share }: { busyMs: number; active: number; share: number }): number =>
  Math.min(MAX_REST_MS, Math.max(0, (busyMs * Math.max(1, active)) / share - busyMs))

/** Begins to measure what this thread does, whoever else has the processor meanwhile; calling the result gives milliseconds. */
export const startWork = (): (() => number) => {
  const before = process.threadCpuUsage()
  return () => {
    const { user, system } = process.threadCpuUsage(before)
    return (user + system) / 1000
  }
}
