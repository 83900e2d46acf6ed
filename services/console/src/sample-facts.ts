/** Facts for tests: one article of one publisher, all of its versions released at one time. */
import { articleInput, toArticle } from '@newswire/events/article'
import type { Fact, LiveFact } from '@newswire/events/fact'

export const factsAt = (at: string) => {
  const common = (version: number) => ({
    articleId: 'press.a',
    publisher: 'press',
    version,
    submissionId: `s${version}`,
    lane: 'live' as const,
    firstReleasedAt: at,
    releasedAt: at,
    updatedAt: at,
    facetsEver: { categories: ['city'], languages: ['en'], publishers: ['press'], types: ['article'], public: true },
    aliases: [],
  })
  const article = toArticle(articleInput.parse({ title: 'x', body: { text: 'x' }, categories: ['city'] }), { language: 'en' })
  return {
    live: (version: number, fields: Partial<LiveFact['article']> = {}): LiveFact => ({
      ...common(version),
      state: 'live',
      action: 'published',
      article: { ...article, ...fields },
    }),
    kill: (version: number): Fact => ({
      ...common(version),
      state: 'retracted',
      action: 'retracted',
      retraction: { mode: 'gone', reason: 'wrong', legal: false },
    }),
  }
}
