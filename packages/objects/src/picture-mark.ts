/**
 * The mark of a picture that an article was given (`images/uses/…`): its age says when the picture was given last, and it names what was made of it
 * for the article, shown or not. Written before the files are looked for, so that whoever removes some finds it (`picture-use.ts`).
 */
import { z } from 'zod'
import { swapDocument } from './documents.ts'
import { keys } from './keys.ts'
import type { Objects } from './objects.ts'

const mark = z.object({
  n: z.int().default(0),
  at: z.string().default(''),
  /** Recipes of the sets that were made for the article: `renditions/<sha256>/set-<recipe>.json`. Marks of before this was written have none. */
  sets: z.array(z.string().regex(/^[a-z0-9]{1,64}$/)).default([]),
})
type PictureMark = z.output<typeof mark>
type Given = Readonly<{ sha256: string; articleId: string }>

/**
 * Who was given a picture has written all that he makes of it by so long after his mark, ms: one who decoded for long writes the mark anew before the
 * files. Clocks may differ by what is left of it.
 */
const MAKING_MS = 600_000

/** One that cannot be read says as little as an old one: that the picture was given. */
const parseMark = (bytes: Uint8Array): PictureMark => {
  try {
    return mark.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
  } catch {
    return mark.parse({})
  }
}

/** Keys of the sets that were made of the picture for the article; none when it was not given it. */
export const setsMadeFor = async (objects: Pick<Objects, 'get'>, { sha256, articleId }: Given): Promise<readonly string[]> => {
  const found = await objects.get(keys.pictureUse(sha256, articleId))
  return found === null ? [] : parseMark(found.bytes).sets.map(recipe => keys.rendition(sha256, 'set', recipe, 'json'))
}

/** Whether somebody who wrote the mark before `nowMs` may still be making files. One without a time is of an older build, and old. */
export const mayBeMaking = async (objects: Pick<Objects, 'get'>, { sha256, articleId }: Given, nowMs: number): Promise<boolean> => {
  const found = await objects.get(keys.pictureUse(sha256, articleId))
  return found !== null && Date.parse(parseMark(found.bytes).at) > nowMs - MAKING_MS
}

/** One request for a picture that the article was not given before. `recipe`: of the set that is about to be made or found. Safe to repeat. */
export const markGiven = async (
  objects: Pick<Objects, 'get' | 'put'>,
  { sha256, articleId }: Given,
  recipe: string,
  nowMs: number,
): Promise<void> => {
  const key = keys.pictureUse(sha256, articleId)
  const at = new Date(nowMs).toISOString()
  if ((await swapDocument(objects, key, { n: 1, at, sets: [recipe] }, null)).ok) return
  for (;;) {
    const found = await objects.get(key)
    const { n, sets } = found === null ? mark.parse({}) : parseMark(found.bytes)
    const next = { n: n + 1, at, sets: [...new Set([...sets, recipe])] }
    if ((await swapDocument(objects, key, next, found?.etag ?? null)).ok) return
  }
}

/** Writes a mark that is missing; one that is there keeps its age and what it names. */
export const markFound = async (objects: Pick<Objects, 'put'>, { sha256, articleId }: Given, nowMs: number): Promise<void> =>
  void (await swapDocument(objects, keys.pictureUse(sha256, articleId), { n: 1, at: new Date(nowMs).toISOString() }, null))
