/** The front page and its sections: what is published, newest first, page by page. */
import type { CategoryConfig, FeedConfig, SiteConfig } from '@newswire/events/config'
import type { LiveFact } from '@newswire/events/fact'
import { feedFiles, feedFormats } from '@newswire/events/feed'
import { leadPicture } from '@newswire/events/public-article'
import { escapeMarkup } from '@newswire/events/text'
import { type ListPlace, toListPath } from '../paging.ts'
import { toLink } from './addresses.ts'
import { type Frame, toCategoryLink, toDocument } from './document.ts'
import { toSiteJsonLd } from './json-ld.ts'
import { langAttributes, speak } from './language.ts'
import { toPicture } from './pictures.ts'
import { toSearchBox } from './search-form.ts'
import { toTime } from './times.ts'

export type List = Readonly<{
  frame: Frame
  /** With its parents, nearest first; empty on the front page. */
  section: readonly CategoryConfig[]
  place: ListPlace
  facts: readonly LiveFact[]
  /** `null` where there are none. */
  newer: ListPlace | null
  older: ListPlace | null
  /** Those that readers should find from here. */
  feeds: readonly FeedConfig[]
  /** Whether these are all there are. */
  isWhole: boolean
}>

const teaser = (fact: LiveFact, site: SiteConfig, isFirst: boolean): string => {
  const { article } = fact
  const { language } = article
  const lead = leadPicture(article)
  const sizes = isFirst ? '(min-width: 58rem) 52rem, 92vw' : '(min-width: 40rem) 13rem, (min-width: 24rem) 6.5rem, 92vw'
  const picture =
    lead === null
      ? ''
      : toPicture(lead, { site, sizes, width: isFirst ? 1280 : 320, loading: isFirst ? 'first' : 'lazy', decorative: true })
  const kind = [isFirst ? 'first' : '', picture === '' ? 'plain' : ''].filter(one => one !== '').join(' ')
  const badge = article.type === 'article' ? '' : `<span class="badge">${speak(language, site.language).say(article.type)}</span> `
  const summary = article.summary === '' ? '' : `<p class="teaser">${escapeMarkup(article.summary)}</p>\n`
  return `<li${kind === '' ? '' : ` class="${kind}"`}${langAttributes(language, site.language)}><div><h2><a href="${escapeMarkup(toLink(site, `/articles/${fact.articleId}`))}">${escapeMarkup(article.title)}</a></h2>
${summary}<p class="meta">${badge}${toTime(article.publishedAt ?? fact.firstReleasedAt, { site, language })}</p></div>${picture}</li>`
}

/** An article among others, its title and time only; on a page in `around`. */
export const toTitleRow = ({ articleId, firstReleasedAt, article }: LiveFact, site: SiteConfig, around: string): string => {
  const { language } = article
  return `<li${langAttributes(language, around)}><a href="${escapeMarkup(toLink(site, `/articles/${articleId}`))}">${escapeMarkup(article.title)}</a> <span class="meta">${toTime(article.publishedAt ?? firstReleasedAt, { site, language })}</span></li>`
}

/** Lets readers find the feeds from the page's address. */
const discovery = (feeds: readonly FeedConfig[], site: SiteConfig): string =>
  feeds
    .flatMap(feed =>
      feedFormats.map(
        format =>
          `<link rel="alternate" type="${feedFiles[format].type.split(';')[0]}" title="${escapeMarkup(`${feed.title} (${feedNames[format]})`)}" href="${escapeMarkup(toLink(site, `/feeds/${feed.id}/${feedFiles[format].name}`))}">`,
      ),
    )
    .join('\n')

export const feedNames = { rss: 'RSS 2.0', atom: 'Atom 1.0', json: 'JSON Feed 1.1' } as const

const isFirstPage = ({ before, after }: ListPlace): boolean => before === null && after === null

/** Only the first page of a list is worth keeping: what stands on the others has a page of its own. */
export const robotsOfList = (place: ListPlace): string | null => (isFirstPage(place) ? null : 'noindex, follow')

const head = ({ frame: { site }, section, place, newer, older, feeds }: List): string => {
  const robots = robotsOfList(place)
  const link = (rel: string, to: ListPlace | null) =>
    to === null ? '' : `<link rel="${rel}" href="${escapeMarkup(toLink(site, toListPath(to)))}">`
  return [
    robots === null ? '' : `<meta name="robots" content="${robots}">`,
    `<link rel="canonical" href="${escapeMarkup(site.publicUrl + toListPath(place))}">`,
    link('prev', newer),
    link('next', older),
    discovery(feeds, site),
    `<link rel="search" type="application/opensearchdescription+xml" title="${escapeMarkup(site.title)}" href="${escapeMarkup(toLink(site, '/opensearch.xml'))}">`,
    section.length === 0 && isFirstPage(place) ? `<script type="application/ld+json">${toSiteJsonLd(site)}</script>` : '',
  ]
    .filter(line => line !== '')
    .join('\n')
}

const turning = ({ frame: { site }, newer, older, isWhole }: List): string => {
  const { words } = speak(site.language, site.language)
  const end = older === null && !isWhole ? `<p class="summary">${escapeMarkup(words.olderUnknown)}</p>` : ''
  if (newer === null && older === null) return end
  const link = (rel: string, to: ListPlace | null, name: string) =>
    to === null ? '<span></span>' : `<a rel="${rel}" href="${escapeMarkup(toLink(site, toListPath(to)))}">${escapeMarkup(name)}</a>`
  return `${end}<nav class="pages" aria-label="${escapeMarkup(words.pages)}">${link('prev', newer, `← ${words.newer}`)}${link('next', older, `${words.older} →`)}</nav>`
}

/** Where a section stands: its parents as links, then its name. The front page's name is in the head of the page. */
const sectionTitle = ({ frame: { site }, section }: List): string => {
  const [own, ...parents] = section
  if (own === undefined) return ''
  const links = [...parents]
    .reverse()
    .map(({ id, name }) => `<a href="${escapeMarkup(toCategoryLink(site, id))}">${escapeMarkup(name)}</a>`)
  return `${links.length === 0 ? '' : `<p class="kicker">${links.join(' · ')}</p>`}<h1>${escapeMarkup(own.name)}</h1>\n`
}

export const toListPage = (list: List): string => {
  const { frame, section, place, facts } = list
  const { site } = frame
  const { words } = speak(site.language, site.language)
  const stories = facts.map((fact, index) => teaser(fact, site, index === 0 && isFirstPage(place)))
  const [own] = section
  return toDocument({
    frame,
    language: site.language,
    title: own === undefined ? site.title : `${own.name} – ${site.title}`,
    head: head(list),
    main: `${sectionTitle(list)}${toSearchBox(site, own)}
${stories.length === 0 ? `<p class="summary">${escapeMarkup(words.none)}</p>` : `<ul class="stories">\n${stories.join('\n')}\n</ul>`}
${turning(list)}`,
    here: toLink(site, toListPath({ ...place, before: null, after: null })),
    ...(own === undefined ? { kind: 'front' as const } : {}),
  })
}
