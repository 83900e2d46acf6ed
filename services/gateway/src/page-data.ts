/** Gathers from view and configuration what a page shows. */
import type { CategoryConfig, FeedConfig } from '@newswire/events/config'
import { isPrivate, withAncestors } from '@newswire/events/config'
import type { LiveFact } from '@newswire/events/fact'
import { idsMeantBy } from '@newswire/events/references'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { type ArticleContext, usualRules } from './pages/article-context.ts'
import type { Frame } from './pages/document.ts'
import type { ShownFeed } from './pages/feeds-page.ts'
import type { View } from './view.ts'

const PREVIEW_ARTICLES = 5
/** More of them would only make every page heavier. */
const FEEDS_TO_DISCOVER = 10

type Categories = ReadonlyMap<string, CategoryConfig>

/** A category with all that lie below it. */
export const withChildren = (category: string, categories: Categories): readonly string[] =>
  [...categories.keys()].filter(id => withAncestors(id, categories).includes(category))

/** What every page shows: the sections at the top that have something to read, retired ones too as long as they have. */
export const toFrame = (view: Pick<View, 'hasAny'>, { site, categories }: ConfigSnapshot): Frame => ({
  site,
  sections: [...categories.values()].filter(({ id, parent }) => parent === undefined && view.hasAny(withChildren(id, categories))),
})

export const publicFeeds = ({ feeds }: Pick<ConfigSnapshot, 'feeds'>): readonly FeedConfig[] =>
  [...feeds.values()].filter(feed => !isPrivate(feed))

/** What readers should find from here: the feeds of this section, or on the front page those that take everything, else any. */
export const feedsToDiscover = (config: ConfigSnapshot, category: string | null): readonly FeedConfig[] => {
  const all = publicFeeds(config)
  const fitting =
    category === null
      ? all.filter(({ match }) => Object.values(match).every(part => part === undefined))
      : all.filter(({ match }) => match.categories?.includes(category))
  return (fitting.length === 0 && category === null ? all : fitting).slice(0, FEEDS_TO_DISCOVER)
}

/** `withPreviews`: not as long as a kill might not be known yet. */
export const toShownFeeds = (view: Pick<View, 'preview'>, config: ConfigSnapshot, withPreviews: boolean): readonly ShownFeed[] => {
  const newest = ({ match }: FeedConfig) =>
    view.preview(
      match,
      match.categories?.flatMap(category => withChildren(category, config.categories)),
      PREVIEW_ARTICLES,
    )
  return publicFeeds(config).map(feed => ({ feed, newest: withPreviews ? newest(feed) : null }))
}

/** The public article that one article names. */
export const findNamed = (view: Pick<View, 'article'>, publisher: string, name: string): LiveFact | null => {
  for (const id of idsMeantBy(name, publisher)) {
    const found = view.article(id)
    if (found?.state === 'public') return found.fact
  }
  return null
}

/** One each, the original first: two pages in one language would be no choice. Itself always, or its own language would lead elsewhere. */
const oneOfEachLanguage = (fact: LiveFact, others: readonly LiveFact[]): readonly LiveFact[] => {
  const byLanguage = new Map([[fact.article.language, fact]])
  for (const one of others) if (!byLanguage.has(one.article.language)) byLanguage.set(one.article.language, one)
  return [...byLanguage.values()].sort((a, b) => (a.article.language < b.article.language ? -1 : 1))
}

export const toArticleContext = (
  view: Pick<View, 'article' | 'translationsOf'>,
  config: ConfigSnapshot,
  fact: LiveFact,
  frame: Frame,
): ArticleContext => {
  const { article, articleId, publisher } = fact
  const named = article.translationOf === undefined ? null : findNamed(view, publisher, article.translationOf)
  const original = named?.articleId === articleId ? null : named
  // Anybody can say that he translates somebody else: that is told on his page, not on the other's.
  const family = original === null || original.publisher !== publisher ? [] : [original]
  const root = family[0]?.articleId ?? articleId
  const related = new Map(
    article.related.flatMap(name => {
      const found = findNamed(view, publisher, name)
      return found === null || found.articleId === articleId ? [] : [[found.articleId, found] as const]
    }),
  )
  const contract = config.publishers.get(publisher)
  return {
    frame,
    fact,
    categories: config.categories,
    publisherName: contract?.name ?? config.site.title,
    rules: contract?.pages ?? usualRules,
    related: [...related.values()],
    original,
    versions: oneOfEachLanguage(fact, [...family, ...view.translationsOf(root)]),
  }
}
