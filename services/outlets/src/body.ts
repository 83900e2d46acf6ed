/** The body of contract §6: made from the version alone, so it is the same for every attempt. Pure. */
import type { SiteConfig } from '@newswire/events/config'
import type { Fact, LiveFact } from '@newswire/events/fact'
import { toFactForOutlet } from '@newswire/events/outlet-article'
import { articleUrl, type PublicArticle, toPublicArticle } from '@newswire/events/public-article'
import type { FileOf } from './document.ts'
import { actionOf, type Parcel, retractionOf } from './parcel.ts'

/** A longer body becomes thin: a link in place of the content, where the outlet can open it. Bytes. */
export const MAX_BODY_BYTES = 256 * 1024
const encoder = new TextEncoder()

const head = (fact: Fact) => ({
  id: fact.articleId,
  version: fact.version,
  ...(fact.sourceVersion === undefined ? {} : { sourceVersion: fact.sourceVersion }),
  ...(fact.supersedes === undefined ? {} : { supersedes: fact.supersedes }),
})

const envelope = (type: string, fact: Fact, data: unknown) => encoder.encode(JSON.stringify({ type, timestamp: fact.releasedAt, data }))

const toThin = (fact: LiveFact, publicUrl: string) => ({
  ...head(fact),
  title: fact.article.title,
  thin: true,
  url: `${articleUrl(publicUrl, fact.articleId)}/article.json`,
})

/** Names the files that lie beside the document. */
const withFiles = (article: PublicArticle, publicUrl: string, fileOf: FileOf) => ({
  ...article,
  images: article.images.map(image => ({
    ...image,
    renditions: image.renditions.map(one => {
      const file = fileOf({ key: one.url.slice(publicUrl.length + 1) })
      return file === null ? one : { ...one, file }
    }),
  })),
})

export const toBody = (
  { fact, due, outlet }: Pick<Parcel, 'fact' | 'due' | 'outlet'>,
  { id: siteId, publicUrl }: Pick<SiteConfig, 'id' | 'publicUrl'>,
  fileOf?: FileOf,
): Uint8Array => {
  const type = `article.${actionOf(fact, due)}`
  if (fact.state !== 'live' || due === 'retraction') return envelope(type, fact, { article: head(fact), retraction: retractionOf(fact) })
  const article = toPublicArticle(toFactForOutlet(fact, { outletId: outlet.id, siteId }), publicUrl)
  const whole = envelope(type, fact, { article: fileOf === undefined ? article : withFiles(article, publicUrl, fileOf) })
  // An editorial article has no public address: a link would lead nowhere.
  const canBeThin = fact.article.audience === 'public'
  return whole.byteLength <= MAX_BODY_BYTES || !canBeThin ? whole : envelope(type, fact, { article: toThin(fact, publicUrl) })
}
