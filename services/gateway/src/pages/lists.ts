/** The front page, the list of feeds for people, and OPML 2.0 for readers. */
import type { FeedConfig, SiteConfig } from '@newswire/events/config'
import type { LiveFact } from '@newswire/events/fact'
import { feedFiles, feedFormats } from '@newswire/events/feed'
import { leadPicture, pickRendition, renditionUrl } from '@newswire/events/public-article'
import { cleanLine, escapeMarkup } from '@newswire/events/text'
import { toDocument, toTime, words } from './document.ts'

const teaser = (fact: LiveFact, site: SiteConfig): string => {
  const { article } = fact
  const lead = leadPicture(article)
  const shown = lead === null ? null : pickRendition(lead, 320)
  const image =
    shown === null || lead === null
      ? ''
      : `<img src="${escapeMarkup(renditionUrl(site.publicUrl, shown.key))}" alt="${escapeMarkup(lead.alt)}" width="${shown.width}" height="${shown.height}" loading="lazy">`
  return `<li lang="${escapeMarkup(article.language)}"><div><h2><a href="/articles/${fact.articleId}">${escapeMarkup(article.title)}</a></h2>
<p class="meta">${toTime(article.publishedAt ?? fact.firstReleasedAt, site, article.language)}</p>
${article.summary === '' ? '' : `<p>${escapeMarkup(article.summary)}</p>`}</div>${image}</li>`
}

/** Lets readers find the feeds from the page's address. */
const discovery = (feeds: readonly FeedConfig[]): string =>
  feeds
    .map(feed => `<link rel="alternate" type="application/rss+xml" title="${escapeMarkup(feed.title)}" href="/feeds/${feed.id}/rss.xml">`)
    .join('\n')

export const toFrontPage = (facts: readonly LiveFact[], feeds: readonly FeedConfig[], site: SiteConfig): string => {
  const list =
    facts.length === 0
      ? `<p>${words(site.language).none}</p>`
      : `<ul class="list">\n${facts.map(fact => teaser(fact, site)).join('\n')}\n</ul>`
  return toDocument({
    site,
    language: site.language,
    title: site.title,
    head: discovery(feeds),
    main: `<h1>${escapeMarkup(site.title)}</h1>\n${list}`,
  })
}

const NAMES = { rss: 'RSS 2.0', atom: 'Atom 1.0', json: 'JSON Feed 1.1' } as const

export const toFeedsPage = (feeds: readonly FeedConfig[], site: SiteConfig): string => {
  const rows = feeds.map(
    feed =>
      `<tr><th scope="row">${escapeMarkup(feed.title)}</th><td>${feedFormats.map(format => `<a href="/feeds/${feed.id}/${feedFiles[format].name}">${NAMES[format]}</a>`).join('<br>')}</td></tr>`,
  )
  const say = words(site.language)
  return toDocument({
    site,
    language: site.language,
    title: `${say.feeds} – ${site.title}`,
    main: `<h1>${say.feeds}</h1>\n<table>\n${rows.join('\n')}\n</table>\n<p class="meta"><a href="/opml.xml">OPML</a></p>`,
  })
}

/** OPML 2.0: every feed as RSS. */
export const toOpml = (feeds: readonly FeedConfig[], site: SiteConfig): string => {
  const outlines = feeds.map(
    feed =>
      `    <outline type="rss" text="${escapeMarkup(cleanLine(feed.title))}" xmlUrl="${escapeMarkup(`${site.publicUrl}/feeds/${feed.id}/rss.xml`)}" htmlUrl="${escapeMarkup(site.publicUrl)}"/>`,
  )
  return `<?xml version="1.0" encoding="UTF-8"?>\n<opml version="2.0">\n  <head><title>${escapeMarkup(cleanLine(site.title))}</title></head>\n  <body>\n${outlines.join('\n')}\n  </body>\n</opml>\n`
}
