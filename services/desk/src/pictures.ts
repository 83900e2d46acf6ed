/** Pictures that came late, or not this time: what the publisher says of a picture always stays, only what became of it is taken over. Pure. */
import type { Article, Picture } from '@newswire/events/article'
import type { LiveFact } from '@newswire/events/fact'
import { withOutcome } from '@newswire/events/picture-outcome'
import type { Held } from './state.ts'

/** Pictures that could not be had this time are those of the same address that were there before. */
export const withPicturesOf = (ref: Held | null, article: Article): Article => {
  const ready = new Map(ref?.article.images.filter(one => one.state === 'ready').map(one => [one.url, one]))
  if (ready.size === 0 || article.images.every(one => one.state === 'ready')) return article
  return { ...article, images: article.images.map(one => (one.state === 'ready' ? one : withPicture(one, ready.get(one.url)))) }
}

const withPicture = (picture: Picture, other: Picture | undefined): Picture => (other === undefined ? picture : withOutcome(picture, other))

/** The article with the late pictures in place of those that were not ready; the same article when none fits. */
export const withLatePictures = (article: Article, pictures: readonly Picture[]): Article => {
  const late = new Map(pictures.map(one => [one.url, one]))
  const isChanged = (one: Picture) => one.state !== 'ready' && late.has(one.url) && late.get(one.url)?.state !== one.state
  if (!article.images.some(isChanged)) return article
  return { ...article, images: article.images.map(one => (isChanged(one) ? withPicture(one, late.get(one.url)) : one)) }
}

export const countReady = (article: Article): number => article.images.filter(one => one.state === 'ready').length

/**
 * When rights end that were in force at the version's release, ms since 1970: of pictures that are shown somewhere. A version released at or
 * after such an instant leaves them out (`isInForce`), so it is never named twice.
 */
export const rightEnds = ({ article, releasedAt }: LiveFact): readonly number[] =>
  article.images
    .filter(one => one.state === 'ready' && one.rights?.until !== undefined)
    .map(({ rights }) => Date.parse(rights?.until ?? ''))
    .filter(endMs => endMs > Date.parse(releasedAt))
