/** Pictures that came late, or not this time: what the publisher says of a picture always stays, only what became of it is taken over. Pure. */
import type { Article, Picture } from '@newswire/events/article'
import type { LiveFact } from '@newswire/events/fact'
import { withOutcome } from '@newswire/events/picture-outcome'

/** Pictures that could not be had this time are those of the same address that were there before. */
export const withPicturesOf = (ref: Readonly<{ article: Article }> | null, article: Article): Article => {
  const ready = new Map(ref?.article.images.filter(one => one.state === 'ready').map(one => [one.url, one]))
  if (ready.size === 0 || article.images.every(one => one.state === 'ready')) return article
  return { ...article, images: article.images.map(one => (one.state === 'ready' ? one : withPicture(one, ready.get(one.url)))) }
}

const withPicture = (picture: Picture, other: Picture | undefined): Picture => (other === undefined ? picture : withOutcome(picture, other))

/** The article with the late pictures in place of those that were not ready; the same article when none fits. */
export const withLatePictures = (article: Article, pictures: readonly Picture[]): Article => {
  const images = article.images.map(one => {
    const late = lateFor(one, pictures)
    return late !== undefined && isNews(one, late) ? withOutcome(one, late) : one
  })
  return images.some((one, index) => one !== article.images[index]) ? { ...article, images } : article
}

/** One address may stand twice in an article with other words, and those are written into the renditions. */
const lateFor = (picture: Picture, pictures: readonly Picture[]): Picture | undefined => {
  const ofAddress = pictures.filter(one => one.url === picture.url)
  return ofAddress.find(one => one.caption === picture.caption && one.credit === picture.credit) ?? ofAddress.at(-1)
}

const keysOf = ({ renditions }: Picture): string => renditions.map(one => one.key).join()
/** It was not there before; or it is the same picture, made again by another table of presets. */
const isNews = (picture: Picture, late: Picture): boolean =>
  picture.state === 'ready'
    ? late.state === 'ready' && late.sha256 === picture.sha256 && keysOf(late) !== keysOf(picture)
    : late.state !== picture.state

/** Whether readers are shown the same files. */
export const isShownAlike = (a: Article, b: Article): boolean => {
  const shown = ({ images }: Article) => images.map(one => (one.state === 'ready' ? `ready ${keysOf(one)}` : '')).join('\n')
  return shown(a) === shown(b)
}

/**
 * When rights end that were in force at the version's release, ms since 1970: of pictures that are shown somewhere. A version released at or
 * after such an instant leaves them out (`isInForce`), so it is never named twice.
 */
export const rightEnds = ({ article, releasedAt }: LiveFact): readonly number[] =>
  article.images
    .filter(one => one.state === 'ready' && one.rights?.until !== undefined)
    .map(({ rights }) => Date.parse(rights?.until ?? ''))
    .filter(endMs => endMs > Date.parse(releasedAt))
