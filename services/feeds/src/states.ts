/**
 * The released state of articles, read once for all feeds that want it.
 *
 * A state may be used again when its version is at or above the one that is asked for: versions only rise, and whoever made a newer one
 * also sends the intent that asks for it. That is why facts which pass by on `articles` count as read: the desk writes state first.
 */
import { RejectError } from '@newswire/events/errors'
import { type Fact, toPublicFact } from '@newswire/events/fact'
import type { Objects } from '@newswire/objects/objects'
import { createRecent } from '@newswire/objects/recent'
import { getReleased } from '@newswire/objects/released'
import { createShared } from '@newswire/runtime/shared'
import { sideBySide } from '@newswire/runtime/side-by-side'

const MIB = 1_048_576
const READS_AT_ONCE = 32

export type States = Readonly<{
  /** A fact that passed by, kept as the public is told of it. An older one than what is known is passed over. */
  offer(fact: Fact): void
  /**
   * The states of many articles, each at `version` or newer if the store has it; `null` when nothing is released. An article whose state
   * cannot be read for what is in it comes back as the error; throws when the store is away.
   */
  getAll(wanted: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, Fact | null | RejectError>>
}>

/** Two bytes a character is what V8 takes for text beyond Latin-1; the rest of a fact is small beside it. */
const sizeOf = (fact: Fact): number =>
  2000 + (fact.state === 'live' ? 2 * (fact.article.body.html.length + fact.article.summary.length) : 0)

export const createStates = ({ objects, maxBytes = 8 * MIB }: { objects: Pick<Objects, 'get'>; maxBytes?: number }): States => {
  const known = createRecent<Fact>({ maxBytes, sizeOf })
  const shared = createShared<Fact | null>()

  const offer = (fact: Fact): void => {
    if (fact.version >= (known.get(fact.articleId)?.version ?? 0)) known.set(fact.articleId, toPublicFact(fact))
  }

  const read = async (articleId: string): Promise<Fact | null> => {
    const fact = (await getReleased(objects, articleId))?.fact ?? null
    if (fact !== null && fact.articleId !== articleId)
      throw new RejectError('NEWSWIRE_FEEDS_STATE', `the state kept for ${articleId} is that of ${fact.articleId}; look at who wrote it`)
    if (fact === null) return null
    offer(fact)
    return toPublicFact(fact)
  }

  const getOne = async (articleId: string, version: number): Promise<Fact | null | RejectError> => {
    const fact = known.get(articleId)
    if (fact !== undefined && fact.version >= version) return fact
    const share = () => shared(articleId, () => read(articleId))
    try {
      const first = await share()
      // A shared read may have begun before this version was written.
      return first !== null && first.version >= version ? first : await share()
    } catch (error) {
      if (error instanceof RejectError) return error
      throw error
    }
  }

  return {
    offer,
    getAll: async wanted =>
      new Map(await sideBySide([...wanted], READS_AT_ONCE, async ([id, version]) => [id, await getOne(id, version)] as const)),
  }
}
