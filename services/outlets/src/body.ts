/** The format `newswire`: the body of contract §6. Made from the version alone, so it is the same for every attempt. Pure. */
import type { Fact } from '@newswire/events/fact'
import { type PublicRendition, toPublicArticle } from '@newswire/events/public-article'
import type { Format } from './document-format.ts'
import { retractionOf } from './parcel.ts'

const encoder = new TextEncoder()

const head = (fact: Fact) => ({
  id: fact.articleId,
  version: fact.version,
  ...(fact.sourceVersion === undefined ? {} : { sourceVersion: fact.sourceVersion }),
  ...(fact.supersedes === undefined ? {} : { supersedes: fact.supersedes }),
})

const envelope = (action: string, fact: Fact, data: unknown) =>
  encoder.encode(JSON.stringify({ type: `article.${action}`, timestamp: fact.releasedAt, data }))

export const newswireFormat: Format = {
  contentType: 'application/json',
  extension: 'json',
  toLive: (fact, { detail, link, urlOf, fileOf }, { site }) => {
    const url = link === null ? {} : { url: link }
    if (detail === 'thin') return envelope(fact.action, fact, { article: { ...head(fact), thin: true, ...url } })
    const files = new Map<string, string>()
    const addressOf = (key: string) => {
      const [address, file] = [urlOf(key), fileOf(key)]
      if (file !== null) files.set(address, file)
      return address
    }
    const { images, body, ...rest } = toPublicArticle(fact, site.publicUrl, addressOf)
    /** Names the file that lies beside the document. */
    const withFile = (one: PublicRendition) => {
      const file = files.get(one.url)
      return file === undefined ? one : { ...one, file }
    }
    const shown = files.size === 0 ? images : images.map(one => ({ ...one, renditions: one.renditions.map(withFile) }))
    const text = detail === 'full' ? { body } : { digest: true, ...url }
    return envelope(fact.action, fact, { article: { ...rest, ...text, images: shown } })
  },
  toRetracted: fact => envelope('retracted', fact, { article: head(fact), retraction: retractionOf(fact) }),
}
