/** Which search an address asks for, and the address of a search. */
import type { SiteConfig } from '@newswire/events/config'
import { isConfigId, isPublisherId } from '@newswire/events/ids'
import { MAX_TYPED } from './search-query.ts'
import type { Behind, Reach } from './search-reader.ts'
import { dayStart } from './site-days.ts'

/** A page of a search: its number, and the hit before it where one of our own links led here. */
type SearchPage = Readonly<{ number: number; behind: Behind | null }>

export type SearchPlace = Readonly<{
  q: string
  category: string | null
  publisher: string | null
  language: string | null
  /** Days of the site's zone, `yyyy-mm-dd`, both included. */
  from: string | null
  to: string | null
  sort: 'relevance' | 'time'
  page: SearchPage
}>

/** By number nobody goes further; our own links do. */
const MAX_NUMBERED_PAGE = 50
export const FIRST_PAGE: SearchPage = { number: 1, behind: null }

const REACHES: Readonly<Record<string, Reach>> = { a: 'all', o: 'open', p: 'partial' }
const LETTERS: Readonly<Record<Reach, string>> = { all: 'a', open: 'o', partial: 'p' }

const parsePage = (text: string): SearchPage | null => {
  const found = /^([1-9]\d{0,4})(?:\.([aop])(\d{1,2})\.(\d{1,16}))?$/.exec(text)
  if (found === null) return null
  const [, number = '', letter, tier = '', place = ''] = found
  if (letter === undefined) return Number(number) > MAX_NUMBERED_PAGE ? null : { number: Number(number), behind: null }
  const behind = { reach: REACHES[letter] as Reach, tier: Number(tier), place: Number(place) }
  return Number.isSafeInteger(behind.place) ? { number: Number(number), behind } : null
}
const toPageText = ({ number, behind }: SearchPage): string =>
  behind === null ? String(number) : `${number}.${LETTERS[behind.reach]}${behind.tier}.${behind.place}`

const isDay = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().startsWith(text)
const isLanguage = (text: string): boolean => /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(text)

type Query = Readonly<Record<string, unknown>>
const PARTS = ['q', 'category', 'publisher', 'language', 'from', 'to', 'sort', 'page'] as const

/** The search, or what is wrong with it, for a person. Fields that a form left empty are as if they were not there. */
export const parseSearch = (query: Query): SearchPlace | string => {
  const given: Partial<Record<(typeof PARTS)[number], string>> = {}
  for (const part of PARTS) {
    const value = query[part]
    if (value !== undefined && typeof value !== 'string') return `expected ${part} once`
    if (value !== undefined && value !== '') given[part] = value
  }
  const { q = '', category = null, publisher = null, language = null, from = null, to = null, sort = 'relevance', page = '1' } = given
  if (category !== null && !isConfigId(category)) return 'expected category to be the id of a category'
  if (publisher !== null && !isPublisherId(publisher)) return 'expected publisher to be the id of a publisher'
  if (language !== null && !isLanguage(language)) return 'expected language to be a language tag, like vi or en-GB'
  if ((from !== null && !isDay(from)) || (to !== null && !isDay(to))) return 'expected from and to to be days, like 2026-01-31'
  if (sort !== 'relevance' && sort !== 'time') return 'expected sort to be relevance or time'
  const place = parsePage(page)
  if (place === null) return `expected page to be 1 to ${MAX_NUMBERED_PAGE}, or what a link to the next page says`
  const typed = q
    .slice(0, MAX_TYPED)
    .toWellFormed()
    .replace(/[\u0000-\u001f\u007f]+/g, ' ')
    .trim()
  return { q: typed, category, publisher, language, from, to, sort, page: place }
}

/** `path` with the query of a search; equal searches have equal addresses. */
export const toSearchPath = (place: SearchPlace, path = '/search'): string => {
  const { q, category, publisher, language, from, to, sort, page } = place
  const parts: readonly (readonly [string, string | null])[] = [
    ['q', q],
    ['category', category],
    ['publisher', publisher],
    ['language', language],
    ['from', from],
    ['to', to],
    ['sort', sort === 'relevance' ? null : sort],
    ['page', page.number === 1 ? null : toPageText(page)],
  ]
  const written = parts.flatMap(([name, value]) => (value === null || value === '' ? [] : [`${name}=${encodeURIComponent(value)}`]))
  return written.length === 0 ? path : `${path}?${written.join('&')}`
}

/** The first moment of `from` and the first one after `to`, ms since 1970. */
export const toSpan = ({ from, to }: Pick<SearchPlace, 'from' | 'to'>, { timeZone }: Pick<SiteConfig, 'timeZone'>) => ({
  fromMs: from === null ? null : dayStart(from, timeZone),
  beforeMs: to === null ? null : dayStart(to, timeZone, 1),
})
