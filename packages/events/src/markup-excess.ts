/**
 * Whether HTML is more than a parser may be given: found in one pass, before any parser sees it. Cleaners and parsers search the stack of open
 * elements at every tag, so deep markup costs the square of its length, and what walks the tree runs out of stack.
 */

/** A report of thousands of rows has a tenth of it. */
export const MAX_TAGS = 40_000
/** Real articles nest 20 deep at most. */
const MAX_DEPTH = 100
/** Cleaning closes what was left open, and parsers add elements of their own (`tbody`, `tr`). */
const AFTER_CLEANING = { tags: MAX_TAGS * 2, depth: MAX_DEPTH * 3 }

/** Nothing in it is of a length that a stranger chooses. */
const TAG = /<(\/?)([a-zA-Z][^\s/<>]{0,30})/g
const END_OF_RAW = { script: /<\/script/gi, style: /<\/style/gi } as const
const VOID = new Set('area base br col embed hr img input link meta param source track wbr'.split(' '))
/** A new one ends the one before it, as writers of HTML have left it to browsers since its first days. */
const ENDED_BY: Readonly<Record<string, readonly string[]>> = {
  p: ['p'],
  a: ['a'],
  li: ['li'],
  dt: ['dt', 'dd'],
  dd: ['dt', 'dd'],
  td: ['td', 'th'],
  th: ['td', 'th'],
  tr: ['td', 'th', 'tr'],
  option: ['option'],
}

type Limits = Readonly<{ tags: number; depth: number }>

/** The names of open elements, the innermost last. */
const openElement = (open: string[], name: string): void => {
  const ended = Object.hasOwn(ENDED_BY, name) ? ENDED_BY[name] : undefined
  while (ended?.includes(open.at(-1) ?? '')) open.pop()
  open.push(name)
}

const closeElement = (open: string[], name: string): void => {
  const index = open.lastIndexOf(name)
  if (index >= 0) open.length = index
}

/** Counted wherever they stand: what is no tag to us may be one to a parser. */
const hasMoreTags = (html: string, max: number): boolean => {
  let tags = 0
  for (let at = html.indexOf('<'); at >= 0; at = html.indexOf('<', at + 1)) {
    tags += 1
    if (tags > max) return true
  }
  return false
}

const isDeeper = (html: string, max: number): boolean => {
  const open: string[] = []
  TAG.lastIndex = 0
  for (let found = TAG.exec(html); found !== null; found = TAG.exec(html)) {
    const name = found[2]?.toLowerCase() ?? ''
    if (VOID.has(name)) continue
    if (found[1] === '/') closeElement(open, name)
    else if (name === 'script' || name === 'style') {
      // A comparison inside is no tag.
      const end = END_OF_RAW[name]
      end.lastIndex = TAG.lastIndex
      if (end.exec(html) === null) return false
      TAG.lastIndex = end.lastIndex
    } else openElement(open, name)
    if (open.length > max) return true
  }
  return false
}

/**
 * Why `html` may not be given to a parser, reading after "expected"; `null` when it may. Linear. The count holds whatever is written; the depth
 * can be hidden from it (an end tag inside an attribute), and `findMarkupOffence` refuses the tree that comes of it.
 */
export const findMarkupExcess = (html: string, { tags, depth }: Limits = { tags: MAX_TAGS, depth: MAX_DEPTH }): string | null => {
  if (hasMoreTags(html, tags)) return `at most ${tags} tags`
  return isDeeper(html, depth) ? `elements at most ${depth} deep` : null
}

/** The same of what was cleaned before. */
export const findCleanedExcess = (html: string): string | null => findMarkupExcess(html, AFTER_CLEANING)

/** How deep the tree of cleaned HTML may be. */
export const MAX_TREE_DEPTH = AFTER_CLEANING.depth

const LINE_BREAK = /\r\n|[\r\n\u2028\u2029]/g
/** Every line of a text becomes two tags at most. */
const MAX_LINES = MAX_TAGS / 2
export const findTextExcess = (text: string): string | null => {
  let lines = 1
  for (const _ of text.matchAll(LINE_BREAK)) {
    lines += 1
    if (lines > MAX_LINES) return `at most ${MAX_LINES} lines`
  }
  return null
}
