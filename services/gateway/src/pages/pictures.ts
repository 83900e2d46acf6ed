/** Pictures with every size there is, so that a browser takes the one it needs and leaves the room for it before it has come. */
import type { Picture, Rendition } from '@newswire/events/article'
import type { SiteConfig } from '@newswire/events/config'
import { isWidth, pickRendition } from '@newswire/events/public-article'
import { escapeMarkup } from '@newswire/events/text'
import { toLink } from './addresses.ts'
import { colorClass } from './color-classes.ts'

export type Showing = Readonly<{
  site: SiteConfig
  /** The `sizes` of the place it stands in. */
  sizes: string
  /** What a browser without `srcset` gets: the size nearest to this from above. */
  width: number
  /** `first` is what the reader sees first and is fetched first; `now` is for paper; the others come when they are scrolled to. */
  loading: 'first' | 'now' | 'lazy'
  /** When the words beside it say the same: not read out twice. */
  decorative?: boolean
}>

/** Better coders first; what a browser cannot decode it passes over. */
const BETTER_TYPES = ['image/avif', 'image/webp'] as const

const srcset = (renditions: readonly Rendition[], type: string, site: SiteConfig): string =>
  renditions
    .filter(one => one.type === type && isWidth(one))
    .sort((a, b) => a.width - b.width)
    .map(one => `${toLink(site, `/${one.key}`)} ${one.width}w`)
    .join(', ')

/** How it is fetched: what is seen first at once, and what may never be seen only when it is near. */
const LOADING = { first: ' fetchpriority="high"', now: '', lazy: ' loading="lazy" decoding="async"' } as const

/** Empty when there is nothing to show. */
export const toPicture = (picture: Picture, { site, sizes, width, loading, decorative = false }: Showing): string => {
  const shown = picture.state === 'ready' ? pickRendition(picture, width) : null
  if (shown === null) return ''
  const attribute = (name: string, value: string) => ` ${name}="${escapeMarkup(value)}"`
  const own = srcset(picture.renditions, shown.type, site)
  const sources = BETTER_TYPES.map(type => [type, srcset(picture.renditions, type, site)] as const)
    .filter(([type, set]) => set !== '' && type !== shown.type)
    .map(([type, set]) => `<source type="${type}"${attribute('srcset', set)}${attribute('sizes', sizes)}>`)
  const alt = decorative ? '' : picture.alt || picture.caption
  const color = picture.preview === undefined ? '' : attribute('class', colorClass(picture.preview.color))
  return `<picture>${sources.join('')}<img${attribute('src', toLink(site, `/${shown.key}`))}${own === '' ? '' : attribute('srcset', own) + attribute('sizes', sizes)}${attribute('alt', alt)} width="${shown.width}" height="${shown.height}"${color}${LOADING[loading]}></picture>`
}

/** A picture with its caption and credit. Empty when it is not ready. */
export const toFigure = (picture: Picture, showing: Showing, className = ''): string => {
  const shown = toPicture(picture, showing)
  if (shown === '') return ''
  const credit = picture.credit === '' ? '' : `<span class="credit">${escapeMarkup(picture.credit)}</span>`
  // A sentence that has ended needs no other mark between it and the credit.
  const between = /[.!?…”"]$/u.test(picture.caption) ? ' ' : ' · '
  const words = [escapeMarkup(picture.caption), credit].filter(part => part !== '').join(between)
  return `<figure${className === '' ? '' : ` class="${className}"`}>${shown}${words === '' ? '' : `<figcaption>${words}</figcaption>`}</figure>`
}
