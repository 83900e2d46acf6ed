/**
 * The current state of articles, for when something is sent. One read is shared by all outlets that want this version or an older one,
 * for at most a second: a newer version has its own intent on the way. A fact that passes by is as good as a read of when it was released, because
 * the desk writes state first.
 */
import type { Fact } from '@newswire/events/fact'
import type { Objects } from '@newswire/objects/objects'
import { getReleased } from '@newswire/objects/released'

const SHARED_FOR_MS = 1_000
const MOST_KEPT = 500
/** By so much the desk's clock may be ahead of ours. */
const CLOCKS_DIFFER_MS = 10

/** The released state, read after now less a second; `null` when there is none. At once where it is at hand. Throws what the store throws. */
export type ReadReleased = (articleId: string, want: number) => Promise<Fact | null> | Fact | null

export type View = Readonly<{
  read: ReadReleased
  /**
   * A fact from `articles`. One that was released longer ago than a read is shared is passed over, one that is dated ahead of the clock too (nobody
   * can tell how old it is), and so is one that is older than what is known.
   */
  offer(fact: Fact): void
  /** How many articles are held in memory. */
  held(): number
}>

/** `fact`: what was read, once it is there. */
type Shared = { readonly sinceMs: number; readonly version: number; readonly read: Promise<Fact | null>; fact: Fact | null }

export const createView = (objects: Pick<Objects, 'get'>, now: () => number): View => {
  const shared = new Map<string, Shared>()
  const isFresh = ({ sinceMs }: Pick<Shared, 'sinceMs'>) => now() - sinceMs < SHARED_FOR_MS
  const keep = (articleId: string, one: Shared) => {
    shared.delete(articleId)
    shared.set(articleId, one)
    for (const [oldestId, oldest] of shared) {
      if (isFresh(oldest) && shared.size <= MOST_KEPT) break
      shared.delete(oldestId)
    }
  }
  const begin = (articleId: string): Shared => {
    const read = getReleased(objects, articleId).then(released => released?.fact ?? null)
    const one: Shared = { sinceMs: now(), version: 0, read, fact: null }
    read.then(
      fact => {
        one.fact = fact
      },
      () => shared.delete(articleId),
    )
    keep(articleId, one)
    return one
  }
  const readNow = async (articleId: string, want: number): Promise<Fact | null> => {
    // Twice, because somebody else may have begun a newer read meanwhile.
    for (let look = 0; look < 2; look++) {
      const known = shared.get(articleId)
      if (known === undefined || !isFresh(known)) break
      const fact = await known.read
      if (fact !== null && fact.version >= want) return fact
      if (shared.get(articleId) === known) shared.delete(articleId)
    }
    return begin(articleId).read
  }
  return {
    read: (articleId, want) => {
      const known = shared.get(articleId)
      const atHand = known !== undefined && known.fact !== null && known.fact.version >= want && isFresh(known)
      return atHand ? known.fact : readNow(articleId, want)
    },
    offer: fact => {
      const { articleId, version } = fact
      const releasedMs = Date.parse(fact.releasedAt)
      if (releasedMs > now() + CLOCKS_DIFFER_MS) return
      const sinceMs = Math.min(now(), releasedMs)
      const known = shared.get(articleId)
      // What is being read may be newer, and is told from this one only when it is there.
      if (!isFresh({ sinceMs }) || (known !== undefined && isFresh(known) && (known.version === 0 || known.version >= version))) return
      keep(articleId, { sinceMs, version, read: Promise.resolve(fact), fact })
    },
    held: () => shared.size,
  }
}
