/** What a schema cannot see: fields that contradict each other, and names of what is not there. Pure. */

import type { Article, ArticleInput } from '@newswire/events/article'
import { findClosest } from '@newswire/events/closest-field'
import { cleanHtml, completeAddresses } from '@newswire/events/markup'
import { idsMeantBy } from '@newswire/events/references'
import { unescapeAttribute } from '@newswire/events/text'
import type { Warning } from '@newswire/events/warnings'

/** Markup in which nothing is written and nothing is shown. Every alternative begins with a character of its own, so it is read through once. */
const SHOWS_NOTHING = /^(?:\s|&nbsp;|<(?!img|iframe|video|audio|embed|object|hr)[^>]*>)*$/i

const findEmptyBody = ({ body, images, type }: Article): readonly Warning[] =>
  type === 'gallery' || type === 'video' || images.length > 0 || !SHOWS_NOTHING.test(body.html)
    ? []
    : [{ pointer: '/body', detail: 'expected some text, found none: only a gallery, a video, or an article with pictures may go without' }]

const findDeadline = ({ embargoUntil, expiresAt }: Article): readonly Warning[] =>
  embargoUntil === undefined || expiresAt === undefined || embargoUntil < expiresAt
    ? []
    : [
        {
          pointer: '/embargoUntil',
          detail: `expected a time before expiresAt (${expiresAt}), found ${embargoUntil}: it could never go out`,
        },
      ]

const findNoIds = (article: Article, publisher: string): readonly Warning[] => {
  const named: [string, string | undefined][] = [
    ['/translationOf', article.translationOf],
    ['/duplicateOf', article.duplicateOf],
    ...article.related.map((id, index): [string, string] => [`/related/${index}`, id]),
  ]
  return named.flatMap(([pointer, id]) =>
    id === undefined || idsMeantBy(id, publisher).length > 0
      ? []
      : [{ pointer, detail: `expected the id of an article, found ${JSON.stringify(id.slice(0, 80))}` }],
  )
}

/** Why an article cannot be meant as it is. */
export const findContradictions = (article: Article, publisher: string): readonly Warning[] => [
  ...findEmptyBody(article),
  ...findDeadline(article),
  ...findNoIds(article, publisher),
]

const findUnknownCategories = ({ categories }: Article, known: ReadonlyMap<string, unknown>): readonly Warning[] =>
  categories.flatMap((category, index) => {
    if (known.has(category)) return []
    const meant = findClosest(category, [...known.keys()])
    const detail = `category ${JSON.stringify(category)} is not in the configuration, so no feed or outlet can ask for it`
    return [{ pointer: `/categories/${index}`, detail: meant === null ? detail : `${detail}; did you mean ${JSON.stringify(meant)}?` }]
  })

const findSilentCorrection = ({ change, correction }: Article): readonly Warning[] =>
  change === 'correction' && (correction?.note ?? '') === ''
    ? [{ pointer: '/correction', detail: 'it is a correction without a note, so readers are not told what was wrong' }]
    : []

const DAY_MS = 86_400_000

const findOddTimes = ({ publishedAt, embargoUntil, expiresAt }: Article, now: number): readonly Warning[] => {
  const latest = Math.max(now, embargoUntil === undefined ? 0 : Date.parse(embargoUntil)) + DAY_MS
  return [
    ...(publishedAt !== undefined && Date.parse(publishedAt) > latest
      ? [{ pointer: '/publishedAt', detail: `${publishedAt} is more than a day ahead, and readers are shown it` }]
      : []),
    ...(expiresAt !== undefined && Date.parse(expiresAt) <= now
      ? [{ pointer: '/expiresAt', detail: `${expiresAt} has passed, so it is not released, and what is out of the article is taken back` }]
      : []),
  ]
}

/** The first ones tell which they are. */
const SHOWN = 3
const namedOf = (addresses: readonly string[]): string =>
  `${addresses
    .slice(0, SHOWN)
    .map(one => one.slice(0, 200))
    .join(', ')}${addresses.length > SHOWN ? ` and ${addresses.length - SHOWN} more` : ''}`

/** Cleaning costs more than a look: most bodies have none. */
const MAY_BE_RELATIVE = /(?:src|href|cite)\s*=(?!\s*["']?\s*(?:https?:|mailto:|#))/i

/** An address of a picture with a scheme that the cleaning lets in nowhere. Within one tag, so that a body is read through once. */
const CLOSED_PICTURE = /<img\b[^<>]*?\ssrc\s*=\s*(?:["']\s*)?((?!https?:|mailto:)[a-z][a-z0-9+.-]*:[^"'\s<>]*)/gi

/** Pictures that the cleaning leaves out of a body. */
export const findLostPictures = (body: ArticleInput['body']): readonly Warning[] => {
  const lost = 'html' in body ? [...body.html.matchAll(CLOSED_PICTURE)].map(([, address = '']) => address) : []
  if (lost.length === 0) return []
  const detail = `pictures are left out of the text, because no reader could open their address; those that are uploads belong into images, which shows them beside it: ${namedOf(lost)}`
  return [{ pointer: '/body', detail }]
}

/** Addresses that the article goes out without: a relative one in a body has no meaning elsewhere, and of a picture it must be one that readers can open. */
export const findLostAddresses = ({ body, canonicalUrl }: ArticleInput): readonly Warning[] => {
  const pictures = findLostPictures(body)
  if (canonicalUrl !== undefined || !('html' in body) || !MAY_BE_RELATIVE.test(body.html)) return pictures
  const { left } = completeAddresses(cleanHtml(body.html), undefined)
  if (left.length === 0) return pictures
  const detail = `relative addresses are left out, because there is no canonicalUrl that they could be of: ${namedOf(left)}`
  return [...pictures, { pointer: '/body', detail }]
}

/** Clean HTML writes it in this way only. */
const PICTURE = /<img\b[^<>]* src="([^"<>]*)"/g

const findForeignPictures = ({ body, images }: Article): readonly Warning[] => {
  const own = new Set(images.map(one => one.url))
  const sources = [...body.html.matchAll(PICTURE)].map(([, source = '']) => unescapeAttribute(source))
  const foreign = [...new Set(sources.filter(source => !own.has(source)))]
  if (foreign.length === 0) return []
  const detail = `pictures that are not among images stay at their own address: they are not kept, and are gone when they are gone there: ${namedOf(foreign)}`
  return [{ pointer: '/body', detail }]
}

/** What an article is taken with, and is perhaps not meant. `now` in ms. */
export const findDoubts = (article: Article, categories: ReadonlyMap<string, unknown>, now: number): readonly Warning[] => [
  ...findUnknownCategories(article, categories),
  ...findSilentCorrection(article),
  ...findOddTimes(article, now),
  ...findForeignPictures(article),
]
