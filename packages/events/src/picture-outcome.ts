/** What the publisher says of a picture, and what became of it: who takes one over keeps the other. Pure. */
import type { Picture } from './article.ts'

export type PictureOutcome = Pick<Picture, 'state' | 'renditions'> & Partial<Pick<Picture, 'sha256' | 'preview' | 'code' | 'reason'>>

/** What the publisher says of `picture`, with what became of `other`, and nothing of what had become of it before. */
export const withOutcome = (picture: Picture, { state, renditions, sha256, preview, code, reason }: PictureOutcome): Picture => {
  const { sha256: _, preview: __, code: ___, reason: ____, ...said } = picture
  return {
    ...said,
    state,
    renditions,
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(preview === undefined ? {} : { preview }),
    ...(code === undefined ? {} : { code }),
    ...(reason === undefined ? {} : { reason }),
  }
}
