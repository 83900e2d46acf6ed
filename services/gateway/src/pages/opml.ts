/**
 * OPML 2.0 (opml.org/spec2.opml): every public feed for readers' software. One outline a feed, as RSS, which all of them take; another for Atom
 * would only make them subscribe twice. No dates: the file changes when the configuration does, and nothing of it reads a clock.
 */
import { type CategoryConfig, type FeedConfig, type SiteConfig, withAncestors } from '@newswire/events/config'
import { feedFiles } from '@newswire/events/feed'
import { cleanLine, escapeMarkup } from '@newswire/events/text'
import { toListPath } from '../paging.ts'

type Categories = ReadonlyMap<string, CategoryConfig>

/** From the top down, with slashes; commas part one from the next, so names have neither. */
const toCategoryPath = (id: string, categories: Categories): string =>
  withAncestors(id, categories)
    .reverse()
    .map(one => `/${cleanLine(categories.get(one)?.name ?? one).replaceAll(/[/,]/g, ' ')}`)
    .join('')

const outline = (feed: FeedConfig, site: SiteConfig, categories: Categories): string => {
  const sections = feed.match.categories ?? []
  const [only, ...more] = sections
  const place = { category: only !== undefined && more.length === 0 && categories.has(only) ? only : null, before: null, after: null }
  const attributes: readonly (readonly [string, string])[] = [
    ['type', 'rss'],
    ['version', 'RSS'],
    ['text', feed.title],
    ['title', feed.title],
    ['description', feed.description],
    ['language', feed.language ?? site.language],
    ['category', sections.map(id => toCategoryPath(id, categories)).join(',')],
    ['xmlUrl', `${site.publicUrl}/feeds/${feed.id}/${feedFiles.rss.name}`],
    ['htmlUrl', site.publicUrl + toListPath(place)],
  ]
  const written = attributes.filter(([, value]) => value !== '').map(([name, value]) => `${name}="${escapeMarkup(cleanLine(value))}"`)
  return `    <outline ${written.join(' ')}/>`
}

/** `feeds` are those that everybody may know of. */
export const toOpml = (
  feeds: readonly FeedConfig[],
  site: SiteConfig,
  categories: Categories,
): string => `<?xml version="1.0" encoding="UTF-8"?>
<opml version="2.0">
  <head>
    <title>${escapeMarkup(cleanLine(site.title))}</title>
    <ownerId>${escapeMarkup(`${site.publicUrl}/`)}</ownerId>
    <docs>http://opml.org/spec2.opml</docs>
  </head>
  <body>
${feeds.map(feed => outline(feed, site, categories)).join('\n')}
  </body>
</opml>
`
