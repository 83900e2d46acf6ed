/**
 * XML of strangers as a tree, by htmlparser2, of which this is the only importer. It reads a document type and expands nothing of it, so no entity can
 * grow or fetch anything; it takes what is not well-formed as far as it goes, because many feeds are not. Depth, elements and
 * namespaces are bounded here, bytes by whoever fetched it.
 */
import { feedNamespaces } from '@newswire/events/feed-namespaces'
import { escapeMarkup } from '@newswire/events/text'
import { Parser } from 'htmlparser2'

export type XmlNode = Readonly<{
  /** Without its prefix. */
  name: string
  /** `''` where it has none. */
  prefix: string
  /** Namespace; of a prefix that nobody declared, what everybody means by it. */
  uri: string
  /** By their names as written. */
  attributes: Readonly<Record<string, string>>
  children: readonly (XmlNode | string)[]
}>

class XmlError extends Error {
  override readonly name = 'XmlError'
}

const MAX_DEPTH = 100
/** A page of a hundred articles with all sizes of their pictures has a twentieth of it. */
const MAX_ELEMENTS = 200_000
/** In force, summed over the elements that declare any: each makes a scope of its own. Ten thousand entries of xhtml have a fifth. */
const MAX_NAMESPACES = 400_000

const KNOWN: ReadonlyMap<string, string> = new Map(Object.entries(feedNamespaces))

type Open = { name: string; prefix: string; uri: string; attributes: Record<string, string>; children: (XmlNode | string)[] }
type Scope = ReadonlyMap<string, string>

const declaredIn = (attributes: Readonly<Record<string, string>>, scope: Scope): Scope => {
  const declared = Object.entries(attributes).flatMap(([name, value]): [string, string][] => {
    if (name === 'xmlns') return [['', value]]
    return name.startsWith('xmlns:') ? [[name.slice('xmlns:'.length), value]] : []
  })
  return declared.length === 0 ? scope : new Map([...scope, ...declared])
}

const splitName = (full: string): readonly [string, string] => {
  const at = full.indexOf(':')
  return at < 0 ? ['', full] : [full.slice(0, at), full.slice(at + 1)]
}

/** The root element; `null` when there is none. Throws `XmlError` for more than anybody's feed has. */
export const parseXml = (text: string): XmlNode | null => {
  const root: Open = { name: '', prefix: '', uri: '', attributes: {}, children: [] }
  const open: { node: Open; scope: Scope }[] = [{ node: root, scope: new Map() }]
  let elements = 0
  let namespaces = 0
  const parser = new Parser(
    {
      onopentag: (full, attributes) => {
        elements += 1
        if (elements > MAX_ELEMENTS) throw new XmlError(`it has more than ${MAX_ELEMENTS} elements`)
        if (open.length > MAX_DEPTH) throw new XmlError(`its elements are nested more than ${MAX_DEPTH} deep`)
        const above = open.at(-1)
        const scope = declaredIn(attributes, above?.scope ?? new Map())
        if (scope !== above?.scope) namespaces += scope.size
        if (namespaces > MAX_NAMESPACES) throw new XmlError('it declares too many namespaces')
        const [prefix, name] = splitName(full)
        const uri = scope.get(prefix) ?? (prefix === '' ? '' : (KNOWN.get(prefix) ?? ''))
        const node: Open = { name, prefix, uri, attributes, children: [] }
        above?.node.children.push(node)
        open.push({ node, scope })
      },
      ontext: data => void open.at(-1)?.node.children.push(data),
      onclosetag: () => {
        if (open.length > 1) open.pop()
      },
    },
    { xmlMode: true },
  )
  parser.write(text)
  parser.end()
  return root.children.find(one => typeof one !== 'string') ?? null
}

export const childrenOf = ({ children }: XmlNode): readonly XmlNode[] => children.filter(one => typeof one !== 'string')

/** Of a namespace; `uri` `''` means elements without a prefix, whatever default they stand under. */
export const findAll = (node: XmlNode, name: string, uri = ''): readonly XmlNode[] =>
  childrenOf(node).filter(one => one.name === name && (uri === '' ? one.prefix === '' : one.uri === uri))

export const findFirst = (node: XmlNode, name: string, uri = ''): XmlNode | null => findAll(node, name, uri)[0] ?? null

/** All text below, in order. */
export const textOf = (node: XmlNode | null): string =>
  node === null ? '' : node.children.map(one => (typeof one === 'string' ? one : textOf(one))).join('')

/** The text of the first such element, without space around it. */
export const said = (node: XmlNode, name: string, uri = ''): string => textOf(findFirst(node, name, uri)).trim()

/** The inside of an element as HTML: what Atom calls `xhtml`. */
export const toHtml = ({ children }: XmlNode): string =>
  children
    .map(one => {
      if (typeof one === 'string') return escapeMarkup(one)
      const attributes = Object.entries(one.attributes)
        .filter(([name]) => !name.startsWith('xml'))
        .map(([name, value]) => ` ${name}="${escapeMarkup(value)}"`)
      const inside = toHtml(one)
      return inside === '' && /^(br|hr|img)$/.test(one.name)
        ? `<${one.name}${attributes.join('')} />`
        : `<${one.name}${attributes.join('')}>${inside}</${one.name}>`
    })
    .join('')
