/**
 * A place in the list of what is published: between two articles, whatever comes or goes after. An article's first release never moves, so a
 * page that begins there shows the same articles tomorrow, minus what was taken back.
 */
import { isArticleId } from '@newswire/events/ids'

export type Cursor = Readonly<{ at: string; articleId: string }>

/** Equal instants as equal strings, in the order of time: a topic may hold them in any form of RFC 3339. */
export const toInstant = (at: string): string => new Date(at).toISOString()

export const cursorOf = ({ firstReleasedAt, articleId }: Readonly<{ firstReleasedAt: string; articleId: string }>): Cursor => ({
  at: toInstant(firstReleasedAt),
  articleId,
})

/** As it stands in an address: the article's first release and its id. */
const toCursorText = ({ at, articleId }: Cursor): string => `${at},${articleId}`

/** `null` for what no page of ours links to. */
const parseCursor = (text: string): Cursor | null => {
  const comma = text.indexOf(',')
  const [at, articleId] = [text.slice(0, comma), text.slice(comma + 1)]
  if (comma < 0 || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(at) || Number.isNaN(Date.parse(at)) || !isArticleId(articleId))
    return null
  return { at, articleId }
}

/** Which part of the list an address asks for. */
export type ListPlace = Readonly<{ category: string | null; before: Cursor | null; after: Cursor | null }>

/** `null` when a part cannot be read, is given twice, or both directions are asked for at once. */
export const parseListPlace = (query: Readonly<Record<string, unknown>>): ListPlace | null => {
  const { category, before, after } = query
  for (const value of [category, before, after]) if (value !== undefined && typeof value !== 'string') return null
  if (before !== undefined && after !== undefined) return null
  const [older, newer] = [before, after].map(text => (text === undefined ? null : parseCursor(text as string)))
  if ((before !== undefined && older === null) || (after !== undefined && newer === null)) return null
  return { category: (category as string | undefined) ?? null, before: older ?? null, after: newer ?? null }
}

/** The path and query of a place in the list. */
export const toListPath = ({ category, before, after }: ListPlace): string => {
  const parts = [
    category === null ? '' : `category=${encodeURIComponent(category)}`,
    before === null ? '' : `before=${toCursorText(before)}`,
    after === null ? '' : `after=${toCursorText(after)}`,
  ].filter(part => part !== '')
  return parts.length === 0 ? '/' : `/?${parts.join('&')}`
}
