/** The XMP packet of a rendition: what a reader of the file may know. Position, serial numbers and maker notes are never copied. */
import { escapeMarkup } from '@newswire/events/text'
import type { FileWords } from './words.ts'

export const namespaces = {
  dc: 'http://purl.org/dc/elements/1.1/',
  photoshop: 'http://ns.adobe.com/photoshop/1.0/',
  xmpRights: 'http://ns.adobe.com/xap/1.0/rights/',
  Iptc4xmpExt: 'http://iptc.org/std/Iptc4xmpExt/2008-02-29/',
  plus: 'http://ns.useplus.org/ldf/xmp/1.0/',
} as const
/** Terms and codes are the last part of these addresses. */
export const SOURCE_TYPE_BASE = 'http://cv.iptc.org/newscodes/digitalsourcetype/'
export const DATA_MINING_BASE = 'http://ns.useplus.org/ldf/vocab/'

const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#'

const element = (name: string, content: string): string => `<${name}>${content}</${name}>`
const text = (name: string, value: string): string => (value === '' ? '' : element(name, escapeMarkup(value)))
const alternatives = (name: string, value: string): string =>
  value === '' ? '' : element(name, element('rdf:Alt', `<rdf:li xml:lang="x-default">${escapeMarkup(value)}</rdf:li>`))
const listed = (name: string, value: string): string =>
  value === '' ? '' : element(name, element('rdf:Seq', element('rdf:li', escapeMarkup(value))))

/** XMP Specification part 1 §7; properties as IPTC Photo Metadata 2023.1 and PLUS LDF 2.0.1 name them. */
export const toXmp = (words: FileWords): string => {
  const licensor =
    words.licensorUrl === ''
      ? ''
      : `<plus:Licensor><rdf:Seq><rdf:li rdf:parseType="Resource">${text('plus:LicensorURL', words.licensorUrl)}</rdf:li></rdf:Seq></plus:Licensor>`
  const properties = [
    alternatives('dc:description', words.caption),
    alternatives('dc:rights', words.copyright),
    listed('dc:creator', words.creator),
    text('photoshop:Credit', words.credit),
    words.copyright === '' ? '' : text('xmpRights:Marked', 'True'),
    alternatives('xmpRights:UsageTerms', words.usageTerms),
    text('xmpRights:WebStatement', words.webStatement),
    words.digitalSourceType === '' ? '' : text('Iptc4xmpExt:DigitalSourceType', `${SOURCE_TYPE_BASE}${words.digitalSourceType}`),
    words.dataMining === '' ? '' : text('plus:DataMining', `${DATA_MINING_BASE}${words.dataMining}`),
    licensor,
  ].join('')
  const declared = Object.entries(namespaces)
    .map(([prefix, uri]) => ` xmlns:${prefix}="${uri}"`)
    .join('')
  return `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="${RDF}"><rdf:Description rdf:about=""${declared}>${properties}</rdf:Description></rdf:RDF></x:xmpmeta>`
}
