/** What a CMS's hook sends and an import brings is dated by its publication: a date that is ahead says when that is to be, and holds it until then. Pure. */
import type { ArticleInput } from '@newswire/events/article'
import type { Warning } from '@newswire/events/warnings'

/** What was published just now by a clock that is ahead of ours is no plan; ms. */
const SKEW_MS = 60_000

/** `now` in ms. */
export const isAhead = (publishedAt: string, now: number): boolean => Date.parse(publishedAt) > now + SKEW_MS

export const toHeldByDate = (publishedAt: string): Warning => ({
  pointer: '/publishedAt',
  detail: `${publishedAt} is ahead, so it is held until then as under an embargo`,
})

/** With the date as its embargo, unless it says a later one itself. `now` in ms. */
export const holdUntilDate = (input: ArticleInput, now: number): Readonly<{ input: ArticleInput; warnings: readonly Warning[] }> => {
  const { publishedAt, embargoUntil } = input
  if (publishedAt === undefined || !isAhead(publishedAt, now)) return { input, warnings: [] }
  if (embargoUntil !== undefined && Date.parse(embargoUntil) >= Date.parse(publishedAt)) return { input, warnings: [] }
  return { input: { ...input, embargoUntil: publishedAt }, warnings: [toHeldByDate(publishedAt)] }
}
