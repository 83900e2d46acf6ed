/** How current the feeds are that are served, for whoever asks for readiness. */

export type Standing = Readonly<{
  /** Where it is known from what is current. */
  from: 'log' | 'store'
  /** How old that knowledge is, ms: since the log last told, or where it has not yet, since the newest of what was read here was written. `null`: nothing was. */
  knownAgoMs: number | null
  /** Files that are served although the log has told of a newer build, because the store did not give it, and since when the longest, ms. */
  behind: number
  behindForMs: number
}>

/** `knownAt`: ms since 1970. `missedAt`: of each file since when its newest build could not be read, monotonic ms; 0: it could. */
type Known = Readonly<{ hasLog: boolean; knownAt: number | null; missedAt: readonly number[] }>

export const toStanding = ({ hasLog, knownAt, missedAt }: Known): Standing => {
  const missed = missedAt.filter(at => at > 0)
  const behindForMs = missed.length === 0 ? 0 : Math.round(performance.now() - Math.min(...missed))
  const behind = { behind: missed.length, behindForMs }
  if (hasLog) return { from: 'log', knownAgoMs: 0, ...behind }
  return { from: 'store', knownAgoMs: knownAt === null ? null : Math.max(0, Date.now() - knownAt), ...behind }
}
