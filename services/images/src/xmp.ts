/** The XMP packet of a rendition: what a reader of the file may know. Position, serial numbers and maker notes are never copied. */
import { escapeMarkup } from '@newswire/events/text'
import type { Words } from './presets.ts'

/** XMP Specification part 1 §7.3; `dc:description` and `photoshop:Credit` as IPTC Photo Metadata names them. */
export const toXmp = ({ caption, credit }: Words): string => {
  const description =
    caption === ''
      ? ''
      : `<dc:description><rdf:Alt><rdf:li xml:lang="x-default">${escapeMarkup(caption)}</rdf:li></rdf:Alt></dc:description>`
  const credited = credit === '' ? '' : `<photoshop:Credit>${escapeMarkup(credit)}</photoshop:Credit>`
  return `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/">${description}${credited}</rdf:Description></rdf:RDF></x:xmpmeta>`
}
