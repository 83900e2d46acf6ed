/** An article with all that its pages say of it. */
import type { CategoryConfig, PublisherConfig } from '@newswire/events/config'
import type { LiveFact } from '@newswire/events/fact'
import { articleUrl } from '@newswire/events/public-article'
import { toWebAddress } from './addresses.ts'
import type { Frame } from './document.ts'

export type ArticleContext = Readonly<{
  frame: Frame
  fact: LiveFact
  categories: ReadonlyMap<string, CategoryConfig>
  publisherName: string
  /** What the contract with its publisher says of pages. */
  rules: PublisherConfig['pages']
  /** Those that the article names and that are public. */
  related: readonly LiveFact[]
  /** What it translates, when that is public. */
  original: LiveFact | null
  /** The same in other languages of the same publisher, itself among them; one each. */
  versions: readonly LiveFact[]
}>

/** A contract without words of its own (and a publisher without a contract) has these. */
export const usualRules: PublisherConfig['pages'] = { canonical: 'source', index: true }

/** Which address search engines are to keep: the publisher's own, when the contract says so and there is one, else ours. */
export const canonicalOf = ({ frame: { site }, fact, rules }: Pick<ArticleContext, 'frame' | 'fact' | 'rules'>): string => {
  const own = articleUrl(site.publicUrl, fact.articleId)
  return rules.canonical === 'self' ? own : (toWebAddress(fact.article.canonicalUrl) ?? own)
}
