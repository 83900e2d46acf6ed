/**
 * The body of an article as HTML: what is let in, and the proof that nothing else is in it.
 * sanitize-html does the cleaning; `isCleanHtml` reads the result again with another parser (parse5), because a cleaner that is
 * fooled once must not be believed about itself.
 */
import { type DefaultTreeAdapterMap, parseFragment } from 'parse5'
import sanitizeHtml from 'sanitize-html'
import { findCleanedExcess, findMarkupExcess, MAX_TREE_DEPTH } from './markup-excess.ts'
import { cleanText, escapeAttribute, escapeMarkup, unescapeAttribute } from './text.ts'

const ATTRIBUTES: Record<string, readonly string[]> = {
  a: ['href', 'title', 'rel'],
  abbr: ['title'],
  blockquote: ['cite'],
  img: ['src', 'alt', 'width', 'height'],
  ol: ['start'],
  td: ['colspan', 'rowspan'],
  th: ['colspan', 'rowspan', 'scope'],
  time: ['datetime'],
}
const TAGS =
  'p br hr h2 h3 h4 h5 h6 ul ol li dl dt dd blockquote q cite pre code em strong b i u s sub sup small mark abbr time a img figure figcaption table caption thead tbody tfoot tr th td'.split(
    ' ',
  )
const ALLOWED = new Set(TAGS)
const SCHEMES = ['http', 'https', 'mailto']
/** Attributes that hold a URL, wherever they are allowed. */
const URL_ATTRIBUTES = new Set(['href', 'src', 'cite'])

/** Browsers drop spaces, tabs and line breaks inside a scheme, so they are dropped before it is looked at (WHATWG URL §4.4). */
const isSafeUrl = (value: string): boolean => {
  const bare = value.replace(/[\u0000-\u0020]+/g, '')
  if (bare.startsWith('//') || bare.startsWith('\\')) return false
  const scheme = /^([^/?#:]*):/.exec(bare)?.[1]
  return scheme === undefined || SCHEMES.includes(scheme.toLowerCase())
}

const OPTIONS: sanitizeHtml.IOptions = {
  allowedTags: TAGS,
  allowedAttributes: Object.fromEntries(Object.entries(ATTRIBUTES).map(([tag, names]) => [tag, [...names]])),
  allowedSchemes: SCHEMES,
  allowProtocolRelative: false,
  // An address that is not let in leaves a picture that no reader can show.
  exclusiveFilter: ({ tag, attribs }) => tag === 'img' && !attribs['src'],
  transformTags: {
    h1: 'h2',
    // Contentful and WordPress plugins write pictures so, and every reader that has no page around it would have none.
    img: (tagName, attribs) => ({
      tagName,
      attribs: { ...attribs, ...(attribs['src']?.startsWith('//') ? { src: `https:${attribs['src']}` } : {}) },
    }),
    a: (tagName, attribs) => ({
      tagName,
      attribs: attribs.href && isSafeUrl(attribs.href) ? { ...attribs, rel: 'noopener nofollow' } : {},
    }),
  },
}

/** What a picture left behind that is not let in; no text of clean HTML has a `<`. */
const EMPTY_FIGURE = /<figure>\s*(?:<a(?: [^<>]*)?>\s*<\/a>\s*)?<\/figure>\s*/g
const withoutEmptyFigures = (html: string): string => {
  const less = html.replace(EMPTY_FIGURE, '')
  return less.length === html.length ? html : withoutEmptyFigures(less)
}

/** HTML with only the allowed elements and attributes, NFC. Costs the square of the depth: `findMarkupExcess` first. */
export const cleanHtml = (html: string): string => withoutEmptyFigures(sanitizeHtml(cleanText(html), OPTIONS)).trim()

/** Elements of clean HTML that have addresses: they stand between double quotes, in which there is no `<` and no `>`. */
const WITH_ADDRESS = /<(?:a|img|q|blockquote) [^<>]*>/g
/** Read one after the other: the end of a title may look like the beginning of an address (`title="x href="`). */
const EACH_ATTRIBUTE = / ([a-z]+)="([^"]*)"/g
/** Whole addresses, and places in the same text. */
const IS_WHOLE = /^(?:#|$|[a-z][a-z0-9+.-]*:)/i
const HAS_RELATIVE = / (?:href|src|cite)="(?!https?:|mailto:|#|")/

/**
 * Clean HTML whose relative addresses are whole: whoever reads it elsewhere has no other. Without a `base`, and where an address cannot be one, pictures and
 * the addresses of links are left out. `left`: those addresses, in order.
 */
