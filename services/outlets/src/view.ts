/**
 * The current state of articles, read when something is sent. One read is shared by all outlets that want this version or an older one,
 * for at most a second: a newer version has its own intent on the way.
 */
import type { Fact } from '@newswire/events/fact'
import type { Objects } from '@newswire/objects/objects'
import { getReleased } from '@newswire/objects/released'

const SHARED_FOR_MS = 1_000
const MOST_KEPT = 500

/** The released state, read after now less a second; `null` when there is none. Throws what the store throws. */
export type ReadReleased = (articleId: string, want: number) => Promise<Fact | null>

type Shared = Readonly<{ sinceMs: number; read: Promise<Fact | null> }>

export const createView = (objects: Pick<Objects, 'get'>, now: () => number): ReadReleased => {
  const shared = new Map<string, Shared>()
  const begin = (articleId: string): Shared => {
    const read = getReleased(objects, articleId).then(released => released?.fact ?? null)
    const one: Shared = { sinceMs: now(), read }
    read.catch(() => shared.delete(articleId))
    shared.delete(articleId)
    shared.set(articleId, one)
    const oldest = shared.keys().next()
    if (shared.size > MOST_KEPT && !oldest.done) shared.delete(oldest.value)
    return one
  }
  return async (articleId, want) => {
    // Twice, because somebody else may have begun a newer read meanwhile.
    for (let look = 0; look < 2; look++) {
      const known = shared.get(articleId)
      if (known === undefined || now() - known.sinceMs >= SHARED_FOR_MS) break
      const fact = await known.read
      if (fact !== null && fact.version >= want) return fact
      if (shared.get(articleId) === known) shared.delete(articleId)
    }
    return begin(articleId).read
  }
}
