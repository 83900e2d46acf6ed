/** The box to search with: alone on the lists, with all that a search can be narrowed by on the page of a search. */
import type { CategoryConfig, SiteConfig } from '@newswire/events/config'
import { withAncestors } from '@newswire/events/config'
import { escapeMarkup } from '@newswire/events/text'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import type { SearchPlace } from '../search-place.ts'
import { toLink } from './addresses.ts'
import { speak } from './language.ts'

type Choice = Readonly<{ value: string; name: string }>

const select = (name: string, label: string, choices: readonly Choice[], chosen: string): string => {
  const options = choices.map(
    ({ value, name: shown }) =>
      `<option value="${escapeMarkup(value)}"${value === chosen ? ' selected' : ''}>${escapeMarkup(shown)}</option>`,
  )
  return `<label>${escapeMarkup(label)} <select name="${name}">${options.join('')}</select></label>`
}

const box = (label: string, button: string, q: string): string =>
  `<label class="words"><span class="seen-by-none">${escapeMarkup(label)}</span><input type="search" name="q" value="${escapeMarkup(q)}" placeholder="${escapeMarkup(label)}" maxlength="200" autocomplete="off"></label> <button type="submit">${escapeMarkup(button)}</button>`

const form = (site: SiteConfig, parts: readonly string[]): string => {
  const { words } = speak(site.language, site.language)
  return `<form class="search" role="search" action="${escapeMarkup(toLink(site, '/search'))}" method="get" aria-label="${escapeMarkup(words.search)}">\n${parts.filter(part => part !== '').join('\n')}\n</form>`
}

/** On a list: everywhere, or in the section that is shown. */
export const toSearchBox = (site: SiteConfig, section: CategoryConfig | undefined): string => {
  const { words } = speak(site.language, site.language)
  const where = [
    { value: section?.id ?? '', name: section?.name ?? '' },
    { value: '', name: words.everywhere },
  ]
  return form(site, [
    `<p>${box(words.searchFor, words.search, '')}</p>`,
    section === undefined ? '' : `<p class="narrowing">${select('category', words.searchIn, where, section.id)}</p>`,
  ])
}

/** Categories below their parents, each as deep as it lies. */
const categoryChoices = (categories: ConfigSnapshot['categories']): readonly Choice[] => {
  const pathOf = (id: string) => withAncestors(id, categories).reverse()
  return [...categories.values()]
    .map(({ id, name }) => ({ id, name, path: pathOf(id) }))
    .sort((a, b) => (a.path.join('\0') < b.path.join('\0') ? -1 : 1))
    .map(({ id, name, path }) => ({ value: id, name: `${'– '.repeat(path.length - 1)}${name}` }))
}

export const toSearchForm = (place: SearchPlace, { site, categories, publishers }: ConfigSnapshot): string => {
  const { words } = speak(site.language, site.language)
  const day = (name: 'from' | 'to', label: string) =>
    `<label>${escapeMarkup(label)} <input type="date" name="${name}" value="${place[name] ?? ''}"></label>`
  const all = (choices: readonly Choice[]): readonly Choice[] => [{ value: '', name: words.everywhere }, ...choices]
  const narrowing = [
    categories.size === 0 ? '' : select('category', words.searchIn, all(categoryChoices(categories)), place.category ?? ''),
    publishers.size < 2 && place.publisher === null
      ? ''
      : select(
          'publisher',
          words.publisher,
          all([...publishers.values()].map(({ id, name }) => ({ value: id, name }))),
          place.publisher ?? '',
        ),
    day('from', words.fromDay),
    day('to', words.toDay),
    select(
      'sort',
      words.sort,
      [
        { value: 'relevance', name: words.byRelevance },
        { value: 'time', name: words.byTime },
      ],
      place.sort,
    ),
  ]
  return form(site, [
    `<p>${box(words.searchFor, words.search, place.q)}</p>`,
    `<p class="narrowing">${narrowing.filter(part => part !== '').join('\n')}</p>`,
    place.language === null ? '' : `<input type="hidden" name="language" value="${escapeMarkup(place.language)}">`,
  ])
}
