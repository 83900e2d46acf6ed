/**
 * A search as RSS 2.0, newest first. Feeds of the configuration are made by `services/feeds`; this is a list of what is found now, without bodies,
 * history or notices. Items have the identity that the same article has in every feed.
 */
import type { SiteConfig } from '@newswire/events/config'
import { toTagUri } from '@newswire/events/ids'
import { articleUrl } from '@newswire/events/public-article'
import { cleanLine, escapeMarkup } from '@newswire/events/text'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { type SearchPlace, toSearchPath } from '../search-place.ts'
import type { Hit, SearchFound } from '../search-reader.ts'
import { speak } from './language.ts'

const element = (name: string, text: string, attributes = ''): string =>
  text === '' ? '' : `<${name}${attributes}>${escapeMarkup(cleanLine(text))}</${name}>`

const item = (hit: Hit, { site, categories }: Pick<ConfigSnapshot, 'site' | 'categories'>): string =>
  [
    '    <item>',
    element('title', hit.title),
    element('link', articleUrl(site.publicUrl, hit.articleId)),
    element('guid', toTagUri(site.id, hit.articleId), ' isPermaLink="false"'),
    element('pubDate', new Date(hit.publishedAt).toUTCString()),
    // Markup inside text, as RSS has it: what is escaped already is escaped once more.
    element('description', hit.snippetHtml),
    ...hit.categories.map(id => element('category', categories.get(id)?.name ?? id)),
    element('dc:language', hit.language),
    '    </item>',
  ]
    .filter(line => line !== '')
    .join('\n')

/** What was searched for, as a title. */
export const searchTitle = ({ q }: Pick<SearchPlace, 'q'>, { title, language }: SiteConfig): string => {
  const { words } = speak(language, language)
  return `${q === '' ? words.search : `${words.search}: ${q}`} – ${title}`
}

export const toSearchRss = (place: SearchPlace, { hits }: Pick<SearchFound, 'hits'>, config: ConfigSnapshot): string => {
  const { site } = config
  const title = searchTitle(place, site)
  return `<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc/elements/1.1/">
  <channel>
${element('title', title)}
${element('link', site.publicUrl + toSearchPath(place))}
${element('description', title)}
${element('language', site.language)}
<atom:link rel="self" type="application/rss+xml" href="${escapeMarkup(site.publicUrl + toSearchPath(place, '/search/rss.xml'))}"/>
${hits.map(hit => item(hit, config)).join('\n')}
  </channel>
</rss>
`
}
