/**
 * Marks which article has which picture. What is rendered is marked as it is (`settle-picture.ts`); but articles also come by other ways: from builds
 * that wrote no marks, from a restored store, by `newswire rebuild all`. So once a week all articles are gone through, and those marks that are
 * missing are written: without them their pictures would look unused.
 */

import { UnavailableError } from '@newswire/events/errors'
import { type ArticlePictures, getPictures } from '@newswire/objects/article-pictures'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { markFound } from '@newswire/objects/picture-mark'
import { type Walk, walkArticles, workDone } from './walk-articles.ts'

const WORK = 'marks of pictures, week '
const WEEK_MS = 7 * 86_400_000
/** Nobody waits for it, and a start has more urgent things to do: a tenth of the time, and never longer between two pages than this, ms. */
const MAX_REST_MS = 500
const restMs = (tookMs: number): number => Math.min(MAX_REST_MS, 9 * tookMs)

/** SHA-256 of every picture in it. */
export const sourcesOf = (pictures: ArticlePictures[keyof ArticlePictures]): readonly string[] =>
  pictures?.images.flatMap(({ state, sha256 }) => (state === 'ready' && sha256 !== undefined ? [sha256] : [])) ?? []

type MarkNeeds = Pick<Walk, 'objects' | 'partitions' | 'partitionOf' | 'pageSize'> &
  Readonly<{
    now: () => number
    /** Told of an article whose pictures nobody can read: it is left out, and nothing is removed until a walk could read all. */
    onSkipped: (articleId: string, error: unknown) => void
  }>

/** A mark that is there keeps its age: it says when the picture was given, and a new one would keep it for days more, every week. */
const markArticle = async ({ objects, now }: MarkNeeds, articleId: string): Promise<void> => {
  const found = await getPictures(objects, articleId)
  const all = [found?.live, found?.held, found?.withdrawn].flatMap(one => sourcesOf(one ?? null))
  for (const sha256 of new Set(all)) await markFound(objects, { sha256, articleId }, now())
}

/** While `current/` is made again from the archive, nothing can be said of who has what. */
export const isRebuilt = async (objects: Pick<Objects, 'head'>): Promise<boolean> => (await objects.head(keys.rebuildMark())) !== null

/** Does what is left of this week's walk through the partitions held. Safe to repeat. */
export const markPictures = async (needs: MarkNeeds, signal: AbortSignal): Promise<void> => {
  if (await isRebuilt(needs.objects)) return
  await walkArticles(
    {
      ...needs,
      work: () => WORK + Math.floor(needs.now() / WEEK_MS),
      keyOf: keys.pictureMarks,
      doneAtFirst: null,
      restMs,
      isHalted: () => isRebuilt(needs.objects),
      visit: async articleId => {
        try {
          await markArticle(needs, articleId)
          return 'done'
        } catch (error) {
          if (error instanceof UnavailableError) throw error
          needs.onSkipped(articleId, error)
          return 'skipped'
        }
      },
    },
    signal,
  )
}

/**
 * A time (ms since 1970) after which the last walk through all articles began, or the earliest of those of the partitions. `null` while one of them is
 * gone through, or when an article was left out: then nobody can say what is not used.
 */
export const walkedFromMs = async (objects: Objects, partitions: readonly number[]): Promise<number | null> => {
  let fromMs = Number.POSITIVE_INFINITY
  for (const partition of partitions) {
    const done = await workDone({ objects, keyOf: keys.pictureMarks }, partition)
    if (done === null || !done.startsWith(WORK)) return null
    fromMs = Math.min(fromMs, Number(done.slice(WORK.length)) * WEEK_MS)
  }
  return Number.isFinite(fromMs) ? fromMs : null
}
