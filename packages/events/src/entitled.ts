/** What an outlet is due of a released version: pure. */
import { type CategoryConfig, matches, type OutletConfig } from './config.ts'
import type { Facets, Fact, LiveFact } from './fact.ts'

export type Due = 'content' | 'retraction' | 'nothing'
export type Categories = ReadonlyMap<string, CategoryConfig>

/** What the version itself is, as against what the article once was. */
const facetsOf = ({ article, publisher }: LiveFact): Facets => ({
  categories: article.categories,
  languages: [article.language],
  publishers: [publisher],
  types: [article.type],
  public: article.audience === 'public',
})

const mayRead = (outlet: OutletConfig, fact: LiveFact) => fact.article.audience === 'public' || outlet.audience === 'editorial'
const isWanted = (outlet: OutletConfig, fact: LiveFact, categories: Categories) => matches(outlet.match, facetsOf(fact), categories)

/**
 * Whether a version brings the article to an outlet that never had it. Imports go to nobody new; what was released before the outlet was
 * created is not sent after.
 */
export const joins = (outlet: OutletConfig, fact: Fact, categories: Categories, createdAtMs: number): boolean =>
  fact.state === 'live' &&
  fact.lane === 'live' &&
  !outlet.retired &&
  Date.parse(fact.releasedAt) >= createdAtMs &&
  mayRead(outlet, fact) &&
  isWanted(outlet, fact, categories)

/**
 * What an outlet that was routed this article before is due now: the content when it may have it, else a retraction of what it holds.
 * One that left the configuration gets nothing new, but still every kill.
 */
export const dueTo = (outlet: OutletConfig, fact: Fact, categories: Categories): Due => {
  if (fact.state !== 'live' || !mayRead(outlet, fact)) return 'retraction'
  if (outlet.retired) return 'nothing'
  return outlet.onLeave === 'withdraw' && !isWanted(outlet, fact, categories) ? 'retraction' : 'content'
}
