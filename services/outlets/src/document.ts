/** What an outlet is given of a version, written down in its format. One version has one document for one outlet as it is configured. Pure. */
import type { OutletConfig } from '@newswire/events/config'
import type { DocumentConfig, DocumentFormat } from '@newswire/events/deliver'
import type { LiveFact } from '@newswire/events/fact'
import { toFactForOutlet } from '@newswire/events/outlet-article'
import { partnerArticleUrl, partnerRenditionUrl } from '@newswire/events/partner-address'
import { articleUrl, renditionUrl } from '@newswire/events/public-article'
import { newswireFormat } from './body.ts'
import type { Document, DocumentContext, Format, View } from './document-format.ts'
import { newsmlFormat } from './newsml-format.ts'
import { ninjsFormat } from './ninjs-format.ts'
import type { Parcel } from './parcel.ts'

const formats = { newswire: newswireFormat, ninjs: ninjsFormat, 'newsml-g2': newsmlFormat } satisfies Record<DocumentFormat, Format>

const hasToken = ({ tokens = [] }: Pick<OutletConfig, 'tokens'>): boolean => tokens.length > 0

/** An editorial article has no public address, so an outlet without a token has no way to it. */
const linkOf = ({ outlet, fact }: Sent, live: LiveFact, publicUrl: string): string | null => {
  if (hasToken(outlet)) return partnerArticleUrl(publicUrl, outlet.id, fact.articleId)
  return live.article.audience === 'public' ? `${articleUrl(publicUrl, fact.articleId)}/article.json` : null
}

/** Renditions of pictures that are not for everybody. */
const closedKeys = ({ article }: LiveFact): ReadonlySet<string> =>
  new Set(
    article.images
      .filter(({ rights }) => article.audience !== 'public' || !(rights?.outlets.includes('*') ?? true))
      .flatMap(one => one.renditions.map(({ key }) => key)),
  )

type Sent = Pick<Parcel, 'fact' | 'due' | 'outlet'>
type Options = Readonly<{
  format: DocumentFormat
  payload: DocumentConfig['payload']
  maxBytes?: number | undefined
  fileOf?: View['fileOf']
}>

const noFile = () => null

/**
 * A document longer than `maxBytes` becomes thin: a link in place of the content, where the outlet can open one. Without a link the outlet gets the
 * whole article, whatever it asks for.
 */
export const toDocument = (
  sent: Sent,
  context: DocumentContext,
  { format: name, payload, maxBytes, fileOf = noFile }: Options,
): Document => {
  const format = formats[name]
  const { contentType, extension } = format
  const { fact, due, outlet } = sent
  const { id: siteId, publicUrl } = context.site
  if (fact.state !== 'live' || due === 'retraction') return { bytes: format.toRetracted(fact, context), contentType, extension }
  const live = toFactForOutlet(fact, { outletId: outlet.id, siteId })
  const link = linkOf(sent, live, publicUrl)
  const closed = hasToken(outlet) ? closedKeys(live) : new Set()
  const urlOf = (key: string) =>
    closed.has(key) ? partnerRenditionUrl(publicUrl, { outletId: outlet.id, articleId: fact.articleId, key }) : renditionUrl(publicUrl, key)
  const make = (detail: View['detail']) => format.toLive(live, { detail, link, urlOf, fileOf }, context)
  const bytes = make(link === null ? 'full' : payload)
  const isTooLong = maxBytes !== undefined && bytes.byteLength > maxBytes && link !== null
  return { bytes: isTooLong ? make('thin') : bytes, contentType, extension }
}
