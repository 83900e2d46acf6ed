/** The format `newsml-g2`: IPTC's NewsML-G2 2.35, a news item. What is not sent whole has a link as its `altRep`. */
import { NEWSML_G2_TYPE, toCanceledNewsml, toNewsml } from '@newswire/events/newsml-g2'
import type { Format } from './document-format.ts'
import { retractionOf } from './parcel.ts'

export const newsmlFormat: Format = {
  contentType: NEWSML_G2_TYPE,
  extension: 'xml',
  toLive: (fact, { detail, link, urlOf, fileOf }, context) =>
    Buffer.from(toNewsml(fact, { ...context, detail, link, renditionHref: key => fileOf(key) ?? urlOf(key) })),
  toRetracted: (fact, context) => Buffer.from(toCanceledNewsml(fact, context, retractionOf(fact).reason)),
}
