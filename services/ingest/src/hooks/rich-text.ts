/**
 * A body that is no text but a tree, as the editors of CMSs keep it: found by its shape and written as HTML, which ingest then cleans like any other. What
 * stands in it without an address or words of its own (an embedded entry, an asset by its id) is left out and named; of what is not known the words are kept,
 * and it is named too. Pure.
 */
import { documentToHtmlString, type NodeRenderer } from '@contentful/rich-text-html-renderer'
import { escapeMarkup } from '@newswire/events/text'
import { toHTML } from '@portabletext/to-html'
import MarkdownIt from 'markdown-it'
import { isObject } from './places.ts'
import { firstText } from './pointers.ts'

/** `left`: kinds of what could not be written. `plain`: of what only the words could be of. */
export type Written = Readonly<{ html: string; left: readonly string[]; plain: readonly string[] }>
type Node = Readonly<Record<string, unknown>>
type Lost = Readonly<{ left: Set<string>; plain: Set<string> }>
type Format = Readonly<{ name: string; is: (value: unknown) => boolean; write: (value: unknown, lost: Lost) => string }>

const nodesOf = (value: unknown): readonly Node[] => (Array.isArray(value) ? value.filter(isObject) : [])
const link = (address: string, words: string): string => (address === '' ? words : `<a href="${escapeMarkup(address)}">${words}</a>`)
/** Nothing where it has no address: it is known to its CMS alone. */
const figure = (address: string, alt: string, caption: string, { left }: Pick<Lost, 'left'>): string => {
  if (address === '') left.add('image')
  const words = caption === '' ? '' : `<figcaption>${escapeMarkup(caption)}</figcaption>`
  return address === '' ? '' : `<figure><img src="${escapeMarkup(address)}" alt="${escapeMarkup(alt)}">${words}</figure>`
}
const textAt = (value: unknown, ...pointers: string[]): string => firstText(value, pointers)
const kindOf = (kind: unknown): string => (typeof kind === 'string' && kind !== '' ? kind.slice(0, 50) : 'a block without a type')
/** Names what is not known, by what was found of it. */
const withWords = (html: string, kind: unknown, { left, plain }: Lost): string => {
  const lost = html === '' ? left : plain
  lost.add(kindOf(kind))
  return html
}

// --- Contentful: rich text ---------------------------------------------------------------------------------------------------------------

/** By the id of an entry or an asset: its address is not among what the webhook sends. */
const BY_ID = [
  'embedded-entry-block',
  'embedded-entry-inline',
  'embedded-resource-block',
  'embedded-resource-inline',
  'asset-hyperlink',
  'entry-hyperlink',
  'resource-hyperlink',
]
/** What has text in it without a block between, and so nothing but text. */
const OF_TEXT = ['paragraph', 'heading-1', 'heading-2', 'heading-3', 'heading-4', 'heading-5', 'heading-6', 'hyperlink']
const KNOWN = new Set([
  ...BY_ID,
  ...OF_TEXT,
  ...['document', 'text', 'embedded-asset-block', 'unordered-list', 'ordered-list', 'list-item', 'blockquote', 'hr'],
  ...['table', 'table-row', 'table-cell', 'table-header-cell'],
])

/** Kinds of nodes that the library drops with all that is in them; whether a block of text is where they are. */
const findUnknown = (node: Node, found = new Map<string, boolean>()): Map<string, boolean> => {
  for (const child of nodesOf(node['content'])) {
    const kind = child['nodeType']
    const isBlock = !OF_TEXT.includes(String(node['nodeType'])) && nodesOf(child['content']).some(one => one['nodeType'] === 'text')
    if (typeof kind === 'string' && !KNOWN.has(kind)) found.set(kind, isBlock || found.get(kind) === true)
    findUnknown(child, found)
  }
  return found
}

