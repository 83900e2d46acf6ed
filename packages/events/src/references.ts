/**
 * The articles that an article sends readers on to, and what of them may be named once some are taken back. A fact says itself which those are
 * (`goneReferences`), so every exit leaves out the same ones, without a look at anything else. Pure.
 */
import type { Fact, LiveFact } from './fact.ts'
import { isArticleId, toArticleId } from './ids.ts'
import type { Retraction } from './submission.ts'

/** As publishers wrote them: related articles of a live one, the substitute of a retracted one. */
export const referencesOf = (fact: Fact): readonly string[] => {
  if (fact.state === 'live') return fact.article.related
  if (fact.state !== 'retracted' || fact.retraction.mode !== 'replace') return []
  return fact.retraction.redirectTo === undefined ? [] : [fact.retraction.redirectTo]
}

/** The ids that a name may mean. A local id may have a dot and so look like another publisher's: the publisher's own comes first. */
export const idsMeantBy = (name: string, publisher: string): readonly string[] => [toArticleId(publisher, name), name].filter(isArticleId)

const isNamed = ({ goneReferences }: Pick<Fact, 'goneReferences'>, name: string): boolean => goneReferences?.includes(name) !== true

/** The related articles to name: those that were not taken back when the version was released. */
export const relatedOf = (fact: LiveFact): readonly string[] =>
  fact.goneReferences === undefined ? fact.article.related : fact.article.related.filter(name => isNamed(fact, name))

/** A retraction as it is told: one whose substitute was taken back as well leads nowhere any more. */
export const retractionTold = (fact: Extract<Fact, { state: 'retracted' | 'expired' }>): Retraction => {
  const { redirectTo, ...retraction } = fact.retraction
  if (redirectTo === undefined) return retraction
  return isNamed(fact, redirectTo) ? fact.retraction : { ...retraction, mode: 'gone' }
}
