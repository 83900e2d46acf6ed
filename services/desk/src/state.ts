/**
 * The state of one article: `current/<article id>.json`, changed by compare-and-swap alone.
 *
 * It is read back without being rebuilt: the fact inside is published again byte for byte, by whichever build does it, so it is looked at and
 * passed on, never taken apart. Fields that this build does not know survive a swap.
 *
 * Version, facets and aliases are those of `released.fact`, and the highest `sourceVersion` is `top` of the content that is compared with: one
 * truth each.
 */
import type { Article } from '@newswire/events/article'
import { type Fact, isLive, type LiveFact } from '@newswire/events/fact'
import { submissionStates } from '@newswire/events/milestone'
import { position } from '@newswire/events/submission'
import { z } from 'zod'
import { rightEnds } from './pictures.ts'

/** How many causes an article remembers. What is repeated later than that is older than what is held, and refused by its position. */
export const SEEN_LIMIT = 64

const asIs = <T>() => z.custom<T>(value => typeof value === 'object' && value !== null)
const lane = z.enum(['live', 'backfill'])

/** The highest `sourceVersion` taken up to here, with what it said. */
const top = z.object({ sourceVersion: z.int(), contentSha256: z.string(), lane })
export type Top = z.output<typeof top>

/** One submission's content as the desk keeps it, with what a fact and its envelope need when it is released later. */
const kept = z.object({
  submissionId: z.string(),
  lane,
  /** An import that took the place of live content, or of an import that did: another one needs a higher `sourceVersion` as well. */
  afterLive: z.boolean().optional(),
  /** An import that is delivered as well. */
  deliver: z.boolean().optional(),
  position,
  traceparent: z.string().optional(),
  /** Of what was submitted: pictures that came late leave it as it is. */
  contentSha256: z.string(),
  top: top.nullable(),
  /** Republishes that wait for the same release. */
  alongside: z.array(z.string()),
  /** `null`: the one of the live fact, which is not kept twice. */
  article: asIs<Article>().nullable(),
})
/** What waits always has its article. */
const held = kept.extend({ article: asIs<Article>() })
export type Held = z.output<typeof held>

/** What became of a submission, small enough to be remembered. The words to a code are in `outcomes.ts`. */
const outcome = z.object({
  submissionId: z.string(),
  command: z.enum(['publish', 'retract', 'republish', 'purge']),
  state: z.enum(submissionStates),
  code: z.string().optional(),
  version: z.int().optional(),
  /** Held until then, RFC 3339 UTC. */
  until: z.string().optional(),
})
export type Outcome = z.output<typeof outcome>

const seen = z.object({
  id: z.string(),
  at: z.string(),
  /** The version that this cause released. */
  version: z.int().optional(),
  outcomes: z.array(outcome),
})
export type Seen = z.output<typeof seen>

const released = z.object({
  fact: asIs<Fact>(),
  /** The rest of the fact's record: a later build publishes the same envelope. */
  causationId: z.string(),
  correlationId: z.string(),
  traceparent: z.string().optional(),
  /** When the submission was taken that was released at once; absent when it had to wait. */
  receivedAt: z.string().optional(),
  /** Why there is such a version, when no submission asked for it; for a person. */
  detail: z.string().optional(),
})
export type Released = z.output<typeof released>

export const state = z.looseObject({
  /** +1 with every swap: an ETag is a hash of the bytes, and A → B → A must differ. */
  n: z.int().min(0),
  /** What the world may see, the only part that other services read. */
  released: released.nullable(),
  /** The one submission that waits, for its embargo or for a republish. */
  held: held.nullable(),
  /** The content released last (or the newest that had expired on arrival), private: to compare with, and for a republish. */
  withdrawn: kept.nullable(),
  /** Positions of the newest retraction and republish in `submissions`. */
  killed: position.nullable(),
  revived: position.nullable(),
  /** Position of the retraction that the newest absence began with; absent in what an earlier build wrote, and then it is `killed`. */
  goneSince: position.optional(),
  /** The last causes that changed anything, oldest first. */
  seen: z.array(seen),
})
export type State = z.output<typeof state>

/** An article that nothing was ever done to. */
export const blank: State = { n: 0, released: null, held: null, withdrawn: null, killed: null, revived: null, seen: [] }

/** A retraction is in force: nothing goes out until a republish. */
export const isGone = ({ killed, revived }: State): boolean => killed !== null && (revived === null || killed > revived)

/** What was submitted before it is refused for good: the first of the retractions that followed each other without a republish. */
export const fenceOf = ({ goneSince, killed }: State): State['killed'] => goneSince ?? killed

export const liveFact = ({ released }: State): LiveFact | null => (released && isLive(released.fact) ? released.fact : null)

export const isPurged = ({ released }: State): boolean => released?.fact.state === 'purged'

export const versionOf = ({ released }: State): number => released?.fact.version ?? 0

/** The withdrawn content with its article, wherever that is kept. */
export const withdrawnOf = (current: State): Held | null => {
  const { withdrawn } = current
  if (withdrawn === null) return null
  const article = withdrawn.article ?? liveFact(current)?.article
  return article ? { ...withdrawn, article } : null
}

/** What an incoming submission is compared with: the newest content that was taken. */
export const reference = (current: State): Held | null => current.held ?? withdrawnOf(current)

/** Instants, ms since 1970, at which something is due: an embargo to end, a live article to expire, the first right to one of its pictures to end. */
export const dueTimes = (current: State): readonly number[] => {
  const embargo = isGone(current) ? undefined : current.held?.article.embargoUntil
  const live = liveFact(current)
  const expiry = live?.article.expiresAt
  const rights = live === null ? [] : rightEnds(live)
  const firstRight = rights.length === 0 ? [] : [Math.min(...rights)]
  return [...[embargo, expiry].filter(at => at !== undefined).map(at => Date.parse(at)), ...firstRight]
}
