/** The words that a stranger's XMP packet says. Never throws: what cannot be read says nothing. Pure. */
import { dataMiningCodes } from '@newswire/events/data-mining'
import { cleanLine } from '@newswire/events/text'
import { SaxesParser } from 'saxes'
import type { FileWords } from './words.ts'
import { DATA_MINING_BASE, namespaces, SOURCE_TYPE_BASE } from './xmp.ts'

/** Real packets are some kilobytes, and padding; editing histories make them larger, after what is wanted here. */
const MAX_BYTES = 131_072
const MAX_WORDS = 2_000
/** Real packets are ten deep. The parser looks for a name's space in every element above it: 40 000 deep would take it twenty seconds. */
const MAX_DEPTH = 64

type Field = keyof FileWords
const FIELDS: Readonly<Record<string, Field>> = {
  [`${namespaces.dc} description`]: 'caption',
  [`${namespaces.dc} rights`]: 'copyright',
  [`${namespaces.dc} creator`]: 'creator',
  [`${namespaces.photoshop} Credit`]: 'credit',
  [`${namespaces.xmpRights} UsageTerms`]: 'usageTerms',
  [`${namespaces.xmpRights} WebStatement`]: 'webStatement',
  [`${namespaces.Iptc4xmpExt} DigitalSourceType`]: 'digitalSourceType',
  [`${namespaces.plus} DataMining`]: 'dataMining',
  [`${namespaces.plus} LicensorURL`]: 'licensorUrl',
}

const codes: readonly string[] = dataMiningCodes
const termOf = (value: string, base: string): string => (value.startsWith(base) ? value.slice(base.length) : '')
const CLEAN: Partial<Record<Field, (value: string) => string>> = {
  digitalSourceType: value => (/^[a-z][A-Za-z]{2,63}$/.test(termOf(value, SOURCE_TYPE_BASE)) ? termOf(value, SOURCE_TYPE_BASE) : ''),
  dataMining: value => (codes.includes(termOf(value, DATA_MINING_BASE)) ? termOf(value, DATA_MINING_BASE) : ''),
  webStatement: value => (/^https?:\/\//.test(value) ? value : ''),
  licensorUrl: value => (/^https?:\/\//.test(value) ? value : ''),
}

export const readXmp = (packet: Uint8Array): Partial<FileWords> => {
  const found: Partial<Record<Field, string>> = {}
  /** The first that is said counts: of alternatives in several languages, the default comes first. */
  const say = (field: Field, value: string) => {
    const words = cleanLine(value).slice(0, MAX_WORDS).toWellFormed()
    const kept = CLEAN[field]?.(words) ?? words
    if (kept !== '' && found[field] === undefined) found[field] = kept
  }
  const parser = new SaxesParser({ xmlns: true, additionalNamespaces: {} })
  const open: (Field | undefined)[] = []
  let words = ''
  parser.on('opentag', ({ uri, local, attributes }) => {
    if (open.length >= MAX_DEPTH) throw new Error('deeper than any packet')
    open.push(FIELDS[`${uri} ${local}`] ?? open.at(-1))
    words = ''
    for (const attribute of Object.values(attributes)) {
      const field = FIELDS[`${attribute.uri} ${attribute.local}`]
      if (field !== undefined) say(field, attribute.value)
    }
  })
  parser.on('text', text => {
    words += text
  })
  parser.on('closetag', () => {
    const field = open.pop()
    if (field !== undefined) say(field, words)
    words = ''
  })
  // What was read before the fault stands.
  parser.on('error', error => {
    throw error
  })
  try {
    const text = new TextDecoder('utf-8').decode(packet.subarray(0, MAX_BYTES))
    parser.write(text.slice(Math.max(0, text.indexOf('<')))).close()
  } catch {
    // A packet cut short, or no XML at all: it says no more.
  }
  return found
}
