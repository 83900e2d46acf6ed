/** What a person reads in our HTML: paragraphs and captions, entities undone. Shares no code with its maker. */
import { type DefaultTreeAdapterMap, parseFragment } from 'parse5'

type Node = DefaultTreeAdapterMap['childNode']

const childrenOf = (node: Node): readonly Node[] => ('childNodes' in node ? node.childNodes : [])
const attributesOfNode = (node: Node): readonly { name: string; value: string }[] => ('attrs' in node ? node.attrs : [])

const textOf = (node: Node): string => {
  if (node.nodeName === 'br') return '\n'
  return 'value' in node ? node.value : childrenOf(node).map(textOf).join('')
}

const find = (nodes: readonly Node[], name: string): Node[] =>
  nodes.flatMap(node => (node.nodeName === name ? [node] : find(childrenOf(node), name)))

/** A page's `article` when it has one, else all of it. */
const contentOf = (html: string): readonly Node[] => {
  const all: readonly Node[] = parseFragment(html).childNodes
  const [article] = find(all, 'article')
  return article === undefined ? all : childrenOf(article)
}

/** The text of every element of that name, in order. */
export const textsOf = (html: string, name: string): string[] => find(contentOf(html), name).map(textOf)

/** The article's own paragraphs; ours have a class. */
export const paragraphsOf = (html: string): string[] =>
  find(contentOf(html), 'p')
    .filter(node => !attributesOfNode(node).some(one => one.name === 'class'))
    .map(textOf)
export const captionsOf = (html: string): string[] => textsOf(html, 'figcaption')

/** An attribute of every element of that name that has it. */
export const attributesOf = (html: string, name: string, attribute: string): string[] =>
  find(contentOf(html), name).flatMap(node =>
    attributesOfNode(node)
      .filter(one => one.name === attribute)
      .map(one => one.value),
  )

/** How many elements of that name there are, JSON-LD aside, which is data. */
export const findElements = (html: string, name: string): number =>
  find(contentOf(html), name).filter(node => !attributesOfNode(node).some(one => one.value === 'application/ld+json')).length
