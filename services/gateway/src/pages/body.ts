/**
 * The body of an article as it goes into a page. It was cleaned at the front door; it is not believed: what has anything on it that the allow-list
 * does not know is cleaned again. Then it is made fit for its place: below one heading, readable with a screen reader, on a narrow screen.
 */
import { cleanHtml, findMarkupOffence } from '@newswire/events/markup'
import { findMarkupExcess } from '@newswire/events/markup-excess'
import { escapeMarkup } from '@newswire/events/text'
import { type DefaultTreeAdapterMap, html as names, parseFragment, serializeOuter, defaultTreeAdapter as tree } from 'parse5'

type Element = DefaultTreeAdapterMap['element']
type Parent = DefaultTreeAdapterMap['parentNode']
type Child = DefaultTreeAdapterMap['childNode']

const isElement = (node: Child): node is Element => 'tagName' in node
const isBlank = (node: Child): boolean =>
  node.nodeName === '#text' ? 'value' in node && node.value.trim() === '' : node.nodeName === '#comment'
const make = (tag: string, attrs: Record<string, string> = {}): Element =>
  tree.createElement(
    tag,
    names.NS.HTML,
    Object.entries(attrs).map(([name, value]) => ({ name, value })),
  )
const attributeOf = (element: Element, name: string): string | undefined => element.attrs.find(one => one.name === name)?.value
const setAttribute = (element: Element, name: string, value: string): void => {
  element.attrs = [...element.attrs.filter(one => one.name !== name), { name, value }]
}
const rename = (element: Element, tag: string): void => {
  element.tagName = tag
  element.nodeName = tag
  element.attrs = []
}
const unwrap = (element: Element): void => {
  const parent = element.parentNode
  if (parent === null) return
  for (const child of [...element.childNodes]) {
    tree.detachNode(child)
    tree.insertBefore(parent, child, element)
  }
  tree.detachNode(element)
}
const wrap = (node: Child, wrapper: Element): void => {
  if (node.parentNode === null) return
  tree.insertBefore(node.parentNode, wrapper, node)
  tree.detachNode(node)
  tree.appendChild(wrapper, node)
}

/** Every element, parents first. What a visit takes apart or wraps is still gone through. */
const eachElement = (nodes: readonly Child[], visit: (element: Element) => void): void => {
  for (const node of nodes) {
    if (!isElement(node)) continue
    const below = [...node.childNodes]
    visit(node)
    eachElement(below, visit)
  }
}

/** What a reader would hear: letters, or a picture that has words. */
const hasWords = (node: Child): boolean => {
  if (!isElement(node)) return 'value' in node && node.value.trim() !== ''
  if (node.tagName === 'img') return (attributeOf(node, 'alt') ?? '').trim() !== ''
  return node.childNodes.some(hasWords)
}

/** Begins at h2, below the title, and goes down one level at a time, whatever was skipped; equal levels stay equal. */
const createHeadings = () => {
  const open: { was: number; is: number }[] = []
  return (element: Element): void => {
    const was = Number(element.tagName.slice(1))
    while ((open.at(-1)?.was ?? 0) > was) open.pop()
    const last = open.at(-1)
    const is = last?.was === was ? last.is : Math.min((last?.is ?? 1) + 1, 6)
    if (last?.was !== was) open.push({ was, is })
    rename(element, `h${is}`)
  }
}

const isOneOf = (node: Parent | null, ...tags: readonly string[]): boolean =>
  node !== null && 'tagName' in node && tags.includes(node.tagName)

/** A list has items and nothing else; an item outside a list is a block like any other. */
const mendList = (list: Element): void => {
  for (const child of [...list.childNodes]) if (!isBlank(child) && !(isElement(child) && child.tagName === 'li')) wrap(child, make('li'))
}

/** Terms, then what is said of them; anything else is no list of terms. */
const isTermList = (list: Element): boolean => {
  const parts = list.childNodes.filter(child => !isBlank(child)).map(child => child.nodeName)
  return parts[0] === 'dt' && parts.at(-1) === 'dd' && parts.every(part => part === 'dt' || part === 'dd')
}

const MENDERS: Readonly<Record<string, (element: Element) => void>> = {
  ul: mendList,
  ol: mendList,
  li: element => {
    if (!isOneOf(element.parentNode, 'ul', 'ol')) rename(element, 'div')
  },
  dl: element => {
    if (!isTermList(element)) rename(element, 'div')
  },
  dt: element => {
    if (!isOneOf(element.parentNode, 'dl')) rename(element, 'div')
  },
  dd: element => {
    if (!isOneOf(element.parentNode, 'dl')) rename(element, 'div')
  },
  figcaption: element => {
    if (!isOneOf(element.parentNode, 'figure')) rename(element, 'div')
  },
  a: element => {
    // Nothing to hear, nothing to press.
    if (attributeOf(element, 'href') === undefined || !hasWords(element)) unwrap(element)
  },
  img: element => {
    // As bodies were cleaned before such a one was left out.
    if (!attributeOf(element, 'src')) tree.detachNode(element)
    if (attributeOf(element, 'alt') === undefined) setAttribute(element, 'alt', '')
    setAttribute(element, 'loading', 'lazy')
    setAttribute(element, 'decoding', 'async')
    setAttribute(element, 'referrerpolicy', 'no-referrer')
  },
  th: element => {
    const scope = attributeOf(element, 'scope')
    if (scope !== undefined && !['col', 'row', 'colgroup', 'rowgroup'].includes(scope)) element.attrs = []
    if (!hasWords(element)) element.tagName = element.nodeName = 'td'
  },
}

