/** What an outlet is given of a version, written down in its format. One version has one document for one outlet as it is configured. Pure. */
import type { Rendition } from '@newswire/events/article'
import type { DocumentFormat } from '@newswire/events/deliver'
import { type NinjsContext, toCanceledNinjs, toNinjs } from '@newswire/events/ninjs'
import { toFactForOutlet } from '@newswire/events/outlet-article'
import { toBody } from './body.ts'
import { type Parcel, retractionOf } from './parcel.ts'

/** What documents are made with beside the article itself. */
export type DocumentContext = Omit<NinjsContext, 'renditionHref'>
type Sent = Pick<Parcel, 'fact' | 'due' | 'outlet'>

export type Document = Readonly<{ bytes: Uint8Array; contentType: string; extension: string }>
/** The file, beside the document, that has a rendition; `null`: none, so the document names the gateway's. */
export type FileOf = (rendition: Pick<Rendition, 'key'>) => string | null

const toNinjsDocument = ({ fact, due, outlet }: Sent, context: DocumentContext, fileOf: FileOf): Document => {
  const { site } = context
  const renditionHref = (key: string) => fileOf({ key }) ?? `${site.publicUrl}/${key}`
  const ninjs =
    fact.state === 'live' && due === 'content'
      ? toNinjs(toFactForOutlet(fact, { outletId: outlet.id, siteId: site.id }), { ...context, renditionHref })
      : toCanceledNinjs(fact, context, retractionOf(fact).reason)
  return { bytes: Buffer.from(JSON.stringify(ninjs)), contentType: 'application/json', extension: 'json' }
}

const toNewswireDocument = (sent: Sent, context: DocumentContext, fileOf: FileOf): Document => ({
  bytes: toBody(sent, context.site, fileOf),
  contentType: 'application/json',
  extension: 'json',
})

const formats = {
  newswire: toNewswireDocument,
  ninjs: toNinjsDocument,
} satisfies Record<DocumentFormat, (sent: Sent, context: DocumentContext, fileOf: FileOf) => Document>

const noFiles: FileOf = () => null

export const toDocument = (sent: Sent, format: DocumentFormat, context: DocumentContext, fileOf: FileOf = noFiles): Document =>
  formats[format](sent, context, fileOf)