const writeContentful = (value: unknown, lost: Lost): string => {
  const inside: NodeRenderer = (node, next) => (Array.isArray(node.content) ? next(node.content) : '')
  const byId: NodeRenderer = (node, next) => {
    lost.left.add(node.nodeType)
    return inside(node, next)
  }
  // An asset that somebody has put in place of its id has an address.
  const asset: NodeRenderer = node => {
    const fields = isObject(node.data['target']) ? node.data['target']['fields'] : undefined
    const address = textAt(fields, '/file/url', '/file/*/url').replace(/^\/\//, 'https://')
    if (address === '') lost.left.add(node.nodeType)
    return address === ''
      ? ''
      : figure(address, textAt(fields, '/description', '/description/*'), textAt(fields, '/title', '/title/*'), lost)
  }
  const unknown =
    (isBlock: boolean): NodeRenderer =>
    (node, next) => {
      const words = inside(node, next) || escapeMarkup(textAt(node, '/value', '/data/text', '/data/value', '/data/caption'))
      return withWords(words === '' || !isBlock ? words : `<p>${words}</p>`, node.nodeType, lost)
    }
  const renderNode = Object.fromEntries([
    ...BY_ID.map(kind => [kind, byId]),
    ['embedded-asset-block', asset],
    ...[...findUnknown(value as Node)].map(([kind, isBlock]) => [kind, unknown(isBlock)]),
  ])
  return documentToHtmlString(value as Parameters<typeof documentToHtmlString>[0], { renderNode })
}

// --- Sanity: portable text ---------------------------------------------------------------------------------------------------------------

/** What blocks of their own, which projects and plugins make up, have their words in; what else is a sentence is one as well. */
const WORDS =
  /^(?:(?:sub)?title|(?:sub)?heading|headline|text|body|content|quote|cite|description|summary|lead|intro|note|caption|code|author|name|label|alt|question|answer|value|items?)$/i
const isSentence = (text: string): boolean => /\S\s+\S+\s+\S/.test(text)
const isPortable = (value: unknown): boolean => nodesOf(value).some(one => one['_type'] === 'block')

/** Its words in their order, at whatever depth; portable text that lies in it as what it is. */
const wordsOfBlock = (value: unknown, lost: Lost, key = ''): readonly string[] => {
  if (isPortable(value)) return [writePortable(value, lost)]
  if (Array.isArray(value)) return value.flatMap(one => wordsOfBlock(one, lost, key))
  if (isObject(value)) return Object.entries(value).flatMap(([name, one]) => (name.startsWith('_') ? [] : wordsOfBlock(one, lost, name)))
  const text = typeof value === 'string' ? value.trim() : ''
  return text !== '' && (WORDS.test(key) || isSentence(text)) ? [escapeMarkup(text)] : []
}

const writeBlockWords = (value: unknown, isInline: boolean, lost: Lost): string => {
  const parts = wordsOfBlock(value, lost)
  return isInline ? parts.join(' ') : parts.map(one => (one.startsWith('<') ? one : `<p>${one}</p>`)).join('')
}

/** As the plugin for tables keeps it. */
const tableOf = (value: unknown): string => {
  const rows = nodesOf(isObject(value) ? value['rows'] : null)
    .map(row => (Array.isArray(row['cells']) ? row['cells'].map(cell => `<td>${escapeMarkup(String(cell ?? ''))}</td>`).join('') : ''))
    .filter(Boolean)
  return rows.length === 0 ? '' : `<table><tbody>${rows.map(row => `<tr>${row}</tr>`).join('')}</tbody></table>`
}

const writePortable = (value: unknown, lost: Lost): string =>
  toHTML(value as Parameters<typeof toHTML>[0], {
    onMissingComponent: false,
    components: {
      types: {
        image: ({ value: one }) => figure(textAt(one, '/asset/url', '/url'), textAt(one, '/alt'), textAt(one, '/caption'), lost),
        code: ({ value: one }) => `<pre><code>${escapeMarkup(textAt(one, '/code'))}</code></pre>`,
      },
      unknownType: ({ value: one, isInline }) =>
        tableOf(one) || withWords(writeBlockWords(one, isInline, lost), isObject(one) ? one['_type'] : null, lost),
      unknownMark: ({ children }) => children ?? '',
      unknownBlockStyle: ({ children }) => `<p>${children ?? ''}</p>`,
      unknownList: ({ children }) => `<ul>${children ?? ''}</ul>`,
      unknownListItem: ({ children }) => `<li>${children ?? ''}</li>`,
    },
  })

// --- Strapi: blocks. Its own renderer needs React, and the one for HTML escapes nothing. ------------------------------------------------------

const MARKS = [
  ['bold', 'strong'],
  ['italic', 'em'],
  ['underline', 'u'],
  ['strikethrough', 's'],
  ['code', 'code'],
] as const

const writeBlock = (node: Node, lost: Lost): string => {
  const inside = () =>
    nodesOf(node['children'])
      .map(child => writeBlock(child, lost))
      .join('')
  switch (node['type']) {
    case 'text': {
      const words = escapeMarkup(String(node['text'] ?? '')).replaceAll('\n', '<br>')
      return MARKS.reduce((html, [mark, tag]) => (node[mark] === true ? `<${tag}>${html}</${tag}>` : html), words)
    }
    case 'paragraph':
      return `<p>${inside()}</p>`
    case 'heading': {
      const level = Math.min(6, Math.max(1, Math.trunc(Number(node['level'])) || 2))
      return `<h${level}>${inside()}</h${level}>`
    }
    case 'quote':
      return `<blockquote>${inside()}</blockquote>`
    case 'code':
      return `<pre><code>${inside()}</code></pre>`
    case 'list':
      return node['format'] === 'ordered' ? `<ol>${inside()}</ol>` : `<ul>${inside()}</ul>`
    case 'list-item':
      return `<li>${inside()}</li>`
    case 'link':
      return link(textAt(node, '/url'), inside())
    case 'image':
      return figure(textAt(node, '/image/url'), textAt(node, '/image/alternativeText'), textAt(node, '/image/caption'), lost)
    default:
      return withWords(inside(), node['type'], lost)
  }
}

// ----------------------------------------------------------------------------------------------------------------------------------------

const FORMATS: readonly Format[] = [
  { name: 'Contentful rich text', is: value => isObject(value) && value['nodeType'] === 'document', write: writeContentful },
  { name: 'portable text', is: isPortable, write: writePortable },
  {
    name: 'Strapi blocks',
    is: value => nodesOf(value).some(one => typeof one['type'] === 'string' && Array.isArray(one['children'])),
    write: (value, lost) =>
      nodesOf(value)
        .map(one => writeBlock(one, lost))
        .join('\n'),
  },
]

/** Trees that are known by their shape alone: their editors write HTML themselves. */
const OTHERS: readonly (readonly [string, (value: unknown) => boolean])[] = [
  ['a ProseMirror document (Tiptap)', value => isObject(value) && value['type'] === 'doc'],
  ['a Lexical document', value => isObject(value) && isObject(value['root'])],
  ['an Editor.js document', value => isObject(value) && Array.isArray(value['blocks'])],
  ['a structured text (DatoCMS)', value => isObject(value) && value['schema'] === 'dast'],
  ['a Quill delta', value => isObject(value) && Array.isArray(value['ops'])],
]

/** `null` for what is no tree: nothing, or an empty one. A tree that is not taken is named, in words that follow "found". */
export const writeRichText = (value: unknown): Written | Readonly<{ found: string }> | null => {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) return null
  const format = FORMATS.find(one => one.is(value))
  if (format === undefined) {
    const name = OTHERS.find(([, is]) => is(value))?.[0]
    return name !== undefined ? { found: name } : Array.isArray(value) ? { found: 'a list of blocks that are not known' } : null
  }
  const lost: Lost = { left: new Set(), plain: new Set() }
  try {
    return { html: format.write(value, lost), left: [...lost.left], plain: [...lost.plain] }
  } catch {
    // The libraries take what their editors write, and strangers write the rest.
    return { found: `${format.name} that is not as its format has it` }
  }
}

/** CommonMark with tables and strikethrough; HTML in it stays HTML. */
const markdown = new MarkdownIt({ html: true })
/** A book has a tenth of it. Each costs some microseconds, in which nothing else is taken in. */
const MAX_MARKS = 20_000
const MARK = /[[*_`<~|]/g

/** `null` for what has more of its marks than anybody writes: megabytes of brackets take half a minute. */
export const markdownToHtml = (text: string): string | null => {
  let marks = 0
  for (const _ of text.matchAll(MARK)) {
    marks += 1
    if (marks > MAX_MARKS) return null
  }
  return markdown.render(text)
}

/** Headings, strong words, links, pictures: what nobody writes into a plain text. */
const LOOKS_LIKE_MARKDOWN = /^#{1,6} \S|\*\*\S[^*\n]{0,200}\*\*|!?\[[^\]\n]{0,200}\]\((?:https?:\/)?\/[^)\s]{0,500}\)/m
/** Its beginning tells: a look costs hundreds of steps for each bracket, and a stranger's text may be megabytes of them. */
export const isLikeMarkdown = (text: string): boolean => LOOKS_LIKE_MARKDOWN.test(text.slice(0, 10_000))
