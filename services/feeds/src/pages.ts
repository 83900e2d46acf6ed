/**
 * Which pages a feed has and how far they reach. Pure.
 *
 * A page holds a hundred slots of one UTC day (`feed-page.ts` of the events package). The chain of pages begins with the first article and
 * reaches a little into what the feed itself still shows, so that nothing is in neither while a page waits to be written:
 *
 *   newest ◀─────────── the feed shows `limit` items ───────────▶│
 *          │◀── not on a page ──▶│◀──────── on pages ─────────────────▶ oldest
 *                                ▲ the lead: `limit - stride` slots are newer
 *
 * The last page of the chain, its head, is written again each time the lead passes a multiple of the stride in it, and not for each article.
 * The head grows under one name, and who has read an archive document does not read it again (RFC 5005 §4), so links to it say how many
 * slots it has (`?n=50`): one more stride is another document. A page that another follows is whole and is linked by its name alone.
 * Slots only grow in number while the rule stands, so the reach never goes back, and state alone decides it.
 */
import { type FeedPage, PAGE_SLOTS, toPageName } from '@newswire/events/feed-page'

/** How far the chain reaches: its last page, and how many slots of it are in. */
export type Reach = Readonly<{ page: FeedPage; slots: number }>

const MAX_STRIDE = 50

/** Slots between two writings of the head: half of what the feed shows may come before a page that waits is missed. */
export const strideOf = (limit: number): number => Math.max(1, Math.min(MAX_STRIDE, Math.floor(limit / 2)))

/** How many slots are newer than the lead. */
export const leadOffset = (limit: number): number => limit - strideOf(limit)

/** `lead`: its day, how many slots of that day are not newer than it, and how many slots the day has. `null`: all is in the feed itself. */
export const reachOf = (lead: Readonly<{ day: string; rank: number; slots: number }> | null, limit: number): Reach | null => {
  if (lead === null) return null
  const stride = strideOf(limit)
  const part = Math.ceil(lead.rank / PAGE_SLOTS)
  const before = (part - 1) * PAGE_SLOTS
  const inPage = Math.min(PAGE_SLOTS, lead.slots - before)
  return { page: { day: lead.day, part }, slots: Math.min(inPage, Math.ceil((lead.rank - before) / stride) * stride) }
}

const compare = (a: FeedPage, b: FeedPage): number => (a.day === b.day ? a.part - b.part : a.day < b.day ? -1 : 1)

/** Whether a page is in a chain that reaches so far. */
export const isWithin = (page: FeedPage, reach: Reach | null): boolean => reach !== null && compare(page, reach.page) <= 0

export const isSamePage = (a: FeedPage | null, b: FeedPage | null): boolean => a === b || (a !== null && b !== null && compare(a, b) === 0)
export const isSameReach = (a: Reach | null, b: Reach | null): boolean =>
  a === b || (a !== null && b !== null && a.slots === b.slots && isSamePage(a.page, b.page))

/** A page as others link to it: the head with its number of slots, all others by name. Without the ending of a format. */
export const toPageLink = (page: FeedPage, reach: Reach | null): Readonly<{ name: string; query: string }> => ({
  name: toPageName(page),
  query: reach !== null && isSamePage(page, reach.page) ? `?n=${reach.slots}` : '',
})
