/** Facts about deliveries to outlets. */
import { z } from 'zod'

/** Thin intent: outlet X wants article A at `version` or newer. The state is read when it is sent. */
export const deliveryWanted = z.object({
  outletId: z.string(),
  /** Further outlets of its partition that want just the same (default: none). */
  also: z.array(z.string()).max(63).optional(),
  articleId: z.string(),
  version: z.int(),
  /** For this outlet the version takes the article back, so it goes before everything else. A hint: what is sent is decided at send time. */
  kill: z.boolean().optional(),
  /** What the version is to this outlet, for whoever lists what came; absent in what older builds wrote. */
  action: z.enum(['published', 'updated', 'corrected', 'retracted']).optional(),
  /** The replay that wants it: it is sent although the outlet may hold it. */
  again: z.string().optional(),
  /** With this version the article comes to the outlet: nothing of it was routed there before. */
  first: z.boolean().optional(),
  /** Where the version before this one was passed over (releases overtook one another): the last one that was routed to the outlet. */
  since: z.int().optional(),
})