const mend = (root: Parent, tableName: string): void => {
  const toHeading = createHeadings()
  const tables: Element[] = []
  eachElement([...root.childNodes], element => {
    if (/^h[1-6]$/.test(element.tagName)) {
      if (hasWords(element)) toHeading(element)
      else unwrap(element)
    } else if (element.tagName === 'table') tables.push(element)
    else if (Object.hasOwn(MENDERS, element.tagName)) MENDERS[element.tagName]?.(element)
  })
  // Wide ones are scrolled on their own, also with the keyboard.
  for (const table of tables) wrap(table, make('div', { class: 'scroll', role: 'group', 'aria-label': tableName, tabindex: '0' }))
}

/** Clean whatever came; `null` for what no parser may be given. */
const toClean = (html: string): string | null => {
  if (findMarkupOffence(html) === null) return html
  if (findMarkupExcess(html) !== null) return null
  const cleaned = cleanHtml(html)
  return findMarkupOffence(cleaned) === null ? cleaned : null
}

const BLOCKS = new Set('p h2 h3 h4 h5 h6 ul ol dl blockquote pre figure hr div'.split(' '))
const isBlock = (node: Child): boolean => isElement(node) && BLOCKS.has(node.tagName)
const toHtml = (node: Child): string => (isElement(node) ? serializeOuter(node) : 'value' in node ? escapeMarkup(node.value) : '')

/** A block that is one picture and nothing else but words about it. */
const lonePicture = (node: Child): Readonly<{ src: string; hasWords: boolean }> | null => {
  if (!isElement(node) || (node.tagName !== 'p' && node.tagName !== 'figure')) return null
  const [picture, words, ...more] = node.childNodes.filter(child => !isBlank(child))
  if (picture === undefined || !isElement(picture) || picture.tagName !== 'img' || more.length > 0) return null
  if (words !== undefined && words.nodeName !== 'figcaption') return null
  return { src: attributeOf(picture, 'src') ?? '', hasWords: words !== undefined }
}

type BlockOptions = Readonly<{
  /** What a screen reader calls a table. */
  tableName: string
  /** What stands in the place of a picture that is a block of its own: `null` for itself, empty for nothing. */
  replacePicture?: (src: string, hasWords: boolean) => string | null
}>

/**
 * The blocks of a body, in order, each as HTML of its own; words that stand in no block are one together. `null` when it is too much to be parsed
 * (`findMarkupExcess`) or cannot be made clean. Costs about as much as parsing it twice.
 */
export const toBlocks = (html: string, { tableName, replacePicture }: BlockOptions): readonly string[] | null => {
  const clean = toClean(html)
  if (clean === null) return null
  const root = parseFragment(clean)
  mend(root, tableName)
  const blocks: string[] = []
  let loose: string[] = []
  const endLoose = () => {
    if (loose.some(part => part.trim() !== '')) blocks.push(`<div>${loose.join('').trim()}</div>`)
    loose = []
  }
  for (const node of root.childNodes) {
    if (!isBlock(node)) {
      loose.push(toHtml(node))
      continue
    }
    endLoose()
    const picture = lonePicture(node)
    const block = (picture && replacePicture?.(picture.src, picture.hasWords)) ?? toHtml(node)
    if (block !== '') blocks.push(block)
  }
  endLoose()
  return blocks
}

/** Fewer blocks than this for each picture, and they stand after the text. */
const BLOCKS_FOR_ONE = 3

/** Spreads pictures evenly over the text; never between a heading and what it heads, never before the first block. What does not fit comes last. */
export const placeFigures = (
  blocks: readonly string[],
  figures: readonly string[],
): Readonly<{ body: string; rest: readonly string[] }> => {
  const fits = Math.min(figures.length, Math.floor(blocks.length / BLOCKS_FOR_ONE))
  const step = blocks.length / (fits + 1)
  const after = new Map<number, string>()
  for (let index = 0; index < fits; index += 1) {
    let place = Math.max(1, Math.round(step * (index + 1)))
    while (place < blocks.length && (/^<h\d/.test(blocks[place - 1] ?? '') || after.has(place))) place += 1
    after.set(place, (after.get(place) ?? '') + figures[index])
  }
  const body = blocks.map((block, index) => block + (after.has(index + 1) ? `\n${after.get(index + 1)}` : '')).join('\n')
  return { body, rest: figures.slice(fits) }
}
