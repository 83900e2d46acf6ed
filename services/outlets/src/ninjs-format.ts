/** The format `ninjs`: IPTC's News in JSON 3.1. What is not sent whole is `representationType: partial`, with a link. */
import { toCanceledNinjs, toNinjs } from '@newswire/events/ninjs'
import type { Format } from './document-format.ts'
import { retractionOf } from './parcel.ts'

const toBytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))

export const ninjsFormat: Format = {
  contentType: 'application/json',
  extension: 'json',
  toLive: (fact, { detail, link, urlOf, fileOf }, context) =>
    toBytes(toNinjs(fact, { ...context, detail, link, renditionHref: urlOf, renditionFile: fileOf })),
  toRetracted: (fact, context) => toBytes(toCanceledNinjs(fact, context, retractionOf(fact).reason)),
}
