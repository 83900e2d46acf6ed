/** The body of an entry as an article has it: whole addresses, and no picture that stands in a field of its own. Pure. */
import { cleanHtml } from '@newswire/events/markup'
import { findMarkupExcess } from '@newswire/events/markup-excess'
import { escapeMarkup } from '@newswire/events/text'
import type { FeedEntry, FeedPicture } from './feed-document.ts'

const FIGURE = /<figure><img src="([^"]*)"[^>]*><figcaption>[^<]*<\/figcaption><\/figure>|<figure><img src="([^"]*)"[^>]*><\/figure>/g

const plainAddress = (value: string): string =>
  value.replace(/&(amp|lt|gt|quot|#39);/g, (whole, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name] ?? whole)

/** Our feeds put the pictures around the body and the correction's note behind it; an article has them in fields of their own. */
const withoutOurAdditions = (html: string, pictures: readonly FeedPicture[], correction: string): string => {
  const known = new Set(pictures.flatMap(one => [one.url, ...one.also]))
  const note = correction === '' ? null : `:</strong> ${escapeMarkup(correction)}</p>`
  const begin = note !== null && html.endsWith(note) ? html.lastIndexOf('\n<p><strong>') : -1
  return (begin < 0 ? html : html.slice(0, begin))
    .replace(FIGURE, (whole, captioned?: string, plain?: string) => (known.has(plainAddress(captioned ?? plain ?? '')) ? '' : whole))
    .trim()
}

/** Addresses of clean HTML stand between double quotes. */
const ADDRESS = /( (?:href|src|cite)=")([^"]*)(")/g

const absolute = (html: string, base: string): string => {
  if (!URL.canParse(base)) return html
  return html.replace(ADDRESS, (whole, before: string, address: string, after: string) => {
    if (address === '' || address.startsWith('#') || /^[a-z][a-z0-9+.-]*:/i.test(address)) return whole
    const resolved = URL.parse(plainAddress(address), base)
    return resolved === null ? whole : `${before}${escapeMarkup(resolved.href)}${after}`
  })
}

/** The lead picture stands above the story; the same once more within it would be shown twice. */
const withoutLead = (html: string, lead: FeedPicture | undefined): string =>
  lead === undefined
    ? html
    : html.replace(/<img src="([^"]*)"[^>]*>/g, (whole, src: string) => (lead.also.includes(plainAddress(src)) ? '' : whole))

/** Too much for a parser is left as it is, for ingest to refuse with its own words. */
export const bodyOf = ({ html, summary, base, own, pictures }: FeedEntry): string => {
  if (html === null) return summary === '' ? '' : `<p>${escapeMarkup(summary)}</p>`
  if (findMarkupExcess(html) !== null) return html
  if (own !== null) return withoutOurAdditions(html, pictures, own.correction)
  return withoutLead(absolute(cleanHtml(html), base), pictures[0])
}
