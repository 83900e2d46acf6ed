/**
 * Pictures of an article that is not out now and is about to be: what was rendered of them may have been removed since (`sweep.ts`), or have been
 * made by another table of presets. They are made again from their originals, which stay as long as a republish can bring the article back.
 *
 * Nobody else's server is asked, so this may be waited for; when it takes too long all the same, the article goes first, and what is left becomes
 * an object (`parked.ts`) that is worked on until the files are there.
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
import { isSameFiles, type Parked } from './parked.ts'
import type { Settle, Settled } from './settle-picture.ts'

type BroughtBack = Readonly<{
  /** What the desk must know before it decides: where pictures that it keeps are now. Nothing when they are where they were. */
  restored: readonly NewswireEvent<'pictures.arrived'>[]
  /** To be parked before the article goes out: pictures whose files are not there yet, one for each content. */
  late: readonly Parked[]
}>

/** For pictures of these addresses, or all. Safe to repeat. */
export type BringBack = (
  submission: Pick<Submission, 'submissionId' | 'articleId' | 'publisher' | 'receivedAt' | 'lane'>,
  cause: Cause,
  urls: readonly string[] | 'all',
) => Promise<BroughtBack>

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

/** Makes a picture that was settled before from what is kept of it, whatever became of its address. */
export const fromOriginal =
  (settle: Settle): Settle =>
  async (picture, settleFor, signal) => {
    const settled = await settle({ ...picture, url: `newswire:${picture.sha256}` }, settleFor, signal)
    return settled.outcome === 'settled' ? { outcome: 'settled', picture: withOutcome(picture, settled.picture) } : settled
  }

/** Another id than the submission's own, which may be parked for pictures of its own. */
const toLate = (
  submission: Parameters<BringBack>[0],
  cause: Cause,
  { submissionId, rights }: KeptPictures,
  pictures: Picture[],
): Parked => ({
  n: 1,
  phase: 'late',
  submission: {
    command: 'republish',
    submissionId: deriveId('restoring', submission.submissionId, submissionId),
    articleId: submission.articleId,
    publisher: submission.publisher,
    receivedAt: submission.receivedAt,
    lane: submission.lane,
  },
  position: 0,
  cause: { id: cause.id, correlationid: cause.correlationid, traceparent: cause.traceparent },
  pictures,
  missing: [...new Set(pictures.map(one => one.url))],
  arriving: [],
  parkedAt: submission.receivedAt,
  attempts: 0,
  restoring: { submissionId, rights },
})

const toArrived = (
  { submissionId, articleId, receivedAt }: Parameters<BringBack>[0],
  cause: Cause,
  kept: KeptPictures,
  moved: Picture[],
): NewswireEvent<'pictures.arrived'> =>
  follow(cause, {
    type: 'pictures.arrived',
    id: deriveId('restored', submissionId, kept.submissionId, ...moved.flatMap(one => one.renditions.map(({ key }) => key))),
    source: '/services/images',
    subject: articleId,
    time: receivedAt,
    data: { articleId, submissionId: kept.submissionId, pictures: moved },
  })

export const createBringBack = ({ objects, settle, logger, withinMs = WITHIN_MS }: Needs): BringBack => {
  /** What became of the picture; `null` when that is not known in time. Not all that `settle` does heeds its signal, so nobody waits for it either. */
  const restore = async (picture: Picture, articleId: string, { rights }: KeptPictures, signal: AbortSignal): Promise<Picture | null> => {
    const over = new Promise<null>(resolve => signal.addEventListener('abort', () => resolve(null), { once: true }))
    while (!signal.aborted) {
      const settled: Settled | null = await Promise.race([fromOriginal(settle)(picture, { articleId, lane: 'live', rights }, signal), over])
      if (settled?.outcome === 'settled') return settled.picture
      await Promise.race([pause(TRY_AGAIN_MS), over])
    }
    return null
  }
  return async (submission, cause, urls) => {
    const restored: NewswireEvent<'pictures.arrived'>[] = []
    const late: Parked[] = []
    if (urls.length === 0) return { restored, late }
    const { articleId } = submission
    const isWanted = ({ url, state, sha256 }: Picture) =>
      state === 'ready' && sha256 !== undefined && (urls === 'all' || urls.includes(url))
    const found = await getPictures(objects, articleId)
    const over = new AbortController()
    const timer = setTimeout(() => over.abort(), withinMs)
    try {
      for (const kept of [found?.held, found?.withdrawn]) {
        if (!kept) continue
        const wanted = kept.images.filter(isWanted)
        const now = await Promise.all(wanted.map(one => restore(one, articleId, kept, over.signal)))
        const left = wanted.filter((_, index) => now[index] === null)
        const missing = now.filter(one => one === null || one.state !== 'ready').length
        if (missing > 0) logger.warn({ articleId, pictures: missing, late: left.length }, 'picture.not-restored')
        if (left.length > 0) late.push(toLate(submission, cause, kept, left))
        const moved = now
          .filter((one, index) => one?.state === 'ready' && !isSameFiles(one, wanted[index] ?? one))
          .filter(one => one !== null)
        if (moved.length > 0) restored.push(toArrived(submission, cause, kept, moved))
      }
    } finally {
      clearTimeout(timer)
    }
    return { restored, late }
  }
}
