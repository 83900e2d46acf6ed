/**
 * Removes the files of pictures that no article uses any more. They answer 410 from the moment of the retraction; this gives back the room, when
 * nothing has wanted them for `pictures.keepUnusedDays`.
 *
 * Level-triggered: nothing tells it of an article's end. Once a day it looks at every picture, by the first byte of its hash, a 256th of the day
 * each, and asks the articles that were given it. What the look finds is noted; only a picture that was found unused on every day of its time is
 * removed. Whoever takes one into use swaps the same note (`takePicture`), so that between the two one wins:
 *
 * - A picture on its way to the desk is in no article yet. Its mark is younger than the days, and the days are more than `prepared` keeps.
 * - Killed between two deletions, the note says `removing`: the next look goes on. The lists of what was rendered go first, so that nobody relies on half.
 * - Frozen while at it: it stops when it took longer than a minute, and nobody goes on with its work before ten have passed.
 * - Articles that nobody marked (a restored store, another build): nothing is removed on the word of a walk through all articles (`mark-pictures.ts`)
 *   that may be older than the article.
 */
import { RejectError } from '@newswire/events/errors'
import { type ArticlePictures, getPictures } from '@newswire/objects/article-pictures'
import { getDocument, swapDocument } from '@newswire/objects/documents'
import { keys, parsePictureKey } from '@newswire/objects/keys'
import { listKeys, listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import { pictureUse, REMOVE_WITHIN_MS } from '@newswire/objects/picture-use'
import { isRebuilt, sourcesOf } from './mark-pictures.ts'
import { nextStep, type Use } from './unused.ts'

export type Removed = Readonly<{ sha256: string; files: number; unusedSince: string; original: boolean }>
type SweepNeeds = Readonly<{
  objects: Objects
  keepMs: () => number
  now: () => number
  /** After when the last walk through all articles began; `null`: nothing may be removed now (`mark-pictures.ts`). */
  walkedFromMs: () => Promise<number | null>
  /** Told of every picture whose files are gone. */
  onRemoved: (removed: Removed) => void
}>

type Mark = Readonly<{ articleId: string; atMs: number }>
type Found = { marks: Mark[]; hasOriginal: boolean }

/** What there is of pictures whose hash begins with `byte`. */
const picturesFrom = async (objects: Objects, byte: string): Promise<ReadonlyMap<string, Found>> => {
  const all = new Map<string, Found>()
  for (const prefix of keys.picturesFrom(byte))
    for await (const page of listPages(objects, prefix))
      for (const { key, lastModified } of page) {
        const parsed = parsePictureKey(key)
        if (parsed === null) continue
        const found = all.get(parsed.sha256) ?? { marks: [], hasOriginal: false }
        if (parsed.articleId !== null) found.marks.push({ articleId: parsed.articleId, atMs: lastModified.getTime() })
        else if (key === keys.original(parsed.sha256)) found.hasOriginal = true
        all.set(parsed.sha256, found)
      }
  return all
}

/** An article that cannot be read is taken to use all that it was given. */
const readPictures = async (objects: Objects, articleId: string): Promise<ArticlePictures | null | 'unreadable'> => {
  try {
    return await getPictures(objects, articleId)
  } catch (error) {
    if (error instanceof RejectError) return 'unreadable'
    throw error
  }
}

const findUse = async ({ objects, keepMs, now }: SweepNeeds, sha256: string, marks: readonly Mark[]): Promise<Use> => {
  if (marks.some(({ atMs }) => now() - atMs < keepMs())) return 'shown'
  let use: Use = 'none'
  for (const { articleId } of marks) {
    const pictures = await readPictures(objects, articleId)
    if (pictures === 'unreadable') return 'shown'
    if ([pictures?.live, pictures?.held].some(one => sourcesOf(one ?? null).includes(sha256))) return 'shown'
    if (sourcesOf(pictures?.withdrawn ?? null).includes(sha256)) use = 'kept'
  }
  return use
}

/** Renditions, their lists before them. */
const renditionsOf = async (objects: Objects, sha256: string): Promise<readonly string[]> => {
  const found = await listKeys(objects, keys.renditionPrefix(sha256))
  const isList = (key: string) => key.endsWith('.json')
  return [...found.filter(isList), ...found.filter(key => !isList(key))]
}

/** One look at a picture, and what follows from it. Safe to repeat, and beside another process that does the same. */
const look = async (needs: SweepNeeds, sha256: string, { marks, hasOriginal }: Found, walkedFromMs: number | null): Promise<void> => {
  const { objects, now, keepMs, onRemoved } = needs
  const key = keys.pictureUnused(sha256)
  // Before everything else: who takes the picture into use from here on makes the swap fail.
  const found = await getDocument(objects, key, pictureUse)
  const use = await findUse(needs, sha256, marks)
  const renditions = use === 'shown' ? [] : await renditionsOf(objects, sha256)
  const files =
    use === 'kept'
      ? renditions
      : [...renditions, ...(hasOriginal ? [keys.original(sha256)] : []), ...marks.map(one => keys.pictureUse(sha256, one.articleId))]
  const decidedMs = now()
  const step = nextStep(found?.value ?? null, { use, hasFiles: files.length > 0 }, { nowMs: decidedMs, keepMs: keepMs(), walkedFromMs })
  if (step.step === 'nothing') return
  if (step.step === 'forget') return objects.delete(key)
  const untilMs = performance.now() + REMOVE_WITHIN_MS
  const { ok } = await swapDocument(objects, key, step.next, found?.etag ?? null)
  if (!ok || step.step === 'note') return
  for (const file of [...files, key]) {
    if (performance.now() > untilMs || Math.abs(now() - decidedMs) > REMOVE_WITHIN_MS) return
    await objects.delete(file)
  }
  onRemoved({ sha256, files: files.length, unusedSince: step.next.since, original: use === 'none' })
}

/** Looks at every picture whose hash begins with `byte` (two digits), one after the other. Throws `UnavailableError` when the store is away. */
export const sweepByte = async (needs: SweepNeeds, byte: string, signal: AbortSignal): Promise<void> => {
  if (await isRebuilt(needs.objects)) return
  const walkedFromMs = await needs.walkedFromMs()
  for (const [sha256, found] of await picturesFrom(needs.objects, byte)) {
    if (signal.aborted) return
    await look(needs, sha256, found, walkedFromMs)
  }
}
