/** The body of contract §6: made from the version alone, so it is the same for every attempt. Pure. */
import type { SiteConfig } from '@newswire/events/config'
import type { Fact, LiveFact } from '@newswire/events/fact'
import type { NinjsContext } from '@newswire/events/ninjs'
import { toFactForOutlet } from '@newswire/events/outlet-article'
import { articleUrl, toPublicArticle } from '@newswire/events/public-article'
import { actionOf, type Parcel, retractionOf } from './parcel.ts'

/** What a document is made with beside the article itself. */
export type DocumentContext = NinjsContext

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

export const toBody = (
  { fact, due, outlet }: Pick<Parcel, 'fact' | 'due' | 'outlet'>,
  site: Pick<SiteConfig, 'id' | 'publicUrl'>,
): Uint8Array => {
  const type = `article.${actionOf(fact, due)}`
  if (fact.state !== 'live' || due === 'retraction') return envelope(type, fact, { article: head(fact), retraction: retractionOf(fact) })
  const whole = envelope(type, fact, {
    article: toPublicArticle(toFactForOutlet(fact, { outletId: outlet.id, siteId: site.id }), site.publicUrl),
  })
  // An editorial article has no public address: a link would lead nowhere.
  const canBeThin = fact.article.audience === 'public'
  return whole.byteLength <= MAX_BODY_BYTES || !canBeThin ? whole : envelope(type, fact, { article: toThin(fact, site.publicUrl) })
}
