/**
 * What lists leave out although the view still has it: while the log does not tell, or what it tells cannot be written, what the store no longer has for all. What it cannot be asked for goes on
 * as it last was; where the view has not reached the log since the start nobody knows how old that is, and it is left out too.
 */
import type { StoreArticles } from './store-articles.ts'
import type { View } from './view.ts'

type LeftOut = Readonly<{
  has(articleId: string): boolean
  /** Equal as long as the same is left out: part of the key under which a page is kept. */
  key: string
}>

/** Of the articles that a page would show, which are looked up only when it matters. */
export type FindLeftOut = (articleIds: () => readonly string[]) => Promise<LeftOut>

const NOTHING: LeftOut = { has: () => false, key: '' }

type Needs = Readonly<{
  /** Whether the view is what counts. */
  isTold: () => boolean
  stored: Pick<StoreArticles, 'askFor'>
  view: Pick<View, 'isRead'>
}>

export const createFindLeftOut =
  ({ isTold, stored, view }: Needs): FindLeftOut =>
  async articleIds => {
    if (isTold()) return NOTHING
    const { takenBack, unread } = await stored.askFor(articleIds())
    const out = view.isRead() ? takenBack : new Set([...takenBack, ...unread])
    return { has: id => out.has(id), key: [...out].sort().join() }
  }
