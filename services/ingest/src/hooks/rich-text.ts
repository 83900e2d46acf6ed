/**
 * A body that is no text but a tree, as the editors of CMSs keep it: found by its shape and written as HTML, which ingest then cleans like any other. What
 * stands in it without an address or words of its own (an embedded entry, an asset by its id) is left out and named. Pure.
 */
import { documentToHtmlString, type NodeRenderer } from '@contentful/rich-text-html-renderer'
import { escapeMarkup } from '@newswire/events/text'
import { toHTML } from '@portabletext/to-html'
import MarkdownIt from 'markdown-it'
import { firstText } from './pointers.ts'

/** `left`: kinds of what could not be written. */
export type Written = Readonly<{ html: string; left: readonly string[] }>
type Node = Readonly<Record<string, unknown>>
type Format = Readonly<{ name: string; is: (value: unknown) => boolean; write: (value: unknown, left: Set<string>) => string }>

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value)
const nodesOf = (value: unknown): readonly Node[] => (Array.isArray(value) ? value.filter(isNode) : [])
const link = (address: string, words: string): string => (address === '' ? words : `<a href="${escapeMarkup(address)}">${words}</a>`)
/** Nothing where it has no address: it is known to its CMS alone. */
const figure = (address: string, alt: string, caption: string, left: Set<string>): string => {
  if (address === '') left.add('image')
  const words = caption === '' ? '' : `<figcaption>${escapeMarkup(caption)}</figcaption>`
  return address === '' ? '' : `<figure><img src="${escapeMarkup(address)}" alt="${escapeMarkup(alt)}">${words}</figure>`
}
const textAt = (value: unknown, ...pointers: string[]): string => firstText(value, pointers)

// --- Contentful: rich text ---------------------------------------------------------------------------------------------------------------

/** By the id of an entry or an asset: its address is not among what the webhook sends. */
const BY_ID = [
  'embedded-asset-block',
  'embedded-entry-block',
  'embedded-entry-inline',
  'embedded-resource-block',
  'embedded-resource-inline',
]
const LINKS_BY_ID = ['asset-hyperlink', 'entry-hyperlink', 'resource-hyperlink']

const writeContentful = (value: unknown, left: Set<string>): string => {
  const leaving =
    (keepsWords: boolean): NodeRenderer =>
    (node, next) => {
      left.add(node.nodeType)
      return keepsWords ? next(node.content) : ''
    }
  const renderNode = Object.fromEntries([...BY_ID.map(type => [type, leaving(false)]), ...LINKS_BY_ID.map(type => [type, leaving(true)])])
  return documentToHtmlString(value as Parameters<typeof documentToHtmlString>[0], { renderNode })
}

// --- Sanity: portable text ---------------------------------------------------------------------------------------------------------------

const writePortable = (value: unknown, left: Set<string>): string =>
  toHTML(value as Parameters<typeof toHTML>[0], {
    onMissingComponent: false,
    components: {
      types: {
        image: ({ value: one }) => figure(textAt(one, '/asset/url', '/url'), textAt(one, '/alt'), textAt(one, '/caption'), left),
      },
      unknownType: ({ value: one }) => {
        left.add(textAt(one, '/_type').slice(0, 50))
        return ''
      },
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

const writeBlock = (node: Node, left: Set<string>): string => {
  const inside = () =>
    nodesOf(node['children'])
      .map(child => writeBlock(child, left))
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
      return figure(textAt(node, '/image/url'), textAt(node, '/image/alternativeText'), textAt(node, '/image/caption'), left)
    default:
      left.add(String(node['type'] ?? 'a block without a type').slice(0, 50))
      return inside()
  }
}

// ----------------------------------------------------------------------------------------------------------------------------------------

const FORMATS: readonly Format[] = [
  { name: 'Contentful rich text', is: value => isNode(value) && value['nodeType'] === 'document', write: writeContentful },
  { name: 'portable text', is: value => nodesOf(value).some(one => one['_type'] === 'block'), write: writePortable },
  {
    name: 'Strapi blocks',
    is: value => nodesOf(value).some(one => typeof one['type'] === 'string' && Array.isArray(one['children'])),
    write: (value, left) =>
      nodesOf(value)
        .map(one => writeBlock(one, left))
        .join('\n'),
  },
]

/** Trees that are known by their shape alone: their editors write HTML themselves. */
const OTHERS: readonly (readonly [string, (value: unknown) => boolean])[] = [
  ['a ProseMirror document (Tiptap)', value => isNode(value) && value['type'] === 'doc'],
  ['a Lexical document', value => isNode(value) && isNode(value['root'])],
  ['an Editor.js document', value => isNode(value) && Array.isArray(value['blocks'])],
  ['a Quill delta', value => isNode(value) && Array.isArray(value['ops'])],
]

/** `null` for what is no tree: nothing, or an empty one. A tree that is not taken is named, in words that follow "found". */
export const writeRichText = (value: unknown): Written | Readonly<{ found: string }> | null => {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) return null
  const format = FORMATS.find(one => one.is(value))
  if (format === undefined) {
    const name = OTHERS.find(([, is]) => is(value))?.[0]
    return name !== undefined ? { found: name } : Array.isArray(value) ? { found: 'a list of blocks that are not known' } : null
  }
  const left = new Set<string>()
  try {
    return { html: format.write(value, left), left: [...left] }
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
