/**
 * Pictures of an article that is not out now and is about to be: what was rendered of them may have been removed since (`sweep.ts`), or have been
 * made by another table of presets. They are made again from their originals, which stay as long as a republish can bring the article back.
 *
 * Nobody else's server is asked, so this may be waited for; when it takes too long all the same, the article goes first.
 */
import type { Picture } from '@newswire/events/article'
import { follow, type NewswireEvent } from '@newswire/events/events'
import { deriveId } from '@newswire/events/ids'
import { withOutcome } from '@newswire/events/picture-outcome'
import type { Submission } from '@newswire/events/submission'
import { getPictures, type KeptPictures } from '@newswire/objects/article-pictures'
import type { Objects } from '@newswire/objects/objects'
import type { Logger } from '@newswire/runtime/logger'
import type { Cause } from './announce.ts'
import { isSameFiles } from './rerender.ts'
import type { Settle } from './settle-picture.ts'

/**
 * For pictures of these addresses, or all. Gives what the desk must know before it decides: where pictures that it keeps are now. Nothing when they
 * are where they were. Safe to repeat.
 */
export type BringBack = (
  submission: Pick<Submission, 'submissionId' | 'articleId' | 'receivedAt'>,
  cause: Cause,
  urls: readonly string[] | 'all',
) => Promise<readonly NewswireEvent<'pictures.arrived'>[]>

type Needs = Readonly<{
  objects: Objects
  settle: Settle
  logger: Pick<Logger, 'warn'>
  /** How long at most, ms (default 20 000). */
  withinMs?: number
}>

const WITHIN_MS = 20_000
/** The files may be on their way out at this very moment. */
const TRY_AGAIN_MS = 500

const pause = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms))

export const createBringBack = ({ objects, settle, logger, withinMs = WITHIN_MS }: Needs): BringBack => {
  /** The picture with its renditions; `null` when they cannot be had in time. */
  const restore = async (picture: Picture, articleId: string, { rights }: KeptPictures, signal: AbortSignal): Promise<Picture | null> => {
    while (!signal.aborted) {
      const settled = await settle({ ...picture, url: `newswire:${picture.sha256}` }, { articleId, lane: 'live', rights }, signal)
      if (settled.outcome === 'settled') return settled.picture.state === 'ready' ? withOutcome(picture, settled.picture) : null
      await pause(TRY_AGAIN_MS)
    }
    return null
  }
  return async ({ submissionId, articleId, receivedAt }, cause, urls) => {
    if (urls.length === 0) return []
    const isWanted = ({ url, state, sha256 }: Picture) =>
      state === 'ready' && sha256 !== undefined && (urls === 'all' || urls.includes(url))
    const found = await getPictures(objects, articleId)
    const signal = AbortSignal.timeout(withinMs)
    const events: NewswireEvent<'pictures.arrived'>[] = []
    for (const kept of [found?.held, found?.withdrawn]) {
      if (!kept) continue
      const wanted = kept.images.filter(isWanted)
      const restored = await Promise.all(wanted.map(one => restore(one, articleId, kept, signal)))
      if (restored.includes(null)) logger.warn({ articleId, pictures: restored.filter(one => one === null).length }, 'picture.not-restored')
      const moved = restored.filter((one, index) => one !== null && !isSameFiles(one, wanted[index] ?? one)).filter(one => one !== null)
      if (moved.length === 0) continue
      events.push(
        follow(cause, {
          type: 'pictures.arrived',
          id: deriveId('restored', submissionId, kept.submissionId, ...moved.flatMap(one => one.renditions.map(({ key }) => key))),
          source: '/services/images',
          subject: articleId,
          time: receivedAt,
          data: { articleId, submissionId: kept.submissionId, pictures: moved },
        }),
      )
    }
    return events
  }
}
