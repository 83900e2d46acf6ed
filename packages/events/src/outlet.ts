/**
 * What is kept of an outlet beside its configuration (`outlets/state/`, `outlets/requests/`), and what is said of it on `outlet-requests`.
 * Two kinds of wishes: what is to hold from now on (paused, a new secret) is state, swapped in by whoever wants it, and the note only wakes its
 * owner; what is to be done once (a replay, a test) is a record that one process does, and its outcome is kept by its id.
 */
import { z } from 'zod'
import { canonicalSha256 } from './canonical.ts'
import { isConfigId } from './ids.ts'

const askers = ['operator', 'partner'] as const
export type Asker = (typeof askers)[number]

const suspension = z.object({
  reason: z.string(),
  at: z.string(),
  /** Hash of the address that answered so: another one is worth a try. */
  target: z.string(),
})
export type Suspension = z.output<typeof suspension>

const pause = z.object({ at: z.string(), by: z.enum(askers) })

/** Secrets that deliveries are signed with beside, or in place of, the one in the environment. */
const signing = z.object({
  /** The environment variable that a made secret took the place of, and until when it still signs. */
  environment: z.object({ name: z.string(), until: z.string() }),
  /** Oldest first. `id`: of the sealed secret; `until`: `null` for the newest. */
  sealed: z.array(z.object({ id: z.string(), createdAt: z.string(), until: z.string().nullable() })),
})
export type Signing = z.output<typeof signing>

/** How the outlet fares, written by its owner when its breaker opens or it is well again. */
const outletHealth = z.object({
  at: z.string(),
  /** `null`: the last attempt was taken. */
  failingSince: z.string().nullable(),
  /** Nothing but a probe goes out before; `null`: its breaker is closed. */
  openUntil: z.string().nullable(),
  /** Our words, never the partner's. */
  lastError: z.string().nullable(),
})
export type OutletHealth = z.output<typeof outletHealth>

/** `outlets/state/<outlet>.json`. Loose: what a newer build keeps here is not lost by an older one's swap. */
export const outletState = z.looseObject({
  n: z.int(),
  suspended: suspension.nullable().default(null),
  paused: pause.nullable().default(null),
  signing: signing.nullable().default(null),
  health: outletHealth.nullable().default(null),
})
export type OutletState = z.output<typeof outletState>
export const emptyOutletState: OutletState = { n: 0, suspended: null, paused: null, signing: null, health: null }

/** Whether a suspension is of the outlet as it is configured now. `deliver` may hold secrets, so only its hash is kept. */
export const isSuspended = (suspended: Suspension | null, { deliver }: Readonly<{ deliver: unknown }>): boolean =>
  suspended !== null && suspended.target === canonicalSha256(deliver)

/** Whether nothing goes out to it now: it is paused, or it said that it wants nothing any more. */
export const isHeld = ({ paused, suspended }: Pick<OutletState, 'paused' | 'suspended'>, outlet: Readonly<{ deliver: unknown }>): boolean =>
  paused !== null || isSuspended(suspended, outlet)

export type SecretInForce = Readonly<{ from: 'sealed'; id: string }> | Readonly<{ from: 'environment'; name: string }>

/** What a delivery is signed with at a moment, the newest first. Never empty. `secretEnv`: as the outlet is configured now. */
export const secretsInForce = (state: Signing | null, secretEnv: string, nowMs: number): readonly SecretInForce[] => {
  const sealed = (state?.sealed ?? []).filter(({ until }) => until === null || Date.parse(until) > nowMs)
  const environment = state?.environment
  const isOver = environment !== undefined && environment.name === secretEnv && Date.parse(environment.until) <= nowMs
  const made = sealed.map(({ id }) => ({ from: 'sealed' as const, id })).reverse()
  return isOver && made.length > 0 ? made : [...made, { from: 'environment', name: secretEnv }]
}

/** A partner that lost a secret may make another; more at once would say that somebody makes them without end. */
export const MOST_SECRETS = 3

