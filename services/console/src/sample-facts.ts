/** Facts for tests: one article of one publisher, all of its versions released at one time. */
import type { Fact, LiveFact } from '@newswire/events/fact'
import { sampleFact, sampleRetraction } from '@newswire/events/sample-fact'

export const factsAt = (at: string) => {
  const common = (version: number) => ({
    version,
    submissionId: `s${version}`,
    at,
    facetsEver: { categories: ['city'], languages: ['en'], publishers: ['press'], types: ['article'], public: true },
  })
  return {
    live: (version: number, article: Partial<LiveFact['article']> = {}): LiveFact =>
      sampleFact({ ...common(version), article: { language: 'en', categories: ['city'], ...article } }),
    kill: (version: number): Fact => sampleRetraction({ ...common(version), retraction: { mode: 'gone', reason: 'wrong' } }),
  }
}
