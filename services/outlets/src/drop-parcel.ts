/** A parcel as files: which, under which names, with what in them. */
import type { Picture, Rendition } from '@newswire/events/article'
import type { DocumentConfig } from '@newswire/events/deliver'
import { sha256Hex } from '@newswire/events/ids'
import { toFactForOutlet } from '@newswire/events/outlet-article'
import { pickRendition } from '@newswire/events/public-article'
import type { Objects } from '@newswire/objects/objects'
import { toDocument } from './document.ts'
import type { DocumentContext } from './document-format.ts'
import { type Drop, type DropPicture, fileOf } from './drop.ts'
import { actionOf, type Parcel, retractionOf } from './parcel.ts'

export type DropSettings = DocumentConfig &
  Readonly<{
    /** Before `<article id>/`. */
    prefix: string
    pictures: 'largest' | 'all' | 'none'
  }>

type Needs = Readonly<{ objects: Pick<Objects, 'get'>; context: DocumentContext }>

/** Wider than any preset. */
const WIDEST = Number.MAX_SAFE_INTEGER

const chosen = (picture: Picture, which: DropSettings['pictures']): readonly Rendition[] => {
  if (which === 'none' || picture.state !== 'ready') return []
  const largest = pickRendition(picture, WIDEST)
  return which === 'all' ? picture.renditions : largest === null ? [] : [largest]
}

/** `renditions/<sha256>/<name>` → `pictures/<sha256>-<name>`: as immutable as the object. */
const toFile = (key: string): string => `pictures/${key.replace(/^renditions\//, '').replaceAll('/', '-')}`

const toPictures = ({ fact, due, outlet }: Parcel, which: DropSettings['pictures'], { objects, context }: Needs): DropPicture[] => {
  if (fact.state !== 'live' || due === 'retraction') return []
  const { article } = toFactForOutlet(fact, { outletId: outlet.id, siteId: context.site.id })
  const renditions = new Map(article.images.flatMap(picture => chosen(picture, which)).map(one => [one.key, one]))
  return [...renditions.values()].map(({ key, type, width, height, bytes }) => ({
    file: toFile(key),
    contentType: type,
    width,
    height,
    bytes,
    load: async () => (await objects.get(key))?.bytes ?? null,
  }))
}

export const toDrop = (parcel: Parcel, { prefix, format, payload, maxBytes, pictures: which }: DropSettings, needs: Needs): Drop => {
  const { fact, due } = parcel
  const pictures = toPictures(parcel, payload === 'thin' ? 'none' : which, needs)
  const files = new Set(pictures.map(one => one.file))
  const fileIn = (key: string) => (files.has(toFile(key)) ? toFile(key) : null)
  const { bytes, contentType, extension } = toDocument(parcel, needs.context, { format, payload, maxBytes, fileOf: fileIn })
  const action = actionOf(fact, due)
  const { mode, reason } = retractionOf(fact)
  return {
    folder: `${prefix}${fact.articleId}/`,
    latest: {
      type: `article.${action}`,
      id: fact.articleId,
      version: fact.version,
      timestamp: fact.releasedAt,
      file: fileOf(fact.version, extension),
      contentType,
      sha256: sha256Hex(bytes),
      bytes: bytes.byteLength,
      ...(action === 'retracted' ? { retraction: { mode, reason } } : {}),
    },
    document: { bytes, contentType },
    pictures,
    everyVersion: parcel.outlet.versions === 'all',
  }
}
