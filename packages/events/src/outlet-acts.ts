/** How replays and rotations are asked for over HTTP, at the console and on a partner's page. */
import { z } from 'zod'
import type { ReplayFrom } from './outlet.ts'

/** The longest that secrets of before may go on signing. */
const MOST_OVERLAP_HOURS = 168

/** The asker's own id for the act: the same again is the same act. */
const id = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'expected 1 to 64 letters, digits, dots, underscores and hyphens')
  .optional()

export const actBody = z.strictObject({ id })
export const replayBody = z
  .strictObject({ id, fromSequence: z.int().min(0).optional(), fromTime: z.string().max(40).optional() })
  .refine(({ fromSequence, fromTime }) => (fromSequence === undefined) !== (fromTime === undefined), {
    error: 'expected either fromSequence or fromTime',
  })
export const operatorRotateBody = actBody.extend({
  /** How long the secrets before sign too; 0 ends them at once. */
  overlapHours: z.number().min(0).max(MOST_OVERLAP_HOURS).optional(),
})

export const toReplayFrom = ({ fromSequence, fromTime }: z.output<typeof replayBody>): ReplayFrom =>
  fromSequence === undefined ? { time: fromTime ?? '' } : { sequence: fromSequence }
