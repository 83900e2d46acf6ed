/** What is asked of an article: `submission.accepted` on `submissions`, then, with its position and pictures, on `prepared`. */
import { z } from 'zod'
import { article, picture } from './article.ts'

/** A position: a safe integer that rises within a partition, also over a replaced log. Compare it; never calculate with it. */
export const position = z.int().min(0)

export const retraction = z.object({
  mode: z.enum(['withdraw', 'gone', 'redirect', 'replace']),
  reason: z.string(),
  legal: z.boolean().default(false),
  /** Where readers are sent: an address for `redirect`, an article id for `replace`. */
  redirectTo: z.string().optional(),
  /** Shown to readers in place of the article; the site's own words when absent. */
  notice: z.string().optional(),
})
export type Retraction = z.output<typeof retraction>

const common = {
  submissionId: z.string(),
  articleId: z.string(),
  publisher: z.string(),
  /** When the front door took it, RFC 3339 UTC. */
  receivedAt: z.string(),
  lane: z.enum(['live', 'backfill']),
  /** An import that is delivered and pinged as well; absent: it is kept, searchable and paged only. */
  deliver: z.boolean().optional(),
  /** Where what was really sent is kept, byte for byte. */
  native: z.object({ key: z.string(), sha256: z.string(), bytes: z.int(), contentType: z.string() }).optional(),
  /** Set by a redrive or replay: the position that the first delivery had, which counts instead of the record's own. */
  firstPosition: position.optional(),
}

const publish = z.object({ command: z.literal('publish'), ...common, article, contentSha256: z.string() })
const retract = z.object({ command: z.literal('retract'), ...common, retraction })
const republish = z.object({ command: z.literal('republish'), ...common })
/** `by`: who asked for it, as the operator's side knows them. */
const purge = z.object({ command: z.literal('purge'), ...common, reason: z.string(), by: z.string().optional() })

export const submission = z.discriminatedUnion('command', [publish, retract, republish, purge])
export type Submission = z.output<typeof submission>

const placed = { position }
/** A submission that the desk can decide on. `position` is its place in `submissions` (or in `submissions.backfill`, see `lane`). */
export const prepared = z.discriminatedUnion('command', [
  publish.extend(placed),
  retract.extend(placed),
  republish.extend(placed),
  purge.extend(placed),
])
export type Prepared = z.output<typeof prepared>

/** Pictures that became ready, or were given up, after their submission had gone on without them. */
export const latePictures = z.object({ articleId: z.string(), submissionId: z.string(), pictures: z.array(picture) })

/** A hold's time has come: wakes the article's lane up, decides nothing. */
export const holdDue = z.object({ articleId: z.string(), dueAt: z.string() })

/** What an article refers to was taken back, or came back: wakes the article's lane up, decides nothing. */
export const referencesChanged = z.object({ articleId: z.string() })
