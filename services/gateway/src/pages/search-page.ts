/** What a search found: how much, where, and the articles with the words marked. Works without scripts: every choice is a link or the form. */
import { escapeMarkup } from '@newswire/events/text'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import type { Facet, Facets } from '../search-answers.ts'
import { FIRST_PAGE, type SearchPlace, toSearchPath } from '../search-place.ts'
import { COUNTED, type Hit, type SearchFound } from '../search-reader.ts'
import { toLink } from './addresses.ts'
import { type Frame, toDocument } from './document.ts'
import { langAttributes, type Speech, speak, toLanguageName, toLocale } from './language.ts'
import { toSearchForm } from './search-form.ts'
import { searchTitle } from './search-rss.ts'
import { toTime } from './times.ts'

type SearchShown = Readonly<{
  frame: Frame
  config: ConfigSnapshot
  place: SearchPlace
  found: SearchFound
  facets: Facets
  /** `null` on the last page. */
  next: SearchPlace | null
}>

/** Of each kind; the form has all. */
const MAX_FACETS = 12

const number = (value: number, language: string): string => new Intl.NumberFormat(toLocale(language)).format(value)

const howMany = ({ config: { site }, found, facets }: SearchShown, { words }: Speech): string => {
  if (found.hits.length === 0) return words.nothingFound
  const total = facets.total > COUNTED ? `${words.moreThan} ${number(COUNTED, site.language)}` : number(facets.total, site.language)
  const about = found.isAbout && facets.total <= COUNTED ? `${words.about} ` : ''
  const notes = { all: '', open: '', partial: ` · ${words.partlyFound}` }
  return `${about}${total} ${words.articles}${notes[found.reach]}`
}

const hit = ({ articleId, publishedAt, publisher, language, titleHtml, snippetHtml, categories }: Hit, config: ConfigSnapshot): string => {
  const { site } = config
  const [category] = categories
  const about = [
    config.publishers.size > 1 ? config.publishers.get(publisher)?.name : undefined,
    category === undefined ? undefined : config.categories.get(category)?.name,
  ]
  const more = about.flatMap(name =>
    name === undefined ? [] : [` · <span${langAttributes(site.language, language)}>${escapeMarkup(name)}</span>`],
  )
  return `<li class="plain"${langAttributes(language, site.language)}><div><h2><a href="${escapeMarkup(toLink(site, `/articles/${articleId}`))}">${titleHtml}</a></h2>
${snippetHtml === '' ? '' : `<p class="teaser">${snippetHtml}</p>\n`}<p class="meta">${toTime(publishedAt, { site, language })}${more.join('')}</p></div></li>`
}

type FacetKind = Readonly<{
  part: 'category' | 'publisher' | 'language'
  label: string
  values: readonly Facet[]
  nameOf: (id: string) => string
}>

const facetKinds = ({ config, facets }: SearchShown, { words }: Speech): readonly FacetKind[] => [
  { part: 'category', label: words.categories, values: facets.categories, nameOf: id => config.categories.get(id)?.name ?? id },
  { part: 'publisher', label: words.publisher, values: facets.publishers, nameOf: id => config.publishers.get(id)?.name ?? id },
  { part: 'language', label: words.language, values: facets.languages, nameOf: id => toLanguageName(id, config.site.language) },
]

/** Values to narrow the search by; what it is narrowed by already leads back out. */
const facetList = ({ config: { site }, place }: SearchShown, { words }: Speech, { part, label, values, nameOf }: FacetKind): string => {
  const chosen = place[part]
  const to = (value: string | null) => escapeMarkup(toLink(site, toSearchPath({ ...place, [part]: value, page: FIRST_PAGE })))
  const items = values
    .filter(({ id }) => id !== chosen)
    .slice(0, MAX_FACETS)
    .map(
      ({ id, articles }) => `<li><a href="${to(id)}">${escapeMarkup(nameOf(id))}</a> <span>${number(articles, site.language)}</span></li>`,
    )
  if (chosen === null && items.length < 2) return ''
  const out =
    chosen === null ? '' : `<li><b>${escapeMarkup(nameOf(chosen))}</b> <a href="${to(null)}">${escapeMarkup(words.everywhere)}</a></li>`
  return `<dt>${escapeMarkup(label)}</dt><dd><ul>${out}${items.join('')}</ul></dd>`
}

const facetLists = (shown: SearchShown, speech: Speech): string => {
  const lists = facetKinds(shown, speech)
    .map(kind => facetList(shown, speech, kind))
    .filter(list => list !== '')
  return lists.length === 0
    ? ''
    : `<nav class="facets" aria-label="${escapeMarkup(speech.words.narrow)}"><dl>${lists.join('\n')}</dl></nav>`
}

const turning = ({ config: { site }, place, next }: SearchShown, { words }: Speech): string => {
  if (next === null && place.page.number === 1) return ''
  const link = (rel: string, to: SearchPlace, name: string) =>
    `<a rel="${rel}" href="${escapeMarkup(toLink(site, toSearchPath(to)))}">${escapeMarkup(name)}</a>`
  const first = place.page.number === 1 ? '<span></span>' : link('first', { ...place, page: FIRST_PAGE }, `← ${words.firstPage}`)
  return `<nav class="pages" aria-label="${escapeMarkup(words.pages)}">${first}${next === null ? '<span></span>' : link('next', next, `${words.nextPage} →`)}</nav>`
}

export const toSearchPage = (shown: SearchShown): string => {
  const { frame, config, place, found } = shown
  const { site } = config
  const speech = speak(site.language, site.language)
  const { words } = speech
  const rss = escapeMarkup(toLink(site, toSearchPath({ ...place, page: FIRST_PAGE, sort: 'relevance' }, '/search/rss.xml')))
  const list = found.hits.length === 0 ? '' : `<ul class="stories">\n${found.hits.map(one => hit(one, config)).join('\n')}\n</ul>`
  return toDocument({
    frame,
    language: site.language,
    title: searchTitle(place, site),
    head: `<meta name="robots" content="noindex, follow">
<link rel="alternate" type="application/rss+xml" title="${escapeMarkup(searchTitle(place, site))}" href="${rss}">
<link rel="search" type="application/opensearchdescription+xml" title="${escapeMarkup(site.title)}" href="${escapeMarkup(toLink(site, '/opensearch.xml'))}">`,
    main: `<h1>${escapeMarkup(words.search)}</h1>
${toSearchForm(place, config)}
<p class="meta found" role="status">${escapeMarkup(howMany(shown, speech))}</p>
${facetLists(shown, speech)}
${list}
${turning(shown, speech)}
<p class="meta onscreen"><a href="${rss}">${escapeMarkup(words.searchFeed)}</a></p>`,
    here: toLink(site, '/search'),
  })
}
