/** Searches as the routes ask for them: under the configuration of now, and answered once for all who ask the same. */
import { withAncestors } from '@newswire/events/config'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { withChildren } from './page-data.ts'
import type { Search } from './search.ts'
import { toPlaces } from './search-index.ts'
import { type SearchPlace, toSpan } from './search-place.ts'
import type { Count, SearchFound, SearchQuery } from './search-reader.ts'
import { categoryTerm, languageTerm, publisherTerm } from './search-text.ts'

const SEARCH_HITS = 20

export const toSearchQuery = (place: SearchPlace, config: Pick<ConfigSnapshot, 'categories' | 'site'>, counts: boolean): SearchQuery => {
  const { q, category, publisher, language, sort, page } = place
  return {
    typed: q,
    filed: [
      ...(category === null ? [] : [withChildren(category, config.categories).map(categoryTerm)]),
      ...(publisher === null ? [] : [[publisherTerm(publisher)]]),
      ...(language === null ? [] : [[languageTerm(language)]]),
    ],
    ...toPlaces(toSpan(place, config.site)),
    // Without words nothing is nearer than anything else.
    sort: q === '' ? 'time' : sort,
    begin: page.behind ?? (page.number - 1) * SEARCH_HITS,
    limit: SEARCH_HITS,
    counts,
  }
}

/** One value that a search can be narrowed to, and how many articles of it have that. */
export type Facet = Readonly<{ id: string; articles: number }>
export type Facets = Readonly<{ total: number; categories: readonly Facet[]; publishers: readonly Facet[]; languages: readonly Facet[] }>

const toFacets = (counts: readonly Count[], valuesOf: (count: Count) => readonly string[]): readonly Facet[] => {
  const sums = new Map<string, number>()
  for (const count of counts) for (const id of new Set(valuesOf(count))) sums.set(id, (sums.get(id) ?? 0) + count.articles)
  return [...sums].map(([id, articles]) => ({ id, articles })).sort((a, b) => b.articles - a.articles || (a.id < b.id ? -1 : 1))
}

/** An article counts for a category and for all above it, once. */
export const facetsOf = ({ counts }: Pick<SearchFound, 'counts'>, { categories }: Pick<ConfigSnapshot, 'categories'>): Facets => ({
  total: counts.reduce((sum, { articles }) => sum + articles, 0),
  categories: toFacets(counts, count => count.categories.flatMap(id => withAncestors(id, categories))).filter(({ id }) =>
    categories.has(id),
  ),
  publishers: toFacets(counts, ({ publisher }) => [publisher]),
  languages: toFacets(counts, ({ language }) => [language]),
})

/** What is kept of answers: about 20 KiB each. */
const MAX_KEPT = 200

/** Asks once for all who want the same of one state of the index. */
export const createAsking = (search: Pick<Search, 'find' | 'revision'>): ((query: SearchQuery) => Promise<SearchFound>) => {
  const kept = new Map<string, Readonly<{ revision: number; answer: Promise<SearchFound> }>>()
  return query => {
    const key = JSON.stringify(query)
    const revision = search.revision()
    const found = kept.get(key)
    kept.delete(key)
    const answer = found?.revision === revision ? found.answer : search.find(query)
    kept.set(key, { revision, answer })
    // What failed is asked again.
    answer.catch(() => {
      if (kept.get(key)?.answer === answer) kept.delete(key)
    })
    const [oldest] = kept.keys()
    if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest)
    return answer
  }
}
