/**
 * What an outlet may have of an article: every way of delivering asks here, whatever its format. Pictures are left out by their rights (the article
 * goes all the same), and `via` says that it went through us. Pure, and without a clock: rights are those at the version's release, so one version
 * is the same for every attempt; when a right ends, the desk releases a version of its own.
 */
import type { Picture } from './article.ts'
import type { LiveFact } from './fact.ts'
import { isInForce, withoutPictures } from './public-article.ts'

/** Why a picture stays behind. `right-ended`: at or before the version's release. */
type PictureLeftOut = Readonly<{ why: 'outlet-not-named' } | { why: 'right-ended'; endedAt: string }>

/** `null`: the outlet may have it. */
export const findPictureOffence = (picture: Picture, outletId: string, releasedAt: string): PictureLeftOut | null => {
  const { rights } = picture
  if (rights === undefined) return null
  if (!rights.outlets.includes('*') && !rights.outlets.includes(outletId)) return { why: 'outlet-not-named' }
  return isInForce(picture, releasedAt) ? null : { why: 'right-ended', endedAt: rights.until ?? '' }
}

/** Whether the version is the same for every outlet: no picture has rights of its own. What is made of it may then be shared. */
export const isSameForAllOutlets = (fact: LiveFact): boolean => fact.article.images.every(one => one.rights === undefined)

const toLeft = (fact: LiveFact, outletId: string): readonly Picture[] =>
  isSameForAllOutlets(fact) ? [] : fact.article.images.filter(one => findPictureOffence(one, outletId, fact.releasedAt) !== null)

/** The fact with ourselves (`siteId`) at the end of `via`: what leaves here says so, and whoever passes it back is known by it. */
export const toFactVia = (fact: LiveFact, siteId: string): LiveFact => {
  const { article } = fact
  return { ...fact, article: { ...article, via: [...(article.via ?? []).filter(one => one !== siteId), siteId] } }
}

/** The fact as this outlet may have it: without the pictures that it has no right to, and with ourselves in `via`. */
export const toFactForOutlet = (fact: LiveFact, { outletId, siteId }: Readonly<{ outletId: string; siteId: string }>): LiveFact => {
  const left = toLeft(fact, outletId)
  if (left.length === 0) return toFactVia(fact, siteId)
  return toFactVia({ ...fact, article: withoutPictures(fact.article, left) }, siteId)
}
