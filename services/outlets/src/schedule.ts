/**
 * When a delivery that failed is tried again: pure, with the randomness passed in. The documented schedule is printed from here.
 * Delays are what lies between one attempt and the next; every delay differs by up to a fifth either way, so that what failed together does
 * not come back together.
 */

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** 13 attempts in 71.7 hours. */
export const RETRY_DELAYS_MS: readonly number[] = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  1 * HOUR,
  2 * HOUR,
  4 * HOUR,
  8 * HOUR,
  12 * HOUR,
  20 * HOUR,
  24 * HOUR,
]
/** A retraction is tried sooner, then every quarter of an hour, and after three days every hour: it is never given up. */
const KILL_DELAYS_MS: readonly number[] = [2 * SECOND, 10 * SECOND, 30 * SECOND, 1 * MINUTE, 5 * MINUTE]
const KILL_EVERY_MS = 15 * MINUTE
const KILL_LATE_EVERY_MS = HOUR
/** How long one version is tried, from its first failure. */
export const GIVE_UP_AFTER_MS = 72 * HOUR
/** The repeat of a kill that followed a send of unknown outcome. */
export const SETTLE_AFTER_MS = MINUTE
/** Our own log, store or network is away: looked at again after this, and no attempt is counted. */
export const OWN_FAULT_MS = SECOND

const JITTER = 0.2
const MOST_JITTER = 1 - JITTER + 2 * JITTER
const MOST_RETRY_AFTER_MS = 24 * HOUR
/** What a partner's `Retry-After` may hold up a kill. */
const MOST_KILL_RETRY_AFTER_MS = MINUTE

type Tried = Readonly<{
  kill: boolean
  /** Attempts at this version so far, at least 1. */
  attempts: number
  /** Since the first failure of this version. */
  failingForMs: number
  /** What the partner asked for (RFC 9110 §10.2.3). */
  retryAfterMs: number | null
}>

export type Chance = Readonly<{
  random: () => number
  /** Multiplies every delay (`NEWSWIRE_RETRY_SCALE`). */
  scale: number
}>

const clamp = (value: number, least: number, most: number) => Math.min(Math.max(value, least), Math.max(least, most))

const baseOf = ({ kill, attempts, failingForMs }: Tried, scale: number): number | null => {
  if (kill) return KILL_DELAYS_MS[attempts - 1] ?? (failingForMs < GIVE_UP_AFTER_MS * scale ? KILL_EVERY_MS : KILL_LATE_EVERY_MS)
  return failingForMs < GIVE_UP_AFTER_MS * scale ? (RETRY_DELAYS_MS[attempts - 1] ?? null) : null
}

/**
 * The wait before the next attempt, ms; `null`: there is none, the version is given up. `Retry-After` is honoured from the delay of the
 * schedule up to twice that and two hours, at most a day; for a kill up to a minute.
 */
export const nextDelayMs = (tried: Tried, { random, scale }: Chance): number | null => {
  const base = baseOf(tried, scale)
  if (base === null) return null
  const jittered = base * (1 - JITTER + 2 * JITTER * random()) * scale
  if (tried.retryAfterMs === null) return jittered
  const most = tried.kill ? MOST_KILL_RETRY_AFTER_MS : Math.min(2 * base + 2 * HOUR, MOST_RETRY_AFTER_MS)
  return Math.max(jittered, clamp(tried.retryAfterMs, base * scale, most * scale))
}

/**
 * The longest wait that the schedule or a partner may have asked for before the next attempt, unscaled ms: what is stored as farther ahead than
 * this was written by a clock that has been set back since. What was not attempted waits for a settle-repeat or for our own side, a minute at
 * most; a hold is no wait, and is not asked for here.
 */
export const longestDelayMs = ({ kill, attempts }: Pick<Tried, 'kill' | 'attempts'>): number => {
  if (attempts === 0) return SETTLE_AFTER_MS
  if (kill) return Math.max((KILL_DELAYS_MS[attempts - 1] ?? KILL_LATE_EVERY_MS) * MOST_JITTER, MOST_KILL_RETRY_AFTER_MS)
  const base = RETRY_DELAYS_MS[attempts - 1]
  return base === undefined ? MOST_RETRY_AFTER_MS : Math.max(base * MOST_JITTER, Math.min(2 * base + 2 * HOUR, MOST_RETRY_AFTER_MS))
}

const inWords = (ms: number): string => (ms >= HOUR ? `${ms / HOUR} h` : ms >= MINUTE ? `${ms / MINUTE} min` : `${ms / SECOND} s`)

/** The schedule for people: what the README says, held equal by a test. */
export const scheduleInWords = (): string => {
  const total = RETRY_DELAYS_MS.reduce((sum, ms) => sum + ms, 0)
  return [
    `| | Attempts | Waits between them (each ±${JITTER * 100} %) |`,
    '|---|---|---|',
    `| any version | ${RETRY_DELAYS_MS.length + 1} in ${(total / HOUR).toFixed(1)} h | ${RETRY_DELAYS_MS.map(inWords).join(', ')} |`,
    `| a retraction | without end | ${KILL_DELAYS_MS.map(inWords).join(', ')}, then every ${inWords(KILL_EVERY_MS)}; after ${inWords(GIVE_UP_AFTER_MS)} every ${inWords(KILL_LATE_EVERY_MS)} |`,
  ].join('\n')
}
