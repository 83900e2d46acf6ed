/** What an outlet is due of a version when it is sent or asked for: pure. Whether it was to be sent at all was decided when it was routed (`decision.ts`). */
import { createAttached } from './attached.ts'
import type { OutletConfig } from './config.ts'
import { type Categories, type Due, decideFor } from './decision.ts'
import type { Fact } from './fact.ts'

/**
 * What an outlet that was routed this article is due now: the content when it may have it, else a retraction of what it holds. One that left the
 * configuration gets nothing new, but still every retraction.
 */
export const dueTo = (outlet: OutletConfig, fact: Fact, categories: Categories): Due => {
  const known = deciding.get(fact)
  if (known !== undefined && known.categories === categories) return known.decide(outlet, HAD).due
  const decide = decideFor(fact, categories)
  deciding.set(fact, { categories, decide })
  return decide(outlet, HAD).due
}

/** It was routed, so whatever that asks for was so. */
const HAD = { createdAtMs: 0, had: true, takesPicture: true } as const
/** What a version says of itself is looked at once for all who are due it. */
const deciding = createAttached<Fact, Readonly<{ categories: Categories; decide: ReturnType<typeof decideFor> }>>('deciding')

const HOUR_MS = 3_600_000

/** Nothing of an article is the outlet's sooner than its own offset after the first release, though it may be routed already. ms since 1970. */
export const earliestMs = (
  { embargoOffsetHours }: Pick<OutletConfig, 'embargoOffsetHours'>,
  { firstReleasedAt }: Pick<Fact, 'firstReleasedAt'>,
): number => Date.parse(firstReleasedAt) + embargoOffsetHours * HOUR_MS
