/** Our own elements in a feed of Newswire (`nw:`, `dcterms:valid`), for a feed that comes back whole. */
import { feedNamespaces as NS } from '@newswire/events/feed-namespaces'
import { type OwnWords, type parseTag, toInstant } from './feed-document.ts'
import { findAll, said, textOf, type XmlNode } from './xml.ts'

/** DCMI Period: `start=…; end=…`. */
const endOf = (period: string): string | null => toInstant(/(?:^|;)\s*end=([^;]+)/.exec(period)?.[1] ?? '')

/** `null` for an item of anybody else's. */
export const ownWordsOf = (item: XmlNode, tag: ReturnType<typeof parseTag>): OwnWords | null => {
  if (tag === null || said(item, 'version', NS.nw) === '') return null
  const ours = (name: string) => said(item, name, NS.nw)
  return {
    ...tag,
    publisher: said(item, 'publisher', NS.dc),
    type: ours('type'),
    urgency: ours('urgency'),
    dateline: ours('dateline'),
    correction: ours('correction'),
    usageTerms: ours('usageTerms'),
    aiUse: ours('aiUse'),
    story: ours('story'),
    translationOf: ours('translationOf'),
    duplicateOf: ours('duplicateOf'),
    related: findAll(item, 'related', NS.nw).map(one => textOf(one).trim()),
    expiresAt: endOf(said(item, 'valid', NS.dcterms)),
  }
}
