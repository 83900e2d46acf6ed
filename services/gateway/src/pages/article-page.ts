/** The article page, its print view, and what stands there after a retraction. */
import type { Article } from '@newswire/events/article'
import { type CategoryConfig, type SiteConfig, withAncestors } from '@newswire/events/config'
import type { Fact, LiveFact } from '@newswire/events/fact'
import { articleUrl, leadPicture, noticeOf, pickRendition, renditionUrl, toContentHtml } from '@newswire/events/public-article'
import { escapeMarkup } from '@newswire/events/text'
import { toDocument, toTime, words } from './document.ts'

type Categories = ReadonlyMap<string, CategoryConfig>

const metaLine = (fact: LiveFact, site: SiteConfig): string => {
  const { article } = fact
  const say = words(article.language)
  const parts = [
    article.byline === '' ? '' : `<span>${escapeMarkup(article.byline)}</span>`,
    article.dateline === '' ? '' : `<span>${escapeMarkup(article.dateline)}</span>`,
    `${say.published} ${toTime(article.publishedAt ?? fact.firstReleasedAt, site, article.language)}`,
    fact.updatedAt === fact.firstReleasedAt ? '' : `${say.updated} ${toTime(fact.updatedAt, site, article.language)}`,
  ]
  return `<p class="meta">${parts.filter(part => part !== '').join(' · ')}</p>`
}

const correctionNote = (article: Article): string =>
  article.correction
    ? `<aside class="note"><strong>${words(article.language).correction}:</strong> ${escapeMarkup(article.correction.note)}</aside>`
    : ''

const categoryLine = (article: Article, categories: Categories): string => {
  const names = article.categories.map(id => categories.get(id)?.name ?? id)
  return names.length === 0 ? '' : `<p class="meta">${names.map(escapeMarkup).join(' · ')}</p>`
}

const sourceLine = (article: Article): string => {
  const lines = [
    article.source === '' ? '' : `${words(article.language).source}: ${escapeMarkup(article.source)}`,
    article.rights && article.rights.copyright !== '' ? escapeMarkup(article.rights.copyright) : '',
  ].filter(line => line !== '')
  return lines.length === 0 ? '' : `<p class="meta">${lines.join(' · ')}</p>`
}

const articleMain = (fact: LiveFact, site: SiteConfig, categories: Categories, extra: string): string => `<article>
${categoryLine(fact.article, categories)}
<h1>${escapeMarkup(fact.article.title)}</h1>
${metaLine(fact, site)}
${fact.article.summary === '' ? '' : `<p class="summary">${escapeMarkup(fact.article.summary)}</p>`}
${correctionNote(fact.article)}
${toContentHtml(fact.article, site.publicUrl)}
${sourceLine(fact.article)}
${extra}
</article>`

/** schema.org NewsArticle as JSON-LD; `<` is escaped, so no text can end the element it stands in. */
export const toJsonLd = (fact: LiveFact, site: SiteConfig, categories: Categories): string => {
  const { article } = fact
  const pictures = article.images.flatMap(picture => {
    const shown = picture.state === 'ready' ? pickRendition(picture, 1200) : null
    return shown === null ? [] : [renditionUrl(site.publicUrl, shown.key)]
  })
  const sections = article.categories.flatMap(id => withAncestors(id, categories)).map(id => categories.get(id)?.name ?? id)
  const data = {
    '@context': 'https://schema.org',
    '@type': 'NewsArticle',
    headline: article.title,
    ...(article.summary === '' ? {} : { description: article.summary }),
    inLanguage: article.language,
    datePublished: article.publishedAt ?? fact.firstReleasedAt,
    dateModified: fact.updatedAt,
    mainEntityOfPage: articleUrl(site.publicUrl, fact.articleId),
    ...(article.byline === '' ? {} : { author: [{ '@type': 'Person', name: article.byline }] }),
    publisher: { '@type': 'Organization', name: site.title },
    ...(pictures.length === 0 ? {} : { image: pictures }),
    ...(sections.length === 0 ? {} : { articleSection: [...new Set(sections)] }),
    ...(article.correction ? { correction: { '@type': 'CorrectionComment', text: article.correction.note } } : {}),
    ...(article.rights && article.rights.copyright !== '' ? { copyrightNotice: article.rights.copyright } : {}),
  }
  return JSON.stringify(data).replaceAll('<', '\\u003c')
}

const openGraph = (fact: LiveFact, site: SiteConfig): string => {
  const lead = leadPicture(fact.article)
  const shown = lead === null ? null : pickRendition(lead, 1200)
  const meta = (property: string, content: string) => `<meta property="${property}" content="${escapeMarkup(content)}">`
  return [
    meta('og:type', 'article'),
    meta('og:title', fact.article.title),
    fact.article.summary === '' ? '' : meta('og:description', fact.article.summary),
    meta('og:url', articleUrl(site.publicUrl, fact.articleId)),
    shown === null ? '' : meta('og:image', renditionUrl(site.publicUrl, shown.key)),
  ]
    .filter(line => line !== '')
    .join('\n')
}

const canonicalOf = (fact: LiveFact, site: SiteConfig): string => fact.article.canonicalUrl ?? articleUrl(site.publicUrl, fact.articleId)

export const toArticlePage = (fact: LiveFact, site: SiteConfig, categories: Categories): string => {
  const path = `/articles/${fact.articleId}`
  const head = `<link rel="canonical" href="${escapeMarkup(canonicalOf(fact, site))}">
<link rel="alternate" type="application/json" href="${path}/article.json">
${openGraph(fact, site)}
<script type="application/ld+json">${toJsonLd(fact, site, categories)}</script>`
  const print = `<p class="meta noprint"><a href="${path}/print">${words(fact.article.language).print}</a></p>`
  return toDocument({
    site,
    language: fact.article.language,
    title: `${fact.article.title} – ${site.title}`,
    head,
    main: articleMain(fact, site, categories, print),
  })
}

/** Everything of the article with its address and when it was taken from here, for paper. `now` is shown, nothing else depends on it. */
export const toPrintView = (fact: LiveFact, site: SiteConfig, categories: Categories, now: string): string => {
  const say = words(fact.article.language)
  const extra = `<p class="meta">${say.address}: ${escapeMarkup(canonicalOf(fact, site))}<br>${say.retrieved} ${toTime(now, site, fact.article.language)}</p>`
  const head = `<link rel="canonical" href="${escapeMarkup(canonicalOf(fact, site))}">\n<meta name="robots" content="noindex">`
  return toDocument({
    site,
    language: fact.article.language,
    title: fact.article.title,
    head,
    main: articleMain(fact, site, categories, extra),
    bodyClass: 'print',
  })
}

/** For 410: says that something was here and is gone, and nothing of what it was. */
export const toGonePage = (fact: Fact, site: SiteConfig): string => {
  const say = words(site.language)
  const notice = fact.state === 'live' ? say.gone : noticeOf(fact, site.language)
  return toDocument({
    site,
    language: site.language,
    title: `${say.gone} – ${site.title}`,
    head: '<meta name="robots" content="noindex">',
    main: `<h1>${say.gone}</h1>\n<p>${escapeMarkup(notice)}</p>`,
  })
}
