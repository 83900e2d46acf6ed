/**
 * Whether the files of a picture may be relied on, between those who take a picture into use and the one who removes what nobody uses
 * (`services/images/src/sweep.ts`). One document for a picture that was found unused; every step is a swap of it, so of two only one goes on:
 *
 *   (none) ──found unused──▶ unused ──still, days later──▶ removing ──all gone──▶ (none)
 *                              └──taken into use──▶ used ──days later──▶ (none)
 */
import { z } from 'zod'
import { getDocument, swapDocument } from './documents.ts'
import { keys } from './keys.ts'
import type { Objects } from './objects.ts'

export const pictureUse = z.object({
  n: z.int(),
  phase: z.enum(['used', 'unused', 'removing']),
  /** RFC 3339 UTC: since when it was found unused without a break, and when it was looked at last. */
  since: z.string(),
  lookedAt: z.string(),
  /** The article whose purge by law removes them; none while it is the sweep that does. */
  purgedWith: z.string().optional(),
})
export type PictureUse = z.output<typeof pictureUse>

/**
 * Nothing is deleted later than this after its note was swapped, ms; measured by a clock that nobody sets, and by the one that goes on while a machine
 * is suspended.
 */
export const REMOVE_WITHIN_MS = 60_000
/**
 * Who was removing the files and has not ended by now is gone: it takes a minute at most. Clocks may differ by the rest; one that differs by more,
 * also because it was put back, says nothing.
 */
const TAKE_OVER_MS = 600_000
export const isTakenOver = ({ lookedAt }: PictureUse, nowMs: number): boolean => Math.abs(nowMs - Date.parse(lookedAt)) > TAKE_OVER_MS

/**
 * Before a picture's files are relied on: after `true` they stay for as long as an unused picture does. `false`: they are being removed at this
 * very moment; asked again a little later they can be made again. Safe to repeat.
 */
export const takePicture = async (objects: Pick<Objects, 'get' | 'put'>, sha256: string, nowMs: number): Promise<boolean> => {
  const key = keys.pictureUnused(sha256)
  for (;;) {
    const found = await getDocument(objects, key, pictureUse)
    if (found === null || found.value.phase === 'used') return true
    if (found.value.phase === 'removing' && !isTakenOver(found.value, nowMs)) return false
    const { ok } = await swapDocument(objects, key, { ...found.value, n: found.value.n + 1, phase: 'used' }, found.etag)
    if (ok) return true
  }
}

/**
 * Before a purge by law removes files of a picture, whatever was found of it: from here on nobody takes it into use, and who did so before has left
 * his mark. Gives what ends that; without it it ends after ten minutes. `null`: the sweep is at it, asked again a little later it is done. The purge
 * of the same article goes on where it was killed.
 */
export const claimPicture = async (
  objects: Pick<Objects, 'get' | 'put'>,
  { sha256, articleId }: Readonly<{ sha256: string; articleId: string }>,
  nowMs: number,
): Promise<(() => Promise<void>) | null> => {
  const key = keys.pictureUnused(sha256)
  for (;;) {
    const found = await getDocument(objects, key, pictureUse)
    const isAnothers = found?.value.phase === 'removing' && found.value.purgedWith !== articleId && !isTakenOver(found.value, nowMs)
    if (isAnothers) return null
    const lookedAt = new Date(nowMs).toISOString()
    const { n, since } = found?.value ?? { n: 0, since: lookedAt }
    const put = await swapDocument(
      objects,
      key,
      { n: n + 1, phase: 'removing', since, lookedAt, purgedWith: articleId },
      found?.etag ?? null,
    )
    // Swapped and not deleted: who went on with this meanwhile keeps it.
    if (put.ok) return async () => void (await swapDocument(objects, key, { n: n + 2, phase: 'used', since, lookedAt }, put.etag))
  }
}
