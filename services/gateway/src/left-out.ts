/**
 * What lists leave out although the view still has it: while the log does not tell, what the store no longer has for all. Nothing that is new comes in so,
 * but what was taken back meanwhile is not shown.
 */
import type { StoreArticles } from './store-articles.ts'

export type LeftOut = Readonly<{
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
  stored: Pick<StoreArticles, 'takenBack'>
}>

export const createFindLeftOut =
  ({ isTold, stored }: Needs): FindLeftOut =>
  async articleIds => {
    if (isTold()) return NOTHING
    const taken = await stored.takenBack(articleIds())
    return { has: id => taken.has(id), key: [...taken].sort().join() }
  }
