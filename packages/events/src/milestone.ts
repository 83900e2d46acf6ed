/** Who did what to which version, when: the one source of the trace ("where is my article?") and of the ledger. */
import { z } from 'zod'
import { decidedList } from './decision.ts'
import { provedGone } from './retraction-proof.ts'

const sink = z.object({ kind: z.enum(['feed', 'archive', 'outlet', 'hub']), id: z.string() })

/** What became of a submission (contract §3). */
export const submissionStates = ['accepted', 'parked', 'held', 'released', 'duplicate', 'superseded', 'refused'] as const
/** The code of what is held until a time (RFC 3339 UTC, with milliseconds). Its `detail` ends with that time. */
export const EMBARGOED = 'NEWSWIRE_DESK_EMBARGOED'
export const INSTANT_LENGTH = '2026-01-01T00:00:00.000Z'.length
export const sinkStates = ['pending', 'done', 'retrying', 'rejected', 'dead', 'suspended', 'skipped', 'superseded'] as const

const action = z.enum(['published', 'updated', 'corrected', 'retracted', 'purged'])
const common = {
  articleId: z.string(),
  /** RFC 3339 UTC. */
  at: z.string(),
  /** How long the stage worked on it, milliseconds. */
  ms: z.number().optional(),
  detail: z.string().optional(),
}

export const milestone = z.discriminatedUnion('kind', [
  /** A submission passed a stage. `version` is set from its release on. The latest state by `submissionStates` order wins; a final one is never replaced, but `refused` gives way to what a redrive comes to. */
  z.object({
    kind: z.literal('submission'),
    ...common,
    submissionId: z.string(),
    stage: z.enum(['ingest', 'images', 'desk']),
    state: z.enum(submissionStates),
    command: z.enum(['publish', 'retract', 'republish', 'purge']).optional(),
    version: z.int().optional(),
    code: z.string().optional(),
  }),
  /** A version was released by the desk. Every version is expected in the archive. */
  z.object({
    kind: z.literal('released'),
    ...common,
    version: z.int(),
    action,
    submissionId: z.string(),
    title: z.string().optional(),
    /** When the submission was taken, for publish-to-visible times. */
    receivedAt: z.string().optional(),
  }),
  /**
   * A version that was in force was brought back when the log was lost (`newswire rebuild all`): what was told of it before is in the archive's ledger.
   * It is expected in the archive, which has it when it came from there.
   */
  z.object({
    kind: z.literal('restored'),
    ...common,
    version: z.int(),
    action,
    submissionId: z.string(),
    title: z.string().optional(),
    /** When it was released, RFC 3339 UTC; `at` is when it was restored. */
    releasedAt: z.string(),
    isArchived: z.boolean(),
  }),
  /**
   * A version was fanned out: from now on these sinks are expected to hold it. `decisions` (of `outlets`): whom it went to and who would have been
   * sent it and was not, with the reasons. What is long comes in parts, numbered from 0.
   */
  z.object({
    kind: z.literal('fanned-out'),
    ...common,
    version: z.int(),
    stage: z.enum(['feeds', 'outlets']),
    sinks: z.array(sink),
    part: z.int().min(0).optional(),
    decisions: decidedList.optional(),
  }),
  /** A sink's state for a version. `done`: it holds this version or a newer one. */
  z.object({
    kind: z.literal('sink'),
    ...common,
    version: z.int(),
    sink,
    /** Further sinks of its kind of which the same is said (default: none). */
    also: z.array(z.string()).max(999).optional(),
    state: z.enum(sinkStates),
    attempts: z.int().optional(),
    nextAt: z.string().optional(),
    lastError: z.string().optional(),
    reason: z.string().optional(),
  }),
  /** A retraction was proved by our own looking and by what outlets acknowledged: it is gone everywhere. */
  z.object({ kind: z.literal('proved-gone'), ...common, ...provedGone }),
  /** An operator had a version sent once more to outlets that hold it or are owed it. `detail`: to which. */
  z.object({ kind: z.literal('resent'), ...common, version: z.int(), requestId: z.string(), outlets: z.int() }),
])
export type Milestone = z.output<typeof milestone>