export const completeAddresses = (html: string, base: string | undefined): Readonly<{ html: string; left: readonly string[] }> => {
  if (!HAS_RELATIVE.test(html)) return { html, left: [] }
  const left: string[] = []
  const complete = (tag: string): string => {
    let isPictureLost = false
    const completed = tag.replace(EACH_ATTRIBUTE, (attribute: string, name: string, escaped: string) => {
      const address = unescapeAttribute(escaped)
      if (!URL_ATTRIBUTES.has(name) || IS_WHOLE.test(address)) return attribute
      const resolved = URL.parse(address, base)
      if (resolved !== null && isSafeUrl(resolved.href)) return ` ${name}="${escapeAttribute(resolved.href)}"`
      left.push(address)
      isPictureLost ||= name === 'src'
      return ''
    })
    return isPictureLost ? '' : completed
  }
  return { html: withoutEmptyFigures(html.replace(WITH_ADDRESS, complete)), left }
}

type Node = DefaultTreeAdapterMap['childNode']

/** Of one element alone, without what is in it. */
const offence = (node: Node): string | null => {
  if (!('tagName' in node)) return node.nodeName === '#text' ? null : `a ${node.nodeName} node`
  if (!ALLOWED.has(node.tagName)) return `<${node.tagName}>`
  for (const { name, value } of node.attrs) {
    if (!ATTRIBUTES[node.tagName]?.includes(name)) return `${name} on <${node.tagName}>`
    if (URL_ATTRIBUTES.has(name) && !isSafeUrl(value)) return `the address of ${name} on <${node.tagName}>`
  }
  return null
}

type Visit = Readonly<{ node: Node; depth: number; isEnd: boolean }>

/** Every node in the order of the text, and elements again at their end. Its own stack: a tree may be deeper than the call stack. */
function* walk(html: string): Generator<Visit> {
  const below = (nodes: readonly Node[], depth: number): Visit[] => nodes.map(node => ({ node, depth, isEnd: false })).reverse()
  const rest = below(parseFragment(html).childNodes, 1)
  for (let visit = rest.pop(); visit !== undefined; visit = rest.pop()) {
    yield visit
    if (visit.isEnd || !('childNodes' in visit.node)) continue
    rest.push({ ...visit, isEnd: true })
    for (const child of below(visit.node.childNodes, visit.depth + 1)) rest.push(child)
  }
}

/**
 * What is more than paragraphs, headings and line breaks without attributes. A parser makes only those elements of these tags, and hardly nests
 * them: a heading ends a paragraph and a heading (WHATWG HTML §13.2.6.4.7). So such a body is known as clean without parsing it, which took a
 * thirtieth of all work: most stories of a wire are no more than that. Lists and quotations can be nested out of sight of a count.
 */
const MORE_THAN_PLAIN = /<(?!\/?(?:p|h[2-6])>|br ?\/?>)/

/** The first thing in `html` that is not on the allow-list, or too much of it, named for a person; `null` when it is clean. */
export const findMarkupOffence = (html: string): string | null => {
  const excess = findCleanedExcess(html)
  if (excess !== null) return `too much of it: ${excess}`
  if (!MORE_THAN_PLAIN.test(html)) return null
  for (const { node, depth } of walk(html)) {
    if (depth > MAX_TREE_DEPTH) return `too much of it: elements at most ${MAX_TREE_DEPTH} deep`
    const found = offence(node)
    if (found) return found
  }
  return null
}

/** Paragraphs at blank lines, line breaks inside them; every other character as it is. */
export const textToHtml = (text: string): string =>
  cleanText(text)
    .split(/\n(?:[^\S\n]*\n)+/)
    .map(paragraph => paragraph.trim())
    .filter(paragraph => paragraph !== '')
    .map(paragraph => `<p>${escapeMarkup(paragraph).replace(/\n/g, '<br />')}</p>`)
    .join('\n')

/** The words of a clean HTML body as one line: for summaries and search. Empty for what is too much to be clean. */
export const htmlToText = (html: string): string => {
  if (findCleanedExcess(html) !== null) return ''
  const words: string[] = []
  for (const { node, isEnd } of walk(html)) {
    if (isEnd) words.push(' ')
    else if (node.nodeName === '#text' && 'value' in node) words.push(node.value)
  }
  return words.join('').replace(/\s+/gu, ' ').trim()
}

/** Words of a stranger's HTML; as they are, where that is more than a parser may be given. */
export const htmlToWords = (html: string): string => (findMarkupExcess(html) === null ? htmlToText(cleanHtml(html)) : html)