/** One more secret; those in force end after the overlap at the latest. `null` when there are `MOST_SECRETS` already. */
export const planRotation = (
  state: Signing | null,
  { secretEnv, id, nowMs, overlapMs }: Readonly<{ secretEnv: string; id: string; nowMs: number; overlapMs: number }>,
): Signing | null => {
  if (overlapMs > 0 && secretsInForce(state, secretEnv, nowMs).length >= MOST_SECRETS) return null
  const ends = new Date(nowMs + overlapMs).toISOString()
  const earlier = (until: string | null) => (until !== null && Date.parse(until) < Date.parse(ends) ? until : ends)
  const environment = state?.environment
  return {
    environment: { name: secretEnv, until: environment?.name === secretEnv ? earlier(environment.until) : ends },
    sealed: [
      ...(state?.sealed ?? []).map(one => ({ ...one, until: earlier(one.until) })),
      { id, createdAt: new Date(nowMs).toISOString(), until: null },
    ],
  }
}

/** Ids of sealed secrets say whose they are. */
export const secretIdOf = (outletId: string, random: string): string => `outlet-${outletId}-${random}`

const replayFrom = z.union([z.object({ sequence: z.int().min(0) }), z.object({ time: z.string() })])
export type ReplayFrom = z.output<typeof replayFrom>

const outletId = z.string().refine(isConfigId, 'expected the id of an outlet')
const asked = { id: z.string(), outletId, at: z.string(), by: z.enum(askers) }

/** Something to be done once. `id` is the asker's: the same id again is the same request. */
export const outletRequested = z.discriminatedUnion('kind', [
  z.object({ ...asked, kind: z.literal('test') }),
  z.object({ ...asked, kind: z.literal('replay'), from: replayFrom }),
])
export type OutletRequested = z.output<typeof outletRequested>

/** Thin note that `outlets/state/<outlet>.json` changed. */
export const outletChanged = z.object({ outletId, n: z.int() })

const outcome = {
  state: z.enum(['asked', 'running', 'done', 'failed']),
  /** What came of it, in our words. */
  answer: z.string().nullable().default(null),
  endedAt: z.string().nullable().default(null),
  /** How far a replay is: everything up to this sequence, and how many articles that were. */
  sequence: z.int().nullable().default(null),
  articles: z.int().default(0),
  /** Where a replay ends: what came later comes by itself. */
  endSequence: z.int().nullable().default(null),
}
const outletRequest = z.discriminatedUnion('kind', [
  outletRequested.options[0].omit({ outletId: true }).extend(outcome),
  outletRequested.options[1].omit({ outletId: true }).extend(outcome),
])
export type OutletRequest = z.output<typeof outletRequest>

/** `outlets/requests/<outlet>.json`: what was asked of late, oldest first. */
export const outletRequests = z.object({ n: z.int(), requests: z.array(outletRequest) })
export type OutletRequests = z.output<typeof outletRequests>

export const isOpen = ({ state }: Pick<OutletRequest, 'state'>): boolean => state === 'asked' || state === 'running'

/** What others may read of `outlets/routes/<article>.json`: whom it was ever routed to, with which version last, and with which first where that is known. */
export const routesPart = z.object({ routes: z.record(z.string(), z.object({ version: z.int(), first: z.int().optional() })) })

/** What others may read of `outlets/pending/<outlet>/<article>.json`; `delivery` is `null` when it is over. */
export const pendingPart = z.object({
  articleId: z.string(),
  sinceMs: z.number(),
  delivery: z
    .object({
      phase: z.enum(['pending', 'inflight', 'wait', 'rejected', 'dead']),
      want: z.int(),
      kill: z.boolean(),
      sequence: z.int(),
      open: z.array(z.int()),
      attempts: z.int(),
      nextAtMs: z.number(),
      lastError: z.string().nullable(),
    })
    .nullable(),
})
export type PendingPart = z.output<typeof pendingPart>

/** An answer's status is the partner's own; everything else would tell which addresses and ports we can reach. */
export const inPartnersWords = (reason: string | null): string | null =>
  reason === null || /^it answered \d{3}$/.test(reason) ? reason : 'no answer came from its address'
