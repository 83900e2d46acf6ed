/** Every public feed for people: what it is, its addresses to copy, and what is in it now. */
import type { CategoryConfig, FeedConfig, SiteConfig } from '@newswire/events/config'
import type { LiveFact } from '@newswire/events/fact'
import { feedFiles, feedFormats } from '@newswire/events/feed'
import { escapeMarkup } from '@newswire/events/text'
import { toLink } from './addresses.ts'
import { scriptAddress } from './assets.ts'
import { type Frame, toDocument } from './document.ts'
import { langAttributes, speak, toLanguageName } from './language.ts'
import { feedNames, toTitleRow } from './lists.ts'

export type ShownFeed = Readonly<{ feed: FeedConfig /** `null` when it cannot be told yet. */; newest: readonly LiveFact[] | null }>

type Feeds = Readonly<{ frame: Frame; feeds: readonly ShownFeed[]; categories: ReadonlyMap<string, CategoryConfig> }>

const languageOf = (feed: FeedConfig, site: SiteConfig): string => feed.language ?? site.language

/** On a narrow screen it goes on after a slash, not within a word; the text that is copied is the same. */
const breakable = (url: string): string => escapeMarkup(url).replaceAll(/([^:/])\//g, '$1/<wbr>')

/** An address as text that can be selected, and a button for whoever has scripts; hidden until the script shows it. */
const address = (name: string, url: string, id: string, of: string, site: SiteConfig): string => {
  const { words } = speak(site.language, site.language)
  const label = `${words.copyOf}: ${name}, ${of}`
  return `<li><span>${escapeMarkup(name)}</span> <a id="${id}" href="${escapeMarkup(url)}">${breakable(url)}</a> <button type="button" hidden data-copies="${id}" aria-label="${escapeMarkup(label)}">${escapeMarkup(words.copy)}</button></li>`
}

const addresses = (feed: FeedConfig, site: SiteConfig): string => {
  const { words } = speak(site.language, site.language)
  const at = (file: string) => `${site.publicUrl}/feeds/${feed.id}/${file}`
  const rows = [
    ...feedFormats.map(format => [feedNames[format], at(feedFiles[format].name), `to-${feed.id}-${format}`] as const),
    [words.sitemap, at(feedFiles.sitemap.name), `to-${feed.id}-sitemap`] as const,
    [words.hub, `${site.publicUrl}/hub`, `to-${feed.id}-hub`] as const,
  ]
  return `<ul class="addresses">\n${rows.map(([name, url, id]) => address(name, url, id, feed.title, site)).join('\n')}\n</ul>`
}

/** What is in it, in a few words: sections, languages, whether texts are whole. */
const contents = (feed: FeedConfig, site: SiteConfig, categories: Feeds['categories']): string => {
  const { words } = speak(site.language, site.language)
  const sections = feed.match.categories?.map(id => categories.get(id)?.name ?? id).join(', ') ?? words.everySection
  const languages = feed.match.languages?.map(tag => toLanguageName(tag, site.language)).join(', ') ?? words.anyLanguage
  const parts = [`${words.categories}: ${sections}`, `${words.language}: ${languages}`, feed.content === 'summary' ? words.summaries : '']
  return `<p class="meta">${escapeMarkup(parts.filter(part => part !== '').join(' · '))}</p>`
}

const preview = ({ newest }: ShownFeed, site: SiteConfig): string => {
  if (newest === null) return ''
  const { words } = speak(site.language, site.language)
  const items = newest.map(one => toTitleRow(one, site, site.language))
  const list = items.length === 0 ? `<p class="meta">${escapeMarkup(words.none)}</p>` : `<ul>\n${items.join('\n')}\n</ul>`
  return `<details class="preview"><summary>${escapeMarkup(words.preview)}</summary>\n${list}</details>`
}

const entry = (shown: ShownFeed, { frame: { site }, categories }: Feeds): string => {
  const { feed } = shown
  const mark = langAttributes(languageOf(feed, site), site.language)
  const description = feed.description === '' ? '' : `<p${mark}>${escapeMarkup(feed.description)}</p>\n`
  return `<li id="feed-${feed.id}"><h2${mark}>${escapeMarkup(feed.title)}</h2>
${description}${contents(feed, site, categories)}
${addresses(feed, site)}
${preview(shown, site)}</li>`
}

export const toFeedsPage = (all: Feeds): string => {
  const { frame, feeds } = all
  const { site } = frame
  const { words } = speak(site.language, site.language)
  const list =
    feeds.length === 0
      ? `<p class="summary">${escapeMarkup(words.noFeeds)}</p>`
      : `<p>${escapeMarkup(words.feedsIntro)} <a href="${escapeMarkup(toLink(site, '/opml.xml'))}">${escapeMarkup(words.allFeeds)}</a>.</p>
<ul class="feeds">\n${feeds.map(shown => entry(shown, all)).join('\n')}\n</ul>
<p id="said" role="status" data-copied="${escapeMarkup(words.copied)}" data-selected="${escapeMarkup(words.selected)}"></p>`
  return toDocument({
    frame,
    language: site.language,
    title: `${words.feeds} – ${site.title}`,
    head: `<link rel="canonical" href="${escapeMarkup(`${site.publicUrl}/feeds`)}">
<link rel="alternate" type="text/x-opml" title="OPML" href="${escapeMarkup(toLink(site, '/opml.xml'))}">
<script src="${escapeMarkup(toLink(site, scriptAddress))}" defer></script>`,
    main: `<h1>${escapeMarkup(words.feeds)}</h1>\n${list}`,
    here: toLink(site, '/feeds'),
  })
}
