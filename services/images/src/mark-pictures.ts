/**
 * Marks which article has which picture, once for every article: those of builds that wrote no marks would otherwise look unused. What was rendered
 * since marks itself (`settle-picture.ts`).
 */

import { type ArticlePictures, getPictures } from '@newswire/objects/article-pictures'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { isWalked, type Walk, walkArticles } from './walk-articles.ts'

const WORK = 'marks of pictures, 1'
const place = { work: () => WORK, keyOf: keys.pictureMarks }

/** SHA-256 of every picture in it. */
export const sourcesOf = (pictures: ArticlePictures[keyof ArticlePictures]): readonly string[] =>
  pictures?.images.flatMap(({ state, sha256 }) => (state === 'ready' && sha256 !== undefined ? [sha256] : [])) ?? []

export const markUse = async (objects: Pick<Objects, 'put'>, sha256: string, articleId: string, nowMs: number): Promise<void> => {
  await objects.put(keys.pictureUse(sha256, articleId), Buffer.from(JSON.stringify({ at: new Date(nowMs).toISOString() })))
}

/** Does what is left of the partitions held. Safe to repeat. */
export const markPictures = (
  needs: Pick<Walk, 'objects' | 'partitions' | 'partitionOf' | 'pageSize'> & Readonly<{ now: () => number }>,
  signal: AbortSignal,
): Promise<void> =>
  walkArticles(
    {
      ...needs,
      ...place,
      doneAtFirst: null,
      visit: async articleId => {
        const found = await getPictures(needs.objects, articleId)
        const all = [found?.live, found?.held, found?.withdrawn].flatMap(one => sourcesOf(one ?? null))
        for (const sha256 of new Set(all)) await markUse(needs.objects, sha256, articleId, needs.now())
      },
    },
    signal,
  )

/** Every article of every partition has its marks. */
export const isMarked = async (objects: Objects, partitions: readonly number[]): Promise<boolean> => {
  for (const partition of partitions) if (!(await isWalked({ objects, ...place }, partition))) return false
  return true
}
