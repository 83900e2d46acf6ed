/** Pictures of an RSS item or an Atom entry: Media RSS 1.5.1 with its words, and enclosures. */
import { feedNamespaces as NS } from '@newswire/events/feed-namespaces'
import type { FeedPicture } from './feed-document.ts'
import { childrenOf, findAll, said, textOf, type XmlNode } from './xml.ts'

export const isPictureType = (type: string): boolean => /^image\/(jpe?g|png|webp|avif|gif)\b/i.test(type)
const looksLikePicture = (url: string): boolean => /\.(jpe?g|png|webp|avif|gif)(?:[?#]|$)/i.test(url)

const isPicture = ({ attributes }: XmlNode): boolean => {
  const { medium = '', type = '', url = '' } = attributes
  return url !== '' && (isPictureType(type) || (type === '' && (medium === 'image' || (medium === '' && looksLikePicture(url)))))
}

const widthOf = (node: XmlNode): number => Number(node.attributes['width']) || 0

const focusOf = (node: XmlNode): FeedPicture['focus'] => {
  const region = childrenOf(node).find(one => one.name === 'focalRegion')
  const width = widthOf(node)
  const height = Number(node.attributes['height']) || 0
  if (region === undefined || width === 0 || height === 0) return undefined
  const at = (name: string) => Number(textOf(childrenOf(region).find(one => one.name === name) ?? null))
  const [x, y] = [(at('x1') + at('x2')) / 2 / width, (at('y1') + at('y2')) / 2 / height]
  return x >= 0 && x <= 1 && y >= 0 && y <= 1 ? { x, y } : undefined
}

/** Words may stand at the content itself, or at the group or the item around it. */
const wordsOf = (places: readonly XmlNode[]): Pick<FeedPicture, 'caption' | 'alt' | 'credit'> => {
  const first = (name: string, uri: string) => places.map(place => said(place, name, uri)).find(text => text !== '') ?? ''
  return {
    caption: first('description', NS.media) || first('title', NS.media),
    alt: first('alt', NS.nw) || first('text', NS.media),
    credit: first('credit', NS.media),
  }
}

const toPicture = (contents: readonly XmlNode[], around: readonly XmlNode[]): FeedPicture[] => {
  const pictures = contents.filter(isPicture)
  const [widest] = pictures.toSorted((a, b) => widthOf(b) - widthOf(a))
  if (widest === undefined) return []
  const focus = focusOf(widest)
  const also = pictures.map(one => one.attributes['url'] ?? '')
  return [{ url: widest.attributes['url'] ?? '', also, ...wordsOf([widest, ...around]), ...(focus === undefined ? {} : { focus }) }]
}

/** In the feed's order, each picture once. `enclosures`: other addresses, said by RSS and Atom in elements of their own; the first is the lead. */
export const picturesOf = (item: XmlNode, enclosures: readonly Readonly<{ url: string; type: string }>[]): readonly FeedPicture[] => {
  const media = childrenOf(item)
    .filter(one => one.uri === NS.media)
    .flatMap(one => {
      if (one.name === 'group') return toPicture(findAll(one, 'content', NS.media), [one])
      return one.name === 'content' ? toPicture([one], [item]) : []
    })
  const plain = enclosures
    .filter(({ url, type }) => url !== '' && (isPictureType(type) || (type === '' && looksLikePicture(url))))
    .map(({ url }) => ({ url, also: [url], caption: '', alt: '', credit: '' }))
  const thumbnails = findAll(item, 'thumbnail', NS.media).map(({ attributes: { url = '' } }) => ({
    url,
    also: [url],
    caption: '',
    alt: '',
    credit: '',
  }))
  return onlyOnce([...media, ...plain], thumbnails)
}

/** What a picture is known by already is no other one; a thumbnail counts where there is nothing else. */
const onlyOnce = (pictures: readonly FeedPicture[], thumbnails: readonly FeedPicture[]): readonly FeedPicture[] => {
  const seen = new Set<string>()
  const once: FeedPicture[] = []
  for (const one of pictures.length > 0 ? pictures : thumbnails.filter(({ url }) => url !== '').slice(0, 1)) {
    if (one.also.some(url => seen.has(url))) continue
    for (const url of one.also) seen.add(url)
    once.push(one)
  }
  return once
}
