/** Text on its way into XML 1.0, and the proof that what came out is well-formed. */
import { feedNamespaces } from '@newswire/events/feed-namespaces'
import { SaxesParser } from 'saxes'

/** What XML 1.0 §2.2 forbids, carriage returns and lone surrogates; whole pairs match too and only take the slow way. */
const SUSPECT = /[\u0000-\u0008\u000B-\u001F\uD800-\uDFFF\uFFFE\uFFFF]/
const FORBIDDEN = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g

/** Any string as one that XML can hold: LF line ends, well-formed, without forbidden characters. Text cleaned at ingest is returned as it is. */
export const clean = (value: string): string =>
  SUSPECT.test(value) ? value.toWellFormed().replace(/\r\n?/g, '\n').replace(FORBIDDEN, '') : value

/** Clean, and on one line. */
export const cleanOneLine = (value: string): string => clean(value).replace(/[\t\n]+/g, ' ')

/** For an element's text. */
export const escapeText = (value: string): string => value.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')

/** For an attribute in double quotes. Tabs and new lines would be normalised away (XML 1.0 §3.3.3), so they must be gone already. */
export const escapeAttribute = (value: string): string => escapeText(value).replace(/"/g, '&quot;')

/** For the inside of a CDATA section that holds HTML: the section's end is written as the entity that HTML reads the same way. */
export const escapeCdataHtml = (html: string): string => (html.includes(']]>') ? html.replaceAll(']]>', ']]&gt;') : html)

const namespaces = {
  ...feedNamespaces,
  mi: 'http://schemas.ingestion.microsoft.com/common/',
  snf: 'http://www.smartnews.be/snf',
  news: 'http://www.google.com/schemas/sitemap-news/0.9',
  image: 'http://www.google.com/schemas/sitemap-image/1.1',
} as const
export type Prefix = keyof typeof namespaces

/** As attributes of a root element, which is where partners want them. */
export const declare = (prefixes: readonly Prefix[]): string => prefixes.map(prefix => ` xmlns:${prefix}="${namespaces[prefix]}"`).join('')

const CDATA = '<![CDATA['

/**
 * Without what stands in sections that hold any character that XML allows (XML 1.0 §2.7): most of a fragment, which is looked through at once here and
 * one character after the other by a parser. What could begin a comment or an instruction may hide a section's beginning, so nothing is left out of it.
 */
const withoutContent = (xml: string): string => {
  let kept = ''
  let from = 0
  for (let at = xml.indexOf(CDATA); at !== -1; at = xml.indexOf(CDATA, from)) {
    const end = xml.indexOf(']]>', at)
    if (end === -1 || SUSPECT.test(xml.slice(at, end))) return xml
    kept += xml.slice(from, at + CDATA.length)
    from = end
  }
  kept += xml.slice(from)
  return kept.includes('<!--') || kept.includes('<?') ? xml : kept
}

/** A tag with plain values, text without brackets, one of XML's own entities, an emptied section: what nearly every fragment is made of alone. */
const PLAIN = /[^<&\]]+|&(?:amp|lt|gt|quot|apos);|<\/?[\w:.-]+(?: [\w:.-]+="[^"<&]*")*\/?>|<!\[CDATA\[\]\]>/y
/** Text may hold `="` too, so no value reaches beyond a bracket. */
const VALUES = /="[^"<]*"/g
const TEXTS = />[^<]+/g
/** Shapes that the parser found well-formed, each with the prefixes it was read with. Feeds have some dozens, and more where articles have many pictures or tags. */
const sound = new Set<string>()
const MAX_SOUND = 1_000
const MAX_SHAPE_LENGTH = 8_192

/** One piece after the other: a pattern of all of them would try every way to cut a stranger's text. */
const isPlain = (xml: string): boolean => {
  for (PLAIN.lastIndex = 0; PLAIN.lastIndex < xml.length; ) if (!PLAIN.test(xml)) return false
  return true
}

/**
 * What is left of a plain fragment without text and values, which decide nothing: fragments of one shape are all well-formed or none is. `null` for one
 * that must be read itself: it is not plain, or declares a prefix, where the value counts.
 */
const shapeOf = (kept: string): string | null => {
  if (SUSPECT.test(kept) || !isPlain(kept)) return null
  const shape = kept.replace(VALUES, '=""').replace(TEXTS, '>')
  return shape.length > MAX_SHAPE_LENGTH || shape.includes('xmlns') ? null : shape
}

/** What is wrong with a document, or with a fragment below a root that declares the prefixes given; `null` when it is well-formed. */
export const findXmlFault = (xml: string, place: 'document' | readonly Prefix[]): string | null => {
  if (place === 'document') return parse(xml, place)
  const kept = withoutContent(xml)
  const shape = shapeOf(kept)
  if (shape === null) return parse(kept, place)
  const name = `${place.join(' ')} ${shape}`
  if (sound.has(name)) return null
  const fault = parse(kept, place)
  if (sound.size >= MAX_SOUND) sound.clear()
  if (fault === null) sound.add(name)
  return fault
}

const parse = (xml: string, place: 'document' | readonly Prefix[]): string | null => {
  const parser =
    place === 'document'
      ? new SaxesParser({ xmlns: true, position: false })
      : new SaxesParser({ xmlns: true, position: false, fragment: true, additionalNamespaces: declaredBy(place) })
  let fault: string | null = null
  parser.on('error', error => {
    fault ??= error.message
  })
  parser.write(xml).close()
  return fault
}

const declaredBy = (prefixes: readonly Prefix[]): Record<string, string> =>
  Object.fromEntries(prefixes.map(prefix => [prefix, namespaces[prefix]]))
