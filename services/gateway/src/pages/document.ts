/** The frame of every page: one head, one style sheet, landmarks in the same order. All values are escaped where they are put in. */
import type { CategoryConfig, SiteConfig } from '@newswire/events/config'
import { escapeMarkup } from '@newswire/events/text'
import { toListPath } from '../paging.ts'
import { toLink } from './addresses.ts'
import { styleAddress } from './assets.ts'
import { langAttributes, speak } from './language.ts'
import { toZoneName } from './times.ts'

/** What all pages of a site share. */
export type Frame = Readonly<{
  site: SiteConfig
  /** The sections in the head of the page: those at the top that have something to read. */
  sections: readonly CategoryConfig[]
}>

type Document = Readonly<{
  frame: Frame
  /** Of what is in `main`; the frame itself speaks the site's language, so that it is the same everywhere. */
  language: string
  title: string
  /** Already HTML: built from escaped parts and cleaned bodies only. */
  main: string
  /** Already HTML, for the head. */
  head?: string
  /** Where the reader is, for the navigation: a path of ours. */
  here?: string
  kind?: 'print' | 'front'
}>

export const toCategoryLink = (site: SiteConfig, category: string): string =>
  toLink(site, toListPath({ category, before: null, after: null }))

const navigation = ({ site, sections }: Frame, here: string | undefined): string => {
  const { words } = speak(site.language, site.language)
  const link = (path: string, name: string) =>
    `<li><a href="${escapeMarkup(path)}"${path === here ? ' aria-current="page"' : ''}>${escapeMarkup(name)}</a></li>`
  const links = [
    ...sections.map(({ id, name }) => link(toCategoryLink(site, id), name)),
    link(toLink(site, '/search'), words.search),
    link(toLink(site, '/feeds'), words.feeds),
  ]
  return `<nav aria-label="${escapeMarkup(words.sections)}"><ul>${links.join('')}</ul></nav>`
}

export const toDocument = ({ frame, language, title, main, head = '', here, kind }: Document): string => {
  const { site } = frame
  const { words } = speak(site.language, site.language)
  const mark = langAttributes(site.language, language)
  const brandLink = `<a href="${escapeMarkup(toLink(site, '/'))}"${here === toLink(site, '/') ? ' aria-current="page"' : ''}>${escapeMarkup(site.title)}</a>`
  const brand = kind === 'front' ? `<h1 class="brand">${brandLink}</h1>` : `<p class="brand">${brandLink}</p>`
  return `<!doctype html>
<html${langAttributes(language)}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeMarkup(title)}</title>
<link rel="stylesheet" href="${escapeMarkup(toLink(site, styleAddress))}">
${head}
</head>
<body${kind === undefined ? '' : ` class="${kind}"`}>
<a class="skip" href="#main"${mark}>${escapeMarkup(words.skip)}</a>
<header class="masthead"${mark}>${brand}
${kind === 'print' ? '' : navigation(frame, here)}</header>
<main id="main" tabindex="-1">
${main}
</main>
<footer class="colophon"${mark}><p>${escapeMarkup(site.title)}</p><p>${escapeMarkup(`${words.timesIn}: ${toZoneName(site)}`)}</p></footer>
</body>
</html>
`
}
