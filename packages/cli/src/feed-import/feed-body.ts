/** The body of an entry as an article has it: whole addresses, and no picture that stands in a field of its own. Pure. */
import { cleanHtml, completeAddresses } from '@newswire/events/markup'
import { findMarkupExcess } from '@newswire/events/markup-excess'
import { escapeMarkup, unescapeAttribute } from '@newswire/events/text'
import type { FeedEntry, FeedPicture } from './feed-document.ts'

const FIGURE = /<figure><img src="([^"]*)"[^>]*><figcaption>[^<]*<\/figcaption><\/figure>|<figure><img src="([^"]*)"[^>]*><\/figure>/g

/** Our feeds put the pictures around the body and the correction's note behind it; an article has them in fields of their own. */
const withoutOurAdditions = (html: string, pictures: readonly FeedPicture[], correction: string): string => {
  const known = new Set(pictures.flatMap(one => [one.url, ...one.also]))
  const note = correction === '' ? null : `:</strong> ${escapeMarkup(correction)}</p>`
  const begin = note !== null && html.endsWith(note) ? html.lastIndexOf('\n<p><strong>') : -1
  return (begin < 0 ? html : html.slice(0, begin))
    .replace(FIGURE, (whole, captioned?: string, plain?: string) => (known.has(unescapeAttribute(captioned ?? plain ?? '')) ? '' : whole))
    .trim()
}

/** The lead picture stands above the story; the same once more within it would be shown twice. */
const withoutLead = (html: string, lead: FeedPicture | undefined): string =>
  lead === undefined
    ? html
    : html.replace(/<img src="([^"]*)"[^>]*>/g, (whole, src: string) => (lead.also.includes(unescapeAttribute(src)) ? '' : whole))

/** Too much for a parser is left as it is, for ingest to refuse with its own words. */
export const bodyOf = ({ html, summary, base, own, pictures }: FeedEntry): string => {
  if (html === null) return summary === '' ? '' : `<p>${escapeMarkup(summary)}</p>`
  if (findMarkupExcess(html) !== null) return html
  if (own !== null) return withoutOurAdditions(html, pictures, own.correction)
  const clean = cleanHtml(html)
  // Without a base it is for ingest to say what is lost.
  return withoutLead(URL.canParse(base) ? completeAddresses(clean, base).html : clean, pictures[0])
}
